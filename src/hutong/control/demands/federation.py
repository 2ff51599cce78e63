"""Demands between nodes. Only the node a demand lies with changes it; every other node it concerns has a copy.

1. A demand travels whole, with the number of its step. A copy takes a higher step only, so that a message that comes
   again, or late, changes nothing.
2. Who may send it is who holds it by the copy here. A message that has overtaken the one before it (from another node)
   is asked to come again: its sender's outbox keeps it.
3. A node without a copy takes one from the demander's node, or from a common superior that assigns the demand.
4. What the demander wrote is never changed on the way.
5. The demander withdraws by asking the holder; where the demand has moved on meanwhile, it asks the new one.
"""

from __future__ import annotations

from hutong.control.demands import duties, steps
from hutong.control.demands.document import BadDemand, read, same_wish
from hutong.control.demands.models import Demand
from hutong.control.demands.states import AT_WORK
from hutong.control.organisations.tree import path_to_root
from hutong.ledger.record import record
from hutong.node.events import Event, on_event, post_event
from hutong.node.receiving import Peer
from hutong.node.settings import current
from hutong.vocabulary.errors import Refused
from hutong.vocabulary.text import checked

WITHDRAW_EVENT = "demand.withdraw"
LONGEST_REASON = 500
_COPIED = (
    "holder",
    "parties",
    "target",
    "state",
    "step",
    "joined_to",
    "lead_code",
    "lead_name",
    "lead_name_en",
    "due_on",
    "resource_id",
    "refusal_code",
    "refusal_reason",
    "refusal_citation",
    "note",
    "sent_at",
    "ended_at",
)


class NotYet(Refused):
    """As far as this node knows, the demand lies with {holder}, and not with the sender: send it again shortly."""

    zh = "据本节点所知，该需求在 {holder} 处，不在发送节点处：请稍后重发。"
    code = "demand_not_yet"
    status = 503
    next_en = "The message that hands it over is on its way."
    next_zh = "移交消息正在途中。"


@on_event(steps.STATE_EVENT)
def take_state(peer: Peer, event: Event) -> None:
    """A demand, or a later step of one, arrives."""
    given = read(event.data)
    if given.id != event.subject:
        raise BadDemand(reason="it is not the one its event names", reason_zh="与事件所指不符")
    demand = Demand.objects.select_for_update().filter(id=given.id).first()
    former = demand.holder if demand else ""
    if demand is None:
        _check_first(given, peer.jurisdiction)
        demand = given
    elif given.step <= demand.step:
        return
    else:
        if demand.holder != peer.jurisdiction:
            raise NotYet(holder=demand.holder)
        if not same_wish(demand, given):
            raise BadDemand(reason="what the demander wrote was changed", reason_zh="需求内容被改动")
        for name in _COPIED:
            setattr(demand, name, getattr(given, name))
    demand.working = None
    demand.save()
    said = {"state": demand.state, "step": demand.step, "holder": demand.holder}
    record("demand.told", demand.subject, f"node:{peer.jurisdiction}", said)
    if steps.ours(demand):
        _receive(demand, peer)
    else:
        steps.tell_people(demand)
        if former != demand.holder:
            _ask_again(demand)


def ask_to_withdraw(demand: Demand) -> None:
    """Ask whoever holds our demand to end it. In the caller's transaction."""
    said = {"id": demand.id, "reason": demand.withdrawal}
    post_event(demand.holder, WITHDRAW_EVENT, demand.id, said)


@on_event(WITHDRAW_EVENT)
def take_withdrawal(peer: Peer, event: Event) -> None:
    """The demander's node withdraws its demand. One that has ended, or lies elsewhere by now, is left as it is."""
    demand = Demand.objects.select_for_update().filter(id=event.subject).first()
    reason = checked("reason", event.data.get("reason"), limit=LONGEST_REASON, lines=True)
    if demand is None or demand.home != peer.jurisdiction:
        raise BadDemand(reason=f"{peer.jurisdiction} has no such demand here", reason_zh="此处没有该节点的这项需求")
    if steps.ours(demand) and (demand.state in AT_WORK or demand.state == "joined"):
        withdraw_here(demand, f"node:{peer.jurisdiction}", reason)


def withdraw_here(demand: Demand, actor: str, reason: str) -> None:
    """End a demand that lies with us. Who joined it goes on in its place, where the work stands. It is locked."""
    before, duty_of = demand.state, demand.id
    followers = steps.joined_to(demand) if before in AT_WORK else []
    steps.take(demand, "withdraw", actor, {"reason": reason}, note=reason)
    if not followers:
        duties.drop_of(duty_of, "demand withdrawn")
        return
    first, rest = followers[0], followers[1:]
    lead = {name: getattr(demand, name) for name in ("lead_code", "lead_name", "lead_name_en")}
    after = "led" if before == "led" else "open"
    steps.take(first, "go_on", "rule:D809-19", {"in_place_of": demand.id}, after=after, joined_to="", **lead)
    Demand.objects.filter(id__in=[one.id for one in rest]).update(joined_to=first.id)
    duties.hand_over(duty_of, first.id)


def _check_first(given: Demand, sender: str) -> None:
    """raises   NotYet for a demand that nobody who could have told us of it has told us of"""
    here = current().jurisdiction
    superior = given.holder == here and sender in path_to_root(here)[1:] and sender in path_to_root(given.home)
    if sender != given.home and not superior:
        raise NotYet(holder=given.home)


def _receive(demand: Demand, peer: Peer) -> None:
    """It lies with us now: it joins what is in work, or its clock starts, which everyone is told."""
    if demand.state not in ("open", "mediating"):
        raise BadDemand(reason=f"it cannot be handed over while it is {demand.state}", reason_zh="此状态下不能移交")
    if steps.twin_of(demand) is None or demand.state != "open":
        steps.take(demand, "receive", f"node:{peer.jurisdiction}", {})
    else:
        steps.settle(demand)


def _ask_again(demand: Demand) -> None:
    """We asked the former holder to let us withdraw; it has handed the demand on, so we ask the present one."""
    if demand.withdrawal and demand.home == current().jurisdiction and demand.state in AT_WORK:
        ask_to_withdraw(demand)
