from __future__ import annotations

from django.apps import AppConfig


class NodeConfig(AppConfig):
    name = "hutong.node"
    label = "node"

    def ready(self) -> None:
        from hutong.node import duties

        duties.take_on()
