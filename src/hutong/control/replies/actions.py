"""Replies: an officer proposes, the head of the sharing body signs (article 20); what is missing is told once (21).

Each is one transaction with its record. What was blocked because the law forbids it is recorded as an attempt.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from django.db import transaction

from hutong.control.agreements import granted, outbound
from hutong.control.agreements.actions import ours_as_provider
from hutong.control.agreements.consent import Choice, agreed_terms, asked_of
from hutong.control.agreements.drafting import PLAIN_TERM_DAYS, agreement_for, asked_terms
from hutong.control.agreements.models import Agreement, Negotiation
from hutong.control.agreements.rules import NothingToChoose, SupplementTwice, WiderThanAsked
from hutong.control.agreements.steps import locked
from hutong.control.agreements.supplement import FIELDS, Point, was_asked
from hutong.control.agreements.transitions import Machine, Party, Said, next_move
from hutong.control.demands import barring
from hutong.control.demands.rules import FORBIDDEN
from hutong.control.identity.rules import Action, Actor, check
from hutong.control.notices.actions import tell
from hutong.control.replies import laws
from hutong.control.replies.models import Reply
from hutong.control.replies.notes import ReplyProposed, ReplyReturned
from hutong.control.replies.rules import (
    MissingNeverAsked,
    ReplyWaits,
    check_points,
    check_signer,
    check_was_asked,
)
from hutong.control.requests.rules import check_refusal
from hutong.exchange.grants.tracing import Tracing
from hutong.ledger.record import record
from hutong.vocabulary.errors import NotFound, Refused
from hutong.vocabulary.ids import new_id, uuid_of
from hutong.vocabulary.text import checked

LONGEST_POINT = 500  # characters of one point of a list of missing material
MOST_POINTS = 40


@transaction.atomic
def propose_agreement(
    by: Actor,
    pid: str,
    *,
    masks: Mapping[str, Mapping[str, Any]] | None = None,
    items: Sequence[str] | None = None,
    term_days: int | None = None,
    quota_calls_per_day: int | None = None,
    tracing: Mapping[str, Any] | None = None,
) -> Reply:
    """Propose to agree to a request, as the provider's officer. Nothing is said to the applicant yet.

    masks    item name to mask document; an item not named keeps the catalogue's default mask
    items    fewer than asked; all of them when None
    tracing  how a leak would be traced (hutong.exchange.grants.tracing); the applicant reads it in the agreement
    raises   NotAllowed, OtherDepartment, WiderThanAsked, ItemNotShareable, BadMask, BadTracing, IllegalMove,
             NothingToChoose, ReplyWaits

    A peer that sent none of our terms gets the offer as published, every item under the catalogue's mask, for
    term_days or PLAIN_TERM_DAYS.
    """
    negotiation = ours_as_provider(by, pid)
    content = {
        "masks": {name: dict(mask) for name, mask in masks.items()} if masks else None,
        "items": None if items is None else list(items),
        "term_days": term_days,
        "quota_calls_per_day": quota_calls_per_day,
        "tracing": dict(tracing) if tracing else None,
    }
    granted.check_move(negotiation, "agree", content)
    _check_would_hold(negotiation, content)
    return _propose(negotiation, "agree", content, by.username)


@transaction.atomic
def _propose_refusal(by: Actor, pid: str, code: str, reason: str, citation: str) -> Reply:
    negotiation = ours_as_provider(by, pid)
    granted.check_move(negotiation, "refuse")
    check_refusal(code, reason)
    cited = laws.checked_citation(citation)
    check_was_asked(code, asked_before=was_asked(negotiation))
    if code == FORBIDDEN:
        barring.check_refused(cited, uuid_of(negotiation.dataset_id))
    told = checked("reason", reason, limit=2000, lines=True)
    content = {"code": code, "reason": told, "citation": cited, "laws": laws.version()}
    return _propose(negotiation, "refuse", content, by.username)


def propose_refusal(by: Actor, pid: str, code: str, reason: str, citation: str) -> Reply:
    """Propose to refuse a request, with reason code, reason and legal citation (D809-15, D809-21).

    raises   NotAllowed, OtherDepartment, RefusalWithoutReason, RefusalWithoutCitation, CitationNotInForm,
             ArticleNotInLaw, MissingNeverAsked, ForbiddenNotListed, IllegalMove, ReplyWaits
    """
    with _attempts_recorded(by, pid, MissingNeverAsked):
        return _propose_refusal(by, pid, code, reason, citation)


@transaction.atomic
def sign(by: Actor, reply_id: str) -> Agreement | Negotiation:
    """Sign a proposed reply as the head of the sharing body, and send it.

    returns  the agreement, or the negotiation that was refused
    raises   NotAllowed, OtherDepartment, NotFound, OwnReply, IllegalMove, what the proposal itself would raise now
    """
    reply = _waiting(by, reply_id)
    check_signer(by.username, reply.proposed_by)
    return carry_out(reply, by.username)


@transaction.atomic
def send_back(by: Actor, reply_id: str, note: str) -> Reply:
    """Send a proposed reply back to its officer, saying why.

    raises   NotAllowed, OtherDepartment, NotFound, TextMissing
    """
    reply = _waiting(by, reply_id)
    reply.note = checked("note", note, limit=2000, lines=True, required=True)
    _close(reply, "returned", by.username, {"note": reply.note})
    page = ("negotiation", uuid_of(reply.negotiation_id))
    tell(ReplyReturned(note=reply.note), account=reply.proposed_by, subject=_subject(reply), page=page)
    return reply


def ask_supplement(by: Actor, pid: str, points: Sequence[tuple[str, str]]) -> Negotiation:
    """Tell the applicant once, completely, what is missing (D809-21).

    points   each a field of the request and what is wanted of it, in words
    raises   NotAllowed, OtherDepartment, PointsUnclear, SupplementTwice, IllegalMove
    """
    with _attempts_recorded(by, pid, SupplementTwice), transaction.atomic():
        negotiation = ours_as_provider(by, pid)
        granted.check_move(negotiation, "supplement")
        if was_asked(negotiation):
            raise SupplementTwice
        check_points(points, FIELDS.codes)
        named = tuple(
            Point(field, checked("wanted", wanted, limit=LONGEST_POINT, lines=True, required=True))
            for field, wanted in points[:MOST_POINTS]
        )
        drop_waiting(negotiation)
        return outbound.offer(pid, by.username, supplement=named)


def by_rule(negotiation: Negotiation, rule: str, *, head: bool) -> None:
    """Agree as a rule says; where the local rule wants it, the head still signs."""
    content: dict[str, Any] = dict.fromkeys(("masks", "items", "term_days", "quota_calls_per_day", "tracing"))
    if head:
        _propose(negotiation, "agree", content, rule)
    else:
        _agree(negotiation, content, rule)


def carry_out(reply: Reply, actor: str) -> Agreement | Negotiation:
    """Do what a reply says, as whoever signed it. The caller holds the reply."""
    negotiation = locked(Negotiation, reply.negotiation_id)
    _close(reply, "signed", actor, {"proposed_by": reply.proposed_by, "kind": reply.kind})
    if reply.kind == "agree":
        return _agree(negotiation, reply.content, actor)
    said = reply.content
    check_was_asked(said["code"], asked_before=was_asked(negotiation))
    return outbound.terminate(negotiation.pid, said["code"], said["reason"], said["citation"], actor)


def drop_waiting(negotiation: Negotiation) -> None:
    """The request has moved on by itself: what was proposed has nothing to answer any more."""
    for reply in Reply.objects.select_for_update().filter(negotiation=negotiation, state="proposed"):
        _close(reply, "dropped", "rule:D809-21", {})


def _propose(negotiation: Negotiation, kind: str, content: dict[str, Any], username: str) -> Reply:
    said = Said.AGREEMENT if kind == "agree" else Said.TERMINATION
    next_move(Machine.NEGOTIATION, negotiation.state, said, Party.PROVIDER)
    if Reply.objects.filter(negotiation=negotiation, state="proposed").exists():
        raise ReplyWaits
    reply = Reply.objects.create(
        id=new_id(),
        negotiation=negotiation,
        department=negotiation.department,
        kind=kind,
        content=content,
        proposed_by=username,
    )
    detail = {name: content[name] for name in ("code", "reason", "citation", "items", "term_days") if content.get(name)}
    record("reply.proposed", _subject(reply), username, {"kind": kind, **detail})
    kinds = {"agree": ("agree to", "同意"), "refuse": ("refuse", "不同意")}[kind]
    proposed = ReplyProposed(kind=kinds[0], kind_zh=kinds[1])
    page = ("negotiation", uuid_of(negotiation.pid))
    tell(proposed, role="head", department=negotiation.department, subject=_subject(reply), page=page)
    return reply


def _agreement(negotiation: Negotiation, content: Mapping[str, Any]) -> Any:
    """What would be signed now; None without our terms. Refuses what may not be agreed to."""
    terms = asked_terms(negotiation)
    if terms is None:
        chosen = content["masks"] or content["items"] or content.get("tracing")
        if chosen or content["quota_calls_per_day"] is not None:
            raise NothingToChoose
        _plain_days(content["term_days"])
        return None
    items = content["items"]
    quota = content["quota_calls_per_day"]
    # A reply proposed before there was tracing says nothing of it.
    tracing = Tracing.from_document(content["tracing"]) if content.get("tracing") else None
    named = None if items is None else tuple(items)
    choice = Choice(named, content["masks"], content["term_days"], quota, tracing)
    return agreed_terms(asked_of(negotiation.dataset_id), terms, choice, datetime.now(UTC))


def _check_would_hold(negotiation: Negotiation, content: Mapping[str, Any]) -> None:
    """What cannot be carried out is refused to the officer who proposes it, not to the head who signs it."""
    now, agreed = datetime.now(UTC), _agreement(negotiation, content)
    days = PLAIN_TERM_DAYS if agreed is not None else _plain_days(content["term_days"])
    outbound.agreement_row(negotiation, agreement_for(negotiation, agreed, now, days), now)


def _agree(negotiation: Negotiation, content: Mapping[str, Any], actor: str) -> Agreement:
    agreed = _agreement(negotiation, content)
    days = PLAIN_TERM_DAYS if agreed is not None else _plain_days(content["term_days"])
    return outbound.agree(negotiation.pid, agreed, actor, plain_days=days)


def _plain_days(term_days: int | None) -> int:
    if term_days is None:
        return PLAIN_TERM_DAYS
    if not 1 <= term_days <= PLAIN_TERM_DAYS:
        raise WiderThanAsked(what="term_days")
    return term_days


def _waiting(by: Actor, reply_id: str) -> Reply:
    reply = Reply.objects.select_for_update().filter(id=reply_id, state="proposed").first()
    if reply is None:
        raise NotFound(what="reply", what_zh="拟办答复", name=reply_id[:60])
    check(by, Action.SIGN_REPLY, reply.department or None)
    return reply


def _close(reply: Reply, state: str, actor: str, detail: dict[str, Any]) -> None:
    reply.state, reply.decided_by, reply.decided_at = state, actor, datetime.now(UTC)
    reply.save()
    record(f"reply.{state}", _subject(reply), actor, detail)


@contextmanager
def _attempts_recorded(by: Actor, pid: str, *kinds: type[Refused]) -> Iterator[None]:
    """What the law forbids leaves a record of its own: the transaction that tried it is undone."""
    try:
        yield
    except kinds as refused:
        with transaction.atomic():
            detail = {"rule": refused.rule, "code": refused.code}
            record("reply.attempt_blocked", f"negotiation:{pid}", by.username, detail)
        raise


def _subject(reply: Reply) -> str:
    return f"negotiation:{reply.negotiation_id}"
