"""Keys with which a department's applications read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from hutong.control.identity.applications import keys_of
from hutong.control.identity.models import Account
from hutong.control.identity.rules import Action
from hutong.exchange.models import ApiKey
from hutong.portal.applications.forms import KeyForm
from hutong.portal.components import access, words
from hutong.portal.components.page import Page, shell_for
from hutong.portal.components.parts import Badge, May
from hutong.portal.components.peers import department_name
from hutong.vocabulary import codes


@dataclass(frozen=True)
class Row:
    application: str
    department: str
    bound_to: str  # the purpose of a profile's key; "" for a bare one
    prefix: str
    created_at: datetime
    expires_at: datetime | None
    state: Badge
    live: bool
    revoke_url: str


@dataclass(frozen=True, kw_only=True)
class KeysPage(Page):
    rows: tuple[Row, ...]
    form: KeyForm
    may_make: May
    new_key: str = ""
    new_application: str = ""


def keys_page(account: Account, form: KeyForm, *, new_key: str = "", new_application: str = "") -> KeysPage:
    department = department_name(account.department)
    return KeysPage(
        shell=shell_for(account, "keys"),
        rows=tuple(_row(one, department) for one in keys_of(account.department_id or "-")),
        form=form,
        may_make=access.may(account, Action.ISSUE_KEY),
        new_key=new_key,
        new_application=new_application,
    )


def _row(one: ApiKey, department: str) -> Row:
    state = Badge(_("valid"), "good")
    if one.revoked_at is not None:
        state = Badge(_("revoked"), "bad")
    elif one.expires_at is not None and one.expires_at <= datetime.now(UTC):
        state = Badge(_("run out"), "wait")
    return Row(
        application=one.application,
        department=department,
        bound_to=words.code_name(codes.PURPOSES, one.purpose) if one.purpose else "",
        prefix=one.prefix,
        created_at=one.created_at,
        expires_at=one.expires_at,
        state=state,
        live=state.tone == "good",
        revoke_url=reverse("key_revoke", args=[one.prefix]),
    )
