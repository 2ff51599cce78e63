"""The three lists: demands (需求清单), duties (责任清单), what may not be shared (负面清单); and their versions."""

from __future__ import annotations

from django.db import models


class Demand(models.Model):
    """Data that no catalogue holds yet, wished by a department. The holder alone changes it; the others have a copy.

    The demanders that joined another demand stand as rows of their own, in the state "joined".
    """

    id = models.CharField(max_length=36, primary_key=True)  # grows with time
    home = models.CharField(max_length=40)  # the jurisdiction of the department that wishes it
    department_code = models.CharField(max_length=18)
    department_name = models.CharField(max_length=200)
    department_name_en = models.CharField(max_length=200, blank=True)
    filed_by = models.CharField(max_length=150, blank=True)  # at home only; it does not travel
    title = models.CharField(max_length=200)
    what_for = models.TextField()  # 使用场景
    basis = models.TextField()  # 使用依据
    scope = models.TextField()  # 使用范围
    purpose = models.CharField(max_length=64)
    items = models.JSONField(default=list)  # [{"words": ..., "element": code or "", "version": of it}], as in the form
    area_code = models.CharField(max_length=12, blank=True)
    update_cycle = models.CharField(max_length=2, blank=True)
    why_not = models.TextField(blank=True)  # why what exists already does not do
    target = models.CharField(max_length=40, blank=True)  # the jurisdiction that should hold the data; "" not known
    holder = models.CharField(max_length=40)  # the jurisdiction that acts now
    parties = models.JSONField(default=list)  # every jurisdiction it has lain with, the demander's first
    state = models.CharField(max_length=12, default="filed")  # states.py
    step = models.IntegerField(default=0)  # grows with each change; a copy never goes back
    twins = models.CharField(max_length=71, blank=True)  # the same for demands of the same elements, purpose and area
    # The same while its holder works on it: of two demands with one `twins`, the second joins the first.
    working = models.CharField(max_length=71, null=True, unique=True)
    joined_to = models.CharField(max_length=36, blank=True)
    lead_code = models.CharField(max_length=18, blank=True)
    lead_name = models.CharField(max_length=200, blank=True)
    lead_name_en = models.CharField(max_length=200, blank=True)
    due_on = models.DateField(null=True)  # the last day of whoever acts, as the holder's clock says
    resource_id = models.CharField(max_length=36, blank=True)  # the entry that ended it
    refusal_code = models.CharField(max_length=40, blank=True)
    refusal_reason = models.TextField(blank=True)
    refusal_citation = models.CharField(max_length=300, blank=True)
    note = models.TextField(blank=True)  # why it was handed up, assigned, withdrawn
    withdrawal = models.TextField(blank=True)  # at home: why we asked the holder to let us withdraw; it does not travel
    filed_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "demand"
        indexes = [
            models.Index(fields=["-filed_at", "-id"]),
            models.Index(fields=["home", "-filed_at", "-id"]),
            models.Index(fields=["home", "department_code", "-filed_at", "-id"]),
            models.Index(fields=["holder", "-filed_at", "-id"]),
            models.Index(fields=["holder", "state", "lead_code", "-filed_at"]),
            models.Index(fields=["joined_to"]),
        ]

    @property
    def elements(self) -> list[str]:
        """The data elements wished, each once, in their order."""
        return list(dict.fromkeys(one["element"] for one in self.items if one["element"]))

    @property
    def subject(self) -> str:
        return f"demand:{self.id}"


