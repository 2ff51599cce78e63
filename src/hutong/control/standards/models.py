"""Data elements, code tables and code maps in versions; which our resources use, and how well they keep to them."""

from __future__ import annotations

from django.db import models


class Definition(models.Model):
    """One version of a data element 数据元, a code table 代码表 or a code map 代码映射. Never changed once approved."""

    id = models.CharField(max_length=36, primary_key=True)
    kind = models.CharField(max_length=8)  # element, table, map
    name = models.CharField(max_length=60)  # "sex", "gbt2261.1"; stable over versions
    version = models.IntegerField()
    origin = models.CharField(max_length=40)  # the node that decided it: the region's keeper, or this one
    state = models.CharField(max_length=10)  # proposed, approved, refused; arriving (not yet whole, from the keeper)
    title_zh = models.CharField(max_length=200)
    title_en = models.CharField(max_length=200, blank=True)
    document = models.JSONField()  # by kind: see hutong.control.standards.proposals
    valid_from = models.DateField(null=True)  # null: always was, always will be
    valid_to = models.DateField(null=True)
    row_count = models.IntegerField(default=0)
    digest = models.CharField(max_length=80)  # of the whole with its rows: what is approved and signed
    proposed_by = models.CharField(max_length=150)
    proposed_at = models.DateTimeField()
    decided_by = models.CharField(max_length=150, blank=True)
    decided_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=300, blank=True)  # of a refusal

    class Meta:
        db_table = "standard_definition"
        constraints = [
            models.UniqueConstraint(fields=["kind", "name", "origin", "version"], name="definition_version_once")
        ]
        indexes = [
            models.Index(fields=["kind", "state", "name", "-version"]),
            models.Index(fields=["state", "proposed_at"]),
        ]


class DefinitionRow(models.Model):
    """One code of a table, or one pair of a map."""

    definition = models.ForeignKey(Definition, on_delete=models.CASCADE, related_name="rows")
    position = models.IntegerField()
    code = models.CharField(max_length=60)  # of a map: the local code
    title_zh = models.CharField(max_length=200, blank=True)
    title_en = models.CharField(max_length=200, blank=True)
    target = models.CharField(max_length=60, blank=True)  # of a map: the regional code; of a table: the code above
    valid_from = models.DateField(null=True)
    valid_to = models.DateField(null=True)

    class Meta:
        db_table = "standard_row"
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["definition", "position"], name="standard_row_once")]
        indexes = [models.Index(fields=["definition", "code"])]


class ItemCodes(models.Model):
    """An item of ours whose values leave in the region's codes, by a code map."""

    resource = models.ForeignKey("catalogue.Resource", on_delete=models.CASCADE, related_name="+")
    item = models.CharField(max_length=120)
    map_name = models.CharField(max_length=60, db_index=True)
    since = models.DateTimeField()  # when the map that names the item was first approved
    # When the catalogue first said so. Agreements made before it were made about local codes, and stay so.
    offered_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "standard_item_codes"
        constraints = [models.UniqueConstraint(fields=["resource", "item"], name="item_codes_once")]


class ScoreRun(models.Model):
    """One measuring of a resource against its elements. Counts only."""

    id = models.CharField(max_length=36, primary_key=True)
    resource = models.ForeignKey("catalogue.Resource", on_delete=models.CASCADE, related_name="score_runs")
    state = models.CharField(max_length=8, default="waiting")  # waiting, running, done, failed
    asked_by = models.CharField(max_length=150)
    asked_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    rows_read = models.BigIntegerField(default=0)
    rows_total = models.BigIntegerField(null=True)
    items = models.IntegerField(default=0)
    items_mapped = models.IntegerField(default=0)  # to a data element
    checked = models.BigIntegerField(default=0)  # values held against a rule of their element
    conforming = models.BigIntegerField(default=0)
    refusal = models.CharField(max_length=300, blank=True)  # why it failed

    class Meta:
        db_table = "standard_score_run"
        indexes = [models.Index(fields=["resource", "-asked_at"]), models.Index(fields=["state"])]


class Finding(models.Model):
    """What a run found of one item."""

    run = models.ForeignKey(ScoreRun, on_delete=models.CASCADE, related_name="findings")
    position = models.IntegerField()
    item = models.CharField(max_length=120)
    element = models.CharField(max_length=60, blank=True)
    held_to = models.CharField(
        max_length=80, blank=True
    )  # type, check:<which>, table:<which>, map:<which>; "" for nothing
    present = models.BigIntegerField(default=0)  # values that are not missing
    conforming = models.BigIntegerField(default=0)

    class Meta:
        db_table = "standard_finding"
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["run", "item"], name="finding_once")]
