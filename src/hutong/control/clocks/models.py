"""The statutory clocks of this node."""

from __future__ import annotations

from django.db import models


class Clock(models.Model):
    """One duty with a term: whose it is, since when, until when, and what became of it."""

    id = models.CharField(max_length=36, primary_key=True)
    rule = models.CharField(max_length=120)  # name of the ClockRule: "D809-21/reply_conditional"
    subject = models.CharField(max_length=200, db_index=True)  # "negotiation:<pid>", "resource:<id>" ...
    department = models.CharField(max_length=18, blank=True)  # who must act; "": the node's own authority
    role = models.CharField(max_length=12)
    title_zh = models.CharField(max_length=200, blank=True)
    title_en = models.CharField(max_length=200, blank=True)
    page = models.JSONField(default=list)  # name of the page's address and its arguments
    received_on = models.DateField()  # day 0, in China
    days = models.IntegerField()  # working days, without the extension
    due_on = models.DateField(null=True)  # null while the calendar of its year is not loaded
    extended_days = models.IntegerField(default=0)
    extension_state = models.CharField(max_length=9, blank=True)  # asked, consented, refused
    extension_reason = models.CharField(max_length=500, blank=True)
    extension_asked_by = models.CharField(max_length=150, blank=True)
    extension_decided_by = models.CharField(max_length=150, blank=True)
    state = models.CharField(max_length=8, default="running")  # running, met, late (met after its day), dropped
    met_on = models.DateField(null=True)
    overdue_since = models.DateField(null=True)  # the day it was found overdue and the supervisor was told
    reminded_on = models.DateField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "clock"
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "subject"], name="clock_runs_once", condition=models.Q(state="running")
            )
        ]
        indexes = [
            models.Index(fields=["state", "due_on", "id"]),
            models.Index(fields=["department", "state", "due_on", "id"]),
            models.Index(fields=["rule", "state", "received_on"]),
            models.Index(fields=["extension_state", "state"]),
            models.Index(fields=["state", "changed_at", "id"]),
            models.Index(fields=["department", "state", "changed_at", "id"]),
        ]


class CalendarFeed(models.Model):
    """An account's own address of its terms as a calendar. The address is a secret; only its digest is kept."""

    account = models.OneToOneField("identity.Account", primary_key=True, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=80, unique=True)
    made_at = models.DateTimeField()

    class Meta:
        db_table = "calendar_feed"