class Duty(models.Model):
    """What a department is responsible to provide. `lead`: it is the one source of these data (一数一源)."""

    id = models.CharField(max_length=36, primary_key=True)
    origin = models.CharField(max_length=40)  # the jurisdiction whose list it stands in
    department_code = models.CharField(max_length=18)
    department_name = models.CharField(max_length=200)
    department_name_en = models.CharField(max_length=200, blank=True)
    title_zh = models.CharField(max_length=200)
    title_en = models.CharField(max_length=200, blank=True)
    words = models.CharField(max_length=500, blank=True)  # what else it is found by
    elements = models.JSONField(default=list)
    area_code = models.CharField(max_length=12, blank=True)
    update_cycle = models.CharField(max_length=2, blank=True)
    basis = models.CharField(max_length=300, blank=True)
    lead = models.BooleanField(default=False)
    # The same for lead sources of the same elements and area: there is one at a time.
    leads = models.CharField(max_length=71, null=True, unique=True)
    resource_id = models.CharField(max_length=36, blank=True)  # the published entry; "" while it is owed
    demand_id = models.CharField(max_length=36, blank=True)  # the demand it came from
    list_version = models.IntegerField(default=0)  # of another node's duty: the version of its list that has it
    state = models.CharField(max_length=8, default="active")  # active, ended
    ended_because = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "duty"
        indexes = [
            models.Index(fields=["origin", "state", "-id"]),
            models.Index(fields=["origin", "department_code", "state", "-id"]),
        ]


class DutyTerm(models.Model):
    """A word, a pair of Chinese characters, or a data element that a duty is found by."""

    term = models.CharField(max_length=80)
    duty = models.ForeignKey(Duty, on_delete=models.CASCADE, related_name="terms")

    class Meta:
        db_table = "duty_term"
        indexes = [models.Index(fields=["term", "duty"])]


class Barred(models.Model):
    """An entry of the negative list: what may not be shared, with the provision that expressly says so."""

    id = models.CharField(max_length=36, primary_key=True)
    department = models.ForeignKey("organisations.Department", on_delete=models.PROTECT, related_name="barred")
    title_zh = models.CharField(max_length=200)
    title_en = models.CharField(max_length=200, blank=True)
    resource_id = models.CharField(max_length=36, blank=True)  # of ours; "" where it is no resource (yet)
    items = models.JSONField(default=list)  # names in that resource; none means the whole of it
    elements = models.JSONField(default=list)  # without a resource: in whatever the department publishes
    kind = models.CharField(max_length=12)  # INSTRUMENTS: law, regulation, decision
    instrument = models.CharField(max_length=200)  # its name
    article = models.CharField(max_length=60)
    reason = models.TextField(blank=True)
    state = models.CharField(max_length=10, default="proposed")  # proposed, listed, rejected, ended
    proposed_by = models.CharField(max_length=150)
    reviewed_by = models.CharField(max_length=150, blank=True)
    review_note = models.CharField(max_length=500, blank=True)
    proposed_at = models.DateTimeField(auto_now_add=True)
    reviewed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "barred"
        indexes = [models.Index(fields=["state", "-id"]), models.Index(fields=["department", "state", "-id"])]

    @property
    def citation(self) -> str:
        name = self.instrument if self.instrument.startswith("《") else f"《{self.instrument}》"
        return name + self.article


class ListVersion(models.Model):
    """A list as it was published: its lines, and what was new, gone and changed since the version before."""

    kind = models.CharField(max_length=8)  # demand, duty, barred
    version = models.IntegerField()
    lines = models.JSONField(default=list)
    added = models.IntegerField(default=0)
    gone = models.IntegerField(default=0)
    changed = models.IntegerField(default=0)
    digest = models.CharField(max_length=80)  # of the lines' canonical JSON
    published_at = models.DateTimeField()
    published_by = models.CharField(max_length=150)

    class Meta:
        db_table = "list_version"
        constraints = [models.UniqueConstraint(fields=["kind", "version"], name="list_version_once")]


class ListSent(models.Model):
    """Which version of our list of duties another member was sent."""

    jurisdiction = models.CharField(max_length=40, primary_key=True)
    version = models.IntegerField()
    sent_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "duty_list_sent"


class DutyList(models.Model):
    """Which version of another node's duties we have."""

    origin = models.CharField(max_length=40, primary_key=True)
    version = models.IntegerField()
    digest = models.CharField(max_length=80)
    received_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "duty_list"
