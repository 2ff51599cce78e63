from __future__ import annotations

from django.apps import AppConfig


class ExchangeConfig(AppConfig):
    name = "hutong.exchange"
    label = "exchange"

    def ready(self) -> None:
        from hutong.exchange import check

        check.register()
