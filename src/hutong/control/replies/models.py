from __future__ import annotations

from django.db import models


class Reply(models.Model):
    """An answer to a request as somebody proposes it, until the head of the sharing body has signed it (答复)."""

    id = models.CharField(max_length=36, primary_key=True)
    negotiation = models.ForeignKey("agreements.Negotiation", on_delete=models.PROTECT, related_name="replies")
    department = models.CharField(max_length=18, blank=True)
    kind = models.CharField(max_length=8)  # agree, refuse
    content = models.JSONField(default=dict)  # what is agreed to; or code, reason and citation
    state = models.CharField(max_length=10, default="proposed")  # proposed, signed, returned, dropped
    proposed_by = models.CharField(max_length=150)  # an account, or rule:D809-21
    proposed_at = models.DateTimeField(auto_now_add=True)
    decided_by = models.CharField(max_length=150, blank=True)
    decided_at = models.DateTimeField(null=True)
    note = models.TextField(blank=True)  # why it was sent back

    class Meta:
        db_table = "reply"
        indexes = [models.Index(fields=["state", "department", "proposed_at"])]
        constraints = [
            models.UniqueConstraint(
                fields=["negotiation"], name="reply_one_proposed", condition=models.Q(state="proposed")
            )
        ]
