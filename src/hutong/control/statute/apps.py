from __future__ import annotations

from django.apps import AppConfig


class StatuteConfig(AppConfig):
    name = "hutong.control.statute"
    label = "statute"
