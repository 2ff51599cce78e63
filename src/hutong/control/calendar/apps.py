from __future__ import annotations

from django.apps import AppConfig


class CalendarConfig(AppConfig):
    name = "hutong.control.calendar"
    label = "calendar"
