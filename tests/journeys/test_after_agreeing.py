"""After the agreement, over real nodes by command line: 校核 to every subscriber; misuse, put right; ended.

And on the same nodes the other two ways to share: into the region's node, and to an area by one act.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Browser, expect

import hutong
from hutong.vocabulary.ids import uuid_of
from tests.journeys.after_agreeing import ANHUI, FOUND, NANJING, PROVIDER, SUZHOU, ZHEJIANG, After, after, one
from tests.journeys.first_exchange import DESK, KEEPER, PURPOSE
from tests.journeys.people import PASSWORD, as_person
from tests.nodes import CommandFailed, until
from tests.pair import query

# How long to look for what must come about by itself: four nodes may share two cores with other tests.
expect.set_options(timeout=30_000)
WRONG = ("--key", "uscc", "--value-file", "-", "--fault", "wrong_value", "--evidence", "营业执照复印件", "--as", "wang")


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[After]:
    with after(tmp_path_factory.mktemp("corrections")) as made:
        yield made


def reported(three: After, uscc: str, items: str = "name") -> dict[str, Any]:
    """Anhui reports a record; returns the report as Jiangsu has it, read from the source."""
    agreement = three.agreements[ANHUI]
    said = three.at(ANHUI, "correction", "report", agreement, "--items", items, *WRONG, given=uscc)
    ticket = said.partition("(ticket ")[2].partition(")")[0]
    return one(lambda: three.json(PROVIDER, "correction", "list"), "the report", ticket=ticket, looked=True)


def test_jiaohe_a_wrong_record_is_verified_within_ten_days_and_the_fix_reaches_all_subscribers_old_to_new(
    three: After,
) -> None:
    assert [row["name"] for row in three.read(ANHUI, NANJING)] == ["长江一号"]
    assert [row["name"] for row in three.read(ZHEJIANG, NANJING)] == ["长江一号"]
    report = reported(three, NANJING)
    number = str(report["number"])
    (clock,) = query(three.region[PROVIDER], "SELECT * FROM clock WHERE rule LIKE 'D809-26%'")
    assert (clock["rule"], clock["days"]) == ("D809-26/correction_late", 10)
    assert (report["state"], report["due"]) == ("reported", clock["due_on"] or "")
    with pytest.raises(CommandFailed, match="same values"):
        three.at(PROVIDER, "correction", "corrected", number, "--as", "wang")
    three.change(f"UPDATE company SET name = '长江壹号' WHERE uscc = '{NANJING}'")
    assert "2 subscribers" in three.at(PROVIDER, "correction", "corrected", number, "--as", "wang")

    heard = {
        where: one(lambda where=where: three.json(where, "correction", "heard"), "the fix", ticket=report["ticket"])
        for where in (ANHUI, ZHEJIANG)
    }
    three.at(ZHEJIANG, "correction", "acknowledge", str(heard[ZHEJIANG]["number"]), "--as", "wang")
    assert [row["name"] for row in three.read(ZHEJIANG, NANJING)] == ["长江壹号"]

    def trace(where: str) -> dict[str, Any]:
        mine = one(lambda: three.json(where, "correction", "list"), "the report", ticket=report["ticket"])
        return three.json(where, "correction", "show", str(mine["number"]))

    states = [{"node": ZHEJIANG, "state": "acknowledged"}, {"node": ANHUI, "state": "told"}]
    for where in (PROVIDER, ANHUI):

        def told(where: str = where) -> bool:
            return [{k: one[k] for k in ("node", "state")} for one in trace(where)["subscribers"]] == states

        until(told, what=f"each subscriber's state at {where}")
    there, here = trace(PROVIDER), trace(ANHUI)
    assert here["state"] == there["state"] == "corrected"
    assert here["changes"] == there["changes"] == heard[ANHUI]["changes"] == heard[ZHEJIANG]["changes"]
    (change,) = here["changes"]
    assert change["item"] == "name"
    assert change["old"] == there["before"]["name"] != change["new"]
    assert here["report"] == there["report"]
    assert here["answer"] == there["answer"] == heard[ZHEJIANG]["answer"]


def test_a_subscriber_whose_grant_does_not_cover_the_record_hears_nothing_of_it(three: After) -> None:
    three.read(ANHUI, SUZHOU)
    report = reported(three, SUZHOU)
    three.change(f"UPDATE company SET name = '太湖贰号' WHERE uscc = '{SUZHOU}'")
    assert "1 subscribers" in three.at(PROVIDER, "correction", "corrected", str(report["number"]), "--as", "wang")
    one(lambda: three.json(ANHUI, "correction", "heard"), "the fix", ticket=report["ticket"])
    assert report["ticket"] not in [row["ticket"] for row in three.json(ZHEJIANG, "correction", "heard")]


def test_a_record_that_leaves_a_grants_rows_by_its_correction_is_told_to_whoever_read_it_before(three: After) -> None:
    three.read(ZHEJIANG, NANJING)
    report = reported(three, NANJING, "name,city")
    three.change(f"UPDATE company SET name = '运河一号', city = '扬州' WHERE uscc = '{NANJING}'")
    three.at(PROVIDER, "correction", "corrected", str(report["number"]), "--as", "wang")
    heard = one(lambda: three.json(ZHEJIANG, "correction", "heard"), "the fix", ticket=report["ticket"])
    # Of what Zhejiang's agreement does not give, it hears nothing: not even that it changed.
    assert [change["item"] for change in heard["changes"]] == heard["items"] == ["name"]
    three.change(f"UPDATE company SET city = '南京' WHERE uscc = '{NANJING}'")


def test_not_wrong_and_forwarded_are_answers_with_a_reason(three: After) -> None:
    for answer, state in ((("not-wrong",), "not_wrong"), (("forward", "--to", "江苏省税务局"), "forwarded")):
        report = reported(three, SUZHOU)
        word, *more = answer
        reason = ("--reason", "与档案一致", "--as", "wang")
        three.at(PROVIDER, "correction", word, str(report["number"]), *more, *reason)
        one(lambda: three.json(ANHUI, "correction", "list"), "the answer", ticket=report["ticket"], state=state)


def test_an_application_reports_with_the_key_it_reads_by(three: After) -> None:
    with hutong.connect(three.region[ANHUI].base_url, three.keys[ANHUI], progress=False) as node:
        wrong = {"items": ["name"], "key": ("uscc", SUZHOU), "fault": "out_of_date", "evidence": "营业执照"}
        made = node.report(three.agreements[ANHUI], **wrong)
        report = one(lambda: three.json(PROVIDER, "correction", "list"), "the report", ticket=made["ticket"])
        three.at(PROVIDER, "correction", "not-wrong", str(report["number"]), "--reason", "与档案一致", "--as", "wang")
        until(lambda: node.correction(made["ticket"])["state"] == "not_wrong", what="the answer")
        with pytest.raises(hutong.RefusedByNode) as refused:
            node.report(three.agreements[ANHUI], **wrong | {"items": ["capital"]})
    assert (refused.value.code, refused.value.rule) == ("report_outside_agreement", "D809-26")


def test_the_key_and_the_evidence_stand_nowhere_in_clear(three: After) -> None:
    reported(three, SUZHOU)
    tables = ("audit_record", "ledger_entry", "outbox_message", "inbox_message", "correction", "notice", "decision")
    for where in (PROVIDER, ANHUI, ZHEJIANG):
        node = three.region[where]
        assert SUZHOU not in node.log
        for table in tables:
            values = [value for row in query(node, f"SELECT * FROM {table}") for value in row.values()]
            held = b" ".join(one if isinstance(one, bytes) else str(one).encode() for one in values)
            assert SUZHOU.encode() not in held, table
            assert "营业执照".encode() not in held, table


def test_an_officer_reports_in_the_browser_another_answers_and_the_reader_acknowledges(
    three: After, browser: Browser
) -> None:
    three.read(ANHUI, SUZHOU)
    reader = as_person(browser, three.region[ANHUI], "wang")
    bare = uuid_of(three.agreements[ANHUI])
    reader.goto(f"{three.region[ANHUI].base_url}/agreements/{bare}/")
    reader.get_by_role("link", name="Report a wrong record").click()
    reader.get_by_role("button", name="Seal and report").click()
    expect(reader.get_by_role("alert")).to_contain_text("fields need attention")
    reader.get_by_role("checkbox", name="name").check()
    reader.get_by_label("Which item tells records apart").select_option("uscc")
    reader.get_by_label("Its value").fill(SUZHOU)
    reader.get_by_label("In which way").select_option("out_of_date")
    reader.get_by_label("Evidence").fill("变更登记通知书")
    reader.get_by_role("button", name="Seal and report").click()
    expect(reader.get_by_role("status").first).to_contain_text("ten working days")
    ticket = reader.locator("dl.facts div").filter(has_text="Ticket").locator("code").inner_text()
    report = one(lambda: three.json(PROVIDER, "correction", "list"), "the report", ticket=ticket, looked=True)

    provider = as_person(browser, three.region[PROVIDER], "wang")
    provider.goto(f"{three.region[PROVIDER].base_url}/corrections/{report['number']}/")
    expect(provider.locator("main")).to_contain_text("变更登记通知书")
    provider.get_by_role("button", name="It is corrected").click()
    expect(provider.get_by_role("alert")).to_contain_text("correction_unchanged")
    three.change(f"UPDATE company SET name = '太湖二号（更名）' WHERE uscc = '{SUZHOU}'")
    provider.get_by_role("button", name="It is corrected").click()
    expect(provider.get_by_role("heading", name="From old to new")).to_be_visible()

    heard = one(lambda: three.json(ANHUI, "correction", "heard"), "the fix", ticket=ticket)
    reader.goto(f"{three.region[ANHUI].base_url}/corrections/heard/{heard['number']}/")
    reader.get_by_role("button", name="Our copies are right now").click()
    expect(reader.get_by_role("status").first).to_contain_text("Acknowledged")

    def acknowledged() -> bool:
        shown = three.json(PROVIDER, "correction", "show", str(report["number"]))
        return [row["state"] for row in shown["subscribers"]] == ["acknowledged"]

    until(acknowledged, what="the acknowledgement")
    provider.reload()
    expect(provider.get_by_role("row", name="Anhui")).to_contain_text("acknowledged")
    for person in (reader, provider):
        person.context.close()


def test_misuse_the_supervisor_suspends_calls_fail_at_once_and_only_a_rectification_record_lets_them_go_on(
    three: After, tmp_path: Path
) -> None:
    agreement, why = three.agreements[ANHUI], ("--reason", "超出约定用途", "--as", "chen")
    assert three.read(ANHUI, NANJING)
    three.at(PROVIDER, "agreement", "suspend", agreement, *why)
    with pytest.raises(hutong.RefusedByNode) as refused:
        three.read(ANHUI, NANJING)
    assert (refused.value.code, refused.value.rule) == ("grant_suspended", "D809-27")
    assert three.read(ZHEJIANG, NANJING)  # its agreement is another
    with pytest.raises(CommandFailed, match="no rectification has been filed"):
        three.at(PROVIDER, "agreement", "resume", agreement, *why)
    suspension = one(lambda: three.json(ANHUI, "agreement", "papers"), "the suspension", kind="suspension")
    assert suspension["content"] == {"cause": "misuse", "reason": "超出约定用途"}
    evidence = tmp_path / "整改报告.txt"
    evidence.write_text("已停用越权查询", encoding="utf-8")
    given = ("--done", "已停用越权查询", "--by", "科长李某", "--evidence", str(evidence), "--as", "wang")
    three.at(ANHUI, "agreement", "rectify", agreement, *given)
    paper = one(lambda: three.json(PROVIDER, "agreement", "papers"), "the rectification", kind="rectification")
    assert paper["digest"] == one(lambda: three.json(ANHUI, "agreement", "papers"), "ours", id=paper["id"])["digest"]
    three.at(PROVIDER, "agreement", "resume", agreement, "--reason", "已整改", "--as", "chen")
    assert three.read(ANHUI, NANJING)
    one(lambda: three.json(ANHUI, "agreement", "papers"), "the end of it", id=suspension["id"], state="lifted")


def test_use_incidents_and_announced_stops_are_filed_by_command_and_reach_the_other_side(three: After) -> None:
    agreement, papers = three.agreements[ANHUI], ("agreement", "papers")
    told = ("--year", "2026", "--scenario", "开办核验", "--process", "逐件核验", "--effect", "减少材料两份")
    three.at(ANHUI, "use", "record", agreement, *told, "--storage", "不落库", "--destruction", "无副本", "--as", "wang")
    one(lambda: three.json(PROVIDER, *papers), "the record of use", kind="use", agreement=agreement)
    (line,) = three.json(PROVIDER, "use", "report", "--agreement", agreement)
    assert [content["effect"] for content in line["told"]] == ["减少材料两份"]
    assert line["calls"] >= 1

    what = ("--what", "接口密钥外泄", "--found-on", "2026-11-20", "--affected", "查询日志", "--measures", "已吊销密钥")
    three.at(ANHUI, "agreement", "incident", agreement, *what, "--as", "wang")
    one(lambda: three.json(PROVIDER, *papers), "the incident", kind="incident", author="consumer")

    why = ("--reason", "系统下线", "--as", "wang")
    with pytest.raises(CommandFailed, match="may not be stopped without a notice"):
        three.at(PROVIDER, "agreement", "end", agreement, *why)
    with pytest.raises(CommandFailed, match="2 agreements rest on this service"):
        three.at(PROVIDER, "resource", "withdraw", three.resource, "--as", "wang")
    starts = (date.today() + timedelta(days=40)).isoformat()
    said = three.at(PROVIDER, "agreement", "announce-stop", three.resource, "--from", starts, *why)
    assert "told to 2 consumers" in said
    notice = one(lambda: three.json(ZHEJIANG, *papers), "the notice", kind="stop")
    assert notice["content"]["starts_on"] == starts
    with pytest.raises(CommandFailed, match="kept 36 months"):
        three.at(PROVIDER, "use", "purge", "--before", (date.today() + timedelta(days=1)).isoformat())


def test_an_ended_agreements_data_is_disposed_of_and_the_provider_accepts_the_proof(
    three: After, tmp_path: Path
) -> None:
    agreement, evidence = three.agreements[ZHEJIANG], tmp_path / "销毁记录.txt"
    evidence.write_text("多次覆写", encoding="utf-8")
    given = ("--copies", "业务库一份", "--how", "多次覆写", "--on", "2026-11-23", "--by", "管理员", "--as", "wang")
    dispose = ("agreement", "dispose", agreement, "--evidence", str(evidence), *given)
    with pytest.raises(CommandFailed, match="still in force"):
        three.at(ZHEJIANG, *dispose)
    three.at(ZHEJIANG, "agreement", "end", agreement, "--reason", "用途已实现", "--as", "wang")
    three.at(ZHEJIANG, *dispose)
    paper = one(lambda: three.json(PROVIDER, "agreement", "papers"), "the proof", kind="disposal")
    three.at(PROVIDER, "agreement", "accept", paper["id"], "--as", "wang")
    one(lambda: three.json(ZHEJIANG, "agreement", "papers"), "the answer", id=paper["id"], state="accepted")
    for where in (PROVIDER, ZHEJIANG):
        told = [step["kind"] for step in three.json(where, "agreement", "show", agreement)["timeline"]]
        steps = [kind for kind in told if not kind.startswith("clock.")]
        assert steps[-3:] == ["agreement.over", "filing.disposal", "filing.disposal_accepted"]


# --- the other two ways to share ------------------------------------------------------------------------------

TAKE_UP = """
from hutong.control.identity.queries import account
from hutong.control.requests import actions
words = dict(basis="《政务数据共享条例》第二十二条", scenario="法人库", scope="本区域", purpose={purpose!r})
words |= dict(items=["uscc", "name", "city"], term_days=365, mode={mode!r})
made = actions.file(account("wang"), resource_id={resource!r}, **words)
actions.sign_off(account("zhao"), made.id)
"""


def offered(three: After, *how: str) -> str:
    """Proposed by the officer, signed by the head. returns the offering's id"""
    said = three.at(PROVIDER, "offering", "propose", three.resource, *how, "--as", "wang")
    offering = said.split()[1]
    three.at(PROVIDER, "offering", "sign", offering, "--as", "zhao")
    return offering


