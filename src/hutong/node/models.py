"""Tables of the node: the directory, and messages in and out."""

from __future__ import annotations

from django.db import models


class Member(models.Model):
    """A node we may talk to, as the newest signed directory says (on the region node: the directory itself)."""

    jurisdiction = models.CharField(max_length=40, primary_key=True)
    name_zh = models.CharField(max_length=200)
    name_en = models.CharField(max_length=200, blank=True)
    place = models.CharField(max_length=20)
    superior = models.CharField(max_length=40, blank=True)
    base_url = models.URLField(max_length=300)
    exchange_url = models.URLField(max_length=300)
    # [{"id": key id, "alg": "ed25519", "public": base64 raw 32 bytes, "valid_from": iso, "valid_to": iso|null}]
    keys = models.JSONField(default=list)
    log_vkey = models.CharField(max_length=300, blank=True)  # C2SP verifier key of its log
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(null=True)
    version = models.BigIntegerField()  # the directory version that last changed this member

    class Meta:
        db_table = "member"


class DirectoryCopy(models.Model):
    """The newest signed directory document, as published (region) or as received (member). One row."""

    id = models.IntegerField(primary_key=True, default=1)
    version = models.BigIntegerField()
    document = models.BinaryField()  # canonical JSON, signed
    signature = models.CharField(max_length=200)
    keyid = models.CharField(max_length=120)
    fetched_at = models.DateTimeField()

    class Meta:
        db_table = "directory_copy"


class Invitation(models.Model):
    """A region's one-time invitation to join. Only the secret's digest is kept."""

    jurisdiction = models.CharField(max_length=40)
    secret_digest = models.CharField(max_length=80, unique=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "invitation"


class OutsidePeer(models.Model):
    """A connector outside the directory that the operator has let in, known by a token instead of a key."""

    participant = models.CharField(max_length=180, primary_key=True)  # the id it takes part under, as it writes it
    name = models.CharField(max_length=200, blank=True)  # for people
    addresses = models.JSONField(
        default=list
    )  # protocol bases; its messages are sent below one of them, never elsewhere
    token_digest = models.CharField(max_length=80, unique=True)  # of the token it presents to us
    authorization = models.BinaryField(default=b"")  # sealed; the header we present to it, empty for none
    added_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "outside_peer"


class OutboxMessage(models.Model):
    """A message that must reach a peer. Delivered in order per (peer, process)."""

    id = models.BigAutoField(primary_key=True)
    message_id = models.CharField(max_length=36, unique=True)  # idempotency key
    peer = models.CharField(max_length=200)  # jurisdiction, or "outside:" and a participant id
    process = models.CharField(max_length=120)  # ordering key, for example "negotiation:<pid>"
    method = models.CharField(max_length=8, default="POST")
    url = models.URLField(max_length=2000)
    body = models.BinaryField()
    content_type = models.CharField(max_length=100, default="application/json")
    created_at = models.DateTimeField(auto_now_add=True)
    attempts = models.IntegerField(default=0)
    next_at = models.DateTimeField(db_index=True)
    delivered_at = models.DateTimeField(null=True, db_index=True)
    failed_at = models.DateTimeField(null=True)  # given up: the peer refused it (4xx) or the retries ran out
    last_status = models.IntegerField(null=True)
    last_error = models.CharField(max_length=500, blank=True)
    answer = models.BinaryField(null=True)
    traceparent = models.CharField(max_length=55, blank=True)  # of what wrote it, where traces are made

    class Meta:
        db_table = "outbox_message"
        indexes = [models.Index(fields=["peer", "process", "id"])]


class InboxMessage(models.Model):
    """A message already acted on: the same id again gets the same answer, and acts no second time."""

    message_id = models.CharField(max_length=36)
    peer = models.CharField(max_length=40)
    request_digest = models.CharField(max_length=80)
    received_at = models.DateTimeField(auto_now_add=True)
    status = models.IntegerField()
    answer = models.BinaryField()
    content_type = models.CharField(max_length=100)

    class Meta:
        db_table = "inbox_message"
        constraints = [models.UniqueConstraint(fields=["peer", "message_id"], name="inbox_once")]


class SeenNonce(models.Model):
    """A signature's nonce already used: the same signed bytes again are a replay."""

    keyid = models.CharField(max_length=120)
    nonce = models.CharField(max_length=64)
    seen_at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "seen_nonce"
        constraints = [models.UniqueConstraint(fields=["keyid", "nonce"], name="nonce_once")]
