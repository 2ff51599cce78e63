"""An agreement for a return comes about by rule, or not at all: nobody at the superior sets anything.

At the superior: a request that names article 24 is answered in the transaction it arrives in. At the area's node: an
agreement that gives less than the law does is not signed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from hutong.control.agreements import outbound
from hutong.control.agreements.consent import Asked, asked_of, default_mask
from hutong.control.agreements.decisions import decides, follows
from hutong.control.agreements.drafting import asked_terms
from hutong.control.agreements.granted import guards
from hutong.control.agreements.models import Negotiation, Transfer
from hutong.control.agreements.terms import AgreedTerms, Terms, read_agreed
from hutong.control.agreements.transitions import Machine, Party
from hutong.control.catalogue import queries as catalogue
from hutong.control.notices.actions import tell
from hutong.control.organisations import tree
from hutong.control.returns import flows
from hutong.control.returns.areas import area_item, condition
from hutong.control.returns.models import ReturnFlow
from hutong.control.returns.rules import GRANT, LAW, AnotherCondition, FurtherCondition, NoAreaItem, NotItsArea
from hutong.control.returns.rules import ReturnRefused as Told
from hutong.control.statute.decisions import decide
from hutong.exchange.shaping.masks import Mask
from hutong.node import work
from hutong.node.settings import current
from hutong.vocabulary.moments import to_the_millisecond
from hutong.vocabulary.rulebook import Rule

MISUSE = ("misuse", "secrecy")
ACTOR = "rule:D809-24"
CITATION = "《政务数据共享条例》第二十四条"
WHY: Mapping[str, type[Rule]] = {one.code: one for one in (NotItsArea, NoAreaItem, AnotherCondition)}


@guards
def no_further_condition(negotiation: Negotiation, move: str, chosen: Mapping[str, Any]) -> None:
    """D809-24. raises   FurtherCondition, for everything a person could add to what the law grants"""
    terms = asked_terms(negotiation)
    if terms is None or terms.law != LAW or (move == "agree" and not chosen):
        return
    if move == "end" and chosen.get("cause") in MISUSE:
        return  # article 27 stands beside article 24: suspended, not put right in time, ended
    what = ", ".join(sorted(chosen)) or move
    raise FurtherCondition(area=terms.scope, what=what)


@decides(Machine.NEGOTIATION, "REQUESTED", Party.PROVIDER)
def grant_by_law(negotiation: Negotiation) -> bool:
    """D809-24. The asker's own area, just its rows: agreed as asked. Anything else is no return, and refused."""
    terms = asked_terms(negotiation)
    if terms is None or terms.law != LAW:
        return False
    asked = asked_of(negotiation.dataset_id)
    outcome = decide(GRANT, f"negotiation:{negotiation.pid}", _facts(negotiation.peer, asked, terms))
    if not outcome["granted"]:
        said = WHY[outcome["code"]](asker=negotiation.peer, area=terms.scope)
        reason = f"{said.say('zh')} / {said.say('en')}"
        outbound.terminate(negotiation.pid, outcome["code"], reason, CITATION, ACTOR)
        return True
    outbound.agree(negotiation.pid, agreed_by_law(asked, terms, datetime.now(UTC)), ACTOR)
    flows.keep_granted(negotiation, asked, terms)
    return True


@decides(Machine.NEGOTIATION, "AGREED", Party.CONSUMER)
def sign_only_the_whole(negotiation: Negotiation) -> bool:
    """D809-24. What came is as much as the catalogue shows and the law grants; else it goes back."""
    flow = flows.asked_in(negotiation)
    if flow is None:
        return False
    agreed, asked = read_agreed(negotiation.agreement.document), asked_terms(negotiation)
    if agreed is None or asked is None:
        return False
    if not (narrowed := _narrowed(flow, agreed, asked)):
        return False
    said = FurtherCondition(area=flow.area, what=narrowed)
    reason = f"{said.say('zh')} / {said.say('en')}"
    outbound.terminate(negotiation.pid, FurtherCondition.code, reason, CITATION, ACTOR)
    return True


@follows(Machine.NEGOTIATION, "FINALIZED", Party.CONSUMER)
def begin(negotiation: Negotiation) -> None:
    """The first batch is due at once."""
    flow = flows.asked_in(negotiation)
    if flow is not None:
        flows.begin(flow, negotiation.agreement.id)


@follows(Machine.NEGOTIATION, "TERMINATED", Party.CONSUMER)
def not_returned(negotiation: Negotiation) -> None:
    flow = flows.asked_in(negotiation)
    if flow is None:
        return
    flows.refuse(flow, negotiation.refusal_code)
    told = Told(peer=flow.peer, title=flow.title_en or flow.title_zh, title_zh=flow.title_zh, code=flow.code)
    for role in ("officer", "head"):
        tell(told, role=role, department=flow.department, subject=f"return:{flow.id}", page=("return", flow.id))
    tell(told, role="supervisor", subject=f"return:{flow.id}", page=("return", flow.id))


@follows(Machine.TRANSFER, "STARTED", Party.CONSUMER)
def fetch_now(transfer: Transfer) -> None:
    """Delivery is open: a batch that is due need not wait for the next look."""
    if ReturnFlow.objects.filter(agreement_id=transfer.agreement_id, role="consumer").exists():
        work.wake_on_commit("returns")


@follows(Machine.TRANSFER, "TERMINATED", Party.CONSUMER)
@follows(Machine.TRANSFER, "TERMINATED", Party.PROVIDER)
def end_with_its_agreement(transfer: Transfer) -> None:
    if transfer.agreement.state == "ended":
        flows.end(transfer.agreement_id)


def agreed_by_law(asked: Asked, terms: Terms, now: datetime) -> AgreedTerms:
    """As asked, under the masks the catalogue has for everybody; only what is a state secret stays out."""
    items = {item.name: item for item in asked.items if not item.secret}
    names = tuple(name for name in terms.items if name in items)
    masks = tuple(Mask.from_document(default_mask(items[name]), name).to_document() for name in names)
    starts_at = to_the_millisecond(now)  # the wire has milliseconds
    whole = Terms(**{**vars(terms), "items": names})
    return AgreedTerms(whole, masks, starts_at, starts_at + timedelta(days=terms.term_days))


def _facts(asker: str, asked: Asked, terms: Terms) -> dict[str, Any]:
    item, area = area_item(asked.items), terms.scope
    return {
        "us": current().jurisdiction,
        "asker": asker,
        "above": list(tree.path_to_root(asker)),
        "covered": tree.covers(asker, area),
        "area": area,
        "area_item": item.name if item else "",
        "condition_is_the_area": item is not None and terms.where == condition(item.name, item.type, area),
    }


def _narrowed(flow: ReturnFlow, agreed: AgreedTerms, asked: Terms) -> str:
    """What the superior left out or covered beyond its own catalogue entry; "" where it is the whole."""
    shown = {item.name: item.mask for item in catalogue.document(flow.resource_id).items}
    given = dict(zip(agreed.asked.items, agreed.masks, strict=True))
    if missing := [name for name in asked.items if name not in given]:
        return "items " + ", ".join(missing)
    if masked := [name for name, mask in given.items() if mask["action"] not in ("keep", shown.get(name))]:
        return "masks " + ", ".join(masked)
    if agreed.tracing is not None:
        return "tracing"
    if agreed.asked.quota_calls_per_day < asked.quota_calls_per_day:
        return "quota_calls_per_day"
    return "term_days" if agreed.asked.term_days < asked.term_days else ""
