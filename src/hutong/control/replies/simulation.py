"""Who could read what, under which rule: asked before a resource is published, or before a request is agreed to.

One path: the verdict is verdict.py's, the agreement drafting.py's, the grant compile.py's, the rows the exchange's own.
Nothing is kept but the act of looking; rows are shown to the provider's own officers alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

from django.db import transaction

from hutong.control.agreements.actions import ours_as_provider
from hutong.control.agreements.compile import compile_grant
from hutong.control.agreements.consent import Asked, Choice, agreed_terms, asked_of, default_mask
from hutong.control.agreements.drafting import PLAIN_TERM_DAYS, agreement_for, asked_terms
from hutong.control.agreements.models import Negotiation
from hutong.control.agreements.outbound import agreement_row
from hutong.control.agreements.terms import Terms
from hutong.control.agreements.transitions import Party
from hutong.control.catalogue import dataset as datasets
from hutong.control.identity.rules import Action, Actor, check
from hutong.control.organisations.models import Department
from hutong.control.replies.verdict import KINDS, Kind, Requester, Verdict, foreseen, requester_of
from hutong.control.requests.rules import RequestIncomplete
from hutong.control.standards.queries import conversions
from hutong.control.statute import day
from hutong.control.zones.models import Zone
from hutong.exchange import sampling
from hutong.exchange.grants import Grant
from hutong.ledger.record import record
from hutong.node import directory, outside
from hutong.node.settings import current
from hutong.vocabulary.codes import PURPOSES, SHARING_MODES
from hutong.vocabulary.ids import new_id, urn

AS_ASKED: Final = Choice()
TERM_DAYS: Final = 365
CALLS_PER_DAY: Final = 1_000
OUTSIDE: Final = outside.peer_of("did:web:outside.example")  # some connector outside the directory


@dataclass(frozen=True)
class ItemSeen:
    """What one kind of requester gets of one item."""

    name: str
    title_zh: str
    title_en: str
    grade: int
    mask: Mapping[str, Any] | None  # None: it does not leave


@dataclass(frozen=True)
class Standing:
    """How one kind of requester stands."""

    kind: Kind
    verdict: Verdict
    items: tuple[ItemSeen, ...]
    is_applicant: bool = False  # the kind of whoever has really asked


@dataclass(frozen=True)
class Simulation:
    resource_id: str
    title_zh: str
    title_en: str
    standings: tuple[Standing, ...]
    names: tuple[str, ...] = ()  # of a sample, in the order of the items
    rows: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    sampled_as: Kind | None = None


@dataclass(frozen=True)
class Case:
    """A request, real or imagined, and what would be agreed to."""

    asked: Asked
    terms: Terms
    choice: Choice = AS_ASKED
    applicant: str = ""  # the peer that has really asked
    plain: bool = False  # it stated no terms


def of_resource(by: Actor, resource_id: str, *, sample_as: Kind | None = None) -> Simulation:
    """A resource of our own, a draft too, as each kind of requester would find it.

    sample_as   read sample rows as this kind would get them
    raises      NotAllowed, OtherDepartment, NotFound, RequestIncomplete (nothing to ask for yet), SourceRefused
    """
    asked = asked_of(resource_id)
    check(by, Action.SIMULATE, asked.resource.department_id)
    return _simulated(by, f"resource:{resource_id}", Case(asked, _usual_terms(asked)), sample_as)


def of_request(by: Actor, pid: str, *, choice: Choice = AS_ASKED, sample_as: Kind | None = None) -> Simulation:
    """A request to us, as each kind of requester would fare with it, under the choice made so far.

    raises   NotAllowed, OtherDepartment, NotFound, WiderThanAsked, ItemNotShareable, BadMask, SourceRefused
    """
    with transaction.atomic():  # not around the reading: a slow source must hold nobody up
        negotiation = ours_as_provider(by, pid)
    check(by, Action.SIMULATE, negotiation.department or None)
    asked, terms = asked_of(negotiation.dataset_id), asked_terms(negotiation)
    case = Case(asked, terms or _usual_terms(asked), choice, negotiation.peer, plain=terms is None)
    return _simulated(by, f"negotiation:{pid}", case, sample_as)


def _simulated(by: Actor, subject: str, case: Case, sample_as: Kind | None) -> Simulation:
    resource = case.asked.resource
    applicant = requester_of(case.applicant) if case.applicant else None
    standings = tuple(_standing(case, kind, applicant) for kind in KINDS)
    found = Simulation(resource.id, resource.title_zh, resource.title_en, standings)
    if sample_as is None:
        return found
    chosen = next(one for one in standings if one.kind == sample_as)
    rows = [] if chosen.verdict.answer == "refuse" else _sample(case, sample_as)
    names = tuple(one.name for one in chosen.items if one.mask is not None)
    with transaction.atomic():
        detail = {"resource": resource.id, "as": sample_as, "items": list(names), "rows": len(rows)}
        record("resource.simulated", subject, by.username, detail)
    return replace(found, names=names, rows=tuple(rows), sampled_as=sample_as)


def _standing(case: Case, kind: Kind, applicant: Requester | None) -> Standing:
    is_applicant = applicant is not None and applicant.kind == kind
    plain = kind == "outside" or (is_applicant and case.plain)
    requester = applicant if is_applicant and applicant else Requester(kind)
    verdict = foreseen(case.asked, None if plain else case.terms, requester)
    refused = verdict.answer == "refuse"
    given: dict[str, Mapping[str, Any]] = {} if refused else _masks(case, plain)
    items = tuple(
        ItemSeen(one.name, one.title_zh, one.title_en, one.grade, given.get(one.name)) for one in case.asked.items
    )
    return Standing(kind, verdict, items, is_applicant)


def _masks(case: Case, plain: bool) -> dict[str, Mapping[str, Any]]:
    if plain:
        return {name: default_mask(item) for name, item in case.asked.shareable.items()}
    agreed = agreed_terms(case.asked, case.terms, case.choice, datetime.now(UTC))
    return dict(zip(agreed.asked.items, agreed.masks, strict=True))


def _sample(case: Case, kind: Kind) -> list[dict[str, Any]]:
    """Draft the agreement, compile its grant and read under it, as if it had been signed; nothing is saved."""
    resource, now = case.asked.resource, datetime.now(UTC)
    version = max(1, resource.version)
    described = datasets.build(
        resource, case.asked.items, current(), state="published", version=version, published_at=now
    )
    plain = kind == "outside" or (case.plain and requester_of(case.applicant).kind == kind)
    negotiation = Negotiation(
        pid=urn(new_id()),
        role=Party.PROVIDER,
        peer=_peer(case, kind),
        dataset_id=resource.id,
        department=resource.department_id,
        offer=datasets.offer(described),
        terms=None if plain else case.terms.document(),
    )
    agreed = None if plain else agreed_terms(case.asked, case.terms, case.choice, now)
    policy = agreement_for(negotiation, agreed, now, PLAIN_TERM_DAYS, described)
    grant = compile_grant(agreement_row(negotiation, policy, now))
    return sampling.sample(grant if case.applicant else _published_anew(grant))


def _published_anew(grant: Grant) -> Grant:
    """In the codes the catalogue will name when the description is published as it stands."""
    codes = conversions(grant.resource, None, published_anew=True)
    return replace(grant, items=tuple(replace(item, codes=codes.get(item.name, "")) for item in grant.items))


def _peer(case: Case, kind: Kind) -> str:
    """Somebody of that kind: whoever has asked, else any member."""
    if case.applicant and requester_of(case.applicant).kind == kind:
        return case.applicant
    own = current().jurisdiction
    if kind == "outside":
        return OUTSIDE
    if kind == "zone":
        for zone in Zone.objects.filter(state="in_force", valid_from__lte=day.today()).order_by("created_at"):
            others = [one for one in zone.members if one != own]
            if own in zone.members and others:
                return str(others[0])
    if kind == "member":
        return next((one.jurisdiction for one in directory.others()), own)
    return own


def _usual_terms(asked: Asked) -> Terms:
    """A request as the catalogue invites it: everything shareable, for the first permitted purpose.

    raises   RequestIncomplete where it has no items yet
    """
    resource = asked.resource
    wanted = tuple(asked.shareable) or tuple(item.name for item in asked.items)  # where all is refused: refused it is
    if not wanted:
        raise RequestIncomplete(missing=["items"])
    department = Department.objects.filter(code=resource.department_id).first()
    return Terms(
        items=wanted,
        where=None,
        mode=next(iter(resource.sharing_modes), SHARING_MODES.codes[0]),
        term_days=TERM_DAYS,
        purpose=next(iter(resource.permitted_purposes), PURPOSES.codes[0]),
        basis="-",
        scenario="-",
        scope="-",
        quota_calls_per_day=CALLS_PER_DAY,
        department=resource.department_id,
        department_name=department.name_zh if department else "",
    )
