"""Versions of the rules' parameters, and the decisions made under them."""

from __future__ import annotations

from django.db import models


class ParameterVersion(models.Model):
    """One value of one rule's parameter, from a day on. A version is never changed: a later one takes its place."""

    id = models.CharField(max_length=36, primary_key=True)
    rule = models.CharField(max_length=120)  # "D809-21/reply_conditional"
    name = models.CharField(max_length=60)
    level = models.CharField(max_length=8)  # national: the law was changed; local: this jurisdiction differs
    value = models.IntegerField()
    since = models.DateField()
    source = models.CharField(max_length=300)  # the text that says so
    proposed_by = models.CharField(max_length=150)
    proposed_at = models.DateTimeField()
    decided_by = models.CharField(max_length=150, blank=True)
    decided_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=8, default="proposed")  # proposed, approved, declined

    class Meta:
        db_table = "parameter_version"
        indexes = [models.Index(fields=["rule", "name", "state", "-since"])]


class Decision(models.Model):
    """What a rule decided, with everything it was decided from, so that anybody can decide it again."""

    id = models.CharField(max_length=36, primary_key=True)
    name = models.CharField(max_length=60)  # of the decider, for example "clock.due"
    subject = models.CharField(max_length=200, db_index=True)
    day = models.DateField(db_index=True)  # in China
    made_at = models.DateTimeField()
    facts = models.JSONField()  # ids, codes, dates and counts; never personal data
    # [{"rule", "name", "value", "versions": [id of a ParameterVersion]}]; no version: the value as declared
    parameters = models.JSONField()
    days = models.JSONField()  # {"2025-09-28": true}: the calendar's days it looked at, true where worked
    outcome = models.JSONField()
    program = models.CharField(max_length=40)  # the version of Hutong

    class Meta:
        db_table = "decision"
        indexes = [models.Index(fields=["made_at", "id"])]


class RuleApplied(models.Model):
    """A rule that a decision applied."""

    decision = models.ForeignKey(Decision, on_delete=models.CASCADE, related_name="applied")
    rule = models.CharField(max_length=120)
    day = models.DateField()
    made_at = models.DateTimeField()  # as its decision's: a rule's history is read from one index

    class Meta:
        db_table = "rule_applied"
        constraints = [models.UniqueConstraint(fields=["decision", "rule"], name="rule_applied_once")]
        indexes = [models.Index(fields=["day", "rule"]), models.Index(fields=["rule", "made_at", "id"])]


class RefusalCount(models.Model):
    """How often a rule refused something on a day, counted where the refusal was said."""

    rule = models.CharField(max_length=120)
    day = models.DateField()
    refused = models.BigIntegerField(default=0)

    class Meta:
        db_table = "refusal_count"
        constraints = [models.UniqueConstraint(fields=["rule", "day"], name="refusal_count_once")]
