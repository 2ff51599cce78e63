from __future__ import annotations

from django.db import models


class CalendarLoad(models.Model):
    """One year's days as they were loaded once. Never changed: a later load stands over it."""

    year = models.PositiveSmallIntegerField(db_index=True)
    whole = models.BooleanField()  # arranges the whole year: earlier loads of that year no longer count
    days = models.JSONField()  # "2027-01-04": true where worked, false where off; days may be of a neighbouring year
    kind = models.CharField(max_length=8)  # notice, table
    file_name = models.CharField(max_length=200)
    digest = models.CharField(max_length=80)  # of the file, "sha256:..."
    loaded_at = models.DateTimeField()
    loaded_by = models.CharField(max_length=150)

    class Meta:
        db_table = "calendar_load"
