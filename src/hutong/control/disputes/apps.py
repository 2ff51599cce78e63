from __future__ import annotations

from django.apps import AppConfig


class DisputesConfig(AppConfig):
    name = "hutong.control.disputes"
    label = "disputes"

    def ready(self) -> None:
        from hutong.control.disputes import docket, reopened, timing  # noqa: F401 - they register themselves
        from hutong.node import work

        work.register("disputes", timing.escalate_overdue, timing.EVERY_S)
