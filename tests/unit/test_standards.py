"""Elements and code tables: read from files, decided by four eyes, the same in the whole region."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import date

import pytest
from click.testing import CliRunner

from hutong.control.identity.models import Account
from hutong.control.identity.rules import Operator
from hutong.control.notices.models import Notice
from hutong.control.standards import actions, federation, queries
from hutong.control.standards.cli import standard
from hutong.control.standards.divisions import divisions
from hutong.control.standards.files import TABLE_HEADER, from_csv, from_json, proposals, to_csv
from hutong.control.standards.models import Definition
from hutong.control.standards.proposals import Proposal, Row
from hutong.control.standards.rules import BadDefinition, NothingChanges, NotTheKeepers, OwnStandard, TargetUnknown
from hutong.control.standards.shipped import shipped
from hutong.ledger.models import AuditRecord, LedgerEntry
from hutong.node.events import Event
from hutong.node.models import OutboxMessage
from hutong.node.receiving import Peer
from hutong.node.settings import current
from hutong.vocabulary.errors import NotAllowed, WrongState
from tests.conftest import HOME
from tests.publication import supervisor
from tests.region import Neighbour, neighbour, ourselves

pytestmark = pytest.mark.django_db
OPERATOR = Operator("operator:root")
SEX = """
code,zh,en,parent,valid_from,valid_to
1,男性,male,,,
2,女性,female,,,
""".lstrip()


def sex(codes: str = SEX, name: str = "sex") -> Proposal:
    return from_csv(codes, name=name, title_zh="性别代码", title_en="sex", standard="GB/T 2261.1")[0]


@pytest.fixture
def keeper(db) -> Neighbour:
    """The region's node keeps the directory; this one is a member."""
    ourselves()
    return neighbour("yrd", "region")


@pytest.fixture
def steward(db) -> Account:
    return Account.objects.create(username="chen", role="steward")


@pytest.fixture
def at_the_keeper(keeper, monkeypatch):
    """This node keeps the directory, and Anhui is a member."""
    neighbour("340000")
    here = replace(current(), place="region", region="")
    for module in (actions, federation):
        monkeypatch.setattr(module, "current", lambda: here)


def approved(proposal: Proposal, by: Operator = OPERATOR) -> Definition:
    return actions.approve(supervisor(), actions.propose(by, proposal).id)


def test_what_comes_with_the_product_is_whole_and_its_elements_name_tables_that_come_too(db):
    found = {(one.kind, one.name): one for one in shipped()}
    tables = {name for kind, name in found if kind == "table"}
    assert {"gbt2261.1", "gbt2261.2", "gbt3304", "gbt4658", "gbt4754"} == tables
    assert [row.code for row in found["table", "gbt2261.1"].rows] == ["0", "1", "2", "9"]
    nations = [row.code for row in found["table", "gbt3304"].rows]
    assert (len(nations), nations[0], nations[55], nations[56:]) == (58, "01", "56", ["97", "98"])
    assert "".join(row.code for row in found["table", "gbt4754"].rows) == "ABCDEFGHIJKLMNOPQRST"
    schooling = {row.code for row in found["table", "gbt4658"].rows}
    assert schooling >= {"10", "20", "30", "40", "60", "70", "80", "90"}
    elements = {name: one for (kind, name), one in found.items() if kind == "element"}
    assert {str(one.document["table"]) for one in elements.values()} - {"", "gbt2260"} == tables
    assert elements["person_id"].document["check"] == "person_id"
    assert elements["uscc"].document["check"] == "uscc"


def test_a_version_is_proposed_and_recorded_and_holds_only_when_another_person_approves(db, steward):
    made = actions.propose(steward, sex())
    assert (made.state, made.version, queries.in_force("table", "sex")) == ("proposed", 1, None)
    supervisor()
    with pytest.raises(NotAllowed):
        actions.approve(steward, made.id)
    actions.approve(supervisor(), made.id)
    assert queries.known_codes("sex") == {"1", "2"}
    kinds = list(AuditRecord.objects.order_by("id").values_list("kind", flat=True))
    assert kinds == ["standard.proposed", "standard.approved"]
    leaf = json.loads(bytes(LedgerEntry.objects.order_by("id").last().entry))
    assert leaf["definition"] == made.digest
    with pytest.raises(WrongState):
        actions.refuse(supervisor(), made.id, "no")


