from __future__ import annotations

from django.apps import AppConfig


class CatalogueConfig(AppConfig):
    name = "hutong.control.catalogue"
    label = "catalogue"

    def ready(self) -> None:
        from hutong.control.catalogue import federation, sources
        from hutong.node import work

        work.register("catalogue.greet", federation.greet, every_s=federation.GREET_EVERY_S)
        work.register("catalogue.sweep", sources.sweep_snapshots, every_s=sources.SWEEP_EVERY_S)
