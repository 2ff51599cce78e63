"""What was told, in both languages, and who has read it."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Notice(models.Model):
    """One sentence, told to the accounts it concerns."""

    id = models.CharField(max_length=36, primary_key=True)
    at = models.DateTimeField(db_index=True)
    code = models.CharField(max_length=60)  # of the sentence or refusal
    rule = models.CharField(max_length=60, blank=True)
    said_zh = models.TextField()
    said_en = models.TextField()
    subject = models.CharField(max_length=200, db_index=True)
    page = models.JSONField(default=list)  # the page that shows it: name of the address and its arguments

    class Meta:
        db_table = "notice"


class Told(models.Model):
    """A notice for one account: read when it was, mailed when it was."""

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="told")
    account = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()  # as the notice's: an account's notices are read from one index
    read_at = models.DateTimeField(null=True)
    mailed_at = models.DateTimeField(null=True)
    mail_due_at = models.DateTimeField(null=True, db_index=True)  # null: nothing to mail
    mail_attempts = models.IntegerField(default=0)

    class Meta:
        db_table = "notice_told"
        constraints = [models.UniqueConstraint(fields=["notice", "account"], name="notice_told_once")]
        indexes = [
            models.Index(fields=["account", "read_at", "-id"]),
            models.Index(fields=["account", "at", "id"]),
        ]
