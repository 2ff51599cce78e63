"""Connectors outside the directory: let in by a token, held to their addresses, recorded without a signature."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from click.testing import CliRunner
from django.test import Client
from django.urls import reverse
from django.utils import translation

from hutong.control.agreements import actions, cli, delivery, door, outbound, peer_cli, peers, queries
from hutong.control.agreements.models import Agreement, Negotiation, Transfer
from hutong.control.agreements.policy import Kind, Policy, read_policy
from hutong.control.agreements.rules import AddressNeeded, PeerStillUnderWay
from hutong.control.identity.models import Account
from hutong.control.identity.rules import Operator, OtherDepartment
from hutong.exchange.models import Entitlement, Grant
from hutong.ledger.models import AuditRecord, LedgerEntry
from hutong.node import outside
from hutong.node.delivery import Courier, connections
from hutong.node.messages import ForeignAddress, post
from hutong.node.models import OutboxMessage, OutsidePeer
from hutong.node.outside import AlreadyLetIn, BadPeer, UnknownOutsidePeer
from hutong.node.settings import current
from hutong.portal.components.timelines import story
from hutong.vocabulary.canonical import digest
from hutong.vocabulary.errors import NotAllowed
from hutong.vocabulary.ids import new_id, urn, uuid_of
from tests import dsp_messages
from tests.dsp_peer import HEALTH, agree, department, published, refuse, terms
from tests.region import neighbour, ourselves
from tests.this_machine import until
from tests.web import Web

pytestmark = pytest.mark.django_db(transaction=True)
DSP = "/dsp/2025-1"
PARTNER = "did:web:partner.example"
OPERATOR = Operator("operator:test")
CREDENTIAL = "Bearer what-we-present"


class Connector:
    """A plain connector: a token in the header, the protocol's messages in the body."""

    def __init__(self, token: str, address: str) -> None:
        self.token, self.address, self.client = token, address, Client()

    def call(self, method: str, path: str, body: Any = None, token: str | None = None) -> Any:
        raw = b"" if body is None else orjson.dumps(body)
        headers = {"Authorization": f"Bearer {self.token if token is None else token}"}
        return self.client.generic(method, DSP + path, raw, content_type="application/json", headers=headers)

    def say(self, path: str, said: str, **members: Any) -> Any:
        return self.call("POST", path, dsp_messages.message(said, **members))

    def ask(self, dataset: dict[str, Any], pid: str, **changes: Any) -> Any:
        offer = {**dataset["hasPolicy"][0], "target": dataset["@id"]} | changes.pop("offer", {})
        given = {"consumerPid": pid, "callbackAddress": self.address, "offer": offer} | changes
        return self.say("/negotiations/request", "REQUEST", **given)


@pytest.fixture
def web() -> Iterator[Web]:
    with Web() as served:
        yield served


@pytest.fixture
def connector(web: Web) -> Connector:
    ourselves()
    neighbour("yrd", "region")
    token = peers.let_in(OPERATOR, PARTNER, name="伙伴", addresses=[web.address], authorization=CREDENTIAL)
    return Connector(token, web.address)


def deliver() -> None:
    """Carry what is due now."""

    async def run() -> None:
        courier = Courier()
        await courier.deliver_due()
        await courier._in_database(connections.close_all)

    asyncio.run(run())


def delivered(what: Callable[[], Any]) -> Any:
    """Carry until it is so; what is put off becomes due by itself."""

    def ask() -> Any:
        deliver()
        return what()

    return until(ask, what="the delivery")


def waiting() -> list[OutboxMessage]:
    return list(OutboxMessage.objects.filter(delivered_at=None, failed_at=None))


# --- who may speak --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("header", ["Bearer hp_guessed", "Bearer ", "Basic d2FuZzp3YW5n", ""])
@pytest.mark.parametrize(("method", "path"), [("POST", "/negotiations/request"), ("GET", "/negotiations/urn:uuid:1")])
def test_an_unknown_token_is_401_before_anything_is_read(connector, header, method, path):
    headers = {"Authorization": header}
    answer = connector.client.generic(method, DSP + path, b"[not json", content_type="text/plain", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "unknown_token")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("path", ["/hutong/ping", "/hutong/events", "/ledger/exchanges", "/exchange/queries"])
