"""What people do in a dispute. One verb, one transaction, one signed paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from hutong.control.agreements.models import Agreement, Negotiation
from hutong.control.agreements.steps import pids_of
from hutong.control.catalogue.models import Entry
from hutong.control.corrections.reopening import reported_to_us
from hutong.control.disputes import docket, effects, routing
from hutong.control.disputes.models import Dispute
from hutong.control.disputes.papers import ABOUT, Effect, binds
from hutong.control.disputes.rules import DoneByTheTicket, NotAParty, check_grounds
from hutong.control.disputes.standing import COORDINATION, DECISION, standing
from hutong.control.identity.rules import Action, Actor, check
from hutong.node.directory import keeper, member
from hutong.node.settings import current
from hutong.vocabulary.errors import NotFound
from hutong.vocabulary.ids import new_id, urn
from hutong.vocabulary.text import checked

LONGEST_TEXT = 4_000


@dataclass(frozen=True)
class Subject:
    """What a dispute is opened about, as this node knows it."""

    about: dict[str, str]
    respondent: str
    department: str  # ours
    their_department: str = ""


def about_request(pid: str) -> Subject:
    """A request refused, or not answered, in either role.

    raises   NotFound
    """
    found = Negotiation.objects.filter(pid=pid).first()
    if found is None:
        raise NotFound(what="request", name=pid[:80])
    provider_pid, consumer_pid = pids_of(found)
    about = _about("request", found.role, found.peer)
    about |= {"provider_pid": provider_pid, "consumer_pid": consumer_pid, "resource": found.dataset_id}
    return Subject(about, found.peer, found.department, _their_department(found.role, found.dataset_id))


def about_agreement(agreement_id: str) -> Subject:
    """A suspension, or whatever else is in dispute about an agreement.

    raises   NotFound
    """
    found = Agreement.objects.filter(id=agreement_id).first()
    if found is None:
        raise NotFound(what="agreement", name=agreement_id[:80])
    newest = found.transfers.order_by("-created_at").first()
    about = _about("suspension", found.role, found.peer)
    about |= {"agreement": found.id, "resource": found.resource_id}
    about["suspended_by"] = newest.suspended_by if newest else ""
    return Subject(about, found.peer, found.department, _their_department(found.role, found.resource_id))


def about_correction(ticket: str, agreement_id: str) -> Subject:
    """The answer to a correction ticket (校核) under an agreement.

    raises   NotFound
    """
    found = about_agreement(agreement_id)
    return Subject(found.about | {"origin": "correction", "ticket": ticket}, found.respondent, found.department)


def about_nothing_here(respondent: str, department: str) -> Subject:
    """A dispute about something this node has no record of.

    raises   UnknownMember
    """
    if respondent != current().jurisdiction:
        member(respondent)
    return Subject(dict.fromkeys(ABOUT, "") | {"origin": "free"}, respondent, department)


@transaction.atomic
def open_dispute(account: Actor, subject: Subject, title: str, text: str) -> Dispute:
    """Begin the first level: the other party reads what is said, and a region's office may mediate.

    raises   NotAllowed, OtherDepartment, TextMissing, TextTooLong
    """
    check(account, Action.TAKE_PART_IN_DISPUTE, subject.department or None)
    us = current().jurisdiction
    claimant = {"node": us, "department": subject.department or account.department_id or ""}
    return docket.say(
        urn(new_id()),
        "opened",
        "claimant",
        account.username,
        _text(text),
        title=checked("title", title, limit=200, required=True),
        claimant=claimant,
        respondent={"node": subject.respondent, "department": subject.their_department},
        mediator=_mediator(us, subject.respondent),
        about=subject.about,
    )


@transaction.atomic
def state(account: Actor, dispute_id: str, text: str) -> Dispute:
    """Say something as a party; everybody who takes part reads it."""
    dispute = docket.held(dispute_id)
    side = _side(account, dispute, Action.TAKE_PART_IN_DISPUTE)
    return docket.say(dispute.id, "statement", side, account.username, _text(text))


@transaction.atomic
def keep_minutes(account: Actor, dispute_id: str, text: str) -> Dispute:
    """Record a meeting: the parties' own, a mediation, or a hearing before the forum."""
    dispute = docket.held(dispute_id)
    side = _office(dispute)
    if side:
        check(account, Action.DECIDE_DISPUTE)
    else:
        side = _side(account, dispute, Action.TAKE_PART_IN_DISPUTE)
    return docket.say(dispute.id, "minutes", side, account.username, _text(text))


@transaction.atomic
def propose(account: Actor, dispute_id: str, text: str, effects_: Sequence[Effect]) -> Dispute:
    """Propose a settlement, as a party's head; what it does follows once the other side accepts."""
    dispute = docket.held(dispute_id)
    side = _side(account, dispute, Action.SETTLE_DISPUTE)
    documents = [one.document() for one in effects_]
    return docket.say(dispute.id, "proposed", side, account.username, _text(text), effects=documents, citation="")


@transaction.atomic
def accept(account: Actor, dispute_id: str) -> Dispute:
    """Accept the other side's newest proposal: the dispute is settled, and what it says is done."""
    dispute = docket.held(dispute_id)
    side = _side(account, dispute, Action.SETTLE_DISPUTE)
    proposal = standing(docket.papers_of(dispute.id)).proposal
    if proposal is None:
        raise NotFound(what="proposal", what_zh="和解方案", name=dispute.id)
    return docket.say(dispute.id, "settled", side, account.username, "", proposal=proposal.digest)


