"""Tables of the ledger. An entry waits here from the transaction that made it until its tile is on disk."""

from __future__ import annotations

from django.db import models


class LedgerEntry(models.Model):
    """One leaf of our log: canonical JSON of digests and identifiers, never personal data."""

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=64)  # "exchange", "agreement.signed", "resource.published" ...
    entry = models.BinaryField()  # canonical JSON, at most 65,535 bytes (C2SP tlog-tiles)
    leaf_index = models.BigIntegerField(null=True, unique=True)  # null until sequenced
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "ledger_entry"


class AuditRecord(models.Model):
    """Who did what to what, for people: the readable twin of a ledger entry. Append-only."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(db_index=True)
    kind = models.CharField(max_length=64, db_index=True)
    subject = models.CharField(max_length=200, db_index=True)  # "resource:<id>", "agreement:<id>" ...
    actor = models.CharField(max_length=200)  # account name, "rule:D809-21", or "node:<jurisdiction>"
    detail = models.JSONField(default=dict)  # names, codes, dates, digests; never a row's value
    entry_digest = models.CharField(max_length=80)  # sha256 of the ledger entry's bytes

    class Meta:
        db_table = "audit_record"


class WitnessedCheckpoint(models.Model):
    """The newest checkpoint of another log that we cosigned: our memory as its witness."""

    origin = models.CharField(max_length=255, primary_key=True)
    size = models.BigIntegerField()
    note = models.TextField()  # the log's signed note
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "witnessed_checkpoint"


class ForkEvidence(models.Model):
    """Two signed checkpoints of one log that cannot both be true."""

    origin = models.CharField(max_length=255, db_index=True)
    first_note = models.TextField()
    second_note = models.TextField()
    found_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "fork_evidence"


class DailyReconciliation(models.Model):
    """What comparing our ledger with a member's came to on one day: the last attempt of that day."""

    peer = models.CharField(max_length=40)
    day = models.DateField()  # UTC
    at = models.DateTimeField()
    since = models.CharField(max_length=40, blank=True)  # exchanges from then on; "": all
    state = models.CharField(max_length=12)  # holds, differs, unreachable
    trouble = models.CharField(max_length=64, blank=True)  # code of the refusal, when unreachable or forked
    agreed = models.BigIntegerField(default=0)
    unanswered = models.BigIntegerField(default=0)
    pending = models.BigIntegerField(default=0)
    behind = models.BigIntegerField(default=0)
    our_size = models.BigIntegerField(default=0)
    their_size = models.BigIntegerField(default=0)
    differences = models.JSONField(default=list)  # [{"exchange", "kind", "what", "what_zh", "members"}]

    class Meta:
        db_table = "daily_reconciliation"
        constraints = [models.UniqueConstraint(fields=["peer", "day"], name="reconciled_once_a_day")]
