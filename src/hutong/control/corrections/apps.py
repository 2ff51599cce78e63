from __future__ import annotations

from django.apps import AppConfig


class CorrectionsConfig(AppConfig):
    name = "hutong.control.corrections"
    label = "corrections"

    def ready(self) -> None:
        from hutong.control.corrections import hearing, looking
        from hutong.node import work

        hearing.register()
        work.register(looking.LOOK, looking.look_at_all, every_s=looking.LOOK_EVERY_S)