def test_a_token_opens_the_protocol_and_nothing_else(connector, path):
    for method in ("GET", "POST"):
        headers = {"Authorization": f"Bearer {connector.token}"}
        assert connector.client.generic(method, path, b"{}", headers=headers).status_code in (401, 404, 405)


def test_what_identifies_either_side_is_nowhere_in_clear(connector):
    one = OutsidePeer.objects.get()
    kept = json.dumps([*AuditRecord.objects.values_list("detail", flat=True), one.addresses, one.token_digest])
    kept += str(bytes(one.authorization)) + str([bytes(e) for e in LedgerEntry.objects.values_list("entry", flat=True)])
    assert connector.token not in kept
    assert "what-we-present" not in kept
    assert (one.token_digest, outside.authorization(f"outside:{PARTNER}")) == (
        digest(connector.token.encode()),
        CREDENTIAL,
    )


def test_a_new_token_ends_the_old_one_at_once(connector):
    fresh = peers.change(OPERATOR, PARTNER, new_token=True)
    assert connector.call("GET", "/negotiations/urn:uuid:1").status_code == 401
    assert connector.call("GET", "/negotiations/urn:uuid:1", token=fresh).status_code == 404


def test_only_the_operator_lets_anybody_in(connector, officer):
    with pytest.raises(NotAllowed):
        peers.let_in(officer, "other", addresses=["https://other.example"])
    with pytest.raises(AlreadyLetIn):
        peers.let_in(OPERATOR, PARTNER, addresses=["https://other.example"])
    with pytest.raises(UnknownOutsidePeer):
        peers.change(OPERATOR, "nobody", new_token=True)


@pytest.mark.parametrize(
    "address",
    [
        "http://partner.example",  # a token would travel in the open
        "https://user@partner.example",
        "https://partner.example/dsp?x=1",
        "https://partner.example/a/../b",
        "https://partner.example/%2e%2e",
        "https://partner.example:port",
        "file:///etc/passwd",
        "//partner.example",
        "",
    ],
)
def test_an_address_that_can_be_misread_or_overheard_is_refused(address):
    with pytest.raises(BadPeer):
        peers.let_in(OPERATOR, "other", addresses=[address])


@pytest.mark.parametrize("participant", ["", "two words", "urn:hutong:node:340000", "x" * 181, "new\nline"])
def test_a_participant_id_is_one_word_and_no_members(participant):
    with pytest.raises(BadPeer):
        peers.let_in(OPERATOR, participant, addresses=["https://other.example"])


# --- where answers go -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "elsewhere",
    [
        "http://metadata.example/latest",
        "http://localhost",
        "{base}.evil.example",
        "{base}@evil.example",
        "{base}/../other",
        "{base}/%2e%2e/other",
        "{base}/x?to=/",
        "{base}/x#y",
        "{base}//evil.example",
        "{base}/" + "x" * 500,
    ],
)
def test_a4_an_answer_goes_to_a_registered_address_or_nowhere(connector, elsewhere):
    entry = published()
    answer = connector.ask(entry.dataset, urn(new_id()), callbackAddress=elsewhere.format(base=connector.address))
    assert (answer.status_code, answer.json()["code"]) == (400, "foreign_callback")
    assert not OutboxMessage.objects.exists()
    assert not Negotiation.objects.exists()


def test_a4_nothing_is_sent_to_an_address_that_is_not_its_own(connector):
    with Web() as elsewhere:
        with pytest.raises(ForeignAddress):
            door.place_of(PARTNER, elsewhere.address)
        post(f"outside:{PARTNER}", "negotiation:1", f"{elsewhere.address}/negotiations/request", {})
        deliver()
    assert (elsewhere.heard, len(waiting())) == ([], 1)


