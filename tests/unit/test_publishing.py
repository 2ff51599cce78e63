"""From a department's file to a signed entry: register, draft, describe, sign off, publish, change, withdraw."""

from __future__ import annotations

import json
import lzma
import os
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from hutong.control.catalogue import actions, description_file, fields, finding, queries, rules, sources
from hutong.control.catalogue.cli import resource as resource_cli
from hutong.control.catalogue.cli import search as search_cli
from hutong.control.catalogue.dataset import EXTENSION
from hutong.control.catalogue.models import Entry, Item, Resource
from hutong.control.catalogue.secrecy import SecretItem, SecretRefused
from hutong.control.catalogue.source_cli import source as source_cli
from hutong.control.identity.cli import account as account_cli
from hutong.control.identity.rules import Operator, OtherDepartment
from hutong.control.organisations.cli import department as department_cli
from hutong.exchange.models import Source
from hutong.exchange.shaping.masks import BadMask
from hutong.exchange.sources.intake import SETTLES_S
from hutong.exchange.sources.spec import SourceFailed, SourceRefused
from hutong.ledger.models import AuditRecord
from hutong.node.models import OutboxMessage
from hutong.node.settings import FILE_NAME, BadSetting, change, current
from hutong.vocabulary.errors import NotAllowed, NotFound, Refused, WrongState
from hutong.vocabulary.text import TextTooLong, WrongText
from tests.companies import COMPLETE, HEALTH, ITEMS, MARKET, write_companies
from tests.conftest import HOME
from tests.publication import publish

pytestmark = pytest.mark.django_db

OPERATOR = Operator("operator:root")


def test_a_source_is_read_sealed_and_recorded(people, registered, csv_file):
    stored = Source.objects.get()
    assert (stored.row_count, stored.check_ok, len(stored.schema)) == (40, True, 5)
    assert str(csv_file).encode() not in bytes(stored.location)
    assert (current().snapshots_folder / stored.snapshot).is_file()
    assert AuditRecord.objects.get(kind="source.registered").detail["rows"] == 40


def test_a_draft_knows_types_identifiers_and_what_looks_like_a_person(drafted):
    items = {item.name: item for item in queries.items_of(drafted)}
    assert list(items) == ["uscc", "company", "contact", "registered", "capital"]
    assert (items["uscc"].element, items["uscc"].key) == ("uscc", True)
    assert (items["contact"].element, items["contact"].grade, items["contact"].sensitive) == ("phone", 3, True)
    assert items["registered"].type == "date"
    assert (drafted.state, drafted.version, drafted.data_format, drafted.area_code) == ("draft", 0, "csv", "320000")


def test_publishing_a_bare_draft_names_every_missing_field(people, drafted):
    with pytest.raises(rules.PublishRefused) as refused:
        publish(people["officer"], drafted.id)
    missing = refused.value.problem()["missing"]
    assert {"sign_off", "summary_zh", "update_cycle", "attribute", "sharing_modes", "source_system"} <= set(missing)
    assert "company.title_zh" in missing
    assert Entry.objects.count() == 0
    assert queries.resource(drafted.id).state == "draft"


def test_a_complete_description_is_published_signed_sent_and_recorded(published):
    assert (published.version, published.attribute, published.grade) == (1, "conditional", 3)
    entry = published.dataset[EXTENSION]
    assert [item["name"] for item in entry["items"]] == ["uscc", "company", "contact"]
    assert [item["attribute"] for item in entry["items"]] == ["conditional", "unconditional", "conditional"]
    assert entry["code"] == "102001/000001"
    sent = OutboxMessage.objects.get()
    assert (sent.peer, json.loads(bytes(sent.body))["type"]) == ("yrd", "catalogue.entry")
    recorded = AuditRecord.objects.get(kind="resource.published")
    assert (recorded.actor, recorded.detail["signed_off_by"]) == ("supervisor", "li")
    assert recorded.detail["submitted_by"] == "li"
    assert [one.id for one in finding.search("企业登记").entries] == [published.id]


SHAPES = """
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix dcat: <http://www.w3.org/ns/dcat#> .
<urn:example:Shape> a sh:NodeShape ; sh:targetClass dcat:Dataset ;
    sh:property [ sh:path dcat:contactPoint ; sh:minCount 1 ; sh:message "somebody to ask" ] .
"""


