"""The editor of a data element, and what a version says otherwise than the one in force."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from hutong.control.catalogue.versions import Difference
from hutong.control.identity.models import Account
from hutong.control.identity.rules import Action
from hutong.control.standards import queries
from hutong.control.standards.differences import differences
from hutong.control.standards.models import Definition
from hutong.portal.components import access, words
from hutong.portal.components.differences import Differing, kind_badge
from hutong.portal.components.page import Page, Refusal, shell_for
from hutong.portal.components.parts import May, no
from hutong.portal.stewards.forms import CHECK_WORDS, ElementForm
from hutong.vocabulary.errors import Refused

LABELS: dict[str, Promise] = {
    "title_zh": lazy("Title in Chinese"),
    "title_en": lazy("Title in English"),
    "type": lazy("Type"),
    "length": lazy("Length"),
    "unit": lazy("Unit"),
    "table": lazy("Code table"),
    "check": lazy("Check of values"),
    "definition": lazy("Definition"),
    "standard": lazy("Standard"),
    "aliases": lazy("Also called"),
    "valid_from": lazy("First day"),
    "valid_to": lazy("Last day"),
    "replaced_by": lazy("Replaced by"),
}


@dataclass(frozen=True, kw_only=True)
class ElementPage(Page):
    title: str
    in_force: str  # the version in force, in words; empty for a new element
    in_force_url: str
    form: ElementForm
    compared: bool
    differences: tuple[Differing, ...]
    may_propose: May


def element_page(
    account: Account,
    begun: Definition | None,
    form: ElementForm,
    *,
    found: Iterable[Difference] | None = None,
    refusal: Refusal | None = None,
) -> ElementPage:
    """The editor.

    begun    the version to go on from
    found    what was filled in against the version in force; None before it was compared
    """
    known = queries.in_force("element", begun.name) if begun else None
    return ElementPage(
        shell=shell_for(account, "standards"),
        refusal=refusal,
        title=words.of_language(begun.title_zh, begun.title_en) if begun else _("A new data element"),
        in_force=_("Version {version}").format(version=known.version) if known else "",
        in_force_url=reverse("standard", args=[known.id]) if known else "",
        form=form,
        compared=found is not None,
        differences=rows(found or ()),
        may_propose=may_edit(account, begun.name if begun else ""),
    )


def against_force(one: Definition) -> tuple[Differing, ...]:
    """What a version of an element says otherwise than the one in force; nothing where it is that one."""
    known = queries.in_force("element", one.name)
    if known is not None and known.id == one.id:
        return ()
    return rows(differences(queries.proposal_of(known) if known else None, queries.proposal_of(one)))


def may_edit(account: Account, name: str) -> May:
    """Whether this account may propose a version of an element of this name."""
    allowed = access.may(account, Action.PROPOSE_STANDARD)
    try:
        queries.check_ours("element", name)
    except Refused as refused:
        return no(refused.next_step(words.language())) if allowed else allowed
    return allowed


def rows(found: Iterable[Difference]) -> tuple[Differing, ...]:
    return tuple(
        Differing(
            label=str(LABELS[one.field]),
            item="",
            kind=kind_badge(one.kind),
            before=_said(one.field, one.before),
            after=_said(one.field, one.after),
        )
        for one in found
    )


def _said(field: str, value: Any) -> str:
    if not value:
        return ""
    if field == "type":
        return words.word(words.TYPES, value)
    if field == "check":
        return words.word(CHECK_WORDS, value)
    if field == "aliases":
        return _(", ").join(value)
    return words.number(value) if field == "length" else str(value)
