from __future__ import annotations

from django.apps import AppConfig


class RequestsConfig(AppConfig):
    name = "hutong.control.requests"
    label = "requests"

    def ready(self) -> None:
        from hutong.control.agreements.decisions import follows
        from hutong.control.agreements.transitions import Machine, Party
        from hutong.control.requests.actions import negotiation_closed

        for state in ("FINALIZED", "TERMINATED"):
            follows(Machine.NEGOTIATION, state, Party.CONSUMER)(negotiation_closed)
