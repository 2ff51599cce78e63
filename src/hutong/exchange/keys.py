"""API keys of a department's applications: made once, shown once, kept as a digest."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction

from hutong.exchange.asking import LONGEST_CASE
from hutong.exchange.models import ApiKey
from hutong.exchange.query import is_purpose
from hutong.ledger.record import record
from hutong.node.settings import current
from hutong.vocabulary.canonical import digest
from hutong.vocabulary.errors import BadInput, NotFound

PREFIX = "hk_"  # so that a key is recognised where it should not be: in code, in logs
SHOWN = 10  # characters people tell keys apart by


def create_key(
    actor: str, department: str, application: str, *, days: int | None, purpose: str = "", case_number: str = ""
) -> str:
    """A new key for one application. It is returned this once; only its digest is kept.

    department            unified social credit code; the key reads what this department has agreements for
    days                  how long it is valid; None for no end
    purpose, case_number  both, for a key that is bound to them, as a Delta Sharing profile needs; or neither
    raises                BadInput
    """
    if purpose or case_number:
        _check_bound(purpose, case_number)
    key = PREFIX + secrets.token_urlsafe(32)
    expires_at = None if days is None else datetime.now(UTC) + timedelta(days=days)
    with transaction.atomic():
        ApiKey.objects.create(
            key_digest=digest(key.encode("ascii")),
            prefix=key[:SHOWN],
            department=department,
            application=application,
            expires_at=expires_at,
            purpose=purpose,
            case_number=case_number,
        )
        detail = {"application": application, "department": department, "prefix": key[:SHOWN], "purpose": purpose}
        record("key.created", f"department:{department}", actor, detail)
    return key


def revoke_key(actor: str, prefix: str) -> None:
    """The key works no more, from the next request on.

    raises   NotFound when no valid key begins so, or several do
    """
    with transaction.atomic():
        found = list(ApiKey.objects.filter(prefix=prefix[:SHOWN], revoked_at=None))
        if len(found) != 1:
            raise NotFound(what="key", name=prefix[:SHOWN])
        found[0].revoked_at = datetime.now(UTC)
        found[0].save(update_fields=["revoked_at"])
        detail = {"application": found[0].application, "prefix": found[0].prefix}
        record("key.revoked", f"department:{found[0].department}", actor, detail)


def keys() -> list[dict[str, Any]]:
    """Every key, newest first; never the key itself."""
    return [
        {
            "prefix": one.prefix,
            "department": one.department,
            "application": one.application,
            "purpose": one.purpose,
            "created_at": _text(one.created_at),
            "expires_at": _text(one.expires_at),
            "revoked_at": _text(one.revoked_at),
        }
        for one in ApiKey.objects.order_by("-created_at")
    ]


def profile(key: str, *, days: int | None) -> dict[str, Any]:
    """The profile of a Delta Sharing reader: where it asks, and with which bound key."""
    found = {
        "shareCredentialsVersion": 1,
        "endpoint": current().applications_url + "/exchange/delta-sharing",
        "bearerToken": key,
    }
    if days is not None:
        found["expirationTime"] = (datetime.now(UTC) + timedelta(days=days)).isoformat(timespec="milliseconds")
    return found


def _check_bound(purpose: str, case_number: str) -> None:
    if not is_purpose(purpose):
        raise BadInput(reason="a profile names a purpose code", reason_zh="配置文件须写明用途代码")
    if not case_number or len(case_number) > LONGEST_CASE or not case_number.isprintable():
        raise BadInput(
            reason=f"a profile names a case number of at most {LONGEST_CASE} characters",
            reason_zh=f"配置文件须写明办件编号，至多 {LONGEST_CASE} 个字符",
        )


def _text(moment: datetime | None) -> str:
    return moment.isoformat(timespec="seconds") if moment else ""