@pytest.fixture
def dcat_shapes(tmp_path):
    """The operator sets shapes of the region's own."""
    before = (HOME / FILE_NAME).read_text(encoding="utf-8")
    file = tmp_path / "shapes.ttl"
    file.write_text(SHAPES, encoding="utf-8")
    change(HOME / FILE_NAME, dcat_shapes=str(file))
    yield file
    (HOME / FILE_NAME).write_text(before, encoding="utf-8")


def test_dcat_ap_3_0_1_shape_violated_the_entry_is_not_published(people, described, dcat_shapes):
    with pytest.raises(rules.PublishRefused, match="somebody to ask") as refused:
        publish(people["head"], described.id)
    (finding,) = refused.value.problem()["findings"]
    assert finding["code"] == "shape_violated"
    assert described.id in finding["focus"]
    assert finding["path"] == "http://www.w3.org/ns/dcat#contactPoint"
    assert Entry.objects.count() == 0
    assert queries.resource(described.id).state == "draft"


def test_the_official_shapes_of_dcat_ap_let_a_complete_description_pass(people, described, dcat_shapes, real_data):
    official = real_data / "conformance" / "dcat-ap" / "dcat-ap-3.0.1-SHACL.ttl"
    dcat_shapes.write_bytes(official.read_bytes())
    assert publish(people["head"], described.id).version == 1


@pytest.mark.parametrize("content", [b"", b"<not turtle", b"\xff\xfe", b"<urn:a> <urn:b> <urn:c> ."])
def test_shapes_that_are_none_stop_publication_and_say_so(people, described, dcat_shapes, content):
    dcat_shapes.write_bytes(content)
    with pytest.raises(BadSetting, match="dcat_shapes"):
        publish(people["head"], described.id)
    dcat_shapes.unlink()
    with pytest.raises(BadSetting, match="dcat_shapes"):
        publish(people["head"], described.id)
    assert Entry.objects.count() == 0


def test_a_withdrawal_is_signed_at_its_own_moment(people, published):
    withdrawn = actions.withdraw(people["officer"], published.id)
    assert withdrawn.published_at > published.published_at


def test_a_refresh_prepares_lookups_and_the_replaced_snapshot_goes_once_it_has_settled(people, published, csv_file):
    first, folder = Source.objects.get(), current().snapshots_folder
    assert len(list(folder.glob(f"{Path(first.snapshot).stem}*.key.arrow"))) == 1  # by uscc, since publication
    actions.refresh_source(people["officer"], first.id)
    second = Source.objects.get()
    assert len(list(folder.glob(f"{Path(second.snapshot).stem}*.key.arrow"))) == 1
    sources.sweep_snapshots()
    assert (folder / first.snapshot).exists()
    os.utime(folder / second.snapshot, (time.time() - SETTLES_S,) * 2)
    sources.sweep_snapshots()
    assert {one.name for one in folder.glob(f"{first.id}*.parquet")} == {second.snapshot}


def test_an_index_that_cannot_be_built_does_not_keep_an_entry_from_being_published(
    people, described, monkeypatch, caplog
):
    def fails(*_arguments, **_options):
        raise SourceFailed

    monkeypatch.setattr(sources, "open_source", fails)
    assert publish(people["head"], described.id).version == 1
    assert "source_failed" in caplog.text


def test_nothing_published_holds_the_location(published, csv_file):
    everything = json.dumps(published.dataset) + json.dumps(list(AuditRecord.objects.values_list("detail", flat=True)))
    assert "companies" not in everything.lower().replace("registered companies", "")
    assert str(csv_file.parent) not in everything


def test_an_officer_publishes_only_what_the_head_signed_off(people, described):
    with pytest.raises(rules.PublishRefused, match="signed off"):
        publish(people["officer"], described.id)
    actions.sign_off(people["head"], described.id)
    assert publish(people["officer"], described.id).version == 1


def test_d809_12_no_officer_writes_the_sign_off_into_the_description(people, described):
    for by in (people["officer"], people["head"]):
        with pytest.raises(fields.UnknownField, match="secrecy_checked_by"):
            actions.describe(by, described.id, {"secrecy_checked_by": "li"})
    assert "secrecy_checked_by" not in description_file.document(described, queries.items_of(described))
    assert queries.resource(described.id).secrecy_checked_by == ""


