from __future__ import annotations

from django.db import models


class Department(models.Model):
    """A department of this jurisdiction, by its unified social credit code."""

    code = models.CharField(max_length=18, primary_key=True)
    name_zh = models.CharField(max_length=200)
    name_en = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "department"
        ordering = ["name_zh"]

    def __str__(self) -> str:
        return self.name_zh


class Succession(models.Model):
    """A department was merged into another, and what went over."""

    id = models.CharField(max_length=36, primary_key=True)
    old = models.ForeignKey(Department, on_delete=models.PROTECT, related_name="successions")
    new = models.ForeignKey(Department, on_delete=models.PROTECT, related_name="inheritances")
    reason = models.CharField(max_length=500)
    moved = models.JSONField(default=dict)  # what: how many
    decided_by = models.CharField(max_length=150)
    decided_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "department_succession"
