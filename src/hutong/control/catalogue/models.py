"""What we offer (Resource, Item) and what others published (Entry)."""

from __future__ import annotations

from django.db import models


class Attribute(models.TextChoices):
    """Sharing attribute, decree 809 article 14."""

    UNCONDITIONAL = "unconditional", "无条件共享"
    CONDITIONAL = "conditional", "有条件共享"
    REFUSED = "refused", "不予共享"


class InformationSystem(models.Model):
    """A department's information system: what the audit counts catalogues against."""

    id = models.CharField(max_length=36, primary_key=True)
    department = models.ForeignKey("organisations.Department", on_delete=models.PROTECT, related_name="systems")
    code = models.CharField(max_length=60)
    name = models.CharField(max_length=200)
    state = models.CharField(max_length=8, default="in_use")  # in_use, retired
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "information_system"
        constraints = [models.UniqueConstraint(fields=["department", "code"], name="system_code_once")]
        indexes = [models.Index(fields=["department", "state", "name"])]


class Resource(models.Model):
    """A data set described for sharing: decree 809 article 13 and the national template."""

    id = models.CharField(max_length=36, primary_key=True)
    code = models.CharField(max_length=60, blank=True)  # catalogue code: class/.../sequence
    department = models.ForeignKey("organisations.Department", on_delete=models.PROTECT, related_name="resources")
    source = models.ForeignKey("exchange.Source", null=True, on_delete=models.PROTECT, related_name="resources")
    state = models.CharField(max_length=12, default="draft")  # draft, published, withdrawn
    version = models.IntegerField(default=0)  # 0 until first published
    title_zh = models.CharField(max_length=200, blank=True)
    title_en = models.CharField(max_length=200, blank=True)
    summary_zh = models.TextField(blank=True)
    summary_en = models.TextField(blank=True)
    keywords = models.JSONField(default=list)
    theme = models.CharField(max_length=60, blank=True)  # 所在领域
    category = models.CharField(max_length=12, blank=True)  # basic 基础, thematic 主题, departmental 部门
    branch = models.CharField(max_length=3, blank=True)  # 目, third level of the catalogue code
    twig = models.CharField(max_length=14, blank=True)  # 细目, fourth level
    related = models.JSONField(default=list)  # catalogue codes of related resources
    data_format = models.CharField(max_length=40, blank=True)
    update_cycle = models.CharField(max_length=2, blank=True)  # 1 irregular 2 real time 3 daily ... 9 other
    attribute = models.CharField(max_length=16, choices=Attribute.choices, blank=True)
    conditions = models.TextField(blank=True)  # scope, for conditional sharing
    permitted_purposes = models.JSONField(default=list)  # purpose codes, for conditional sharing
    legal_citation = models.TextField(blank=True)  # for refused sharing
    openness = models.CharField(max_length=12, blank=True)  # 开放属性: open, conditional, closed
    open_conditions = models.TextField(blank=True)
    sharing_modes = models.JSONField(default=list)  # interface, batch, file
    national_level = models.CharField(max_length=12, default="general")  # core, important, general
    area_code = models.CharField(max_length=12, blank=True)
    time_range = models.CharField(max_length=60, blank=True)
    business_matter = models.CharField(max_length=200, blank=True)  # 业务事项
    source_system = models.CharField(max_length=200, blank=True)
    # The registered system that source_system names, by its code or its name; null where none is registered so.
    system = models.ForeignKey(InformationSystem, null=True, on_delete=models.SET_NULL, related_name="resources")
    secrecy_checked_by = models.CharField(max_length=100, blank=True)  # article 12 sign-off
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    published_at = models.DateTimeField(null=True)
    changed_at = models.DateTimeField(null=True)  # first change not yet published; starts the clock of article 17

    class Meta:
        db_table = "resource"
        indexes = [
            models.Index(fields=["state", "id"]),
            models.Index(fields=["department", "state", "id"]),
            models.Index(fields=["updated_at", "id"]),
            models.Index(fields=["code"]),
            models.Index(fields=["department", "updated_at", "id"]),
        ]