def test_s_1_own_standard_is_approved_by_somebody_else(db, steward):
    made = actions.propose(steward, sex())
    Account.objects.filter(username="chen").update(role="supervisor")
    with pytest.raises(OwnStandard) as refused:
        actions.approve(Account.objects.get(username="chen"), made.id)
    assert refused.value.rule == "S-1"
    assert Definition.objects.get().state == "proposed"


def test_the_supervisor_is_told_of_a_proposal(db, steward):
    supervisor()
    made = actions.propose(steward, sex())
    notice = Notice.objects.get()
    assert (notice.code, notice.page) == ("standard_proposed", ["standard", made.id])


def test_a_further_version_replaces_the_last_from_its_first_day_on_and_a_refused_one_nothing(db):
    approved(sex())
    more = SEX + "9,未说明,not stated,,,\n"
    later = from_csv(more, name="sex", title_zh="性别代码", standard="GB/T 2261.1")[0]
    later = Proposal("table", "sex", "性别代码", "", later.document, later.rows, valid_from=date(2030, 1, 1))
    approved(later)
    assert queries.known_codes("sex", date(2029, 12, 31)) == {"1", "2"}
    assert queries.known_codes("sex", date(2030, 1, 1)) == {"1", "2", "9"}
    refused = actions.refuse(supervisor(), actions.propose(OPERATOR, sex(more + "5,x,,,,\n")).id, "没有依据")
    assert (refused.state, refused.reason) == ("refused", "没有依据")
    assert queries.known_codes("sex", date(2030, 1, 1)) == {"1", "2", "9"}


def test_the_same_again_proposes_nothing(db):
    waiting = actions.propose(OPERATOR, sex())
    with pytest.raises(NothingChanges):
        actions.propose(OPERATOR, sex())
    actions.approve(supervisor(), waiting.id)
    with pytest.raises(NothingChanges):
        actions.propose(OPERATOR, sex())


def test_a_code_is_known_in_its_days_alone(db):
    header = "code,zh,en,parent,valid_from,valid_to\n"
    codes = header + "320584,吴江市,,320500,1995-01-01,2012-12-31\n320509,吴江区,,320500,2012-01-01,\n"
    approved(sex(codes, "gbt2260"))
    assert queries.known_codes("gbt2260", date(2009, 6, 1)) == {"320584"}
    assert queries.known_codes("gbt2260", date(2012, 6, 1)) == {"320584", "320509"}
    assert queries.known_codes("gbt2260", date(2026, 1, 1)) == {"320509"}


def test_s_2_map_target_unknown_names_the_codes_that_are_in_no_table(db):
    approved(sex())
    pairs = "local,zh,regional\nM,男,1\nF,女,2\nX,,3\n"
    described = {"name": "js-sex", "title_zh": "江苏性别代码", "table": "sex", "local": "JS"}
    with pytest.raises(TargetUnknown) as refused:
        actions.propose(OPERATOR, from_csv(pairs, **described)[0])
    assert refused.value.parameters["codes"] == ["3"]
    with pytest.raises(TargetUnknown):
        actions.propose(OPERATOR, from_csv(pairs, **(described | {"table": "nothing"}))[0])
    approved(from_csv(pairs.replace("X,,3", "X,,"), **described)[0])
    assert queries.pairs_of(queries.newest_map("js-sex")) == {"M": "1", "F": "2"}