def test_a_suspension_stands_although_its_address_was_taken_back(connector, officer):
    ours = urn(new_id())
    pid = connector.ask(published().dataset, ours).json()["providerPid"]
    made = agree(officer, pid)
    connector.say(f"/negotiations/{pid}/agreement/verification", "VERIFICATION", providerPid=pid, consumerPid=ours)
    wish = {"agreementId": made.id, "format": delivery.FORMAT, "callbackAddress": connector.address}
    assert connector.say("/transfers/request", "TRANSFER_REQUEST", consumerPid=ours, **wish).status_code == 201
    peers.change(OPERATOR, PARTNER, addresses=["https://partner.example/dsp"])
    actions.suspend(officer, made.id, "用途不符")
    assert Grant.objects.get().state == "suspended"


def test_an_address_taken_back_is_not_called_any_more(connector, web, officer):
    pid = connector.ask(published().dataset, urn(new_id())).json()["providerPid"]
    agree(officer, pid)
    peers.change(OPERATOR, PARTNER, addresses=["https://partner.example/dsp"])
    deliver()
    assert (web.heard, [one.last_error[:8] for one in waiting()]) == ([], ["the peer"])


# --- what it may say ------------------------------------------------------------------------------------------


def test_from_request_to_delivery_without_a_signature_and_said_so(connector, web, officer):
    entry, ours = published("unconditional"), urn(new_id())
    pid = connector.ask(entry.dataset, ours).json()["providerPid"]
    assert Negotiation.objects.get(pid=pid).state == "REQUESTED"  # without terms even this waits for the officer
    made = agree(officer, pid)
    pids = {"providerPid": pid, "consumerPid": ours}
    said = orjson.dumps(dsp_messages.message("VERIFICATION", **pids))
    assert connector.say(f"/negotiations/{pid}/agreement/verification", "VERIFICATION", **pids).status_code == 200
    assert connector.call("GET", f"/negotiations/{pid}").json()["state"] == "FINALIZED"
    delivered(lambda: len(web.heard) == 2)
    assert [one.path for one in web.heard] == [f"/negotiations/{ours}/agreement", f"/negotiations/{ours}/events"]
    assert {one.headers["Authorization"] for one in web.heard} == {CREDENTIAL}
    given = {"consumerPid": urn(new_id()), "agreementId": made.id, "format": delivery.FORMAT}
    answer = connector.say("/transfers/request", "TRANSFER_REQUEST", callbackAddress=connector.address, **given)
    assert (answer.status_code, Grant.objects.get().document["consumer"]) == (201, f"outside:{PARTNER}")
    made.refresh_from_db()
    assert made.consumer_signature is None
    assert queries.agreement_page(made.id).unsigned_by("consumer") == "not signed by the peer"
    record = AuditRecord.objects.get(kind="agreement.verified")
    with translation.override("en"):
        assert [one.what for one in story([record])] == ["Checked by the consumer, without a signature"]
    assert (record.actor, record.detail["unsigned_message"]) == (f"outside:{PARTNER}", digest(said))
    leaf = orjson.loads(bytes(LedgerEntry.objects.get(kind="agreement.verified").entry))
    assert leaf["unsigned_message"] == digest(said)


def test_the_pages_say_who_it_is_and_what_is_not_signed(connector, officer):
    ours, browser = urn(new_id()), Client(headers={"accept-language": "en"})
    browser.force_login(officer)

    def page(name: str, *arguments: str) -> str:
        answer = browser.get(reverse(name, args=arguments))
        assert answer.status_code == 200
        return str(answer.content.decode())

    pid = connector.ask(published().dataset, ours).json()["providerPid"]
    assert "伙伴, outside the directory" in page("inbox")
    assert "伙伴, outside the directory" in page("negotiation", uuid_of(pid))
    made = agree(officer, pid)
    connector.say(f"/negotiations/{pid}/agreement/verification", "VERIFICATION", providerPid=pid, consumerPid=ours)
    shown = page("agreement", uuid_of(made.id))
    assert "not signed by the peer" in shown
    assert "not signed yet" not in shown
    assert f"outside:{PARTNER}" not in shown  # its name, in the timeline too


def test_a_2_terms_from_outside_are_refused_because_nobody_could_sign_them(connector):
    answer = connector.ask(published().dataset, urn(new_id()), offer={"hutong:terms": terms().document()})
    assert (answer.status_code, answer.json()["code"]) == (400, "terms_from_outside")


