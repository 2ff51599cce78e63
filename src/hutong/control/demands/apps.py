from __future__ import annotations

from django.apps import AppConfig


class DemandsConfig(AppConfig):
    name = "hutong.control.demands"
    label = "demands"
