"""Tables of the data plane. Written by the control plane, read by the exchange without the ORM on its hot path."""

from __future__ import annotations

from django.db import models


class Source(models.Model):
    """Where a department's data lies. The location never leaves the node."""

    id = models.CharField(max_length=36, primary_key=True)
    department = models.CharField(max_length=18, db_index=True)  # unified social credit code
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=20)  # csv, parquet, excel, sqlite, postgresql
    location = models.BinaryField()  # SourceSpec.text(), sealed with the node's key
    table = models.CharField(max_length=200, blank=True)  # table or sheet, where the kind has them
    created_at = models.DateTimeField(auto_now_add=True)
    # The newest intake or probe: when it answered, its schema and what was left out.
    checked_at = models.DateTimeField(null=True)
    check_ok = models.BooleanField(default=False)
    check_message = models.CharField(max_length=500, blank=True)
    schema = models.JSONField(default=list)  # [{"name", "type": Arrow's name, "nullable", "field": id if any}]
    row_count = models.BigIntegerField(null=True)
    quarantined = models.BigIntegerField(default=0)
    snapshot = models.CharField(max_length=200, blank=True)  # file name under snapshots/, "" where read in place
    # Items that the source lacks or has with another type than was described: no grant that names one is served.
    drift = models.JSONField(default=list)
    drifted_at = models.DateTimeField(null=True, db_index=True)
    # The column that says when a row last changed, or a number that only grows with each change; "" for none.
    changed_item = models.CharField(max_length=120, blank=True)

    class Meta:
        db_table = "source"


class Grant(models.Model):
    """An agreement compiled for the data plane, provider's side."""

    agreement_id = models.CharField(max_length=80, primary_key=True)
    version = models.IntegerField(default=1)  # grows with every change of state or terms
    state = models.CharField(max_length=12)  # active, suspended, ended
    document = models.JSONField()  # see hutong.exchange.grants.grant.Grant
    calls_used = models.BigIntegerField(default=0)
    rows_used = models.BigIntegerField(default=0)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "exchange_grant"


class Entitlement(models.Model):
    """Consumer's side of an agreement: where its data is fetched. One row per agreement we consume."""

    agreement_id = models.CharField(max_length=80, primary_key=True)
    provider = models.CharField(max_length=40)
    department = models.CharField(max_length=18)
    exchange_url = models.URLField(max_length=300)
    state = models.CharField(max_length=12)  # pending, active, suspended, ended
    items = models.JSONField(default=list)
    purposes = models.JSONField(default=list)
    case_key = models.BinaryField()  # 32 random bytes: case numbers leave only as HMAC-SHA256 under it
    ends_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "exchange_entitlement"


