"""Zones (无差别): who puts one in force, and that a member's department gets what a local one gets, no more."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from django.test import Client
from django.urls import reverse

from hutong.control.agreements import protocol
from hutong.control.agreements.consent import Choice, agreed_terms, asked_of
from hutong.control.agreements.models import Negotiation
from hutong.control.agreements.terms import read_agreed
from hutong.control.identity.models import Account
from hutong.control.replies.verdict import Requester, foreseen, requester_of
from hutong.control.statute import day, decisions
from hutong.control.statute import queries as decided
from hutong.control.zones import actions
from hutong.control.zones.cli import zone as zone_cli
from hutong.control.zones.models import Zone
from hutong.control.zones.queries import shared_by
from hutong.control.zones.rules import OwnZone, ZoneIncomplete
from hutong.ledger.models import AuditRecord
from hutong.node.events import Event
from hutong.node.models import OutboxMessage
from hutong.node.receiving import Peer
from hutong.node.settings import current
from hutong.vocabulary.errors import NotAllowed
from hutong.vocabulary.ids import new_id
from tests.dsp_peer import DspPeer, peer, published, terms
from tests.region import an_item

pytestmark = pytest.mark.django_db
MEMBERS = ["320000", "340000"]
REFERENCE = "示范区“无差别”共享协议（2022-01-18）"


@pytest.fixture
def people(db: None) -> dict[str, Account]:
    make = Account.objects.create
    return {role: make(username=role, role=role) for role in ("steward", "supervisor", "auditor")}


def proposed(people: dict[str, Account], **changes: Any) -> Zone:
    given = {"name_zh": "示范区", "members": MEMBERS, "reference": REFERENCE, "valid_from": date(2022, 1, 18)}
    return actions.propose(people["steward"], **(given | changes))


def in_force(people: dict[str, Account], **changes: Any) -> Zone:
    return actions.put_in_force(people["supervisor"], proposed(people, **changes).id)


def conditional() -> Any:
    items = [
        an_item("uscc", "代码"),
        an_item("name", "名称", mask={"action": "name"}),
        an_item("phone", "电话", mask={"action": "phone"}),
        an_item("secret_note", "备注", attribute="refused"),
    ]
    return published("conditional", items, sharing_modes=["interface"])


ASKED = terms(items=("uscc", "name", "phone"))


# --- who may --------------------------------------------------------------------------------------------------


def test_z_2_own_zone_whoever_proposes_a_zone_does_not_put_it_in_force(people: dict[str, Account]) -> None:
    zone = proposed(people)
    assert zone.state == "proposed"
    assert shared_by(*MEMBERS, day.today()) is None
    with pytest.raises(OwnZone):
        actions.put_in_force(people["steward"], zone.id)
    with pytest.raises(NotAllowed):
        actions.put_in_force(people["auditor"], zone.id)
    assert actions.put_in_force(people["supervisor"], zone.id).state == "in_force"
    kinds = list(AuditRecord.objects.order_by("id").values_list("kind", flat=True))
    assert kinds == ["zone.proposed", "zone.in_force"]


def test_z_3_zone_incomplete_names_everything_at_once(people: dict[str, Account]) -> None:
    wrong = {"name_zh": " ", "reference": "", "members": ["320000"], "valid_from": None}
    with pytest.raises(ZoneIncomplete) as caught:
        proposed(people, **wrong)
    assert caught.value.parameters["missing"] == ["name_zh", "reference", "members", "valid_from"]
    for members in (["320000", "320000"], ["320000", "../x"], []):
        with pytest.raises(ZoneIncomplete, match="members"):
            proposed(people, members=members)
    with pytest.raises(ZoneIncomplete, match="valid_to"):
        proposed(people, valid_to=date(2021, 1, 1))


def test_a_zone_counts_on_its_days_for_its_members_alone(people: dict[str, Account]) -> None:
    today = day.today()
    in_force(people, valid_from=today, valid_to=today)
    assert shared_by("320000", "340000", today)
    for on in (today - timedelta(days=1), today + timedelta(days=1)):
        assert shared_by("320000", "340000", on) is None
    for other in ("310000", "340100", "34"):
        assert shared_by("320000", other, today) is None


# --- what it does ---------------------------------------------------------------------------------------------


def test_z_1_same_as_local_a_zone_member_and_a_local_department_get_exactly_the_same_terms(
    anhui: DspPeer, people: dict[str, Account]
) -> None:
    zone, entry = in_force(people), conditional()
    pid, _, _ = anhui.request(entry, ASKED)
    assert Negotiation.objects.get(pid=pid).state == "AGREED"
    record = AuditRecord.objects.get(kind="agreement.agreed")
    assert record.actor == "rule:Z-1"
    agreed = read_agreed(anhui.heard(protocol.ContractAgreement)[0].agreement.document)
    asked = asked_of(entry.id)
    local = foreseen(asked, ASKED, Requester("local"))
    assert (local.answer, local.why, local.rule) == ("agree", "same_as_local", "Z-1")
    as_local = agreed_terms(asked, ASKED, Choice(), agreed.starts_at)
    assert agreed.document() == as_local.document(), "items, masks, quota, term: to the letter"
    assert agreed.masks == ({"action": "keep"}, {"action": "name"}, {"action": "phone"})
    kept = next(one for one in decided.of(f"negotiation:{pid}") if one.name == "reply.by_rule")
    assert (kept.facts["requester"], kept.facts["zone"]) == ("zone", zone.id)
    assert decisions.replay(kept).same


def test_a_non_member_waits_for_an_officer_and_so_does_everybody_once_the_zone_ends(
    anhui: DspPeer, people: dict[str, Account]
) -> None:
    zone, entry, shanghai = in_force(people), conditional(), peer("310000")
    pid, _, _ = shanghai.request(entry, ASKED)
    assert Negotiation.objects.get(pid=pid).state == "REQUESTED"
    assert requester_of("310000") == Requester("member")
    actions.end(people["supervisor"], zone.id, "协议到期")
    pid, _, _ = anhui.request(entry, ASKED)
    assert Negotiation.objects.get(pid=pid).state == "REQUESTED"


@pytest.mark.parametrize(
    "outside",
    [{"purpose": "statistics"}, {"mode": "file"}, {"items": ("uscc", "secret_note")}],
    ids=["purpose", "mode", "item"],
)
def test_a_zone_is_never_wider_than_the_catalogue(
    anhui: DspPeer, people: dict[str, Account], outside: dict[str, Any]
) -> None:
    in_force(people)
    entry, asked = conditional(), terms(**({"items": ("uscc", "name")} | outside))
    pid, _, _ = anhui.request(entry, asked)
    assert Negotiation.objects.get(pid=pid).state == "REQUESTED"
    assert foreseen(asked_of(entry.id), asked, Requester("local")).answer == "officer", "nor is a local department's"


def test_a_peer_that_states_no_terms_waits_for_an_officer_in_a_zone_too(
    anhui: DspPeer, people: dict[str, Account]
) -> None:
    in_force(people)
    pid, _, _ = anhui.request(conditional(), None)
    assert Negotiation.objects.get(pid=pid).state == "REQUESTED"


# --- how it travels -------------------------------------------------------------------------------------------


def carried(**changes: Any) -> dict[str, Any]:
    given = {"id": new_id(), "version": 1, "state": "in_force", "name_zh": "示范区", "name_en": ""}
    days = {"valid_from": "2022-01-18", "valid_to": None}
    return given | days | {"reference": REFERENCE, "members": MEMBERS} | changes


def arrives(data: dict[str, Any], sender: str = "yrd") -> None:
    event = Event("1", f"urn:hutong:node:{sender}", "zone.kept", data["id"], "2026-01-01T00:00:00Z", data)
    actions.take(Peer(sender, "k", "m"), event)


def test_a_zone_of_the_region_waits_here_for_one_of_our_own_people(anhui: DspPeer, people: dict[str, Account]) -> None:
    said = carried()
    for _ in range(2):
        arrives(said)
    zone = Zone.objects.get()
    assert (zone.state, zone.proposed_by, zone.origin) == ("proposed", "node:yrd", "yrd")
    assert AuditRecord.objects.filter(kind="zone.proposed").count() == 1
    assert requester_of("340000") == Requester("member")
    actions.put_in_force(people["steward"], zone.id)
    assert requester_of("340000") == Requester("zone", zone.id)
    assert not OutboxMessage.objects.exists(), "what the region keeps, the region sends"


def test_a_zone_that_ended_at_the_region_ends_here_at_once_and_an_older_version_changes_nothing(
    anhui: DspPeer, people: dict[str, Account]
) -> None:
    said = carried()
    arrives(said)
    actions.put_in_force(people["steward"], said["id"])
    arrives(said | {"version": 2, "state": "ended"})
    assert Zone.objects.get().state == "ended"
    arrives(said)
    assert Zone.objects.get().state == "ended"


def test_only_the_keeper_of_the_directory_sends_zones_and_only_whole_ones(
    anhui: DspPeer, people: dict[str, Account]
) -> None:
    with pytest.raises(Exception, match="keeper"):
        arrives(carried(), sender="340000")
    for wrong in ({"members": ["320000"]}, {"version": 0}, {"valid_from": "soon"}, {"reference": ""}):
        with pytest.raises(Exception, match=r"zone"):
            arrives(carried(**wrong))
    assert not Zone.objects.exists()


def test_the_command_line_and_the_room_do_the_same(people: dict[str, Account]) -> None:
    home, runner = str(current().home), CliRunner()
    line = ["propose", home, "示范区", "--members", "320000, 340000", "--reference", REFERENCE, "--from", "2022-01-18"]
    made = runner.invoke(zone_cli, [*line, "--as", "steward"])
    assert made.exit_code == 0, made.output
    client = Client(headers={"accept-language": "en"})
    client.force_login(people["steward"])
    page = client.get(reverse("zones")).content.decode()
    assert "You proposed this zone, so another person must put it in force." in page
    client.force_login(people["supervisor"])
    zone = Zone.objects.get()
    assert client.post(reverse("zone_approve", args=[zone.id])).status_code == 302
    assert "in_force" in runner.invoke(zone_cli, ["list", home]).output
    assert client.post(reverse("zone_end", args=[zone.id]), {f"{zone.id}-reason": "到期"}).status_code == 302
    form = {"zone-name_zh": "新区", "zone-members": "320000\n310000", "zone-reference": REFERENCE}
    assert client.post(reverse("zones"), form | {"zone-valid_from": "2026-01-01"}).status_code == 302
    assert sorted(Zone.objects.values_list("state", flat=True)) == ["ended", "proposed"]
