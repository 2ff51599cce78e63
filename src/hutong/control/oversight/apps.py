from __future__ import annotations

from django.apps import AppConfig


class OversightConfig(AppConfig):
    name = "hutong.control.oversight"
    label = "oversight"

    def ready(self) -> None:
        from hutong.control.oversight import reconciling
        from hutong.node import work

        work.register_aside("reconcile", reconciling.reconcile_all, reconciling.LOOK_EVERY_S)
