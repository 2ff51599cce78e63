"""Dataspace Protocol state, both roles, and what it ends in."""

from __future__ import annotations

from django.db import models


class Negotiation(models.Model):
    """A contract negotiation, in the role we play."""

    pid = models.CharField(max_length=80, primary_key=True)  # our own process id (urn:uuid:...)
    role = models.CharField(max_length=8)  # provider, consumer
    peer = models.CharField(max_length=200)  # jurisdiction, or "outside:" and a participant id
    peer_pid = models.CharField(max_length=80, blank=True)
    callback = models.CharField(max_length=500, blank=True)  # the peer's protocol base: a member's path, else whole
    state = models.CharField(max_length=12)  # DSP: REQUESTED OFFERED ACCEPTED AGREED VERIFIED FINALIZED TERMINATED
    dataset_id = models.CharField(max_length=80, blank=True)
    offer = models.JSONField(default=dict)  # the newest offer
    opened_with = models.CharField(max_length=80, blank=True)  # digest of the offer in the peer's first message
    terms = models.JSONField(null=True)  # hutong:terms as asked, null from a peer without our extension
    request_id = models.CharField(max_length=36, blank=True)  # consumer's ShareRequest
    due_at = models.DateField(null=True)  # provider: the statutory reply day
    department = models.CharField(max_length=18, blank=True)  # whose it is here: the resource's, or who asks
    decided_by = models.CharField(max_length=150, blank=True)
    refusal_code = models.CharField(max_length=64, blank=True)
    refusal_reason = models.TextField(blank=True)
    refusal_citation = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "negotiation"
        constraints = [
            # The peer's process id is an idempotency key: one that comes twice is one process.
            models.UniqueConstraint(
                fields=["peer", "role", "peer_pid"], name="negotiation_once", condition=~models.Q(peer_pid="")
            )
        ]
        # The inbox, of the node and of a department: what is open by its day, and all by its age.
        indexes = [
            models.Index(fields=["role", "state", "due_at", "created_at", "pid"], name="negotiation_due"),
            models.Index(
                fields=["department", "role", "state", "due_at", "created_at", "pid"], name="negotiation_own_due"
            ),
            models.Index(fields=["role", "created_at", "pid"], name="negotiation_newest"),
            models.Index(fields=["department", "role", "created_at", "pid"], name="negotiation_own_newest"),
        ]


class Agreement(models.Model):
    """What both nodes signed (共享协议)."""

    id = models.CharField(max_length=80, primary_key=True)
    negotiation = models.OneToOneField(Negotiation, on_delete=models.PROTECT, related_name="agreement")
    role = models.CharField(max_length=8)
    peer = models.CharField(max_length=200)
    resource_id = models.CharField(max_length=80)
    title = models.CharField(max_length=200, blank=True)
    document = models.JSONField()  # the ODRL agreement with hutong:terms; its canonical JSON is what is signed
    digest = models.CharField(max_length=80)
    department = models.CharField(max_length=18, blank=True)  # whose it is here, as in the negotiation
    provider_signature = models.JSONField(null=True)  # {"keyid", "alg", "value"}
    consumer_signature = models.JSONField(null=True)
    state = models.CharField(max_length=12)  # agreed, active, suspended, ended
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "agreement"
        indexes = [
            models.Index(fields=["created_at", "id"], name="agreement_newest"),
            models.Index(fields=["department", "created_at", "id"], name="agreement_own_newest"),
            models.Index(fields=["state", "ends_at"], name="agreement_state"),
            models.Index(fields=["department", "state", "role", "ends_at"], name="agreement_own_state"),
        ]


class Transfer(models.Model):
    """A transfer process, in the role we play."""

    pid = models.CharField(max_length=80, primary_key=True)
    role = models.CharField(max_length=8)
    peer = models.CharField(max_length=200)
    peer_pid = models.CharField(max_length=80, blank=True)
    callback = models.CharField(max_length=500, blank=True)
    agreement = models.ForeignKey(Agreement, on_delete=models.PROTECT, related_name="transfers")
    format = models.CharField(max_length=60)
    state = models.CharField(max_length=12)  # DSP: REQUESTED STARTED SUSPENDED COMPLETED TERMINATED
    data_address = models.JSONField(null=True)
    suspended_by = models.CharField(max_length=8, blank=True)  # provider, consumer; "" when not suspended
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        db_table = "transfer"
        constraints = [
            models.UniqueConstraint(
                fields=["peer", "role", "peer_pid"], name="transfer_once", condition=~models.Q(peer_pid="")
            )
        ]
