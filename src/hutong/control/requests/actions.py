"""Filing a request, signing it off, withdrawing it: decree 809 article 20 on the consumer's side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from django.db import transaction

from hutong.control.agreements import outbound
from hutong.control.agreements.drafting import offer_for
from hutong.control.agreements.models import Negotiation
from hutong.control.agreements.offered import read_offered
from hutong.control.agreements.steps import locked
from hutong.control.agreements.supplement import read_points
from hutong.control.agreements.terms import Terms
from hutong.control.agreements.transitions import Machine, Party, Said, next_move
from hutong.control.catalogue import queries as catalogue
from hutong.control.catalogue.dataset import EntryDocument
from hutong.control.catalogue.models import Entry
from hutong.control.identity.rules import Action, Actor, check
from hutong.control.offerings.queries import on_offer
from hutong.control.organisations.models import Department
from hutong.control.requests.answering import answer_point
from hutong.control.requests.models import ShareRequest
from hutong.control.requests.rules import (
    ItemsNotShared,
    OwnResource,
    PointsUnanswered,
    RequestIncomplete,
    check_complete,
    check_items,
    check_may_sign_off,
)
from hutong.exchange.shaping.predicate import Predicate
from hutong.ledger.record import record
from hutong.node.settings import current
from hutong.vocabulary.canonical import canonical_bytes
from hutong.vocabulary.errors import BadInput, NotFound, WrongState
from hutong.vocabulary.ids import new_id
from hutong.vocabulary.text import checked

LONGEST_TEXT = 4_000  # characters of basis, scenario and scope each


@transaction.atomic
def file(
    account: Actor,
    *,
    resource_id: str,
    basis: str,
    scenario: str,
    scope: str,
    items: Sequence[str],
    row_condition: dict[str, Any] | None = None,
    mode: str = "interface",
    term_days: int,
    purpose: str,
    quota_calls_per_day: int = 100_000,
) -> ShareRequest:
    """File a request for a catalogued resource of another node.

    row_condition   a predicate document over the resource's items, None for every row
    raises          NotAllowed, NotFound, OwnResource, RequestIncomplete, UnknownItems, ItemsNotShared, BadPredicate
    """
    if account.department_id is None:
        raise RequestIncomplete(missing=["department"])
    check(account, Action.FILE_REQUEST)
    entry = catalogue.entry(resource_id)
    _check_open(entry)
    request = ShareRequest(
        id=new_id(),
        department_id=account.department_id,
        resource_id=entry.id,
        provider=entry.origin,
        filed_by=account.username,
        basis=checked("basis", basis, limit=LONGEST_TEXT, lines=True),
        scenario=checked("scenario", scenario, limit=LONGEST_TEXT, lines=True),
        scope=checked("scope", scope, limit=LONGEST_TEXT, lines=True),
        items=list(dict.fromkeys(items)),
        row_condition=row_condition,
        mode=mode,
        term_days=term_days,
        purpose=purpose,
        quota_calls_per_day=quota_calls_per_day,
        state="filed",
        filed_at=datetime.now(UTC),
    )
    check_complete(request)
    _check_items_of(request, catalogue.document(entry.id))
    request.save(force_insert=True)
    detail = {"resource": entry.id, "provider": entry.origin, "purpose": purpose, "items": request.items}
    record("request.filed", f"request:{request.id}", account.username, {**detail, "term_days": term_days})
    return request


@transaction.atomic
def sign_off(account: Actor, request_id: str) -> ShareRequest:
    """Sign a filed request off and send it to its provider, as the head of the department that asks.

    raises   NotAllowed, OtherDepartment, OwnSignOff, WrongState, NotFound
    """
    request = _held(request_id)
    check(account, Action.SIGN_OFF_REQUEST)
    check_may_sign_off(account, request)
    _check_state(request, "filed")
    check_complete(request)
    entry = catalogue.entry(request.resource_id)
    _check_open(entry)
    request.state, request.signed_off_by, request.signed_off_at = "signed_off", account.username, datetime.now(UTC)
    request.save()
    record("request.signed_off", f"request:{request.id}", account.username, {"resource": entry.id})
    request.negotiation_id = _ask(request, entry, account.username).pid
    request.save(update_fields=["negotiation_id"])
    return request


def _ask(request: ShareRequest, entry: Entry, actor: str) -> Negotiation:
    """Ask the provider; where it has offered this resource to us, by taking the offer up."""
    terms = terms_of(request)
    offered = _to_take_up(entry, terms)
    if offered is None:
        return outbound.request(request.provider, offer_for(entry.dataset, terms), terms, actor, request_id=request.id)
    offer = offer_for(entry.dataset, terms, offered=read_offered(offered.offer))
    return outbound.counter(offered.pid, offer, terms, actor, request_id=request.id)


@transaction.atomic
def decline_offer(account: Actor, pid: str, reason: str) -> Negotiation:
    """Decline what a provider offered without being asked, as a head. It may still be asked for later.

    raises   NotAllowed, NotFound, WrongState, TextMissing
    """
    check(account, Action.SIGN_OFF_REQUEST)
    negotiation = locked(Negotiation, pid)
    if negotiation.role != Party.CONSUMER:
        raise NotFound(what="offer", what_zh="要约", name=pid[:80])
    if negotiation.state != "OFFERED" or negotiation.request_id:
        offered = {"possible": ["OFFERED"], "possible_zh": ["待答复的要约（OFFERED）"]}
        raise WrongState(what="offer", what_zh="要约", state=negotiation.state, **offered)
    told = checked("reason", reason, limit=2000, lines=True, required=True)
    return outbound.terminate(negotiation.pid, "declined", told, "", account.username)


@transaction.atomic
def withdraw(account: Actor, request_id: str, reason: str = "") -> ShareRequest:
    """Take a request back before it is agreed; the provider is told when it has already been sent.

    raises   NotAllowed, OtherDepartment, WrongState, NotAcknowledged
    """
    request = _held(request_id)
    check(account, Action.WITHDRAW_REQUEST, request.department_id)
    _check_state(request, "filed", "signed_off")
    sent = request.state == "signed_off"
    request.state, request.answered_at = "withdrawn", datetime.now(UTC)
    request.save()
    record("request.withdrawn", f"request:{request.id}", account.username, {"reason": reason})
    if sent:
        outbound.terminate(request.negotiation_id, "withdrawn", reason, "", account.username)
    return request


@transaction.atomic
def complete(account: Actor, request_id: str, answers: Sequence[str]) -> ShareRequest:
    """Answer what the provider said is missing, point by point, and send the request again, as the head.

    answers  one for each point, in their order; that of a field of the request takes the field's place
    raises   NotAllowed, OtherDepartment, WrongState, PointsUnanswered, BadAnswer, RequestIncomplete, IllegalMove
    """
    request = _held(request_id)
    check(account, Action.SIGN_OFF_REQUEST, request.department_id)
    _check_state(request, "signed_off")
    negotiation = locked(Negotiation, request.negotiation_id)
    next_move(Machine.NEGOTIATION, negotiation.state, Said.REQUEST, Party.CONSUMER)
    points = read_points(negotiation.offer)
    told = [checked("answer", one, limit=LONGEST_TEXT, lines=True) for one in answers]
    if open_ones := [str(place) for place in range(1, len(points) + 1) if not "".join(told[place - 1 : place])]:
        raise PointsUnanswered(points=open_ones)
    answered = tuple(replace(point, answer=answer) for point, answer in zip(points, told, strict=False))
    for point in answered:
        answer_point(request, point)
    check_complete(request)
    _check_items_of(request, catalogue.document(request.resource_id))
    request.save()
    detail = {"resource": request.resource_id, "points": [one.field for one in answered]}
    record("request.completed", f"request:{request.id}", account.username, detail)
    terms = terms_of(request)
    offer = offer_for(catalogue.entry(request.resource_id).dataset, terms, answered)
    outbound.counter(request.negotiation_id, offer, terms, account.username)
    return request


def terms_of(request: ShareRequest) -> Terms:
    department = Department.objects.get(code=request.department_id)
    return Terms(
        items=tuple(request.items),
        where=request.row_condition,
        mode=request.mode,
        term_days=request.term_days,
        purpose=request.purpose,
        basis=request.basis,
        scenario=request.scenario,
        scope=request.scope,
        quota_calls_per_day=request.quota_calls_per_day,
        department=department.code,
        department_name=department.name_zh,
    )


def negotiation_closed(negotiation: Negotiation) -> None:
    """The request follows its negotiation: agreed when finalised, refused or withdrawn when terminated."""
    request = ShareRequest.objects.select_for_update().filter(id=negotiation.request_id or "-").first()
    if request is None or request.state != "signed_off":
        return
    request.answered_at = datetime.now(UTC)
    request.state = "agreed" if negotiation.state == "FINALIZED" else "refused"
    request.refusal_code, request.refusal_reason = negotiation.refusal_code, negotiation.refusal_reason
    request.refusal_citation = negotiation.refusal_citation
    request.save()
    detail = {name: getattr(negotiation, f"refusal_{name}") for name in ("code", "reason", "citation")}
    actor = f"node:{negotiation.peer}"
    record(f"request.{request.state}", f"request:{request.id}", actor, detail if request.state == "refused" else {})


def reopened(request_id: str, negotiation_pid: str, actor: str) -> None:
    """A refused request is with the provider again, by the outcome of a dispute."""
    request = _held(request_id)
    if request.state != "refused":
        return
    request.state, request.negotiation_id, request.answered_at = "signed_off", negotiation_pid, None
    request.refusal_reason = request.refusal_citation = ""
    request.save()
    record("request.reopened", f"request:{request.id}", actor, {"negotiation": negotiation_pid})


def _to_take_up(entry: Entry, terms: Terms) -> Negotiation | None:
    """Of several open offers the newest that what is asked stays within; else the newest."""
    there = list(on_offer(entry.id, entry.origin).select_for_update())
    within = (one for one in there if (offered := read_offered(one.offer)) and not offered.beyond(terms))
    return next(within, there[0] if there else None)


def _held(request_id: str) -> ShareRequest:
    found = ShareRequest.objects.select_for_update().filter(id=request_id).first()
    if found is None:
        raise NotFound(what="request", name=request_id[:60])
    return found


def _check_state(request: ShareRequest, *possible: str) -> None:
    if request.state not in possible:
        raise WrongState(what="request", state=request.state, possible=list(possible))


def _check_open(entry: Entry) -> None:
    if entry.state != "published":
        raise NotFound(what="published resource", name=entry.id)
    if entry.origin == current().jurisdiction:
        raise OwnResource(resource=entry.id)


def _check_items_of(request: ShareRequest, entry: EntryDocument) -> None:
    """Every item asked for, and every item a condition reads, stands in the entry; and none is barred."""
    known = {item.name: item for item in entry.items}
    check_items(request.items, known)
    if barred := [name for name in request.items if not known[name].may_be_shared]:
        raise ItemsNotShared(items=barred)
    if request.row_condition is None:
        return
    check_items(sorted(Predicate.from_document(request.row_condition).items()), known)
    try:
        canonical_bytes(request.row_condition)
    except ValueError as error:  # a float: two sides could sign different bytes for it
        raise BadInput(
            reason=f"the row condition cannot be signed: {error}; write decimals as text",
            reason_zh=f"行条件无法签名（{error}）；小数请写成文本",
        ) from error