def test_what_a_file_says_comes_back_from_it(db):
    made = sex()
    text = to_csv(TABLE_HEADER, [row.columns() for row in made.rows])
    assert sex(text) == made
    document = {
        **{"kind": "table", "name": "sex", "zh": "性别代码", "en": "sex", "document": {"standard": "GB/T 2261.1"}},
        "codes": [{"code": row.code, "zh": row.title_zh, "en": row.title_en} for row in made.rows],
    }
    assert from_json(json.dumps([document]))[0] == made


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a,b\n1,2\n",
        "code,zh\n1,\x00\n",
        "code,zh\n1,a\n1,b\n",
        "code,zh,en,parent,valid_from,valid_to\n1,a,,,2001-13-01,\n",
        "code,zh,en,parent,valid_from,valid_to\n1,a,,,2002-01-01,2001-01-01\n",
        "code,zh\n,a\n",
        "code,zh\n" + "x" * 61 + ",a\n",
        "id,zh,type\nsex,性别,anything\n",
        "id,zh,type,check\nsex,性别,string,anything\n",
    ],
)
def test_a_file_that_says_nothing_sure_is_refused_whole(db, text):
    from hutong.vocabulary.text import WrongText

    with pytest.raises((BadDefinition, WrongText)):
        from_csv(text, name="sex", title_zh="性别代码")


@pytest.mark.parametrize(
    "text", ["", "[]x", "{}", '{"kind":"table"}', "[1]", '{"kind":"x","name":"ab","zh":"x","document":{}}']
)
def test_json_that_is_no_definition_is_refused(db, text):
    with pytest.raises(BadDefinition):
        from_json(text)


def test_the_divisions_of_2009_are_those_of_2009(db, real_data, tmp_path):
    rows = divisions(
        real_data / "divisions/divisions_2026.csv", real_data / "divisions/historical_changes_1981_2015.json.gz"
    )
    out = tmp_path / "gbt2260.csv"
    out.write_text(to_csv(TABLE_HEADER, [row.columns() for row in rows]))
    described = {"name": "gbt2260", "title_zh": "行政区划代码", "standard": "GB/T 2260-2007"}
    approved(proposals(out, **described)[0])
    then, today = queries.known_codes("gbt2260", date(2009, 6, 1)), queries.known_codes("gbt2260", date(2026, 6, 1))
    assert {"320584", "341400"} <= then
    assert not {"320584", "341400"} & today
    assert {"320509", "340181"} <= today
    assert not {"320509"} & then
    assert {"310118", "330421", "320500"} <= then & today
    assert "310229" in queries.known_codes("gbt2260", date(1996, 5, 5))
    assert 2_500 < len(today) < 3_500
    cities = [
        row
        for row in rows
        if row.code[:2] in ("31", "32", "33", "34") and row.code.endswith("00") and row.valid_to is None
    ]
    assert len({row.code for row in cities} - {"310000", "320000", "330000", "340000"}) == 40  # with Shanghai, the 41


def test_a_definition_of_the_region_reaches_every_member_signed_and_whole(at_the_keeper, monkeypatch):
    monkeypatch.setattr(federation, "ROWS_PER_PART", 2)
    made = approved(sex(SEX + "9,未说明,not stated,,,\n"))
    bodies = [json.loads(bytes(one.body)) for one in OutboxMessage.objects.filter(peer="340000").order_by("id")]
    assert [(one["type"], one["data"]["part"], one["data"]["last"]) for one in bodies] == [
        ("standards.definition", 0, False),
        ("standards.definition", 1, True),
    ]
    assert bodies[0]["data"]["head"]["digest"] == made.digest
    assert len([row for one in bodies for row in one["data"]["rows"]]) == 3


def travelling(keeper: Neighbour, proposal: Proposal, version: int = 1, per_part: int = 2) -> list[dict[str, object]]:
    """A version as the keeper sends it."""
    whole = proposal.whole()
    rows, identifier = whole.pop("rows"), f"0192f0c1-0000-7000-8000-{version:012d}"
    signature = base64.b64encode(keeper.private.sign(federation._signed(identifier, version, proposal.digest))).decode()
    head = {**whole, "id": identifier, "version": version, "digest": proposal.digest, "row_count": len(rows)}
    parts = [rows[at : at + per_part] for at in range(0, len(rows), per_part)] or [[]]
    made = [{"id": identifier, "part": n, "last": n == len(parts) - 1, "rows": part} for n, part in enumerate(parts)]
    made[0] |= {"head": head, "signature": signature, "keyid": keeper.keyid}
    return made


