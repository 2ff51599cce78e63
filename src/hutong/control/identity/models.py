from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models


class Role(models.TextChoices):
    """What an account may do. The steward is the jurisdiction's data authority (主管部门) at its desk."""

    OFFICER = "officer", "数据专员"
    HEAD = "head", "共享工作机构负责人"
    STEWARD = "steward", "数据管家"
    SUPERVISOR = "supervisor", "主管部门"
    AUDITOR = "auditor", "审计员"


class Account(AbstractUser):
    """A person who signs in here: one role, one department (none for supervisors and auditors)."""

    role = models.CharField(max_length=12, choices=Role.choices)
    display_name = models.CharField(max_length=100, blank=True)
    department = models.ForeignKey(
        "organisations.Department", null=True, blank=True, on_delete=models.PROTECT, related_name="accounts"
    )

    class Meta:
        db_table = "account"


class SignInCount(models.Model):
    """Failed sign-ins of one user name or from one address, since the first of its window."""

    key = models.CharField(max_length=80, primary_key=True)  # "name:" or "address:" and a keyed digest
    failed = models.PositiveIntegerField(default=0)
    began_at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "sign_in_count"
