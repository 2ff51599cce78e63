from __future__ import annotations

from django.db import models


class Zone(models.Model):
    """Members that agreed to treat each other's departments as local ones, for a time (示范区)."""

    id = models.CharField(max_length=36, primary_key=True)
    origin = models.CharField(max_length=40)  # who keeps it: ourselves, or the region's node
    version = models.IntegerField(default=1)  # the origin's; it only grows
    name_zh = models.CharField(max_length=200)
    name_en = models.CharField(max_length=200, blank=True)
    members = models.JSONField(default=list)  # jurisdictions, each named by itself: none stands for what lies in it
    reference = models.CharField(max_length=300)  # the agreement its members signed
    valid_from = models.DateField()
    valid_to = models.DateField(null=True)  # the last day
    state = models.CharField(max_length=10)  # proposed, in_force, ended
    proposed_by = models.CharField(max_length=150)  # an account, or node:<jurisdiction> where it was carried here
    decided_by = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "zone"
        indexes = [models.Index(fields=["state", "valid_from"])]
