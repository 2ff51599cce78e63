"""Keys of a department's applications: issued once, shown once, kept only as a digest."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta

from django.db import transaction

from hutong.control.identity.rules import Action, Actor, DepartmentNeeded, check
from hutong.exchange.models import ApiKey
from hutong.ledger.record import record
from hutong.vocabulary.canonical import digest
from hutong.vocabulary.errors import NotFound
from hutong.vocabulary.text import checked

KEY_BYTES = 32  # of randomness in a key
PREFIX = "hutong_"
SHOWN = 12  # first characters, kept to tell keys apart; 5 of them random


@transaction.atomic
def issue_key(
    by: Actor, *, application: str, days: int | None, department_code: str | None = None
) -> tuple[ApiKey, str]:
    """A new key for an application of the actor's department, and its secret: this is the only time it exists.

    days     how long it is valid; None for no end
    raises   NotAllowed, OtherDepartment, DepartmentNeeded, WrongText
    """
    code = department_code or by.department_id
    if not code:
        raise DepartmentNeeded(role=by.role)
    check(by, Action.ISSUE_KEY, code)
    application = checked("application", application, limit=200, required=True)
    secret = PREFIX + secrets.token_urlsafe(KEY_BYTES)
    expires_at = datetime.now(UTC) + timedelta(days=days) if days else None
    key = ApiKey.objects.create(
        key_digest=digest(secret.encode()),
        prefix=secret[:SHOWN],
        department=code,
        application=application,
        expires_at=expires_at,
    )
    detail = {"department": code, "application": application, "prefix": key.prefix, "days": days}
    record("key.issued", f"key:{key.prefix}", by.username, detail)
    return key, secret


@transaction.atomic
def revoke_key(by: Actor, prefix: str) -> ApiKey:
    """The key opens nothing from now on.

    raises   NotFound, NotAllowed, OtherDepartment
    """
    key = ApiKey.objects.select_for_update().filter(prefix=prefix[:SHOWN], revoked_at=None).first()
    if key is None:
        raise NotFound(what="key", name=prefix[:SHOWN])
    check(by, Action.ISSUE_KEY, key.department)
    key.revoked_at = datetime.now(UTC)
    key.save(update_fields=["revoked_at"])
    record("key.revoked", f"key:{key.prefix}", by.username, {"department": key.department, "prefix": key.prefix})
    return key


def keys_of(department_code: str) -> list[ApiKey]:
    """The department's keys, the newest first."""
    return list(ApiKey.objects.filter(department=department_code).order_by("-created_at"))
