from __future__ import annotations

from django.apps import AppConfig


class DemandsConfig(AppConfig):
    name = "hutong.control.demands"
    label = "demands"

    def ready(self) -> None:
        from hutong.control.demands import federation, lists, succession  # noqa: F401 - they handle events and mergers
