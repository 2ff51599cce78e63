from __future__ import annotations

from django.apps import AppConfig


class RequestsConfig(AppConfig):
    name = "hutong.control.requests"
    label = "requests"