def hear(sender: str, data: dict[str, object]) -> None:
    federation.take(Peer(sender, "k"), Event("i", "s", "standards.definition", "standards", "t", data))


THREE = SEX + "9,未说明,not stated,,,\n"


def test_a_member_takes_what_the_keeper_signed_part_by_part_and_the_same_again_changes_nothing(keeper):
    parts = travelling(keeper, sex(THREE))
    hear("yrd", parts[0])
    assert queries.known_codes("sex") is None  # not whole yet
    hear("yrd", parts[0])  # begun anew
    hear("yrd", parts[1])
    assert queries.known_codes("sex") == {"1", "2", "9"}
    for part in parts:
        hear("yrd", part)
    assert queries.known_codes("sex") == {"1", "2", "9"}
    assert AuditRecord.objects.filter(kind="standard.received").count() == 1


def test_s_3_definition_not_the_keepers_is_refused_and_so_is_one_of_the_same_name_proposed_here(keeper):
    neighbour("340000")
    parts = travelling(keeper, sex(THREE))
    with pytest.raises(NotTheKeepers):
        hear("340000", parts[0])
    for part in parts:
        hear("yrd", part)
    with pytest.raises(NotTheKeepers):
        actions.propose(OPERATOR, sex())
    assert queries.known_codes("sex") == {"1", "2", "9"}


def test_what_was_changed_on_the_way_is_refused(keeper):
    parts = travelling(keeper, sex(THREE))
    with pytest.raises(BadDefinition, match="signature"):
        hear("yrd", {**parts[0], "head": {**parts[0]["head"], "digest": "sha256:" + "0" * 64}})
    with pytest.raises(BadDefinition, match="key"):
        hear("yrd", {**parts[0], "keyid": "nobody"})
    hear("yrd", parts[0])
    with pytest.raises(BadDefinition, match="not what its origin signed"):
        hear("yrd", {**parts[1], "rows": [["9", "别的", "", "", "", ""]]})
    assert queries.known_codes("sex") is None


def test_a_member_that_says_what_it_has_gets_what_it_lacks(at_the_keeper):
    first, second = approved(sex()), approved(sex(name="other"))
    OutboxMessage.objects.all().delete()
    federation.answer(Peer("340000", "k"), Event("i", "s", "standards.wanted", "standards", "t", {"have": [first.id]}))
    sent = [json.loads(bytes(one.body))["data"]["id"] for one in OutboxMessage.objects.all()]
    assert sent == [second.id]


def test_a_member_asks_the_keeper_for_what_it_lacks(keeper):
    for part in travelling(keeper, sex(THREE)):
        hear("yrd", part)
    federation.ask()
    said = json.loads(bytes(OutboxMessage.objects.get().body))
    assert (said["type"], len(said["data"]["have"])) == ("standards.wanted", 1)


def test_by_command_line_the_shipped_standards_come_into_force(db):
    supervisor()
    said = CliRunner().invoke(standard, ["load", str(HOME), "--shipped"], catch_exceptions=False)
    assert said.exit_code == 0
    assert said.output.count("proposed.") == len(shipped())
    said = CliRunner().invoke(standard, ["approve", str(HOME), "--all", "--as", "supervisor"], catch_exceptions=False)
    assert "table gbt2261.1 version 1 is in force." in said.output
    rows = json.loads(CliRunner().invoke(standard, ["list", str(HOME), "--json"]).output)
    assert {row["state"] for row in rows} == {"approved"}
    again = CliRunner().invoke(standard, ["load", str(HOME), "--shipped"], catch_exceptions=False)
    assert "proposed." not in again.output


def test_a_row_of_a_table_refuses_nonsense():
    with pytest.raises(BadDefinition):
        Proposal("table", "sex", "x", "", {"standard": ""}, [Row("1"), Row("1")])
