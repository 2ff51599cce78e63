"""One step of a demand: the move, its record, its clocks, the people told, and every node it concerns.

MUST run in the transaction of the act; the demand is locked. Only the holder takes steps; see federation.py.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.db import IntegrityError, transaction

from hutong.control.clocks import actions as clocks
from hutong.control.clocks.models import Clock
from hutong.control.demands import told
from hutong.control.demands.document import build
from hutong.control.demands.models import Demand
from hutong.control.demands.rules import LeadUnnamed, SourceOverdue
from hutong.control.demands.states import AT_WORK, CLOSED, next_move
from hutong.control.notices.actions import tell
from hutong.control.organisations.tree import NoCommonSuperior, nearest_common_superior
from hutong.ledger.record import record
from hutong.node.directory import keeper, others
from hutong.node.events import post_event
from hutong.node.settings import current
from hutong.vocabulary.rulebook import ClockRule
from hutong.vocabulary.sentences import Sentence

STATE_EVENT = "demand.state"
MOST_JOINED = 200  # moved in one transaction with the demand they joined; owner: control/demands


def ours(demand: Demand) -> bool:
    """Whether this node acts on it now."""
    return demand.holder == current().jurisdiction


def take(demand: Demand, verb: str, actor: str, detail: dict[str, Any], *, after: str = "", **changes: Any) -> Demand:
    """Take a step, record it, tell the other nodes and the people here.

    changes   fields of the demand that the step sets
    raises    WrongState
    """
    move = next_move(demand.state, verb, after)
    for name, value in changes.items():
        setattr(demand, name, value)
    demand.state, demand.step = move.after, demand.step + 1
    demand.parties = list(dict.fromkeys([demand.home, *demand.parties, demand.holder]))
    if demand.state in CLOSED:
        demand.ended_at = datetime.now(UTC).replace(microsecond=0)
    _run_clocks(demand)
    mark_working(demand)
    save(demand)
    said = {"state": demand.state, "step": demand.step, "holder": demand.holder, **detail}
    record(move.audit, demand.subject, actor, said, commitment={"demand": demand.id, "step": demand.step})
    if demand.state != "filed":
        announce(demand)
    tell_people(demand)
    return demand


def twin_of(demand: Demand) -> Demand | None:
    """The demand of the same elements, purpose and area that is in work here already, locked."""
    if not demand.twins or not ours(demand):
        return None
    return Demand.objects.select_for_update().filter(working=demand.twins).exclude(id=demand.id).first()


def mark_working(demand: Demand) -> None:
    """Of two demands with the same twins only one is in work here (a unique column holds it)."""
    in_work = demand.state in AT_WORK and ours(demand) and twin_of(demand) is None
    demand.working = demand.twins or None if in_work else None


def save(demand: Demand) -> None:
    """Two that are the same may come in one instant, and neither saw the other: the unique column lets one be in work,
    and `settle` joins the second to it."""
    try:
        with transaction.atomic():
            demand.save()
    except IntegrityError:
        if demand.working is None or twin_of(demand) is None:
            raise
        demand.working = None
        demand.save()


def settle(demand: Demand) -> Demand:
    """A demand that has come to this node joins the one that is in work for the same data."""
    twin = twin_of(demand) if demand.state == "open" else None
    return demand if twin is None else join(demand, twin, "rule:D809-19")


def join(demand: Demand, main: Demand, actor: str) -> Demand:
    """Let a demand end together with another one. Both are locked."""
    lead = {name: getattr(main, name) for name in ("lead_code", "lead_name", "lead_name_en")}
    return take(demand, "join", actor, {"joined_to": main.id}, joined_to=main.id, **lead)


def joined_to(main: Demand) -> list[Demand]:
    """The demands that joined this one, the earliest first, locked."""
    found = Demand.objects.select_for_update().filter(joined_to=main.id, state="joined", holder=main.holder)
    return list(found.order_by("id")[:MOST_JOINED])


def announce(demand: Demand) -> None:
    """Send the demand as it now stands to every other node it concerns."""
    for jurisdiction in sorted(concerned(demand)):
        post_event(jurisdiction, STATE_EVENT, demand.id, build(demand))


def concerned(demand: Demand) -> set[str]:
    """The demander's node, those it has lain with, their common superiors, and the region's list.

    A demand that stays within one jurisdiction concerns nobody else.
    """
    parties = {demand.home, demand.holder, *demand.parties}
    if len(parties) < 2:
        return set()
    parties.add(keeper())
    for other in parties - {demand.home, keeper()}:
        try:
            parties.add(nearest_common_superior(demand.home, other).jurisdiction)
        except NoCommonSuperior:
            continue
    return parties & {one.jurisdiction for one in others()}


def tell_people(demand: Demand) -> None:
    """Whoever must act or should know here."""
    if ours(demand) and demand.state in ("open", "mediating"):
        arrived = told.DemandToMediate if demand.state == "mediating" else told.DemandArrived
        _tell(demand, arrived(title=demand.title, department=demand.department_name), role="supervisor")
    if ours(demand) and demand.state == "led":
        _tell(demand, told.LeadNamed(title=demand.title, due=_due(demand)), department=demand.lead_code)
    if demand.home == current().jurisdiction and (sentence := _for_demander(demand)) is not None:
        _tell(demand, sentence, account=demand.filed_by)


def _for_demander(demand: Demand) -> Sentence | None:
    title = demand.title
    if demand.state in ("led", "joined") and demand.lead_code:
        return told.DemandInWork(title=title, lead=demand.lead_name, due=_due(demand))
    if demand.state == "joined":
        return told.DemandJoined(title=title)
    if demand.state == "fulfilled":
        return told.DemandFulfilled(title=title)
    if demand.state == "refused":
        return told.DemandRefused(title=title, reason=demand.refusal_reason, citation=demand.refusal_citation)
    return None


def _tell(demand: Demand, sentence: Sentence, *, role: str = "", department: str = "", account: str = "") -> None:
    page = ("demand", demand.id)
    if department:
        for one in ("officer", "head"):
            tell(sentence, role=one, department=department, subject=demand.subject, page=page)
    elif role or account:
        tell(sentence, role=role, account=account, subject=demand.subject, page=page)


def _run_clocks(demand: Demand) -> None:
    """Start and end what the new state asks for; the holder's clocks are the demand's.

    The clock of whoever loses the demand to another node falls away with its state there (federation.py).
    """
    if demand.state in ("open", "mediating") and ours(demand):
        demand.due_on = _clock(LeadUnnamed, demand).due_on
    elif demand.state == "led":
        clocks.meet(LeadUnnamed, demand.subject)
        demand.due_on = _clock(SourceOverdue, demand, demand.lead_code).due_on
    else:
        if demand.state != "joined":
            demand.due_on = None
        stop_clocks(demand)


def _clock(rule: type[ClockRule], demand: Demand, department: str = "") -> Clock:
    page = ("demand", demand.id)
    return clocks.start(rule, demand.subject, department=department, title_zh=demand.title, page=page)


def stop_clocks(demand: Demand) -> None:
    """What was due is done when the demand is met or refused; it fell away when withdrawn, joined or moved on."""
    done = demand.state in ("fulfilled", "refused") and demand.holder == current().jurisdiction
    for rule in (LeadUnnamed, SourceOverdue):
        if done:
            clocks.meet(rule, demand.subject)
        else:
            clocks.drop(rule, demand.subject, demand.state)


def _due(demand: Demand) -> str:
    return demand.due_on.isoformat() if demand.due_on else "-"