class ApiKey(models.Model):
    """An application's key. Only the digest is kept."""

    key_digest = models.CharField(max_length=80, primary_key=True)
    prefix = models.CharField(max_length=12)  # shown to people, to tell keys apart
    department = models.CharField(max_length=18)
    application = models.CharField(max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    # Of a key bound to one purpose and case, as in a Delta Sharing profile; "" for one that names them each time.
    purpose = models.CharField(max_length=64, blank=True, default="")
    case_number = models.CharField(max_length=120, blank=True, default="")

    class Meta:
        db_table = "exchange_api_key"


class ExchangeRecord(models.Model):
    """The use register: one row per exchange and role. The receipt itself is the ledger entry."""

    id = models.BigAutoField(primary_key=True)
    exchange_id = models.CharField(max_length=36)
    role = models.CharField(max_length=8)  # provider, consumer
    peer = models.CharField(max_length=40)
    agreement_id = models.CharField(max_length=80)
    purpose = models.CharField(max_length=64)
    case_digest = models.CharField(max_length=80)
    case_number = models.CharField(max_length=120, blank=True)  # consumer's side only
    application = models.CharField(max_length=200, blank=True)  # consumer's side only
    outcome = models.CharField(max_length=12)  # served, refused, open, cut, recovered
    code = models.CharField(max_length=64, blank=True)  # the refusal's code
    form = models.CharField(max_length=8)  # json, csv, arrow, parquet, events
    rows = models.BigIntegerField(default=0)
    bytes = models.BigIntegerField(default=0)
    request_digest = models.CharField(max_length=80)
    response_digest = models.CharField(max_length=80, blank=True)
    entry_digest = models.CharField(max_length=80)  # sha256 of the ledger entry's bytes
    at = models.DateTimeField()
    took_ms = models.IntegerField(default=0)
    age_s = models.IntegerField(null=True)  # of the source's data when served; provider's side, where it can tell

    class Meta:
        db_table = "exchange_record"
        constraints = [models.UniqueConstraint(fields=["exchange_id", "role"], name="exchange_once")]
        indexes = [models.Index(fields=["agreement_id", "id"]), models.Index(fields=["at"])]


class CodeMap(models.Model):
    """One approved version of a code map, as grants name it. Written once, never changed."""

    id = models.CharField(max_length=120, primary_key=True)
    pairs = models.JSONField()  # local code: regional code

    class Meta:
        db_table = "exchange_code_map"


class WithheldRows(models.Model):
    """Rows of one exchange that did not leave because a code map did not hold a value. The rows are kept nowhere."""

    id = models.BigAutoField(primary_key=True)
    exchange_id = models.CharField(max_length=36)
    role = models.CharField(max_length=8)  # provider, consumer
    agreement_id = models.CharField(max_length=80)
    items = models.JSONField()  # how many rows for which item
    state = models.CharField(max_length=8, default="waiting")  # waiting, ready (to be replayed), replayed
    # Provider's side only, under the node's key: what was asked for and the unmapped values, each with the exchange
    # that has replayed it; see hutong.exchange.withheld.
    sealed = models.BinaryField(default=b"")
    turn = models.IntegerField(default=0)  # grows with each replay, so that two at once cannot both be the first
    at = models.DateTimeField()

    class Meta:
        db_table = "exchange_withheld"
        constraints = [models.UniqueConstraint(fields=["exchange_id", "role"], name="withheld_once")]
        indexes = [
            models.Index(fields=["agreement_id", "role", "state", "id"]),
            models.Index(fields=["role", "state", "id"]),
        ]


class DailyUse(models.Model):
    """How often an agreement was used on one day, provider's side: what the daily quota is counted by."""

    agreement_id = models.CharField(max_length=80)
    day = models.DateField()  # the node's calendar day
    calls = models.BigIntegerField(default=0)  # served, whole or cut
    refused = models.BigIntegerField(default=0)
    rows = models.BigIntegerField(default=0)

    class Meta:
        db_table = "exchange_daily_use"
        constraints = [models.UniqueConstraint(fields=["agreement_id", "day"], name="daily_use_once")]


class RecoveryMark(models.Model):
    """How far we have read a provider's register of exchanges with us, consumer's side."""

    peer = models.CharField(max_length=40, primary_key=True)
    after = models.BigIntegerField()  # the provider's register row up to which we lack nothing

    class Meta:
        db_table = "exchange_recovery_mark"


class EditionHead(models.Model):
    """The newest edition of an agreement's rows under one set of terms, provider's side; its file is in editions/."""

    terms = models.CharField(max_length=32, primary_key=True)  # digest, see hutong.exchange.editions.terms
    agreement_id = models.CharField(max_length=80, db_index=True)
    version = models.IntegerField()
    digest = models.CharField(max_length=80)  # of the file: equal rows are the same version
    mark = models.CharField(max_length=32)  # how the source stood when it was last compared
    sure = models.BooleanField(default=False)  # the mark alone tells whether the source has changed
    checked_at = models.DateTimeField()

    class Meta:
        db_table = "exchange_edition"


class Download(models.Model):
    """Files opened to a consumer by one exchange: what each piece of them is checked against. Both sides have one."""

    id = models.BigAutoField(primary_key=True)
    exchange_id = models.CharField(max_length=36)
    role = models.CharField(max_length=8)  # provider, consumer
    agreement_id = models.CharField(max_length=80, db_index=True)
    peer = models.CharField(max_length=40)
    request_digest = models.CharField(max_length=80)
    document = models.JSONField()  # see hutong.exchange.downloads
    key_digest = models.CharField(max_length=80, blank=True)  # consumer's side: the key it was opened with
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "exchange_download"
        constraints = [models.UniqueConstraint(fields=["exchange_id", "role"], name="download_once")]


class ChangeFeed(models.Model):
    """Provider's side of a subscription: what was seen of the source, what was logged, what the consumer has."""

    agreement_id = models.CharField(max_length=80, primary_key=True)
    peer = models.CharField(max_length=40)
    state = models.CharField(max_length=8, default="waiting")  # waiting (for the subscriber), open, ended
    keys = models.JSONField(default=list)  # items that tell rows apart; [] = the whole row does
    purpose = models.CharField(max_length=64, blank=True)  # as the consumer subscribed
    case_digest = models.CharField(max_length=80, blank=True)
    # The source as last seen: the file of that round, the source's own mark, the highest value of its changed_item.
    snapshot = models.IntegerField(default=0)
    mark = models.CharField(max_length=200, blank=True)
    seen = models.CharField(max_length=80, blank=True)
    # A round found and not yet logged whole: its number, how many of its changes are in the log, what it had seen.
    under_way = models.IntegerField(default=0)
    copied = models.BigIntegerField(default=0)
    anew = models.BooleanField(default=False)  # it was compared with nothing: the consumer is told to begin anew
    next_mark = models.CharField(max_length=200, blank=True)
    next_seen = models.CharField(max_length=80, blank=True)
    position = models.BigIntegerField(default=0)  # the last in the log
    acknowledged = models.BigIntegerField(default=0)  # the last the consumer's node holds durably
    look_at = models.DateTimeField()
    push_at = models.DateTimeField()
    failures = models.IntegerField(default=0)
    trouble = models.CharField(max_length=300, blank=True)  # code and sentence of the last refusal

    class Meta:
        db_table = "exchange_change_feed"
        indexes = [models.Index(fields=["state", "look_at"])]


class Subscription(models.Model):
    """Consumer's side: how far we hold a provider's changes, and how far an application has taken them."""

    agreement_id = models.CharField(max_length=80, primary_key=True)
    provider = models.CharField(max_length=40)
    purpose = models.CharField(max_length=64)
    case_digest = models.CharField(max_length=80)
    state = models.CharField(max_length=8, default="open")  # open, ended
    received = models.BigIntegerField(default=0)
    taken = models.BigIntegerField(default=0)

    class Meta:
        db_table = "exchange_subscribed"


class ChangeBatch(models.Model):
    """Changes that travel together, at either side: the bytes that are sent, compressed, under the node's key."""

    exchange_id = models.CharField(max_length=36)
    role = models.CharField(max_length=8)  # provider, consumer
    agreement_id = models.CharField(max_length=80)
    first = models.BigIntegerField()
    last = models.BigIntegerField()
    size = models.BigIntegerField()  # bytes before compression
    digest = models.CharField(max_length=80)
    sealed = models.BinaryField()
    at = models.DateTimeField()

    class Meta:
        db_table = "exchange_change_batch"
        constraints = [models.UniqueConstraint(fields=["agreement_id", "role", "first"], name="change_batch_once")]
        indexes = [models.Index(fields=["agreement_id", "role", "last"])]


class Webhook(models.Model):
    """Where an application wants a subscription's changes sent."""

    id = models.CharField(max_length=36, primary_key=True)
    agreement_id = models.CharField(max_length=80, db_index=True)
    url = models.URLField(max_length=300)
    state = models.CharField(max_length=8, default="active")  # active, gone (it answered 410)
    position = models.BigIntegerField(default=0)  # the last it has acknowledged
    push_at = models.DateTimeField()
    failures = models.IntegerField(default=0)
    trouble = models.CharField(max_length=300, blank=True)

    class Meta:
        db_table = "exchange_webhook"
        constraints = [models.UniqueConstraint(fields=["agreement_id", "url"], name="webhook_once")]
