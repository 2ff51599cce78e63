"""Point to area: one act offers a resource to a zone or to all members, the same for each, one agreement for each."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner

from hutong.control.agreements import answers, outbound, protocol
from hutong.control.agreements.models import Agreement, Negotiation
from hutong.control.agreements.offered import read_offered
from hutong.control.agreements.terms import read_agreed
from hutong.control.catalogue.models import Entry, Item
from hutong.control.conduct.models import Filing
from hutong.control.identity.models import Account
from hutong.control.notices.models import Notice
from hutong.control.offerings import actions, consent, queries, spreading
from hutong.control.offerings.cli import offering as offering_cli
from hutong.control.offerings.models import OfferedMember, Offering
from hutong.control.offerings.rules import BeyondCatalogue, NoSuchArea, OwnOffering, SameForAll
from hutong.control.replies import actions as replies
from hutong.control.requests import actions as requests
from hutong.control.requests.cli import request as request_cli
from hutong.control.statute import day, decisions
from hutong.control.statute import queries as decided
from hutong.control.zones import actions as zones
from hutong.control.zones.models import Zone
from hutong.control.zones.rules import ZoneKeptElsewhere
from hutong.exchange.models import Grant
from hutong.ledger.models import AuditRecord, LedgerEntry
from hutong.node.models import Member, OutboxMessage
from hutong.node.settings import current
from hutong.vocabulary.errors import NotAllowed, WrongState
from hutong.vocabulary.ids import new_id, urn
from tests.dsp_peer import DspPeer, head_of, heard_of, peer, published, terms
from tests.offering import answer, decline, offer_of, signed, take_up
from tests.region import an_item

pytestmark = pytest.mark.django_db
US = "320000"
ASKED = terms(items=("uscc", "name"), mode="interface")
REFERENCE = "示范区“无差别”共享协议（2022-01-18）"


@pytest.fixture
def shanghai(anhui: DspPeer) -> DspPeer:
    return peer("310000")


@pytest.fixture
def keepers(db: None) -> dict[str, Account]:
    return {role: Account.objects.create(username=role, role=role) for role in ("steward", "supervisor")}


def companies(**given: Any) -> Entry:
    items = [
        an_item("uscc", "代码", key=True),
        an_item("name", "名称", mask={"action": "name"}),
        an_item("secret_note", "备注", attribute="refused"),
    ]
    return published("conditional", items, **({"sharing_modes": ["interface", "batch"]} | given))


def zone_of(keepers: dict[str, Account], *members: str) -> Zone:
    given = {"name_zh": "示范区", "reference": REFERENCE, "valid_from": date(2022, 1, 18)}
    made = zones.propose(keepers["steward"], members=[US, *members], **given)
    return zones.put_in_force(keepers["supervisor"], made.id)


def standing(offering: Offering, member: DspPeer) -> queries.Standing:
    offering.refresh_from_db()
    return next(one for one in queries.standings(offering) if one.peer == member.jurisdiction)


def states(offering: Offering) -> dict[str, str]:
    offering.refresh_from_db()
    return {one.peer: one.state for one in queries.standings(offering)}


def told(member: DspPeer) -> int:
    return len(member.heard(protocol.ContractOffer))


def later(monkeypatch: pytest.MonkeyPatch, days: int) -> None:
    moment = day.today() + timedelta(days=days)
    monkeypatch.setattr(day, "today", lambda: moment)


# --- who may offer what ---------------------------------------------------------------------------------------


def test_d809_20_own_offering_the_head_signs_what_somebody_else_proposed(anhui: DspPeer, officer: Account) -> None:
    entry, head = companies(), head_of(officer)
    mine = actions.propose(head, entry.id, area="members")
    with pytest.raises(OwnOffering):
        actions.sign(head, mine.id)
    theirs = actions.propose(officer, entry.id, area="members")
    with pytest.raises(NotAllowed):
        actions.sign(officer, theirs.id)
    spreading.keep_up()
    assert not OutboxMessage.objects.exists(), "nobody is told before the head has signed"
    assert actions.sign(head, theirs.id).state == "in_force"
    assert actions.refuse(head, mine.id, "重复").state == "refused"
    with pytest.raises(WrongState):
        actions.sign(head, theirs.id)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"items": ["uscc", "secret_note"]}, "secret_note"),
        ({"purposes": ["statistics"]}, "statistics"),
        ({"mode": "file"}, "file"),
    ],
)
def test_d809_15_beyond_catalogue_is_refused_before_anybody_is_told(
    anhui: DspPeer, officer: Account, given: dict[str, Any], named: str
) -> None:
    with pytest.raises(BeyondCatalogue, match=named):
        actions.propose(officer, companies().id, area="members", **given)
    assert not Offering.objects.exists()


def test_z_5_no_such_area_names_a_zone_of_ours_or_a_superior_that_is_a_member(
    anhui: DspPeer, officer: Account, keepers: dict[str, Account]
) -> None:
    entry, zone = companies(), zone_of(keepers, "340000")
    Zone.objects.create(
        id=(other := new_id()), origin="yrd", name_zh="他区", members=["310000", "340000"], reference=REFERENCE,
        valid_from=date(2022, 1, 18), state="in_force", proposed_by="node:yrd",
    )  # fmt: skip
    for area, target in (("zone", other), ("zone", ""), ("central", "340000"), ("central", "100000"), ("members", "x")):
        with pytest.raises(NoSuchArea):
            actions.propose(officer, entry.id, area=area, target=target)
    assert actions.propose(officer, entry.id, area="zone", target=zone.id).target == zone.id
    assert actions.propose(officer, entry.id, area="central", target="yrd").content["mode"] == "batch"


# --- one act, an agreement for each ---------------------------------------------------------------------------


def test_one_act_offers_to_every_member_and_each_that_takes_it_up_has_an_agreement_and_a_grant_of_its_own(
    anhui: DspPeer, shanghai: DspPeer, officer: Account
) -> None:
    entry = companies()
    made = signed(officer, entry)
    assert states(made) == {"310000": "unreached", "340000": "unreached", "yrd": "unreached"}
    offered = read_offered(offer_of(anhui).offer.document)
    assert offered is not None
    assert (offered.items, offered.purposes, offered.mode) == (("uscc", "name"), ("licensing",), "interface")
    first, second = (take_up(member, entry, ASKED) for member in (anhui, shanghai))
    assert (first.peer, second.peer, first.state, second.state) == ("340000", "310000", "active", "active")
    assert first.provider_signature
    assert first.consumer_signature
    assert {one.agreement_id for one in Grant.objects.all()} == {first.id, second.id}
    assert states(made) == {"310000": "agreed", "340000": "agreed", "yrd": "unreached"}
    assert queries.counted(queries.standings(made)) == {"agreed": 2, "unreached": 1}
    kept = LedgerEntry.objects.filter(kind="offering.in_force")
    assert kept.count() == 1, "the one act stands in the ledger"


def test_z_4_same_for_all_every_member_gets_the_same_terms_to_the_letter(
    anhui: DspPeer, shanghai: DspPeer, officer: Account
) -> None:
    entry = companies()
    signed(officer, entry)
    agreed = []
    for member in (anhui, shanghai):
        negotiation = answer(member, entry, ASKED)
        assert negotiation.state == "AGREED"
        document = read_agreed(member.heard(protocol.ContractAgreement)[0].agreement.document).document()
        agreed.append({name: value for name, value in document.items() if name not in ("starts_at", "ends_at")})
        kept = next(one for one in decided.of(f"negotiation:{negotiation.pid}") if one.name == "offering.answer")
        assert decisions.replay(kept).same
    assert agreed[0] == agreed[1]
    assert [one["mask"] for one in agreed[0]["items"]] == [{"action": "keep"}, {"action": "name"}]


def test_z_4_same_for_all_nobody_here_gives_one_member_less(anhui: DspPeer, officer: Account) -> None:
    """A request that came before the offering was signed lies with an officer for a minute at most."""
    entry = companies()
    pid, _, _ = anhui.request(entry, ASKED)
    proposal = replies.propose_refusal(officer, pid, "not_held", "不提供", "《政务数据共享条例》第十九条")
    made = actions.sign(head_of(officer), actions.propose(officer, entry.id, area="members").id)
    with pytest.raises(SameForAll):
        replies.ask_supplement(officer, pid, [("basis", "说明")])
    spreading.keep_up()
    assert Negotiation.objects.get(pid=pid).state == "AGREED"
    proposal.refresh_from_db()
    assert proposal.state == "dropped"
    assert standing(made, anhui).state == "signing"
    assert not anhui.heard(protocol.ContractOffer), "whoever has it already is offered nothing"


@pytest.mark.parametrize("beyond", [{"items": ("uscc", "secret_note")}, {"purpose": "statistics"}, {"term_days": 366}])
def test_what_goes_beyond_an_offering_is_a_request_like_any_other(
    anhui: DspPeer, officer: Account, beyond: dict[str, Any]
) -> None:
    entry = companies()
    made = signed(officer, entry)
    asked = terms(**({"items": ("uscc", "name")} | beyond))
    assert answer(anhui, entry, asked).state == "REQUESTED"
    assert standing(made, anhui).state == "asked"
    before = len(decided.of(f"negotiation:{offer_of(anhui).provider_pid}"))
    spreading.keep_up()
    assert len(decided.of(f"negotiation:{offer_of(anhui).provider_pid}")) == before, "looking again decides nothing"


def test_another_department_of_a_member_asks_by_itself_and_gets_the_same(anhui: DspPeer, officer: Account) -> None:
    entry = companies()
    made = signed(officer, entry)
    take_up(anhui, entry, ASKED)
    pid, _, _ = anhui.request(entry, ASKED)
    assert Negotiation.objects.get(pid=pid).decided_by == "rule:Z-4"
    assert [one.state for one in queries.standings(made) if one.peer == "340000"] == ["signing", "agreed"]


def test_an_item_whose_mask_is_another_by_now_is_left_to_a_person(anhui: DspPeer, officer: Account) -> None:
    entry = companies()
    signed(officer, entry)
    Item.objects.filter(resource_id=entry.id, name="name").update(mask={"action": "null"})
    assert answer(anhui, entry, ASKED).state == "REQUESTED"
    kept = decided.of(f"negotiation:{offer_of(anhui).provider_pid}")
    assert next(one for one in kept if one.name == "offering.answer").outcome["why"] == "catalogue_changed"


# --- members that say no, are silent, down, come and go -------------------------------------------------------


def test_the_page_tells_who_agreed_who_refused_who_never_answered_and_who_is_down(
    anhui: DspPeer, shanghai: DspPeer, officer: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry, zhejiang = companies(), peer("330000")
    made = signed(officer, entry, answer_days=10)
    decline(anhui, "本部门无此职责")
    take_up(shanghai, entry, ASKED)
    Negotiation.objects.filter(pid=offer_of(zhejiang).provider_pid).update(peer_pid=urn(new_id()))  # it has heard
    assert states(made) == {"310000": "agreed", "330000": "offered", "340000": "refused", "yrd": "unreached"}
    assert standing(made, anhui).reason == "本部门无此职责"
    assert Notice.objects.filter(code="offer_declined").count() == 1
    later(monkeypatch, 11)
    for _ in range(2):
        spreading.keep_up()
    assert states(made) == {"310000": "agreed", "330000": "never_answered", "340000": "refused", "yrd": "unreached"}
    assert len(zhejiang.heard(protocol.ContractTermination)) == 1
    assert made.offered.count() == 4, "a no is not asked again"
    pid, _, _ = anhui.request(entry, ASKED)
    assert Negotiation.objects.get(pid=pid).state == "AGREED", "who said no may still ask"


def test_a_member_that_is_down_is_offered_it_when_it_is_back_and_holds_up_nobody(
    anhui: DspPeer, shanghai: DspPeer, officer: Account
) -> None:
    entry = companies()
    made = signed(officer, entry)
    message = OutboxMessage.objects.get(peer="340000", process=f"negotiation:{offer_of(anhui).provider_pid}")
    assert take_up(shanghai, entry, ASKED).state == "active"
    answers.negotiation_answered(message, None, None)  # seven days have passed: the courier gives up
    assert standing(made, anhui).state == "unreached"
    for _ in range(3):
        spreading.keep_up()
    assert told(anhui) == 2
    assert standing(made, anhui).state == "unreached"
    assert answer(anhui, entry, ASKED).state == "AGREED"
    assert told(shanghai) == 1


def test_who_joins_the_zone_later_is_offered_it_and_who_leaves_loses_it_after_its_notice(
    anhui: DspPeer, shanghai: DspPeer, officer: Account, keepers: dict[str, Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    entry, zone = companies(), zone_of(keepers, "340000")
    made = signed(officer, entry, area="zone", target=zone.id)
    agreement = take_up(anhui, entry, ASKED)
    assert states(made) == {"340000": "agreed"}
    for members in ([US, "330000"], [US, "310000"]):  # the first was not meant
        zones.change_members(keepers["steward"], zone.id, members, "扩区协议")
    spreading.keep_up()
    assert (told(shanghai), states(made)) == (0, {"340000": "agreed"}), "a change nobody confirmed moves nobody"
    zones.put_in_force(keepers["supervisor"], zone.id)
    for _ in range(2):
        spreading.keep_up()
    assert told(shanghai) == 1
    assert states(made) == {"310000": "unreached", "340000": "ending"}
    paper = Filing.objects.get(agreement=agreement, kind="stop")
    assert paper.content["starts_on"] == (day.today() + timedelta(days=30)).isoformat()
    assert Grant.objects.get(agreement_id=agreement.id).state == "active", "until then it goes on"
    later(monkeypatch, 30)
    for _ in range(2):
        spreading.keep_up()
    agreement.refresh_from_db()
    assert (agreement.state, Grant.objects.get(agreement_id=agreement.id).state) == ("ended", "ended")
    assert len(anhui.heard(protocol.TransferTermination)) == 1
    assert states(made)["340000"] == "ended"


def test_who_comes_back_is_offered_it_again_while_its_old_agreement_runs_out(
    anhui: DspPeer, officer: Account, keepers: dict[str, Account]
) -> None:
    entry, zone = companies(), zone_of(keepers, "340000", "310000")
    signed(officer, entry, area="zone", target=zone.id)
    take_up(anhui, entry, ASKED)
    for members in ([US, "310000"], [US, "340000"]):
        zones.change_members(keepers["steward"], zone.id, members, "协议")
        zones.put_in_force(keepers["supervisor"], zone.id)
        spreading.keep_up()
    assert told(anhui) == 2
    assert answer(anhui, entry, ASKED).state == "AGREED"


def test_the_whole_is_withdrawn_by_one_act(
    anhui: DspPeer, shanghai: DspPeer, officer: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = companies()
    made = signed(officer, entry)
    agreement = take_up(anhui, entry, ASKED)
    Negotiation.objects.filter(pid=offer_of(shanghai).provider_pid).update(peer_pid=urn(new_id()))
    actions.withdraw(head_of(officer), made.id, "职责调整")
    for _ in range(2):
        spreading.keep_up()
    assert states(made) == {"310000": "taken_back", "340000": "ending", "yrd": "unreached"}
    assert len(shanghai.heard(protocol.ContractTermination)) == 1
    assert "职责调整" in Filing.objects.get(agreement=agreement).content["reason"]
    pid, _, _ = shanghai.request(entry, ASKED)
    assert Negotiation.objects.get(pid=pid).state == "REQUESTED", "nothing is agreed under it any more"
    later(monkeypatch, 30)
    spreading.keep_up()
    agreement.refresh_from_db()
    assert agreement.state == "ended"


def test_an_agreement_nothing_is_delivered_under_ends_with_its_notice_too(
    anhui: DspPeer, officer: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = companies()
    made = signed(officer, entry)
    answer(anhui, entry, ASKED)  # it never signs
    actions.withdraw(head_of(officer), made.id, "职责调整")
    spreading.keep_up()
    later(monkeypatch, 31)
    for _ in range(2):
        spreading.keep_up()
    assert Agreement.objects.get().state == "ended"
    assert anhui.heard(protocol.ContractTermination)


def test_who_left_the_directory_holds_up_nobody(anhui: DspPeer, shanghai: DspPeer, officer: Account) -> None:
    entry = companies()
    made = signed(officer, entry)
    Member.objects.filter(jurisdiction="340000").update(valid_to=datetime.now(UTC) - timedelta(days=1))
    actions.withdraw(head_of(officer), made.id, "职责调整")
    spreading.keep_up()
    assert not OfferedMember.objects.filter(peer="340000", standing=True).exists()


@pytest.mark.parametrize("dies_in", ["open_offer", "record"])
def test_a_round_that_dies_at_any_member_is_gone_on_with_and_nobody_is_offered_it_twice(
    anhui: DspPeer, shanghai: DspPeer, officer: Account, monkeypatch: pytest.MonkeyPatch, dies_in: str
) -> None:
    where = outbound if dies_in == "open_offer" else spreading
    real, calls = getattr(where, dies_in), []

    def dying(*given: Any, **named: Any) -> Any:
        calls.append(1)
        made = real(*given, **named)
        if len(calls) == 2:
            raise SystemExit
        return made

    monkeypatch.setattr(where, dies_in, dying)
    made = actions.propose(officer, companies().id, area="members")
    actions.sign(head_of(officer), made.id)
    with pytest.raises(SystemExit):
        spreading.keep_up()
    assert OfferedMember.objects.count() == 1
    for _ in range(2):
        spreading.keep_up()
    assert sorted(OfferedMember.objects.values_list("peer", flat=True)) == ["310000", "340000", "yrd"]
    assert Negotiation.objects.count() == OutboxMessage.objects.count() == 3
    assert AuditRecord.objects.filter(kind="offering.offered").count() == 3


def test_a_members_answer_said_again_makes_one_agreement(anhui: DspPeer, officer: Account) -> None:
    entry = companies()
    made = signed(officer, entry)
    first = answer(anhui, entry, ASKED)
    consent.answer_waiting(first.pid)
    came = offer_of(anhui)
    again = protocol.ContractRequest(first.peer_pid, came.offer, provider_pid=first.pid)
    assert anhui.say(f"/negotiations/{first.pid}/request", again).status_code == 400
    assert (Agreement.objects.count(), made.offered.filter(peer="340000").count()) == (1, 1)


# --- at the member --------------------------------------------------------------------------------------------


def offered_to_us(anhui: DspPeer, entry: Entry, **changes: Any) -> Negotiation:
    """Anhui offers its own resource to all members, us among them."""
    from hutong.control.agreements.drafting import offer_for
    from hutong.control.agreements.offered import Offered

    given = {
        "id": new_id(), "area": "members", "name_zh": "全体成员", "name_en": "all members", "items": ("uscc", "name"),
        "mode": "interface", "purposes": ("licensing",), "term_days": 365, "quota_calls_per_day": 100_000,
    }  # fmt: skip
    offer = offer_for(entry.dataset, None, offered=Offered(**(given | changes)))
    message = protocol.ContractOffer(urn(new_id()), offer, callback=anhui.callback)
    for _ in range(2):
        assert anhui.say("/negotiations/offers", message).status_code in (200, 201)
    return Negotiation.objects.get(peer_pid=message.provider_pid)


WORDS = {"basis": "某法", "scenario": "窗口", "scope": "本市", "purpose": "licensing", "term_days": 365}


def test_an_offer_is_taken_up_by_a_request_of_our_own_in_the_same_negotiation(
    anhui: DspPeer, health: dict[str, Account]
) -> None:
    entry = heard_of(anhui.node)
    negotiation = offered_to_us(anhui, entry)
    assert (negotiation.state, queries.on_offer(entry.id, "340000").get()) == ("OFFERED", negotiation)
    assert Notice.objects.filter(code="offer_arrived").count() == 2, "officers and heads, once"
    request = requests.file(health["officer"], resource_id=entry.id, items=["uscc", "name"], **WORDS)
    request = requests.sign_off(health["head"], request.id)
    assert request.negotiation_id == negotiation.pid
    asked = anhui.heard(protocol.ContractRequest)
    assert len(asked) == 1
    assert asked[0].provider_pid == negotiation.peer_pid
    assert read_offered(asked[0].offer.document) is not None
    assert not queries.on_offer(entry.id, "340000").exists()
    other = requests.file(health["officer"], resource_id=entry.id, items=["uscc"], **WORDS)
    assert requests.sign_off(health["head"], other.id).negotiation_id != negotiation.pid, "one offer, one answer"


def test_of_two_offers_the_one_is_taken_up_that_the_request_stays_within(
    anhui: DspPeer, health: dict[str, Account]
) -> None:
    entry = heard_of(anhui.node)
    narrow, wide, newest = (
        offered_to_us(anhui, entry, **given)
        for given in ({"items": ("uscc",)}, {"area": "zone"}, {"purposes": ("supervision",)})
    )
    taken = []
    for items in (["uscc", "name"], ["uscc"]):
        request = requests.file(health["officer"], resource_id=entry.id, items=items, **WORDS)
        taken.append(requests.sign_off(health["head"], request.id).negotiation_id)
    assert taken == [wide.pid, narrow.pid]
    assert list(queries.on_offer(entry.id, "340000")) == [newest]


def test_an_offer_is_declined_with_a_reason_by_a_head(anhui: DspPeer, health: dict[str, Account]) -> None:
    negotiation = offered_to_us(anhui, heard_of(anhui.node))
    with pytest.raises(NotAllowed):
        requests.decline_offer(health["officer"], negotiation.pid, "无需")
    made = requests.decline_offer(health["head"], negotiation.pid, "无需")
    assert made.state == "TERMINATED"
    assert anhui.heard(protocol.ContractTermination)[-1].code == "declined"
    with pytest.raises(WrongState):
        requests.decline_offer(health["head"], negotiation.pid, "无需")


def test_an_offering_that_cannot_be_read_is_refused_when_it_comes(anhui: DspPeer, health: dict[str, Account]) -> None:
    entry = heard_of(anhui.node)
    good = offered_to_us(anhui, entry).offer
    for wrong in ({"mode": "x"}, {"items": []}, {"answer_by": "soon"}, {"term_days": 0}):
        document = good | {"hutong:offering": good["hutong:offering"] | wrong, "@id": urn(new_id())}
        body = {"@context": ["https://w3id.org/dspace/2025/1/context.jsonld"], "@type": "ContractOfferMessage"}
        said = body | {"providerPid": urn(new_id()), "callbackAddress": anhui.callback, "offer": document}
        assert anhui.call("POST", "/negotiations/offers", said).status_code == 400


# --- zones that change, and the command line ------------------------------------------------------------------


def test_z_3_zone_kept_elsewhere_is_changed_by_its_keeper_alone(anhui: DspPeer, keepers: dict[str, Account]) -> None:
    zone = zone_of(keepers, "340000")
    Zone.objects.filter(id=zone.id).update(origin="yrd")
    with pytest.raises(ZoneKeptElsewhere):
        zones.change_members(keepers["steward"], zone.id, [US, "310000"], "扩区协议")


def test_the_command_line_walks_the_same_way(anhui: DspPeer, officer: Account, health: dict[str, Account]) -> None:
    home, runner, entry = str(current().home), CliRunner(), companies()
    head_of(officer)

    def run(command: Any, *line: str) -> str:
        done = runner.invoke(command, list(line))
        assert done.exit_code == 0, done.output
        return done.output

    assert runner.invoke(offering_cli, ["propose", home, entry.id, "--as", "wang"]).exit_code == 2
    run(offering_cli, "propose", home, entry.id, "--all-members", "--items", "uscc", "--as", "wang")
    made = Offering.objects.get()
    run(offering_cli, "sign", home, made.id, "--as", "head-of-wang")
    spreading.keep_up()
    assert "340000  unreached" in run(offering_cli, "show", home, made.id)
    run(offering_cli, "withdraw", home, made.id, "--reason", "调整", "--as", "head-of-wang")
    assert "withdrawn" in run(offering_cli, "list", home)
    negotiation = offered_to_us(anhui, heard_of(anhui.node))
    assert negotiation.pid in run(request_cli, "offers", home)
    run(request_cli, "decline", home, negotiation.pid, "--reason", "无需", "--as", "h-head")
    assert negotiation.pid not in run(request_cli, "offers", home, "--json")
