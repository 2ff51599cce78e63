"""What else there is about an entry, a request or an agreement: its returns, disputes and corrections."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from hutong.control.agreements.models import Agreement, Negotiation
from hutong.control.catalogue.dataset import EntryDocument
from hutong.control.corrections import queries as corrections
from hutong.control.corrections.models import Correction, Heard
from hutong.control.disputes import queries as disputes
from hutong.control.disputes.models import Dispute
from hutong.control.identity.models import Account
from hutong.control.identity.rules import Action
from hutong.control.offerings import area as areas
from hutong.control.offerings import queries as offerings
from hutong.control.offerings.models import Offering
from hutong.control.organisations.tree import tree
from hutong.control.returns import queries as returns
from hutong.control.returns.areas import area_item
from hutong.control.returns.models import ReturnFlow
from hutong.node.settings import current
from hutong.portal.components import words
from hutong.portal.components.access import may
from hutong.portal.components.parts import Badge, May
from hutong.vocabulary import codes
from hutong.vocabulary.ids import uuid_of

DISPUTABLE = ("REQUESTED", "OFFERED", "TERMINATED")  # of a concluded one, its agreement is disputed
MOST = 5  # of each kind, the newest; the rest is in its room


@dataclass(frozen=True)
class Related:
    """One matter, with its own page."""

    kind: str
    title: str
    url: str
    state: Badge


@dataclass(frozen=True)
class Concerning:
    """What a page of an entry, a request or an agreement leads on to."""

    rows: tuple[Related, ...]
    dispute_url: str = ""  # where a dispute about it is opened
    may_dispute: May | None = None
    return_url: str = ""  # where the rows of our area are asked back
    may_return: May | None = None
    offer_url: str = ""  # where a resource of ours is offered to a whole area
    may_offer: May | None = None

    def __bool__(self) -> bool:
        return bool(self.rows or self.dispute_url or self.return_url or self.offer_url)


def with_entry(account: Account, document: EntryDocument) -> Concerning:
    flows = returns.flows(account).filter(resource_id=document.id)
    about = disputes.disputes(account).filter(resource_id=document.id)
    reports = corrections.reported(account).filter(resource_id=document.id)
    offers = offerings.offerings(account).filter(resource_id=document.id)
    rows = (*_flows(flows[:MOST]), *_offerings(offers[:MOST]), *_disputes(about[:MOST]), *_reports(reports[:MOST]))
    if document.origin == current().jurisdiction and document.state == "published" and document.attribute != "refused":
        address = f"{reverse('offering_new')}?resource={document.id}"
        department = document.department_code
        return Concerning(rows, offer_url=address, may_offer=may(account, Action.ANSWER_REQUEST, department))
    if not _returns_to_us(document):
        return Concerning(rows)
    return Concerning(
        rows, return_url=reverse("return_ask", args=[document.id]), may_return=may(account, Action.ASK_RETURN)
    )


def with_negotiation(account: Account, pid: str) -> Concerning:
    """A request that was sent, on either side; nothing for a draft, which has no process yet."""
    found = Negotiation.objects.filter(pid=pid or "-").first()
    if found is None:
        return Concerning(())
    flows = returns.flows(account).filter(negotiation_id=pid)
    rows = (*_flows(flows[:MOST]), *_disputes(_about(account, found)[:MOST]))
    if found.state not in DISPUTABLE:
        return Concerning(rows)
    address = reverse("dispute_request", args=[uuid_of(pid)])
    return Concerning(rows, address, may(account, Action.TAKE_PART_IN_DISPUTE, found.department or None))


def with_agreement(account: Account, agreement: Agreement) -> Concerning:
    flows = returns.flows(account).filter(agreement_id=agreement.id)
    about = disputes.disputes(account).filter(agreement_id=agreement.id)
    reports = corrections.reported(account).filter(agreement=agreement)
    heard = corrections.heard(account).filter(agreement=agreement)
    rows = (*_flows(flows[:MOST]), *_disputes(about[:MOST]), *_reports(reports[:MOST]), *_heard(heard[:MOST]))
    address = reverse("dispute_agreement", args=[uuid_of(agreement.id)])
    return Concerning(rows, address, may(account, Action.TAKE_PART_IN_DISPUTE, agreement.department or None))


def _about(account: Account, found: Negotiation) -> list[Dispute]:
    """Disputes about a request, and about the one before it where a dispute had it asked again in the same words."""
    us = "consumer_pid" if found.role == "consumer" else "provider_pid"
    about = list(disputes.disputes(account).filter(resource_id=found.dataset_id))
    same = Q(pid=found.pid) | Q(request_id=found.request_id or "-")
    named = Negotiation.objects.filter(same, pid__in=[one.about[us] for one in about])
    pids = set(named.values_list("pid", flat=True))
    return [one for one in about if one.about[us] in pids]


def _returns_to_us(document: EntryDocument) -> bool:
    """Whether a superior of ours publishes it, with an item that says which rows are of our area."""
    us = current().jurisdiction
    above = document.origin != us and document.origin in tree().path_to_root(us)
    return above and document.state == "published" and area_item(document.items) is not None


def _offerings(found: Iterable[Offering]) -> tuple[Related, ...]:
    return tuple(
        Related(
            _("Offer to an area"),
            words.of_language(*areas.names(one.area, one.target)),
            reverse("offering", args=[one.id]),
            words.state(words.OFFERING_STATES, one.state),
        )
        for one in found
    )


def _flows(found: Iterable[ReturnFlow]) -> tuple[Related, ...]:
    return tuple(
        Related(
            _("Return flow") if one.area else _("Central delivery"),
            one.area or one.peer,
            reverse("return", args=[one.id]),
            words.state(words.RETURN_STATES, one.state),
        )
        for one in found
    )


def _disputes(found: Iterable[Dispute]) -> tuple[Related, ...]:
    return tuple(
        Related(
            _("Dispute"),
            one.title,
            reverse("dispute", args=[uuid_of(one.id)]),
            words.state(words.DISPUTE_STATES, one.state),
        )
        for one in found
    )


def _reports(found: Iterable[Correction]) -> tuple[Related, ...]:
    return tuple(
        Related(
            _("Correction"),
            words.code_name(codes.FAULTS, one.fault),
            reverse("correction", args=[one.pk]),
            words.state(words.CORRECTION_STATES, one.state),
        )
        for one in found
    )


def _heard(found: Iterable[Heard]) -> tuple[Related, ...]:
    seen = Badge(_("acknowledged"), "good"), Badge(_("to be acknowledged"), "wait")
    return tuple(
        Related(
            _("Correction we heard of"),
            words.code_name(codes.FAULTS, one.fault),
            reverse("correction_heard", args=[one.pk]),
            seen[one.acknowledged_at is None],
        )
        for one in found
    )
