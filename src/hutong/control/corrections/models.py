"""Corrections 校核: reports that a record is wrong, what became of them, and who else was told."""

from __future__ import annotations

from django.db import models

from hutong.control.agreements.models import Agreement


class Correction(models.Model):
    """One report, as either side keeps it. The ticket is the same on both."""

    id = models.BigAutoField(primary_key=True)
    ticket = models.CharField(max_length=36)
    role = models.CharField(max_length=8)  # consumer: we reported it; provider: we verify it
    peer = models.CharField(max_length=200)
    agreement = models.ForeignKey(Agreement, on_delete=models.PROTECT, related_name="corrections")
    resource_id = models.CharField(max_length=80)
    department = models.CharField(max_length=18)  # whose it is here
    items = models.JSONField()  # names of the items that are wrong
    key_item = models.CharField(max_length=120)
    fault = models.CharField(max_length=24)
    # Sealed with the node's key: the key's value and the evidence. At the provider's, once it has looked, also the
    # key as the source holds it, and as each agreement shows it that covers the record.
    content = models.BinaryField()
    reported_by = models.CharField(max_length=250)  # an account, "application:<name>" or "node:<jurisdiction>"
    reported_at = models.DateTimeField()
    received_at = models.DateTimeField(auto_now_add=True)
    due_on = models.DateField(null=True)
    report_digest = models.CharField(max_length=80)
    state = models.CharField(max_length=12)  # reported, corrected, not_wrong, forwarded, undelivered
    by_decision = models.CharField(max_length=80, blank=True)  # the dispute whose outcome says it must be corrected
    code = models.CharField(max_length=64, blank=True)  # why the provider's node would not take it
    # Provider's side: the record as it was when the report came, as digests under a key of this ticket alone.
    digest_key = models.BinaryField(default=b"")  # sealed with the node's key
    before = models.JSONField(default=dict)  # item: digest
    reached_before = models.JSONField(default=list)  # agreements whose grant covered the record then
    looked_at = models.DateTimeField(null=True)
    look_failed = models.CharField(max_length=64, blank=True)  # a refusal's code
    # The answer.
    changes = models.JSONField(default=list)  # [{"item", "old", "new"}], digests
    answer = models.BinaryField(default=b"")  # sealed with the node's key: reason, and the true source
    corrected_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    answered_by = models.CharField(max_length=150, blank=True)
    answer_digest = models.CharField(max_length=80, blank=True)
    subscribers = models.JSONField(default=list)  # consumer's side: [{"node", "state", "at"}], as the provider says

    class Meta:
        db_table = "correction"
        constraints = [models.UniqueConstraint(fields=["ticket", "role"], name="correction_once")]
        indexes = [
            models.Index(fields=["received_at", "id"], name="correction_newest"),
            models.Index(fields=["department", "received_at", "id"], name="correction_own_newest"),
            models.Index(fields=["role", "state", "due_on", "id"], name="correction_due"),
            models.Index(fields=["department", "role", "state", "due_on", "id"], name="correction_own_due"),
            models.Index(fields=["resource_id", "-id"], name="correction_of_resource"),
        ]


class Told(models.Model):
    """Provider's side: one subscriber that read the resource, and was told of the correction."""

    id = models.BigAutoField(primary_key=True)
    correction = models.ForeignKey(Correction, on_delete=models.PROTECT, related_name="told")
    agreement_id = models.CharField(max_length=80)
    peer = models.CharField(max_length=200)
    items = models.JSONField()
    state = models.CharField(max_length=12)  # waiting (resuming.py), told, acknowledged, undelivered, fell_away
    told_at = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True)
    digest = models.CharField(max_length=80)  # of what it was told; the answer's digest is in it

    class Meta:
        db_table = "correction_told"
        constraints = [models.UniqueConstraint(fields=["correction", "agreement_id"], name="told_once")]


class Heard(models.Model):
    """Subscriber's side: a record we have read was corrected."""

    id = models.BigAutoField(primary_key=True)
    ticket = models.CharField(max_length=36)
    peer = models.CharField(max_length=200)
    agreement = models.ForeignKey(Agreement, on_delete=models.PROTECT, related_name="corrections_heard")
    department = models.CharField(max_length=18)
    items = models.JSONField()
    key_item = models.CharField(max_length=120)
    fault = models.CharField(max_length=24)
    content = models.BinaryField()  # sealed with the node's key: the key's value, as this agreement shows it
    changes = models.JSONField(default=list)
    corrected_at = models.DateTimeField()
    answer_digest = models.CharField(max_length=80)
    digest = models.CharField(max_length=80)
    heard_at = models.DateTimeField(auto_now_add=True)
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.CharField(max_length=150, blank=True)

    class Meta:
        db_table = "correction_heard"
        constraints = [models.UniqueConstraint(fields=["ticket", "agreement"], name="heard_once")]
        indexes = [
            models.Index(fields=["heard_at", "id"], name="heard_newest"),
            models.Index(fields=["department", "heard_at", "id"], name="heard_own_newest"),
            models.Index(fields=["acknowledged_at", "department"], name="heard_waiting"),
        ]
