"""What we offer to an area by one act, and the negotiations that follow from it, one agreement each."""

from __future__ import annotations

from typing import Any

from django.db import models


class Offering(models.Model):
    """A resource of ours, offered to every member of an area on the same terms."""

    id = models.CharField(max_length=36, primary_key=True)
    resource_id = models.CharField(max_length=36)
    department = models.CharField(max_length=18)
    title_zh = models.CharField(max_length=200)
    title_en = models.CharField(max_length=200, blank=True)
    area = models.CharField(max_length=8)  # zone, members, central
    target = models.CharField(max_length=40, blank=True)  # the zone's id; central: the superior's jurisdiction
    # {"items", "masks": {item: mask}, "mode", "purposes", "term_days", "quota_calls_per_day", "answer_days"}
    content: Any = models.JSONField(default=dict)
    state = models.CharField(max_length=10)  # proposed, in_force, withdrawn, refused
    proposed_by = models.CharField(max_length=150)
    decided_by = models.CharField(max_length=150, blank=True)
    reason = models.TextField(blank=True)  # why it was refused or withdrawn
    created_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "offering"
        indexes = [
            models.Index(fields=["state", "resource_id"]),
            models.Index(fields=["department", "-created_at"]),
        ]


class OfferedMember(models.Model):
    """One negotiation under an offering: what we began, or a member's own request that it answered."""

    offering = models.ForeignKey(Offering, on_delete=models.PROTECT, related_name="offered")
    peer = models.CharField(max_length=40)
    negotiation_id = models.CharField(max_length=80, unique=True)
    unasked = models.BooleanField(default=True)  # we began it
    standing = models.BooleanField(default=True)  # False once it is over for this member, or another takes its place
    offered_at = models.DateTimeField()
    answer_by = models.DateField(null=True)  # the last day to take up what was offered unasked
    ends_on = models.DateField(null=True)  # the announced end of its agreement

    class Meta:
        db_table = "offered_member"
        constraints = [
            models.UniqueConstraint(
                fields=["offering", "peer"],
                name="offered_member_once",
                condition=models.Q(unasked=True, standing=True),
            )
        ]
        indexes = [models.Index(fields=["offering", "peer", "-offered_at"]), models.Index(fields=["ends_on"])]