class Watch(models.Model):
    """What we know of a source's last change."""

    source = models.OneToOneField("exchange.Source", primary_key=True, on_delete=models.CASCADE, related_name="watch")
    mark = models.CharField(max_length=40, blank=True)  # another one after every change; "" where it cannot tell
    changed_at = models.DateTimeField(null=True)  # by the source itself, or when a change was seen
    since = models.DateTimeField()  # the mark has been the same since then at least
    looked_at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "source_watch"


class Freshness(models.Model):
    """Until when a published resource keeps to its update cycle, as its source stands."""

    resource = models.OneToOneField(Resource, primary_key=True, on_delete=models.CASCADE, related_name="freshness")
    cycle = models.CharField(max_length=2)
    changed_on = models.DateField(null=True)  # in China; null where the source cannot tell
    fresh_until = models.DateField(null=True, db_index=True)  # the last day; null where nothing can be said

    class Meta:
        db_table = "resource_freshness"


class ResourceDrift(models.Model):
    """A resource whose source changed under its published description. There is none while the two agree."""

    resource = models.OneToOneField(Resource, primary_key=True, on_delete=models.CASCADE, related_name="drift")
    items = models.JSONField()  # names of its items that the source lacks, or has with another type
    found_at = models.DateTimeField()

    class Meta:
        db_table = "resource_drift"


class Item(models.Model):
    """A field of a resource. Attribute, grade and sensitivity sit here; the resource takes the strictest."""

    resource = models.ForeignKey(Resource, on_delete=models.CASCADE, related_name="items")
    position = models.IntegerField()
    name = models.CharField(max_length=120)  # the name on the wire and in the source
    title_zh = models.CharField(max_length=200, blank=True)
    title_en = models.CharField(max_length=200, blank=True)
    type = models.CharField(max_length=40)  # string, int64, double, date, timestamp, bool, decimal
    element = models.CharField(max_length=60, blank=True)  # data element: "person_id", "uscc", "phone" ...
    attribute = models.CharField(max_length=16, choices=Attribute.choices, blank=True)
    grade = models.IntegerField(default=1)  # 1-4
    sensitive = models.BooleanField(default=False)
    secret = models.BooleanField(default=False)  # 涉密: refused before anything is stored or published
    nullable = models.BooleanField(default=True)
    key = models.BooleanField(default=False)
    mask = models.JSONField(default=dict)  # the provider's default mask, {"action": "keep"}
    note = models.CharField(max_length=300, blank=True)
    missing = models.BigIntegerField(null=True)  # of row_count, when drafted

    class Meta:
        db_table = "item"
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["resource", "name"], name="item_name_once")]


class Submission(models.Model):
    """A description before the supervisor, decree 809 article 16: what is published is what was read."""

    id = models.CharField(max_length=36, primary_key=True)
    resource = models.ForeignKey(Resource, on_delete=models.PROTECT, related_name="submissions")
    version = models.IntegerField()  # the one it becomes when it is published
    state = models.CharField(max_length=12, default="open")  # open, published, returned, taken_back
    content = models.JSONField()  # the whole description, as description_file.document writes it
    digest = models.CharField(max_length=80)  # of the content
    signed_off_by = models.CharField(max_length=100)  # article 12
    submitted_by = models.CharField(max_length=150)
    submitted_at = models.DateTimeField()
    decided_by = models.CharField(max_length=150, blank=True)
    decided_at = models.DateTimeField(null=True)
    reason = models.TextField(blank=True)  # of a return
    points = models.JSONField(default=list)  # of a return: [{"field", "text", "late"}]

    class Meta:
        db_table = "catalogue_submission"
        indexes = [
            models.Index(fields=["state", "submitted_at", "id"]),
            models.Index(fields=["state", "decided_at", "id"]),
            models.Index(fields=["resource", "-submitted_at"]),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["resource"], condition=models.Q(state="open"), name="one_open_submission_a_resource"
            )
        ]


