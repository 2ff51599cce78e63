"""What both sides of an agreement file with each other, and the stops a provider announces."""

from __future__ import annotations

from django.db import models

from hutong.control.agreements.models import Agreement


class Filing(models.Model):
    """One paper under an agreement, as both nodes keep it: the same id, content and digest."""

    id = models.CharField(max_length=36, primary_key=True)
    agreement = models.ForeignKey(Agreement, on_delete=models.PROTECT, related_name="filings")
    kind = models.CharField(max_length=16)  # suspension, rectification, disposal, incident, stop, use
    author = models.CharField(max_length=8)  # provider, consumer
    department = models.CharField(max_length=18, blank=True)  # whose agreement it is here
    content = models.JSONField()  # the kind's fields, see kinds.py
    refers_to = models.CharField(max_length=36, blank=True)  # a rectification's or an incident's suspension
    digest = models.CharField(max_length=80)
    filed_by = models.CharField(max_length=150)
    filed_at = models.DateTimeField()
    due_on = models.DateField(null=True)  # a suspension's day of rectification
    state = models.CharField(max_length=10)  # open, filed, accepted, objected, lifted, ended, withdrawn
    answered_by = models.CharField(max_length=150, blank=True)
    answered_at = models.DateTimeField(null=True)
    answer = models.TextField(blank=True)

    class Meta:
        db_table = "filing"
        indexes = [
            models.Index(fields=["agreement", "kind", "-filed_at"], name="filing_agreement"),
            models.Index(fields=["kind", "state", "-filed_at"], name="filing_kind"),
            models.Index(fields=["department", "kind", "-filed_at"], name="filing_department"),
        ]


class StopNotice(models.Model):
    """A provider's notice that a resource's service will stop or change, filed with its supervisor."""

    id = models.CharField(max_length=36, primary_key=True)
    resource_id = models.CharField(max_length=80, db_index=True)
    department = models.CharField(max_length=18)
    change = models.CharField(max_length=8)  # stop, change
    starts_on = models.DateField()
    reason = models.TextField()
    filed_by = models.CharField(max_length=150)
    filed_at = models.DateTimeField()
    told = models.IntegerField(default=0)  # consumers told

    class Meta:
        db_table = "stop_notice"
        indexes = [
            models.Index(fields=["filed_at", "id"], name="stop_newest"),
            models.Index(fields=["department", "filed_at", "id"], name="stop_own_newest"),
        ]


class EndedAgreement(models.Model):
    """An agreement whose end was noticed here: its data must be disposed of, and the proof filed."""

    agreement = models.OneToOneField(Agreement, on_delete=models.PROTECT, primary_key=True, related_name="end")
    how = models.CharField(max_length=10)  # ended, expired
    ended_at = models.DateTimeField()
    due_on = models.DateField(null=True)
    disposed_at = models.DateTimeField(null=True)  # the proof was accepted

    class Meta:
        db_table = "ended_agreement"
        indexes = [models.Index(fields=["disposed_at", "-ended_at"], name="ended_undisposed")]
