"""What the provider's pages say of a reply: why no rule gave it, what is proposed, what became of the term."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from hutong.control.agreements.supplement import FIELDS, Point
from hutong.control.clocks.models import Clock
from hutong.control.clocks.rules import clock_rule
from hutong.control.identity.models import Account
from hutong.control.replies.models import Reply
from hutong.control.replies.term import REPLIES
from hutong.control.replies.verdict import DECIDER, Verdict
from hutong.control.requests.rules import REFUSALS
from hutong.control.statute import queries as statute
from hutong.portal.components import words
from hutong.portal.components.parts import Badge, Fact

WHY: Mapping[str, Promise] = {
    "unconditional": lazy("Unconditional: agreed by rule, at once (decree 809, article 21)."),
    "same_as_local": lazy("A local department, or one of the zone, within the published conditions: agreed by rule."),
    "forbidden": lazy("The catalogue cites a law that forbids sharing: refused by rule (article 14)."),
    "no_terms": lazy("It does not state what article 20 wants, so an officer decides."),
    "barred_items": lazy("It asks for items that are not shared, so an officer decides."),
    "conditional": lazy("Conditional, and the applicant belongs to no common zone: an officer decides (article 21)."),
    "not_by_rule_here": lazy("The local rule leaves conditional data to an officer, for local departments too."),
    "same_for_all": lazy("Within what was offered to its whole area: agreed at once (rule Z-4)."),
    "outside_area": lazy("The applicant does not belong to the area of the offer."),
    "beyond_offering": lazy("It asks for more than was offered to the area: a request like any other."),
    "catalogue_changed": lazy("An item is described anew since the head signed the offer, so an officer decides."),
    "conditions_not_met": lazy("Its purpose or mode is outside the published conditions, so an officer decides."),
}
KINDS: Mapping[str, Promise] = {
    "local": lazy("Local department"),
    "zone": lazy("Department of a zone's member"),
    "member": lazy("Department of another member"),
    "outside": lazy("Connector outside the directory"),
}
ANSWERS: Mapping[str, tuple[Promise, Any]] = {
    "agree": (lazy("agreed by rule"), "good"),
    "officer": (lazy("an officer decides"), "wait"),
    "refuse": (lazy("refused by rule"), "bad"),
}


@dataclass(frozen=True)
class PointShown:
    """One thing that was missing, and the answer where it came."""

    field: str
    wanted: str
    answer: str


@dataclass(frozen=True)
class ReplyShown:
    """A proposed reply, as the head reads it before signing."""

    what: str
    proposed_by: str
    proposed_at: datetime
    facts: tuple[Fact, ...]


def why(pid: str) -> str:
    """The newest verdict of the rules on a request, in words."""
    found = [one for one in statute.of(f"negotiation:{pid}") if one.name == DECIDER]
    return of_verdict(Verdict(**found[-1].outcome)) if found else ""


def of_verdict(verdict: Verdict) -> str:
    said = words.word(WHY, verdict.why)
    return said + " " + _("The head of the sharing body signs it.") if verdict.head else said


def answer(verdict: Verdict) -> Badge:
    said, tone = ANSWERS[verdict.answer]
    return Badge(str(said), tone)


def point(one: Point) -> PointShown:
    return PointShown(words.code_name(FIELDS, one.field), one.wanted, one.answer)


def shown(reply: Reply, titles: Mapping[str, str]) -> ReplyShown:
    said = reply.content
    if reply.kind == "refuse":
        facts = [
            Fact(_("Reason, from the list"), words.code_name(REFUSALS, said["code"])),
            Fact(_("Reason, in words"), said["reason"]),
            Fact(_("Citation"), said["citation"]),
        ]
        return ReplyShown(_("Refuse"), _person(reply.proposed_by), reply.proposed_at, tuple(facts))
    items = said.get("items") or list(said.get("masks") or {})
    masks = said.get("masks") or {}
    many = tuple(f"{titles.get(one, one)}: {words.mask(masks.get(one))}" for one in items)
    facts = [Fact(_("Items"), "" if many else _("as asked, each under the catalogue's mask"), many=many)]
    if said.get("term_days"):
        facts.append(Fact(_("Term in days"), words.number(said["term_days"])))
    if traced := words.tracing(said.get("tracing"), titles):
        facts.append(Fact(_("Tracing a leak"), traced))
    return ReplyShown(_("Agree"), _person(reply.proposed_by), reply.proposed_at, tuple(facts))


def reply_clock(pid: str) -> Clock | None:
    names = [rule.name() for rule in REPLIES]
    return Clock.objects.filter(subject=f"negotiation:{pid}", rule__in=names, state="running").first()


def can_be_extended(clock: Clock) -> bool:
    return any(one.name == "extension_days" for one in clock_rule(clock.rule).declares)


def extension_said(state: str) -> str:
    """What became of asking for more time; "" where nobody has."""
    return {
        "asked": _("An extension is asked for; the supervisor decides."),
        "consented": _("The supervisor consented to an extension; the applicant was told."),
        "refused": _("The supervisor refused an extension."),
    }.get(state, "")


def _person(username: str) -> str:
    if username.startswith("rule:"):
        return _("by rule {rule}").format(rule=username.removeprefix("rule:"))
    found = Account.objects.filter(username=username).first()
    return (found.display_name or username) if found else username
