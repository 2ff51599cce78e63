"""Acts of replying that a node is killed in: a request heard, a reply proposed and signed, what is missing, zones."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from typing import Any

from django.db import transaction

from hutong.control.agreements import inbound, protocol
from hutong.control.agreements.drafting import offer_for
from hutong.control.agreements.models import Negotiation
from hutong.control.agreements.policy import Kind, read_policy
from hutong.control.catalogue.models import Entry
from hutong.control.clocks import actions as clocks
from hutong.control.clocks.models import Clock
from hutong.control.replies import actions as replies
from hutong.control.replies.duties import DUE_EVENT, take_due_day
from hutong.control.replies.models import Reply
from hutong.control.requests import actions as requests
from hutong.control.zones import actions as zones
from hutong.control.zones.models import Zone
from hutong.node.events import Event
from hutong.node.receiving import Peer
from hutong.node.settings import current
from hutong.vocabulary.errors import NotFound, WrongState
from hutong.vocabulary.ids import uuid_of
from tests import dsp_peer
from tests.faults.acts import FILING, act, person, region
from tests.publication import supervisor

ANHUI = Peer("340000", "urn:x", "")
REGION = Peer("yrd", "urn:x", "")
THEIRS = "urn:uuid:0192f0c1-0000-7000-8000-000000000001"
CITED = "《政务数据共享条例》第二条"
ZONE = {"name_zh": "区", "members": ["320000", "340000"], "reference": "协议", "valid_from": date(2022, 1, 1)}


def _hear(entry: str) -> str:
    """The peer's first request, which may come again."""
    offer = offer_for(Entry.objects.get(id=entry).dataset, dsp_peer.terms())
    callback = "http://340000.example/dsp/2025-1"
    with transaction.atomic():
        answer, _ = inbound.begin_request(ANHUI, protocol.ContractRequest(THEIRS, offer, callback=callback))
    return answer.provider_pid


def _offered(attribute: str = "conditional") -> str:
    region()
    return str(dsp_peer.published(attribute).id)


@act(_offered)
def a_request_is_heard(entry: str) -> None:
    _hear(entry)


@act(lambda: _offered("unconditional"))
def a_request_is_agreed_to_by_rule(entry: str) -> None:
    _hear(entry)


def _in_a_zone() -> str:
    entry = _offered()
    zones.put_in_force(supervisor(), zones.propose(person("steward", ""), **ZONE).id)
    return entry


@act(_in_a_zone)
def a_request_of_the_zone_is_agreed_to_by_rule(entry: str) -> None:
    _hear(entry)


def _asked() -> str:
    return _hear(_offered())


def _officer() -> Any:
    return person("officer", dsp_peer.MARKET)


def _head() -> Any:
    return person("head", dsp_peer.MARKET)


@act(_asked)
def a_reply_is_proposed(pid: str) -> None:
    if not Reply.objects.exists():
        replies.propose_agreement(_officer(), pid)


def _proposed() -> str:
    return replies.propose_agreement(_officer(), _asked()).id


@act(_proposed)
def an_agreement_is_signed_by_the_head(reply: str) -> None:
    with suppress(NotFound):
        replies.sign(_head(), reply)


def _proposed_refusal() -> str:
    return replies.propose_refusal(_officer(), _asked(), "not_held", "非本部门采集", CITED).id


@act(_proposed_refusal)
def a_refusal_is_signed_by_the_head(reply: str) -> None:
    with suppress(NotFound):
        replies.sign(_head(), reply)


@act(_proposed)
def a_reply_is_sent_back(reply: str) -> None:
    with suppress(NotFound):
        replies.send_back(_head(), reply, "请补充理由")


@act(_asked)
def what_is_missing_is_told(pid: str) -> None:
    if Negotiation.objects.get(pid=pid).state == "REQUESTED":
        replies.ask_supplement(_officer(), pid, [("basis", "文号"), ("material", "授权文件")])


