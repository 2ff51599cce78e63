from __future__ import annotations

from django.apps import AppConfig


class ZonesConfig(AppConfig):
    name = "hutong.control.zones"
    label = "zones"

    def ready(self) -> None:
        from hutong.control.zones import actions  # noqa: F401 - registers what the region's node sends
