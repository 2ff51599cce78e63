from __future__ import annotations

from django.db import models


class CalendarProposal(models.Model):
    """A file with days as one person proposed it; in force once another has approved it. Never changed after that."""

    id = models.CharField(max_length=36, primary_key=True)
    kind = models.CharField(max_length=8)  # notice, table
    file_name = models.CharField(max_length=200)
    text = models.TextField()  # what the second person compares with the notice as published
    digest = models.CharField(max_length=80)  # of the file, "sha256:..."
    years = models.JSONField()  # by year as text, the days as CalendarLoad has them
    state = models.CharField(max_length=8, default="proposed", db_index=True)  # proposed, approved, declined
    proposed_by = models.CharField(max_length=150)
    proposed_at = models.DateTimeField()
    decided_by = models.CharField(max_length=150, blank=True)
    decided_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=300, blank=True)  # of being sent back

    class Meta:
        db_table = "calendar_proposal"

    @property
    def year_numbers(self) -> list[int]:
        return sorted(int(year) for year in self.years)


class CalendarLoad(models.Model):
    """One year's days as they were loaded once. Never changed: a later load stands over it."""

    proposal = models.ForeignKey(CalendarProposal, on_delete=models.PROTECT, null=True, related_name="loads")
    year = models.PositiveSmallIntegerField(db_index=True)
    whole = models.BooleanField()  # arranges the whole year: earlier loads of that year no longer count
    days = models.JSONField()  # "2027-01-04": true where worked, false where off; days may be of a neighbouring year
    kind = models.CharField(max_length=8)  # notice, table
    file_name = models.CharField(max_length=200)
    digest = models.CharField(max_length=80)  # of the file, "sha256:..."
    loaded_at = models.DateTimeField()
    loaded_by = models.CharField(max_length=150)  # who proposed it

    class Meta:
        db_table = "calendar_load"

    @property
    def approved_by(self) -> str:
        """Who put it in force; empty where it was loaded before a second person was asked."""
        return self.proposal.decided_by if self.proposal else ""