def test_a2_a_signature_it_cannot_have_made_is_refused(connector, officer):
    ours = urn(new_id())
    pid = connector.ask(published().dataset, ours).json()["providerPid"]
    agree(officer, pid)
    lie = {"keyid": "320000#0000000000000000", "alg": "ed25519", "value": "AAAA"}
    pids = {"providerPid": pid, "consumerPid": ours}
    there = f"/negotiations/{pid}/agreement/verification"
    answer = connector.say(there, "VERIFICATION", **pids, **{"hutong:signature": lie})
    assert (answer.status_code, answer.json()["code"]) == (403, "bad_agreement_signature")
    assert Negotiation.objects.get(pid=pid).state == "AGREED"


def test_it_sees_its_own_processes_only(connector):
    token = peers.let_in(OPERATOR, "BPNL000000000001", addresses=["https://other.example"])
    pid = connector.ask(published().dataset, urn(new_id())).json()["providerPid"]
    assert connector.call("GET", f"/negotiations/{pid}").status_code == 200
    assert connector.call("GET", f"/negotiations/{pid}", token=token).status_code == 404


def test_each_message_as_provider_may_come_twice_and_counts_once(connector, officer):
    entry, ours = published(), urn(new_id())

    def twice(path: str, said: str, **members: Any) -> Any:
        before = AuditRecord.objects.count()
        first = connector.say(path, said, **members)
        after = AuditRecord.objects.count()
        second = connector.say(path, said, **members)
        assert (first.status_code // 100, second.status_code) == (2, 200)
        assert AuditRecord.objects.count() == after > before
        return first.json()

    offer = {**entry.dataset["hasPolicy"][0], "target": entry.id}
    pid = twice("/negotiations/request", "REQUEST", consumerPid=ours, callbackAddress=connector.address, offer=offer)[
        "providerPid"
    ]
    made = agree(officer, pid)
    of_negotiation = {"providerPid": pid, "consumerPid": ours}
    twice(f"/negotiations/{pid}/agreement/verification", "VERIFICATION", **of_negotiation)
    wish = {"agreementId": made.id, "format": delivery.FORMAT, "callbackAddress": connector.address}
    there = twice("/transfers/request", "TRANSFER_REQUEST", consumerPid=ours, **wish)["providerPid"]
    pids = {"providerPid": there, "consumerPid": ours}
    twice(f"/transfers/{there}/suspension", "TRANSFER_SUSPENSION", **pids)
    twice(f"/transfers/{there}/start", "TRANSFER_START", **pids)
    twice(f"/transfers/{there}/completion", "TRANSFER_COMPLETION", **pids)
    assert (Negotiation.objects.count(), Transfer.objects.count()) == (1, 1)
    repeated = connector.say(f"/negotiations/{pid}/agreement/verification", "VERIFICATION", **of_negotiation)
    assert repeated.json()["state"] == "FINALIZED"  # however late
    another = connector.ask(entry.dataset, ours, offer={"@id": "another-offer"})
    assert (another.status_code, another.json()["code"]) == (400, "another_content")


def test_an_illegal_move_is_400_and_never_404(connector):
    ours = urn(new_id())
    pid = connector.ask(published().dataset, ours).json()["providerPid"]
    pids = {"providerPid": pid, "consumerPid": ours}
    answer = connector.say(f"/negotiations/{pid}/agreement/verification", "VERIFICATION", **pids)
    assert (answer.status_code, answer.json()["code"]) == (400, "illegal_move")


# --- as consumer ----------------------------------------------------------------------------------------------


def test_as_consumer_we_ask_an_outside_provider_and_conclude_with_it(connector, web):
    web.answer = lambda heard: (
        (201, dsp_messages.process("negotiation", "their-pid", heard.json()["consumerPid"], "REQUESTED"))
        if heard.path == "/negotiations/request"
        else (200, {})
    )
    peer, callback = door.place_of(PARTNER)
    negotiation = outbound.request(peer, _plain_offer("offer-1", "set-1"), None, "test", callback=callback)
    delivered(lambda: Negotiation.objects.get(pid=negotiation.pid).peer_pid == "their-pid")
    pids = {"providerPid": "their-pid", "consumerPid": negotiation.pid}
    agreement = {
        "@id": "agreement-1",
        "@type": "Agreement",
        "target": "set-1",
        "assigner": PARTNER,
        "assignee": door.ourselves(),
        "timestamp": "2026-11-23T10:00:00Z",
        "permission": [{"action": "use"}],
    }
    for _ in range(2):  # a repeat changes nothing
        answer = connector.say(f"/negotiations/{negotiation.pid}/agreement", "AGREEMENT", **pids, agreement=agreement)
        assert answer.status_code == 200
    other = connector.say(
        f"/negotiations/{negotiation.pid}/agreement", "AGREEMENT", **pids, agreement=agreement | {"@id": "agreement-2"}
    )
    assert other.status_code == 400
    assert connector.say(f"/negotiations/{negotiation.pid}/events", "FINALIZED", **pids).status_code == 200
    assert Agreement.objects.get().provider_signature is None
    assert not Entitlement.objects.exists()  # our exchange reads from members
    delivered(lambda: not waiting())
    assert "/transfers/request" in [one.path for one in web.heard]


def test_an_agreement_in_another_partys_name_is_refused(connector):
    negotiation = outbound.request(
        f"outside:{PARTNER}", _plain_offer("o", "s"), None, "test", callback=connector.address
    )
    agreement = {"@id": "a", "@type": "Agreement", "target": "s", "assigner": "urn:hutong:node:yrd"}
    agreement |= {"assignee": door.ourselves(), "permission": [{"action": "use"}]}
    pids = {"providerPid": "p", "consumerPid": negotiation.pid}
    answer = connector.say(f"/negotiations/{negotiation.pid}/agreement", "AGREEMENT", **pids, agreement=agreement)
    assert (answer.status_code, answer.json()["code"]) == (400, "agreement_differs")


# --- a provider's opening offer -------------------------------------------------------------------------------


def test_a_provider_may_open_with_an_offer_that_is_accepted(connector, web, officer):
    web.answer = lambda heard: (
        (201, dsp_messages.process("negotiation", heard.json()["providerPid"], "their-pid", "OFFERED"))
        if heard.path == "/negotiations/offers"
        else (200, {})
    )
    entry = published()
    made = actions.offer(officer, entry.id, PARTNER)
    assert (made.state, made.department) == ("OFFERED", officer.department_id)
    delivered(lambda: Negotiation.objects.get().peer_pid == "their-pid")
    pids = {"providerPid": made.pid, "consumerPid": "their-pid"}
    assert connector.say(f"/negotiations/{made.pid}/events", "ACCEPTED", **pids).status_code == 200
    assert agree(officer, made.pid).state == "agreed"  # the officer who offered signs


def test_an_opening_offer_reaches_a_member_too_and_is_an_officers_to_make(connector, officer):
    entry = published()
    assert actions.offer(officer, entry.id, "yrd").peer == "yrd"
    assert OutboxMessage.objects.get().url == f"{DSP}/negotiations/offers"
    stranger = Account.objects.create(username="li", role="officer", department=department(HEALTH, "卫健委"))
    with pytest.raises(OtherDepartment):
        actions.offer(stranger, entry.id, "yrd")


def test_where_a_connector_has_several_addresses_one_must_be_named(connector):
    peers.change(OPERATOR, PARTNER, addresses=[connector.address, "https://partner.example/dsp"])
    with pytest.raises(AddressNeeded):
        door.place_of(PARTNER)
    assert door.place_of(PARTNER, "https://partner.example/dsp/")[1] == "https://partner.example/dsp"


# --- deliveries -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [404, 401, 429, 503])
def test_a_delivery_it_is_not_ready_for_is_tried_again_until_it_is(connector, web, status):
    answers = iter([status, status])
    web.answer = lambda heard: (next(answers, 200), {})
    post(f"outside:{PARTNER}", "negotiation:none", f"{connector.address}/negotiations/1/events", {"n": 1})
    delivered(lambda: not waiting())
    message = OutboxMessage.objects.get()
    assert (message.attempts, message.last_status, message.failed_at) == (3, 200, None)


def test_its_404_is_believed_after_a_minute(connector, web):
    web.answer = lambda heard: (404, {})
    post(f"outside:{PARTNER}", "negotiation:none", f"{connector.address}/negotiations/1/events", {})
    deliver()
    assert waiting()
    long_ago = datetime.now(UTC) - timedelta(minutes=2)
    OutboxMessage.objects.update(created_at=long_ago, next_at=long_ago)
    deliver()
    message = OutboxMessage.objects.get()
    assert (waiting(), message.last_status, message.failed_at is not None) == ([], 404, True)


def test_another_refusal_is_its_last_word_and_ends_the_negotiation(connector, web, officer):
    web.answer = lambda heard: (400, {"code": "no", "reason": ["not today"]})
    pid = connector.ask(published().dataset, urn(new_id())).json()["providerPid"]
    agree(officer, pid)
    delivered(lambda: Negotiation.objects.get().state == "TERMINATED")
    assert AuditRecord.objects.filter(kind="negotiation.message_refused")[0].detail["reason"] == "not today"


def test_it_cannot_send_us_on_to_another_address(connector, web):
    web.answer = lambda heard: (307, {"Location": "http://metadata.example/"})
    post(f"outside:{PARTNER}", "negotiation:none", f"{connector.address}/negotiations/1/events", {})
    deliver()
    assert [one.path for one in web.heard] == ["/negotiations/1/events"]
    assert waiting()


def test_what_waits_is_dropped_when_the_peer_ends_the_process(connector, officer):
    ours = urn(new_id())
    pid = connector.ask(published().dataset, ours).json()["providerPid"]
    agree(officer, pid)
    assert len(waiting()) == 1
    pids = {"providerPid": pid, "consumerPid": ours}
    assert connector.say(f"/negotiations/{pid}/termination", "TERMINATION", **pids).status_code == 200
    assert waiting() == []


# --- shut out -------------------------------------------------------------------------------------------------


def test_a_connector_is_shut_out_once_nothing_is_under_way(connector, officer):
    ours = urn(new_id())
    pid = connector.ask(published().dataset, ours).json()["providerPid"]
    with pytest.raises(PeerStillUnderWay, match=pid):
        peers.shut_out(OPERATOR, PARTNER)
    refuse(officer, pid, "not_held", "非本部门采集", "《政务数据共享条例》第十九条")
    peers.shut_out(OPERATOR, PARTNER)
    assert connector.call("GET", f"/negotiations/{pid}").status_code == 401
    assert waiting() == []
    kinds = AuditRecord.objects.filter(kind__startswith="peer.").order_by("id").values_list("kind", flat=True)
    assert list(kinds) == ["peer.let_in", "peer.shut_out"]


def _plain_offer(offer_id: str, dataset_id: str) -> Policy:
    document = {"@id": offer_id, "@type": "Offer", "target": dataset_id, "permission": [{"action": "use"}]}
    return read_policy(document, Kind.OFFER, "offer")


# --- by command -----------------------------------------------------------------------------------------------


def test_the_commands_change_list_and_offer(connector, officer):
    home, runner, entry = str(current().home), CliRunner(), published()

    def run(command: Any, *arguments: str, given: str | None = None) -> str:
        done = runner.invoke(command, arguments, input=given, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    said = run(peer_cli.peer, "change", home, PARTNER, "--new-token", "--authorization-stdin", given="Bearer other\n")
    fresh = said.split("Bearer ")[1].strip()
    assert connector.call("GET", "/negotiations/urn:uuid:1", token=fresh).status_code == 404
    assert outside.authorization(f"outside:{PARTNER}") == "Bearer other"
    (listed,) = json.loads(run(peer_cli.peer, "list", home, "--json"))
    assert (listed["participant"], listed["addresses"], listed["authorization"]) == (PARTNER, [connector.address], True)
    assert fresh not in run(peer_cli.peer, "list", home)
    told = run(cli.agreement, "offer", home, entry.id, "--to", PARTNER, "--as", officer.username)
    assert f"on its way to outside:{PARTNER}" in told