def test_a_change_of_what_was_assessed_voids_the_sign_off_and_a_title_does_not(people, described):
    officer, head = people["officer"], people["head"]
    actions.sign_off(head, described.id)
    assert actions.describe(officer, described.id, {"title_en": "Companies"}).secrecy_checked_by == "li"
    assert actions.describe(officer, described.id, items=list(reversed(ITEMS))).secrecy_checked_by == "li"
    assert actions.describe(officer, described.id, items=ITEMS[:2]).secrecy_checked_by == ""
    actions.sign_off(head, described.id)
    assert actions.describe(officer, described.id, {"attribute": "unconditional"}).secrecy_checked_by == ""


def test_a_change_is_seen_by_others_only_when_published_again(people, published):
    actions.describe(people["officer"], published.id, {"title_zh": "企业登记信息（新）"})
    assert queries.entry(published.id).title_zh == "企业登记信息"
    assert Resource.objects.get().changed_at is not None
    again = publish(people["head"], published.id)
    assert (again.version, again.title_zh) == (2, "企业登记信息（新）")
    assert Resource.objects.get().changed_at is None
    assert again.dataset[EXTENSION]["code"] == "102001/000001"


def test_a_withdrawn_entry_leaves_the_catalogue_and_is_not_changed_any_more(people, published):
    withdrawn = actions.withdraw(people["officer"], published.id)
    assert (withdrawn.state, withdrawn.version, finding.search("企业").total) == ("withdrawn", 2, 0)
    with pytest.raises(rules.AlreadyWithdrawn):
        actions.withdraw(people["officer"], published.id)
    with pytest.raises(WrongState):
        actions.describe(people["officer"], published.id, {"title_zh": "x"})
    assert OutboxMessage.objects.count() == 2


def test_a_draft_cannot_be_withdrawn(people, drafted):
    with pytest.raises(WrongState):
        actions.withdraw(people["officer"], drafted.id)


def test_a_source_that_is_gone_stops_publication(people, described):
    snapshot = current().snapshots_folder / Source.objects.get().snapshot
    snapshot.unlink()
    with pytest.raises(rules.PublishRefused) as refused:
        publish(people["head"], described.id)
    assert refused.value.problem()["missing"] == ["source"]
    assert Source.objects.get().check_ok is False


def test_cat_2_item_not_in_source_stops_publication(people, registered, described, csv_file):
    write_companies(csv_file, "uscc,company,telephone,registered,capital")
    actions.refresh_source(people["officer"], registered.id)
    with pytest.raises(rules.PublishRefused, match="contact") as refused:
        publish(people["head"], described.id)
    assert [one.code for one in refused.value.findings] == ["item_not_in_source"]


def test_a_resource_without_a_source_is_not_published(people, described):
    Resource.objects.update(source=None)
    with pytest.raises(rules.PublishRefused) as refused:
        publish(people["head"], described.id)
    assert refused.value.problem()["missing"] == ["source"]


@pytest.mark.parametrize(
    ("verb", "who", "refusal"),
    [
        (actions.draft_resource, "other", OtherDepartment),
        (actions.draft_resource, "auditor", NotAllowed),
        (actions.refresh_source, "other", OtherDepartment),
        (actions.describe, "other", OtherDepartment),
        (actions.describe, "auditor", NotAllowed),
        (actions.sign_off, "officer", NotAllowed),
        (actions.submit, "other", OtherDepartment),
        (actions.submit, "steward", NotAllowed),
        (actions.withdraw, "other", OtherDepartment),
    ],
)
def test_others_may_not(people, registered, described, verb, who, refusal):
    what = registered.id if verb in (actions.draft_resource, actions.refresh_source) else described.id
    with pytest.raises(refusal):
        verb(people[who], what)


@pytest.mark.parametrize("wrong", ["", "x", "../..", "' OR 1=1 --", "\x00", "a" * 5000])
def test_an_unknown_id_is_not_found(people, wrong):
    for verb in (actions.describe, actions.submit, actions.withdraw, actions.draft_resource):
        with pytest.raises(NotFound):
            verb(people["officer"], wrong)


