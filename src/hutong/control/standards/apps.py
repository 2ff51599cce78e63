from __future__ import annotations

from django.apps import AppConfig


class StandardsConfig(AppConfig):
    name = "hutong.control.standards"
    label = "standards"
