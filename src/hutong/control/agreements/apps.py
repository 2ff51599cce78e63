from __future__ import annotations

from django.apps import AppConfig


class AgreementsConfig(AppConfig):
    name = "hutong.control.agreements"
    label = "agreements"

    def ready(self) -> None:
        from hutong.control.agreements import answers, defaults  # noqa: F401 - registers what the node does by itself

        answers.register()