@pytest.mark.parametrize(
    ("fields", "items"),
    [
        ({"title_zh": "机密名单"}, None),
        ({"summary_zh": "含工作秘密"}, None),
        ({"keywords": ["绝密"]}, None),
        ({}, [{"name": "uscc", "secret": True}]),
        ({}, [{"name": "uscc", "title_zh": "机密编号"}]),
        ({}, [{"name": "uscc", "note": "秘密级"}]),
    ],
)
def test_secrets_are_refused_before_anything_is_stored(people, drafted, fields, items):
    records = AuditRecord.objects.count()
    with pytest.raises((SecretRefused, SecretItem)):
        actions.describe(people["officer"], drafted.id, {"title_en": "x"} | fields, items)
    stored = queries.resource(drafted.id)
    assert (stored.title_zh, stored.title_en, AuditRecord.objects.count()) == ("企业登记", "", records)
    assert not Item.objects.filter(secret=True).exists()


@pytest.mark.parametrize(("name", "file", "header"), [
    ("机密企业", "companies.csv", "uscc,company,contact,registered,capital"),
    ("企业", "机密.csv", "uscc,company,contact,registered,capital"),
    ("企业", "companies.csv", "uscc,company,contact,registered,工作秘密事项"),
])  # fmt: skip
def test_a_labelled_upload_leaves_nothing_behind(people, tmp_path, name, file, header):
    before = set(current().snapshots_folder.glob("*"))
    location = str(write_companies(tmp_path / file, header))
    with pytest.raises(SecretRefused):
        actions.register_source(people["officer"], name=name, kind="csv", location=location)
    assert Source.objects.count() == 0
    assert set(current().snapshots_folder.glob("*")) == before


@pytest.mark.parametrize(
    ("given", "refusal"),
    [
        ({"location": "/nowhere/at/all.csv"}, SourceRefused),
        ({"location": str(HOME / "keys" / "seal.key")}, SourceRefused),
        ({"location": "relative.csv"}, SourceRefused),
        ({"location": "/etc/passwd"}, SourceRefused),
        ({"location": "a\x00b"}, WrongText),
        ({"location": "/" + "a" * 3000}, TextTooLong),
        ({"kind": "oracle"}, Refused),
        ({"name": ""}, WrongText),
        ({"name": "n" * 201}, TextTooLong),
        ({"table": "t\nx"}, WrongText),
        ({"department_code": HEALTH}, OtherDepartment),
    ],
)
def test_a_wrong_source_is_refused_and_nothing_is_kept(people, csv_file, given, refusal):
    with pytest.raises(refusal) as refused:
        actions.register_source(
            people["officer"], **({"name": "企业", "kind": "csv", "location": str(csv_file)} | given)
        )
    assert 400 <= refused.value.status < 500
    assert Source.objects.count() == 0


@pytest.mark.parametrize(
    ("items", "refusal"),
    [
        ([{"name": "nobody"}], WrongText),
        ([{"name": "uscc"}, {"name": "uscc"}], WrongText),
        ([{"title_zh": "x"}], WrongText),
        (["uscc"], WrongText),
        ([{"name": "uscc", "type": "date"}], WrongText),
        ([{"name": "capital", "mask": {"action": "name"}}], BadMask),
        ([{"name": "uscc"}] * 2001, WrongText),
    ],
)
def test_wrong_items_are_refused_and_the_old_ones_stay(people, drafted, items, refusal):
    with pytest.raises(Refused) as refused:
        actions.describe(people["officer"], drafted.id, {}, items)
    assert refused.value.status == 400
    assert drafted.items.count() == 5


def test_words_of_sql_are_only_words(people, described):
    words = "'); DROP TABLE resource; -- \" OR 1=1 /* */ % _ \\ {0} {{ x }} <script>"
    actions.describe(people["officer"], described.id, {"title_zh": words, "source_system": words})
    entry = publish(people["head"], described.id)
    assert entry.title_zh == words
    assert finding.search("drop table").total == 1


