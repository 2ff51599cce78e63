from __future__ import annotations

from django.apps import AppConfig


class NodeConfig(AppConfig):
    name = "hutong.node"
    label = "node"

    def ready(self) -> None:
        from hutong.ledger.host import install
        from hutong.node.ledger_host import NodeHost

        install(NodeHost())
