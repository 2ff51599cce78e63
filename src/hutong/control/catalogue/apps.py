from __future__ import annotations

from django.apps import AppConfig


class CatalogueConfig(AppConfig):
    name = "hutong.control.catalogue"
    label = "catalogue"

    def ready(self) -> None:
        from hutong.control.catalogue import federation
        from hutong.node import work

        work.register("catalogue.greet", federation.greet, every_s=federation.GREET_EVERY_S)
