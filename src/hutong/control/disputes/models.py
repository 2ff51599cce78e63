"""Disputes about sharing, the signed papers they consist of, and what a decision binds this node to do."""

from __future__ import annotations

from django.db import models


class Dispute(models.Model):
    """One dispute (争议), as its papers known here leave it. The same id at every node that takes part."""

    id = models.CharField(max_length=80, primary_key=True)  # urn:uuid:...
    title = models.CharField(max_length=200)
    about = models.JSONField()  # see papers.About
    resource_id = models.CharField(max_length=80)  # of what it is about
    agreement_id = models.CharField(max_length=80, blank=True)  # "" where it is about a request
    claimant = models.CharField(max_length=40)  # jurisdictions
    respondent = models.CharField(max_length=40)
    claimant_department = models.CharField(max_length=18, blank=True)
    respondent_department = models.CharField(max_length=18, blank=True)
    mediator = models.CharField(max_length=40, blank=True)  # a region's office, which may mediate and not decide
    forum = models.CharField(max_length=40, blank=True)  # who decides: "" while the parties negotiate
    level = models.IntegerField(default=1)  # see standing.LEVELS
    state = models.CharField(max_length=12, default="open")  # see standing.STATES
    department = models.CharField(max_length=18, blank=True)  # whose it is here; "" at the forum and the mediator
    opened_at = models.DateTimeField()
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "dispute"
        indexes = [
            models.Index(fields=["-updated_at", "id"]),
            models.Index(fields=["state", "-updated_at"]),
            models.Index(fields=["department", "-updated_at"]),
            models.Index(fields=["resource_id", "-updated_at"], name="dispute_of_resource"),
            models.Index(fields=["agreement_id", "-updated_at"], name="dispute_of_agreement"),
        ]


class DisputePaper(models.Model):
    """One signed paper of a dispute: a statement, minutes, a decision. Never changed."""

    dispute = models.ForeignKey(Dispute, on_delete=models.PROTECT, related_name="papers")
    digest = models.CharField(max_length=80)  # of its canonical JSON: what stands in every ledger
    kind = models.CharField(max_length=12)
    height = models.IntegerField()
    document = models.JSONField()
    signature = models.JSONField()  # {"keyid", "alg", "value"}
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "dispute_paper"
        constraints = [models.UniqueConstraint(fields=["dispute", "digest"], name="dispute_paper_once")]


class Mandate(models.Model):
    """One thing a decision or settlement binds this node to do."""

    dispute = models.ForeignKey(Dispute, on_delete=models.PROTECT, related_name="mandates")
    position = models.IntegerField()  # among the decision's effects
    do = models.CharField(max_length=12)  # see papers.EFFECTS
    limits = models.JSONField(default=dict)  # for "agree": items, term_days, quota_calls_per_day
    state = models.CharField(max_length=8, default="waiting")  # waiting, done, failed
    code = models.CharField(max_length=64, blank=True)  # of the refusal it failed with
    note = models.TextField(blank=True)
    # For "agree": whose request for which resource must be agreed to.
    consumer = models.CharField(max_length=40, blank=True)
    resource_id = models.CharField(max_length=80, blank=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "dispute_mandate"
        constraints = [models.UniqueConstraint(fields=["dispute", "position"], name="dispute_mandate_once")]
        indexes = [models.Index(fields=["consumer", "resource_id", "state"])]
