"""Return flow: whose rows come back to whom, each batch of them, and the rows on which two sides disagree."""

from __future__ import annotations

from django.db import models


class ReturnFlow(models.Model):
    """Rows kept at another node: an area's, returned by its superior; or a resource delivered into a superior's node.

    One row at each of the two.
    """

    id = models.CharField(max_length=36, primary_key=True)
    role = models.CharField(max_length=8)  # provider: the superior; consumer: the area's node
    peer = models.CharField(max_length=40)
    resource_id = models.CharField(max_length=36)
    title_zh = models.CharField(max_length=200)
    title_en = models.CharField(max_length=200, blank=True)
    area = models.CharField(max_length=12)  # "" where a whole resource is delivered (central)
    area_item = models.CharField(max_length=120)
    keys = models.JSONField(default=list)  # names of the items that tell rows apart
    changed_item = models.CharField(max_length=120, blank=True)  # when a row last changed; "" where none says so
    department = models.CharField(max_length=18, blank=True)
    purpose = models.CharField(max_length=64)
    update_cycle = models.CharField(max_length=2, blank=True)
    negotiation_id = models.CharField(max_length=80, db_index=True)
    agreement_id = models.CharField(max_length=80, blank=True, db_index=True)
    state = models.CharField(max_length=8, default="asked")  # asked, active, refused, ended
    code = models.CharField(max_length=64, blank=True)  # why it was refused
    provenance = models.JSONField(default=list)  # [{"node", "resource"}], the origin first, the superior last
    next_at = models.DateTimeField(null=True)  # when the next batch is fetched, at the area's node
    failures = models.IntegerField(default=0)  # fetches in a row that failed
    trouble = models.CharField(max_length=300, blank=True)  # what the last one failed with
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "return_flow"
        constraints = [
            models.UniqueConstraint(
                fields=["role", "peer", "resource_id", "area"],
                name="return_flow_once",
                condition=models.Q(state__in=("asked", "active")),
            )
        ]
        indexes = [
            models.Index(fields=["role", "state", "next_at"]),
            models.Index(fields=["-created_at", "id"]),
            models.Index(fields=["department", "-created_at"]),
        ]

    @property
    def law(self) -> str:
        """As records name what its batches rest on: article 24 for a return, article 22 for a delivery."""
        return "rule:D809-24" if self.area else "rule:D809-22"


class ReturnBatch(models.Model):
    """One return of the rows: what was stored, what the superior states it holds, and whether they agree."""

    id = models.CharField(max_length=36, primary_key=True)  # the same at both nodes
    flow = models.ForeignKey(ReturnFlow, on_delete=models.PROTECT, related_name="batches")
    number = models.IntegerField()  # from 1
    kind = models.CharField(max_length=8)  # full, changed
    state = models.CharField(max_length=10)  # fetching, stored, agreed, differs; at the superior: asked, stated ...
    rows = models.BigIntegerField(default=0)  # at the area's node
    root = models.CharField(max_length=80, blank=True)
    their_rows = models.BigIntegerField(null=True)  # as the superior states
    their_root = models.CharField(max_length=80, blank=True)
    exchange_id = models.CharField(max_length=36, blank=True)
    receipt = models.CharField(max_length=80, blank=True)  # entry of this exchange in the area's ledger
    provenance = models.JSONField(default=list)  # [{"node", "resource", "batch", "rows", "root", "receipt"}]
    pending = models.JSONField(default=list)  # ranges of key digests that are still compared
    missing = models.BigIntegerField(default=0)
    extra = models.BigIntegerField(default=0)
    changed = models.BigIntegerField(default=0)
    started_at = models.DateTimeField()
    stored_at = models.DateTimeField(null=True)
    compared_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "return_batch"
        constraints = [models.UniqueConstraint(fields=["flow", "number"], name="return_batch_once")]
        indexes = [models.Index(fields=["flow", "-number"]), models.Index(fields=["state", "compared_at"])]


class ReturnDifference(models.Model):
    """A row the two sides do not hold alike, named by the digest of its key."""

    batch = models.ForeignKey(ReturnBatch, on_delete=models.CASCADE, related_name="differences")
    key = models.CharField(max_length=64)  # SHA-256 under the agreement's id, hex
    kind = models.CharField(max_length=8)  # missing, extra, changed: seen from the area's node

    class Meta:
        db_table = "return_difference"
        constraints = [models.UniqueConstraint(fields=["batch", "key", "kind"], name="return_difference_once")]


class ReturnTicket(models.Model):
    """A batch whose two sides differ, until a batch of the flow agrees again. One row at each of the two nodes."""

    batch = models.OneToOneField(ReturnBatch, primary_key=True, on_delete=models.CASCADE, related_name="ticket")
    flow = models.ForeignKey(ReturnFlow, on_delete=models.CASCADE, related_name="tickets")
    state = models.CharField(max_length=8, default="open")  # open, closed
    opened_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True)
    closed_by = models.CharField(max_length=36, blank=True)  # the batch that agreed

    class Meta:
        db_table = "return_ticket"
        indexes = [models.Index(fields=["state", "-opened_at"]), models.Index(fields=["flow", "state"])]


class ReturnOffer(models.Model):
    """What a superior offers to return: a resource of its own, or one it received for us to pass on."""

    resource_id = models.CharField(max_length=36, primary_key=True)
    peer = models.CharField(max_length=40)
    area = models.CharField(max_length=12)
    title_zh = models.CharField(max_length=200)
    title_en = models.CharField(max_length=200, blank=True)
    provenance = models.JSONField(default=list)
    offered_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "return_offer"
        indexes = [models.Index(fields=["-offered_at"])]


class Onward(models.Model):
    """A resource of ours that passes on what a return flow brought: its source is the newest batch."""

    resource_id = models.CharField(max_length=36, primary_key=True)
    flow = models.OneToOneField(ReturnFlow, on_delete=models.PROTECT, related_name="onward")

    class Meta:
        db_table = "return_onward"


class ReturnKey(models.Model):
    """The key under which this node itself reads for a department, sealed."""

    department = models.CharField(max_length=18, primary_key=True)
    sealed = models.BinaryField()
    expires_at = models.DateTimeField()

    class Meta:
        db_table = "return_key"