def take_up(three: After, where: str, offering: str, mode: str) -> None:
    def came() -> bool:
        return any((row["offering"] or {}).get("id") == offering for row in three.json(where, "request", "offers"))

    until(came, what=f"the offer at {where}")
    three.region[where].python(TAKE_UP.format(resource=three.resource, purpose=PURPOSE, mode=mode))


def stands(three: After, offering: str, where: str, state: str) -> dict[str, Any]:
    return one(lambda: three.json(PROVIDER, "offering", "show", offering)["members"], state, peer=where, state=state)


def test_central_a_resource_is_delivered_into_the_regions_node_and_kept_current_there(three: After) -> None:
    warehouse = three.region[KEEPER]
    warehouse.python(FOUND.format(department=DESK, name="区域数据仓库", password=PASSWORD))
    offering = offered(three, "--central", KEEPER)
    take_up(three, KEEPER, offering, "batch")
    agreement = stands(three, offering, KEEPER, "agreed")["agreement"]
    flow = one(lambda: three.json(KEEPER, "return", "list")["returns"], "the flow", agreement_id=agreement)

    def batch(number: int) -> list[dict[str, Any]]:
        def whole() -> dict[str, Any] | None:
            found = three.json(KEEPER, "return", "show", flow["id"])["batches"]
            return next((row for row in found if (row["number"], row["state"]) == (number, "agreed")), None)

        found = until(whole, what=f"batch {number}, compared")
        assert found["rows"] == found["their_rows"] == 2
        file = warehouse.settings.data_folder / "returns" / flow["id"] / f"{number:06d}.parquet"
        return sorted(pq.read_table(file).to_pylist(), key=lambda row: str(row["uscc"]))

    first = batch(1)
    assert [row["uscc"] for row in first] == [NANJING, SUZHOU]
    three.change(f"UPDATE company SET city = '无锡' WHERE uscc = '{SUZHOU}'")
    three.at(KEEPER, "return", "fetch", flow["id"], "--as", "wang")
    assert [row["city"] for row in batch(2)] == [first[0]["city"], "无锡"]
    for where, role in ((KEEPER, "consumer"), (PROVIDER, "provider")):
        rows = query(three.region[where], f"SELECT * FROM exchange_record WHERE agreement_id = '{agreement}'")
        assert [(row["role"], row["rows"]) for row in rows][:2] == [(role, 2), (role, 2)], "a receipt on both sides"
        assert all(row["entry_digest"] for row in rows)
    with pytest.raises(CommandFailed, match="not passed on"):
        three.at(KEEPER, "return", "pass-on", flow["id"], "--as", "wang")


def test_area_one_act_reaches_every_member_and_one_that_is_down_when_it_is_back(three: After) -> None:
    three.region[ANHUI].stop()
    offering = offered(three, "--all-members", "--mode", "interface")
    take_up(three, ZHEJIANG, offering, "interface")
    stands(three, offering, ZHEJIANG, "agreed")
    stands(three, offering, ANHUI, "unreached")
    three.region[ANHUI].start()
    take_up(three, ANHUI, offering, "interface")
    there, here = (stands(three, offering, where, "agreed")["agreement"] for where in (ZHEJIANG, ANHUI))
    assert there != here
    one(lambda: three.json(ANHUI, "agreement", "list"), "delivery", id=here, state="active")
    with hutong.connect(three.region[ANHUI].base_url, three.keys[ANHUI], progress=False) as connection:
        answer = connection.read(here, key=("uscc", NANJING), purpose=PURPOSE, case="2026-9")
        assert answer.to_arrow().num_rows == 1
    three.at(PROVIDER, "offering", "withdraw", offering, "--reason", "职责调整", "--as", "zhao")
    for where in (ZHEJIANG, ANHUI):
        stands(three, offering, where, "ending")