class Version(models.Model):
    """What was issued under one version number, published or withdrawn. Never changed, never deleted."""

    resource = models.ForeignKey(Resource, on_delete=models.PROTECT, related_name="versions")
    number = models.IntegerField()
    state = models.CharField(max_length=12)  # published, withdrawn
    content = models.JSONField()  # the whole description, as description_file.document writes it
    dataset = models.JSONField()  # what was signed
    digest = models.CharField(max_length=80)  # of the data set
    signature = models.CharField(max_length=200)
    keyid = models.CharField(max_length=120)
    issued_at = models.DateTimeField()
    issued_by = models.CharField(max_length=150)
    submission = models.ForeignKey(Submission, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        db_table = "catalogue_version"
        constraints = [models.UniqueConstraint(fields=["resource", "number"], name="version_number_once")]


class Entry(models.Model):
    """A published entry of any member, as signed by it: what search reads. Our own are here too."""

    id = models.CharField(max_length=36, primary_key=True)  # the resource's id
    origin = models.CharField(max_length=40)  # the publishing jurisdiction
    version = models.IntegerField()
    # When this node kept it: microseconds since 1970, each greater than any before (feed.py). Order of the feed.
    change = models.BigIntegerField(unique=True)
    state = models.CharField(max_length=12)  # published, withdrawn
    title_zh = models.CharField(max_length=200)
    title_en = models.CharField(max_length=200, blank=True)
    department_name = models.CharField(max_length=200)
    department_code = models.CharField(max_length=18)
    attribute = models.CharField(max_length=16)
    update_cycle = models.CharField(max_length=2)
    theme = models.CharField(max_length=60, blank=True)
    grade = models.IntegerField(default=1)  # of its strictest item
    dataset = models.JSONField()  # the DCAT dataset as sent (plain JSON, Dataspace Protocol shape)
    signature = models.CharField(max_length=200)  # Ed25519 over the canonical dataset, base64
    keyid = models.CharField(max_length=120)
    published_at = models.DateTimeField()
    received_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "catalogue_entry"
        indexes = [
            # The newest entries under any filter of the catalogue's page, and the counts of those: indexes alone.
            models.Index(fields=["state", "-published_at", "id", "origin", "attribute", "theme"], name="entry_newest"),
            models.Index(fields=["state", "origin", "attribute", "theme"], name="entry_facets"),
            # A page of the feed is one range of an index: an origin's published entries, or all its changes.
            models.Index(fields=["origin", "state", "change"]),
            models.Index(fields=["origin", "change"]),
        ]


class ChangeClock(models.Model):
    """One row: the last change number. Whoever keeps an entry holds it, so that numbers become visible in order."""

    last = models.BigIntegerField(default=0)

    class Meta:
        db_table = "catalogue_clock"


class Harvest(models.Model):
    """How far we have read another node's feed."""

    peer = models.CharField(max_length=40, primary_key=True)
    cursor = models.CharField(max_length=40, blank=True)  # theirs, opaque; "" = from the beginning
    asked_at = models.DateTimeField(null=True)
    failed = models.BooleanField(default=False)  # the last time it was asked
    # The version of our directory when an entry was refused: a newer one may list its origin's key.
    refused_under = models.BigIntegerField(null=True)

    class Meta:
        db_table = "catalogue_harvest"


class EntryTerm(models.Model):
    """A word, or a pair of Chinese characters, that an entry can be found by. The same index on every database."""

    term = models.CharField(max_length=40)
    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="terms")
    weight = models.IntegerField()  # where the term stands: title 16, keyword 8, department 4, item 2, summary 1

    class Meta:
        db_table = "catalogue_term"
        # Each holds every column a search reads, so the table is never visited: the first in the order of a search for
        # one word, the second to ask one entry for a further word.
        indexes = [
            models.Index(fields=["term", "-weight", "-entry"]),
            models.Index(fields=["term", "entry", "weight"], name="term_of_entry"),
        ]