@transaction.atomic
def escalate(account: Actor, dispute_id: str, text: str) -> Dispute:
    """Bring it one level up: to the nearest common superior, from there to that level's government.

    raises   NoCommonSuperior, StepNotPossible
    """
    dispute = docket.held(dispute_id)
    side = "forum" if dispute.level == DECISION and _is_forum(dispute) else ""
    if side:
        check(account, Action.DECIDE_DISPUTE)
    else:
        side = _side(account, dispute, Action.SETTLE_DISPUTE)
    return escalated(dispute, side, account.username, _text(text))


def escalated(dispute: Dispute, side: str, actor: str, text: str) -> Dispute:
    """One level up, in the caller's transaction: by a person, or by a term that ran out."""
    forum = dispute.forum or routing.forum_for(dispute.id, dispute.claimant, dispute.respondent)
    level = min(dispute.level + 1, COORDINATION)
    return docket.say(dispute.id, "escalated", side, actor, text, level=level, forum=forum)


@transaction.atomic
def decide(account: Actor, dispute_id: str, text: str, citation: str, effects_: Sequence[Effect]) -> Dispute:
    """Decide, as the common superior's data authority; at the third level it records what its government decided.

    raises   NotAllowed, NotTheForum, OnlyMediates, DecisionWithoutGrounds, BeyondTheDispute, StepNotPossible
    """
    check(account, Action.DECIDE_DISPUTE)
    check_grounds(text, citation)
    dispute = docket.held(dispute_id)
    documents = [one.document() for one in effects_]
    more: dict[str, Any] = {"citation": checked("citation", citation, limit=500, required=True), "effects": documents}
    level = dispute.level if dispute.level in (DECISION, COORDINATION) else DECISION
    return docket.say(dispute.id, "decided", "forum", account.username, _text(text), level=level, **more)


@transaction.atomic
def close(account: Actor, dispute_id: str, text: str) -> Dispute:
    """Confirm, as the forum, that what was decided has been carried out."""
    check(account, Action.DECIDE_DISPUTE)
    return docket.say(docket.held(dispute_id).id, "closed", "forum", account.username, _text(text))


@transaction.atomic
def withdraw(account: Actor, dispute_id: str, text: str) -> Dispute:
    """Take it back, as the claimant's head, before anything is settled or decided."""
    dispute = docket.held(dispute_id)
    side = _side(account, dispute, Action.SETTLE_DISPUTE)
    return docket.say(dispute.id, "withdrawn", side, account.username, _text(text))


@transaction.atomic
def carried_out(account: Actor, dispute_id: str, position: int, note: str) -> Dispute:
    """Say that our side has done one thing the outcome binds it to, and how.

    raises   NotFound, NotAllowed, OtherDepartment, DoneByTheTicket
    """
    dispute = docket.held(dispute_id)
    _side(account, dispute, Action.SETTLE_DISPUTE)
    mandate = dispute.mandates.select_for_update().filter(position=position).exclude(state="done").first()
    if mandate is None:
        raise NotFound(what="duty", what_zh="执行事项", name=str(position))
    if mandate.do == "correct" and reported_to_us(dispute.about["ticket"]) is not None:
        raise DoneByTheTicket(ticket=dispute.about["ticket"])
    effects.confirm(mandate, account.username, checked("note", note, limit=1000, lines=True, required=True))
    docket.settle(dispute.id)
    dispute.refresh_from_db()
    return dispute


@transaction.atomic
def try_again(account: Actor, dispute_id: str) -> Dispute:
    """Try once more what could not be done."""
    dispute = docket.held(dispute_id)
    _side(account, dispute, Action.SETTLE_DISPUTE)
    docket.settle(dispute.id, again=True)
    dispute.refresh_from_db()
    return dispute


def effect_of(dispute: Dispute, do: str, **limits: Any) -> Effect:
    """An effect as this dispute has it: whom it binds follows from what the dispute is about."""
    return Effect(do, binds(dispute.about, do), {name: value for name, value in limits.items() if value})


def _about(origin: str, role: str, peer: str) -> dict[str, str]:
    us = current().jurisdiction
    provider, consumer = (us, peer) if role == "provider" else (peer, us)
    return dict.fromkeys(ABOUT, "") | {"origin": origin, "provider": provider, "consumer": consumer}


def _their_department(role: str, resource_id: str) -> str:
    """The provider's department, as the catalogue has it; a consumer's is known to its own node."""
    if role == "provider":
        return ""
    entry = Entry.objects.filter(id=resource_id).only("department_code").first()
    return entry.department_code if entry else ""


def _mediator(us: str, respondent: str) -> str:
    """The region's office, where one keeps our directory and is no party."""
    office = keeper()
    return office if office not in ("", us, respondent) and member(office).place == "region" else ""


def _side(account: Actor, dispute: Dispute, action: Action) -> str:
    """Which party the account speaks for. Within one node the department tells.

    raises   NotAParty, NotAllowed, OtherDepartment
    """
    us = current().jurisdiction
    sides = {"claimant": dispute.claimant_department, "respondent": dispute.respondent_department}
    ours = [side for side in sides if getattr(dispute, side) == us]
    if not ours:
        raise NotAParty(node=us, kind=str(action))
    side = next((one for one in ours if sides[one] == account.department_id), ours[0])
    check(account, action, sides[side] or dispute.department or None)
    return side


def _is_forum(dispute: Dispute) -> bool:
    return dispute.forum == current().jurisdiction


def _office(dispute: Dispute) -> str:
    """The place we hold beside the parties', if we hold one now."""
    us = current().jurisdiction
    if dispute.level > 1 and dispute.forum == us:
        return "forum"
    return "mediator" if dispute.mediator == us else ""


def _text(text: str) -> str:
    return checked("text", text, limit=LONGEST_TEXT, lines=True, required=True)
