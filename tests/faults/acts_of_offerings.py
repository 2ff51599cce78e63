"""Acts of sharing with an area that a node is killed in: signed, told to each member, answered, taken back."""

from __future__ import annotations

from contextlib import suppress

from django.db import transaction

from hutong.control.agreements import inbound, protocol
from hutong.control.agreements.drafting import offer_for
from hutong.control.agreements.models import Negotiation
from hutong.control.agreements.offered import Offered, read_offered
from hutong.control.catalogue.models import Entry
from hutong.control.offerings import actions, spreading
from hutong.control.offerings.models import Offering
from hutong.control.requests import actions as requests
from hutong.node.receiving import Peer
from hutong.vocabulary.errors import WrongState
from tests import dsp_peer
from tests.faults.acts import FILING, act, person, region

ANHUI = Peer("340000", "urn:x", "")
THEIRS = "urn:uuid:0192f0c1-0000-7000-8000-000000000011"
CALLBACK = "http://340000.example/dsp/2025-1"


def _proposed() -> str:
    region()
    entry, officer = dsp_peer.published("conditional"), person("officer", dsp_peer.MARKET)
    return str(actions.propose(officer, entry.id, area="members").id)


def _sign(offering: str) -> None:
    actions.sign(person("head", dsp_peer.MARKET), offering)


@act(_proposed)
def an_offering_is_signed(offering: str) -> None:
    with suppress(WrongState):
        _sign(offering)


def _signed() -> str:
    offering = _proposed()
    _sign(offering)
    return offering


@act(_signed, steps=2)
def every_member_is_offered_it(_: str) -> None:
    spreading.keep_up()


def _told() -> str:
    offering = _signed()
    spreading.keep_up()
    return offering


def _answer(offering: str) -> None:
    made = Offering.objects.get(id=offering)
    ours = Negotiation.objects.get(pid=made.offered.get(peer="340000").negotiation_id)
    if ours.state != "OFFERED":
        return
    asked = dsp_peer.terms(items=("uscc", "name"))
    entry = Entry.objects.get(id=made.resource_id)
    offer = offer_for(entry.dataset, asked, offered=read_offered(ours.offer))
    with transaction.atomic():
        inbound.hear(ANHUI, ours.pid, protocol.ContractRequest(THEIRS, offer, provider_pid=ours.pid))


@act(_told)
def a_member_asks_within_it(offering: str) -> None:
    _answer(offering)


def _withdrawn() -> str:
    """One member has agreed, the other was offered it and has heard."""
    offering = _told()
    _answer(offering)
    Negotiation.objects.filter(state="OFFERED").update(peer_pid=THEIRS[:-1] + "2")
    actions.withdraw(person("head", dsp_peer.MARKET), offering, "职责调整")
    return offering


@act(_withdrawn, steps=2)
def it_is_taken_back_from_every_member(_: str) -> None:
    spreading.keep_up()


def _on_offer() -> str:
    """Anhui offers us its own; our officer has filed a request for it."""
    entry = dsp_peer.heard_of(region().node)
    extent = Offered(
        THEIRS[9:], "members", "全体成员", "all members", ("uscc", "name"), "interface", ("licensing",), 365, 100_000
    )
    offer = offer_for(entry.dataset, None, offered=extent)
    with transaction.atomic():
        inbound.begin_offer(ANHUI, protocol.ContractOffer(THEIRS, offer, callback=CALLBACK))
    return str(requests.file(person("officer"), resource_id=entry.id, **FILING).id)


@act(_on_offer)
def an_offer_to_us_is_taken_up(request: str) -> None:
    with suppress(WrongState):
        requests.sign_off(person("head"), request)
