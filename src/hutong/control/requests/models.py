from __future__ import annotations

from django.db import models


class ShareRequest(models.Model):
    """A consumer department's wish (共享申请), decree 809 article 20."""

    id = models.CharField(max_length=36, primary_key=True)
    department = models.ForeignKey("organisations.Department", on_delete=models.PROTECT, related_name="requests")
    resource_id = models.CharField(max_length=36)  # Entry.id
    provider = models.CharField(max_length=40)
    filed_by = models.CharField(max_length=150)
    signed_off_by = models.CharField(max_length=150, blank=True)
    state = models.CharField(max_length=16, default="draft")
    # draft, filed, signed_off (sent to the provider), agreed, refused, withdrawn
    basis = models.TextField()  # 使用依据
    scenario = models.TextField()  # 使用场景
    scope = models.TextField()  # 使用范围
    items = models.JSONField(default=list)
    row_condition = models.JSONField(null=True)  # a Predicate document, or null for all rows
    mode = models.CharField(max_length=12)  # interface, batch, file
    term_days = models.IntegerField()
    purpose = models.CharField(max_length=64)
    quota_calls_per_day = models.IntegerField(default=100_000)
    created_at = models.DateTimeField(auto_now_add=True)
    filed_at = models.DateTimeField(null=True)
    signed_off_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    refusal_code = models.CharField(max_length=64, blank=True)
    refusal_reason = models.TextField(blank=True)
    refusal_citation = models.CharField(max_length=200, blank=True)
    negotiation_id = models.CharField(max_length=80, blank=True)  # our consumerPid

    class Meta:
        db_table = "share_request"
        indexes = [
            models.Index(fields=["created_at", "id"], name="request_newest"),
            models.Index(fields=["department", "created_at", "id"], name="request_own_newest"),
            models.Index(fields=["department", "state", "created_at"], name="request_own_state"),
        ]
