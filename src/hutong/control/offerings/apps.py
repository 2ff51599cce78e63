from __future__ import annotations

from django.apps import AppConfig


class OfferingsConfig(AppConfig):
    name = "hutong.control.offerings"
    label = "offerings"
