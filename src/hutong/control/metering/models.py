from __future__ import annotations

from django.db import models


class MeterFile(models.Model):
    """One day with one partner as one of the two has metered it. Never changed: a correction is a further version."""

    author = models.CharField(max_length=40)  # the node that made and signed it
    peer = models.CharField(max_length=40)  # the partner it is about, as its author sees it
    day = models.DateField()  # in China
    version = models.IntegerField()
    document = models.BinaryField()  # canonical JSON, the bytes that are signed
    digest = models.CharField(max_length=80)
    signature = models.CharField(max_length=120)
    keyid = models.CharField(max_length=80)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "meter_file"
        constraints = [models.UniqueConstraint(fields=["author", "peer", "day", "version"], name="meter_once")]
        indexes = [models.Index(fields=["day", "author"])]


class MeterComparison(models.Model):
    """What came of holding our newest file of a day beside the partner's."""

    peer = models.CharField(max_length=40)
    day = models.DateField()
    ours = models.IntegerField(default=0)  # versions; 0 for none
    theirs = models.IntegerField(default=0)
    state = models.CharField(max_length=8)  # waiting (for the other file), agrees, differs
    differences = models.JSONField(default=list)
    at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "meter_comparison"
        constraints = [models.UniqueConstraint(fields=["peer", "day"], name="meter_compared_once")]
