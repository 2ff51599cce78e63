from __future__ import annotations

from django.apps import AppConfig

LOOK_EVERY_S = 60.0  # how late a late clock may be found


class ClocksConfig(AppConfig):
    name = "hutong.control.clocks"
    label = "clocks"

    def ready(self) -> None:
        from hutong.control.clocks import rules, succession  # noqa: F401 - register a decider and a move
        from hutong.control.clocks.actions import look
        from hutong.node import work

        work.register("clocks", look, LOOK_EVERY_S)