def test_a_steward_registers_for_any_department_it_names(people, csv_file):
    given = {"name": "企业", "kind": "csv", "location": str(csv_file)}
    assert actions.register_source(people["steward"], department_code=HEALTH, **given).department == HEALTH
    with pytest.raises(Refused, match="department"):
        actions.register_source(people["steward"], **given)


def test_catalogue_codes_run_on(people, registered, published):
    second = actions.draft_resource(people["officer"], registered.id)
    actions.describe(people["officer"], second.id, COMPLETE, ITEMS)
    assert publish(people["head"], second.id).dataset[EXTENSION]["code"] == "102001/000002"


def run(command, *arguments, stdin=None):
    """The command as a shell would run it; a refusal is printed by the program's own edge, so it is raised here."""
    done = CliRunner().invoke(command, [str(one) for one in arguments], input=stdin, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize("form", ["toml", "json"])
def test_the_whole_way_by_command_line(region, csv_file, tmp_path, form):
    run(department_cli, "add", HOME, MARKET, "市场监督管理局", "--name-en", "Market Regulation")
    generated = run(account_cli, "add", HOME, "wang", "--role", "officer", "--department", MARKET, "--generate")
    assert len(generated.split("password: ")[1].strip()) >= 20
    run(
        account_cli,
        "add",
        HOME,
        "li",
        "--role",
        "head",
        "--department",
        MARKET,
        "--password-stdin",
        stdin="pass phrase!\n",
    )
    run(account_cli, "add", HOME, "qian", "--role", "auditor", stdin="pass phrase!\npass phrase!\n")
    run(account_cli, "add", HOME, "zhou", "--role", "supervisor", stdin="pass phrase!\npass phrase!\n")
    known = [one["username"] for one in json.loads(run(account_cli, "list", HOME, "--json"))]
    assert known == ["li", "qian", "wang", "zhou"]
    made = run(source_cli, "add", HOME, csv_file, "--name", "企业登记", "--as", "wang")
    source_id = made.split()[1].rstrip(":")
    assert "40 rows" in made
    file = tmp_path / f"description.{form}"
    resource_id = run(resource_cli, "draft", HOME, source_id, "--out", file, "--as", "wang").split()[1].rstrip(":")
    edited = file.read_text(encoding="utf-8").replace('"企业登记"', '"企业登记信息"')
    if form == "toml":
        assert "# 更新频率 / update cycle (required)" in edited
        edited = edited.replace('update_cycle = ""', 'update_cycle = "3"')
    else:
        edited = edited.replace('"update_cycle": ""', '"update_cycle": "3"')
    file.write_text(edited, encoding="utf-8")
    run(resource_cli, "describe", HOME, resource_id, "--file", file, "--as", "wang")
    pairs = {name: ",".join(value) if isinstance(value, list) else value for name, value in COMPLETE.items()}
    sets = [part for name, value in pairs.items() for part in ("--set", f"{name}={value}")]
    run(resource_cli, "describe", HOME, resource_id, *sets, "--as", "wang")
    shown = json.loads(run(resource_cli, "show", HOME, resource_id, "--json"))
    assert (shown["update_cycle"], shown["title_zh"], len(shown["items"])) == ("3", "企业登记信息", 5)
    assert any("title in Chinese" in sentence for sentence in shown["missing"])
    shown["items"] = [item | {"title_zh": item["title_zh"] or item["name"]} for item in shown["items"]]
    whole = {name: value for name, value in shown.items() if name not in ("id", "state", "version", "missing")}
    (tmp_path / "whole.json").write_text(json.dumps(whole), encoding="utf-8")
    run(resource_cli, "describe", HOME, resource_id, "--file", tmp_path / "whole.json", "--as", "wang")
    run(resource_cli, "sign-off", HOME, resource_id, "--as", "li")
    submission = run(resource_cli, "submit", HOME, resource_id, "--as", "wang").split()[1].rstrip(":")
    assert submission in run(resource_cli, "submissions", HOME)
    sent_back = ("--return", "摘要过短", "--point", "summary_zh=请写明数据来源", "--point", "整体请复核")
    assert "2 points" in run(resource_cli, "review", HOME, submission, *sent_back, "--as", "zhou")
    again = run(resource_cli, "submit", HOME, resource_id, "--as", "wang").split()[1].rstrip(":")
    assert "taken back" in run(resource_cli, "take-back", HOME, resource_id, "--as", "wang")
    again = run(resource_cli, "submit", HOME, resource_id, "--as", "wang").split()[1].rstrip(":")
    assert "version 1 was published" in run(resource_cli, "review", HOME, again, "--as", "zhou")
    assert "1 found" in run(search_cli, HOME, "companies")
    assert json.loads(run(search_cli, HOME, "企业", "--json"))[0]["id"] == resource_id
    assert "withdrawn" in run(resource_cli, "withdraw", HOME, resource_id, "--as", "wang")
    issued = json.loads(run(resource_cli, "versions", HOME, resource_id, "--json"))
    assert [(one["version"], one["state"]) for one in issued] == [(2, "withdrawn"), (1, "published")]
    assert run(resource_cli, "diff", HOME, resource_id, 1, 2) == ""


def test_a_broken_description_file_is_refused(people, drafted, tmp_path):
    from hutong.control.catalogue import description_file

    for name, content in [("a.toml", b"title = ["), ("a.json", b"{"), ("b.json", b"[1]"), ("c.toml", b"\xff\xfe")]:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(Refused):
            description_file.read(tmp_path / name)
    (tmp_path / "deep.json").write_text("[" * 100_000, encoding="utf-8")
    (tmp_path / "large.json").write_bytes(b" " * (description_file.LARGEST_FILE + 1))
    for name in ("deep.json", "large.json", "none.json"):
        with pytest.raises(Refused):
            description_file.read(tmp_path / name)


def test_real_companies_are_drafted_and_published(real_data, people, tmp_path):
    # The first rows of the real register, dirt included.
    with lzma.open(real_data / "entities" / "yrd_enterprises_1978_2004.csv.xz", "rt", encoding="utf-8") as lines:
        head = [next(lines) for _ in range(2000)]
    file = tmp_path / "real.csv"
    file.write_text("".join(head), encoding="utf-8")
    source = actions.register_source(people["officer"], name="企业名录", kind="csv", location=str(file))
    drafted = actions.draft_resource(people["officer"], source.id)
    items = {item.name: item for item in queries.items_of(drafted)}
    assert items["uscc"].element == "uscc"
    titled = [{"name": name, "title_zh": item.title_zh or name} for name, item in items.items()]
    actions.describe(people["officer"], drafted.id, COMPLETE, titled)
    assert publish(people["head"], drafted.id).dataset[EXTENSION]["row_count"] == source.row_count


@pytest.mark.parametrize(
    ("gap", "missing"),
    [
        ({"update_cycle": ""}, ["update_cycle"]),
        ({"conditions": "", "permitted_purposes": []}, ["conditions", "permitted_purposes"]),
        ({"attribute": "refused", "conditions": "", "permitted_purposes": []}, ["legal_citation", "attribute"]),
    ],
)
def test_catalog_publish_gate_names_each_missing_field(people, described, gap, missing):
    """Domain row "Catalog publish gate": refused with each missing field, and without an attached resource as well."""
    actions.describe(people["officer"], described.id, gap)
    actions.sign_off(people["head"], described.id)
    Resource.objects.update(source=None)
    with pytest.raises(rules.PublishRefused) as refused:
        actions.submit(people["officer"], described.id)
    assert refused.value.problem()["missing"] == [*missing, "source"]
    assert queries.open_submission(described) is None


@pytest.mark.parametrize("label", ["机密", "工作秘密"])
def test_secrecy_gate_refuses_before_storage(people, drafted, tmp_path, label):
    """Domain row "Secrecy gate": a labelled upload, or an item flagged secret, never reaches the disk."""
    before = (set(current().snapshots_folder.glob("*")), Source.objects.count(), AuditRecord.objects.count())
    upload = str(write_companies(tmp_path / f"{label}名单.csv"))
    with pytest.raises(SecretRefused):
        actions.register_source(people["officer"], name="企业", kind="csv", location=upload)
    with pytest.raises(SecretItem):
        actions.describe(people["officer"], drafted.id, {}, [{"name": "uscc", "secret": True}])
    after = (set(current().snapshots_folder.glob("*")), Source.objects.count(), AuditRecord.objects.count())
    assert after == before
