from __future__ import annotations

from django.apps import AppConfig

WARN_EVERY_S = 3600.0


class CalendarConfig(AppConfig):
    name = "hutong.control.calendar"
    label = "calendar"

    def ready(self) -> None:
        from hutong.control.calendar import check, duty
        from hutong.node import checkup, work

        checkup.add("calendar", check.years)
        work.register("calendar", duty.warn, WARN_EVERY_S)
