"""The room of zones: what each is, who decides on it, and what it does."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from hutong.control.identity.models import Account
from hutong.control.identity.rules import Action
from hutong.control.zones import queries
from hutong.control.zones.models import Zone
from hutong.control.zones.rules import check_may_decide
from hutong.node.settings import current
from hutong.portal.components import access, words
from hutong.portal.components.page import Page, Refusal, shell_for
from hutong.portal.components.parts import Badge, Fact, May, no
from hutong.portal.components.peers import Names
from hutong.portal.keepers.forms import EndForm, ZoneForm
from hutong.vocabulary.errors import Refused

STATES: words.Stated = {
    "proposed": (lazy("proposed"), "wait"),
    "in_force": (lazy("in force"), "good"),
    "ended": (lazy("ended"), "calm"),
}


@dataclass(frozen=True)
class ZoneShown:
    id: str
    name: str
    state: Badge
    ours: bool  # we are one of its members
    proposed: bool
    ended: bool
    facts: tuple[Fact, ...]
    approve_url: str
    may_approve: May
    end_url: str
    may_end: May
    end_form: EndForm


@dataclass(frozen=True, kw_only=True)
class ZonesPage(Page):
    zones: tuple[ZoneShown, ...]
    form: ZoneForm
    may_propose: May


def zones_page(
    account: Account, form: ZoneForm | None = None, end: EndForm | None = None, refusal: Refusal | None = None
) -> ZonesPage:
    names = Names()
    return ZonesPage(
        shell=shell_for(account, "zones"),
        refusal=refusal,
        zones=tuple(_shown(account, one, names, end) for one in queries.zones()),
        form=form or ZoneForm(),
        may_propose=access.may(account, Action.KEEP_ZONE),
    )


def _shown(account: Account, zone: Zone, names: Names, end: EndForm | None) -> ZoneShown:
    may = access.may(account, Action.KEEP_ZONE)
    return ZoneShown(
        id=zone.id,
        name=words.of_language(zone.name_zh, zone.name_en),
        state=words.state(STATES, zone.state),
        ours=current().jurisdiction in zone.members,
        proposed=zone.state == "proposed",
        ended=zone.state == "ended",
        facts=_facts(zone, names),
        approve_url=reverse("zone_approve", args=[zone.id]),
        may_approve=_may_approve(account, zone, may),
        end_url=reverse("zone_end", args=[zone.id]),
        may_end=may,
        end_form=end if end is not None and end.prefix == zone.id else EndForm(zone.id),
    )


def _facts(zone: Zone, names: Names) -> tuple[Fact, ...]:
    last = zone.valid_to.isoformat() if zone.valid_to else _("no end")
    said = [
        Fact(_("Members"), many=tuple(f"{names(one)} ({one})" for one in zone.members)),
        Fact(_("The agreement it rests on"), zone.reference),
        Fact(_("In force"), f"{zone.valid_from.isoformat()} \u2013 {last}"),
        Fact(_("Maintained by"), names(zone.origin)),
        Fact(_("Proposed by"), zone.proposed_by),
        Fact(_("Decided by"), zone.decided_by),
    ]
    return tuple(fact for fact in said if fact.value or fact.many)


def _may_approve(account: Account, zone: Zone, may: May) -> May:
    try:
        check_may_decide(account.username, zone.proposed_by)
    except Refused as refused:
        return no(refused.say(words.language())) if may else may
    return may