@act(_asked)
def a_refusal_for_what_was_never_asked_is_blocked(pid: str) -> None:
    from hutong.control.replies.rules import MissingNeverAsked
    from hutong.ledger.models import AuditRecord

    if not AuditRecord.objects.filter(kind="reply.attempt_blocked").exists():
        with suppress(MissingNeverAsked):
            replies.propose_refusal(_officer(), pid, "material_missing", "缺授权文件", CITED)


def _withdrawn() -> str:
    return str(Reply.objects.get(id=_proposed()).negotiation_id)


@act(_withdrawn)
def the_applicant_withdraws_before_the_head_has_signed(pid: str) -> None:
    with transaction.atomic():
        inbound.hear(ANHUI, pid, protocol.ContractTermination(pid, THEIRS))


def _extension() -> str:
    _asked()
    clock = Clock.objects.get(state="running")
    clocks.ask_extension(_officer(), clock.id, "需要核对")
    return clock.id


@act(_extension)
def a_reply_is_extended_and_the_applicant_told(clock: str) -> None:
    with suppress(WrongState):
        clocks.decide_extension(supervisor(), clock, consent=True)


def _ours() -> list[str]:
    """A request of ours that the provider has answered with a list of what is missing."""
    entry = str(dsp_peer.heard_of(region().node).id)
    made = requests.sign_off(person("head"), requests.file(person("officer"), resource_id=entry, **FILING).id)
    Negotiation.objects.filter(pid=made.negotiation_id).update(peer_pid=THEIRS)
    return [made.id, made.negotiation_id, entry]


def _hear_points(given: list[str]) -> None:
    _, pid, entry = given
    offer = offer_for(Entry.objects.get(id=entry).dataset, None)
    wanting = {**offer.document, "hutong:supplement": [{"field": "basis", "wanted": "文号"}]}
    policy = read_policy(wanting, Kind.OFFER, "offer")
    with transaction.atomic():
        inbound.hear(ANHUI, pid, protocol.ContractOffer(THEIRS, policy, pid))


@act(_ours)
def a_list_of_what_is_missing_is_heard(given: list[str]) -> None:
    _hear_points(given)


def _wanting() -> list[str]:
    given = _ours()
    _hear_points(given)
    return given


@act(_wanting)
def what_is_missing_is_answered_point_by_point(given: list[str]) -> None:
    if Negotiation.objects.get(pid=given[1]).state == "OFFERED":
        requests.complete(person("head"), given[0], ["某法第四条"])


@act(_ours)
def a_new_due_day_is_heard(given: list[str]) -> None:
    said = {"provider_pid": THEIRS, "consumer_pid": given[1], "due": "2026-12-31", "reason": "核对"}
    with transaction.atomic():
        take_due_day(ANHUI, Event("1", "urn:x", DUE_EVENT, given[1], "2026-11-23T00:00:00Z", said))


def _zone() -> str:
    region()
    return str(zones.propose(person("steward", ""), **ZONE).id)


@act(lambda: region() and None)
def a_zone_is_proposed(_: None) -> None:
    if not Zone.objects.exists():
        zones.propose(person("steward", ""), **ZONE)


@act(_zone)
def a_zone_is_put_in_force(zone: str) -> None:
    with suppress(WrongState):
        zones.put_in_force(supervisor(), zone)


@act(_zone)
def a_zone_is_ended(zone: str) -> None:
    with suppress(WrongState):
        zones.end(supervisor(), zone, "协议到期")


@act(lambda: region() and None)
def a_zone_of_the_region_is_heard(_: None) -> None:
    words = {"name_zh": "区", "name_en": "", "reference": "协议", "members": [current().jurisdiction, "340000"]}
    said = {"id": uuid_of(THEIRS), "version": 1, "state": "in_force", **words}
    said |= {"valid_from": "2022-01-01", "valid_to": None}
    with transaction.atomic():
        zones.take(REGION, Event("1", "urn:x", zones.ZONE_EVENT, str(said["id"]), "2026-11-23T00:00:00Z", said))
