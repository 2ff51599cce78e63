from __future__ import annotations

from django.apps import AppConfig


class StatuteConfig(AppConfig):
    name = "hutong.control.statute"
    label = "statute"

    def ready(self) -> None:
        from hutong.control.statute.actions import count_refusal
        from hutong.node import refusals

        refusals.on_refusal(count_refusal)
