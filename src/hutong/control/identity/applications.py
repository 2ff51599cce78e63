"""Keys of a department's applications, made and revoked by its own officers."""

from __future__ import annotations

from django.db import transaction

from hutong.control.identity.rules import Action, Actor, DepartmentNeeded, check
from hutong.exchange import keys
from hutong.exchange.models import ApiKey
from hutong.vocabulary.errors import NotFound
from hutong.vocabulary.text import checked


def issue_key(by: Actor, *, application: str, days: int | None, purpose: str = "", case_number: str = "") -> str:
    """A new key for an application of the actor's department. It is returned this once.

    days                  how long it is valid; None for no end
    purpose, case_number  what a key for a Delta Sharing profile is bound to
    raises                NotAllowed, DepartmentNeeded, WrongText, BadInput
    """
    if not by.department_id:
        raise DepartmentNeeded(role=by.role)
    check(by, Action.ISSUE_KEY, by.department_id)
    application = checked("application", application, limit=200, required=True)
    return keys.create_key(
        by.username, by.department_id, application, days=days, purpose=purpose, case_number=case_number
    )


@transaction.atomic
def revoke_key(by: Actor, prefix: str) -> ApiKey:
    """The key opens nothing from the next request on.

    raises   NotFound, NotAllowed, OtherDepartment
    """
    key = ApiKey.objects.filter(prefix=prefix[: keys.SHOWN], revoked_at=None).first()
    if key is None:
        raise NotFound(what="key", name=prefix[: keys.SHOWN])
    check(by, Action.ISSUE_KEY, key.department)
    keys.revoke_key(by.username, key.prefix)
    return key


def keys_of(department_code: str) -> list[ApiKey]:
    """The department's keys, the newest first."""
    return list(ApiKey.objects.filter(department=department_code).order_by("-created_at"))
