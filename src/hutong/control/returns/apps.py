from __future__ import annotations

from django.apps import AppConfig


class ReturnsConfig(AppConfig):
    name = "hutong.control.returns"
    label = "returns"
