"""What supervision has counted: figures by department and period, signed months, and days of exchanges."""

from __future__ import annotations

from django.db import models


class Figure(models.Model):
    """One measure of one department (or, with no department named, of the node's own authority) in one period."""

    measure = models.CharField(max_length=40)  # see measures.py
    grain = models.CharField(max_length=7)  # month, quarter, year
    since = models.DateField()  # the period's first day
    until = models.DateField()  # the day after its last
    as_of = models.DateField()  # the day it was counted on, in China
    department = models.CharField(max_length=18, blank=True)
    counted = models.BigIntegerField(default=0)  # the numerator: what the definition names
    of = models.BigIntegerField(default=0)  # the denominator: all cases looked at
    days = models.JSONField(default=dict)  # calendar days from receipt to answer -> cases; what a median is read from
    parts = models.JSONField(default=dict)  # code -> cases, where the measure is told by codes
    rows_digest = models.CharField(max_length=80)  # of the rows counted, in their order: what a recount must give again
    counted_at = models.DateTimeField()

    class Meta:
        db_table = "oversight_figure"
        constraints = [
            models.UniqueConstraint(fields=["grain", "since", "measure", "department"], name="oversight_figure_once")
        ]


class Statement(models.Model):
    """All figures of one month as they stood when it was closed, signed by the node; its digest is in the ledger."""

    month = models.DateField(primary_key=True)  # its first day
    document = models.JSONField()
    digest = models.CharField(max_length=80)  # of the document's canonical JSON
    keyid = models.CharField(max_length=120)
    signature = models.CharField(max_length=200)  # Ed25519, base64
    entry_digest = models.CharField(max_length=80)  # of the ledger entry
    made_at = models.DateTimeField()

    class Meta:
        db_table = "oversight_statement"


class ExchangeDay(models.Model):
    """How many exchanges a department had on one day, from the use register; kept in step by `tally`."""

    day = models.DateField()  # in China
    role = models.CharField(max_length=8)  # provider, consumer
    department = models.CharField(max_length=18, blank=True)
    outcome = models.CharField(max_length=12)  # served, refused, cut, recovered
    code = models.CharField(max_length=64, blank=True)  # of a refusal
    unnamed = models.BooleanField(default=False)  # consumer's side without a case number
    exchanges = models.BigIntegerField(default=0)
    rows = models.BigIntegerField(default=0)

    class Meta:
        db_table = "oversight_exchange_day"
        constraints = [
            models.UniqueConstraint(
                fields=["day", "role", "department", "outcome", "code", "unnamed"], name="exchange_day_once"
            )
        ]


class TallyMark(models.Model):
    """One row: up to which row of the use register the days are complete."""

    after = models.BigIntegerField(default=0)
    at = models.DateTimeField()

    class Meta:
        db_table = "oversight_tally_mark"
