from __future__ import annotations

from django.apps import AppConfig


class AgreementsConfig(AppConfig):
    name = "hutong.control.agreements"
    label = "agreements"

    def ready(self) -> None:
        from hutong.control.agreements import answers, defaults, succession  # noqa: F401 - register what the node does

        answers.register()
