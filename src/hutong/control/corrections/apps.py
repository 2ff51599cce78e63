from __future__ import annotations

from django.apps import AppConfig


class CorrectionsConfig(AppConfig):
    name = "hutong.control.corrections"
    label = "corrections"
