"""Officers, heads, stewards, supervisors and auditors of four nodes, in two languages: what decree 809 has them do.

One story: Zhejiang demands what no catalogue holds; Jiangsu catalogues it, with the region's codes for its own; its
refusal is disputed, the nation decides, Jiangsu carries it out; rows its map lacked a code for follow later. And an
area's rows return from the nation to the province, and from there to the county.
"""

from __future__ import annotations

import csv
import io
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Browser, Page, expect

import hutong
from hutong.vocabulary.errors import Refused
from tests.journeys.people import press
from tests.journeys.statute_desks import JIANGSU, JIASHAN, NATION, OFFICES, ZHEJIANG, Desks, arrives, write
from tests.logs import logged
from tests.nodes import CommandFailed, Region, until
from tests.postgres import new_database

pytestmark = pytest.mark.timeout(600)  # four nodes and their browser on a busy machine
expect.set_options(timeout=30_000)
# The province writes M and F; two offices write 男, and of one person nobody wrote the sex down.
PEOPLE = """
code | sex | band
p1   | M   | 10
p2   | F   | 20
p3   | 男  | 10
p4   | F   | 10
p5   | X   | 20
p6   | 男  | 30
p7   |     | 40
"""
RESIDENTS = """
code | name | area
1    | 甲   | 330421
2    | 乙   | 330421001000
3    | 丙   | 330421
4    | 丁   | 310118
5    | 戊   | 310118
6    | 己   | 330402
7    | 庚   | 330000
"""
WISH = {
    "what_for": "迁入登记时核验",
    "basis": "《户口登记条例》第十条",
    "scope": "户籍窗口",
    "purpose": "licensing",
    "target": JIANGSU,
}
KEY = """
import json
from hutong.exchange.keys import create_key
print(json.dumps(create_key("test", {department!r}, "窗口", days=30)))
"""

FORMS: dict[str, Callable[[bytes], list[dict[str, Any]]]] = {
    "application/json": orjson.loads,
    "text/csv": lambda content: list(csv.DictReader(io.StringIO(content.decode()))),
    "application/vnd.apache.parquet": lambda content: pq.read_table(io.BytesIO(content)).to_pylist(),
}


@pytest.fixture(scope="module")
def desks(tmp_path_factory: pytest.TempPathFactory, browser: Browser, postgres_url: str) -> Iterator[Desks]:
    def database(jurisdiction: str) -> str:
        return new_database(postgres_url, "statute") if jurisdiction == JIANGSU else ""

    with Region(tmp_path_factory.mktemp("statute"), database) as region:
        made = Desks(region, browser)
        made.furnish()
        yield made


def demanded(desks: Desks, title: str, words: str, element: str, exists: str) -> str:
    """An officer in Zhejiang files it, the head signs it off, and it lies with Jiangsu. returns its id

    exists   what the page shows of what exists already, as one types
    """
    officer = desks.at(ZHEJIANG, "officer", "/demands/new/")
    write(officer, title=title, words_0=words, element_0=element, **WISH)
    expect(officer.locator("#looked")).to_contain_text(exists)
    press(officer, "提出需求")
    expect(officer.get_by_role("status").first).to_contain_text("负责人")
    expect(officer.get_by_role("button", name="同意并发出")).to_have_attribute("aria-disabled", "true")
    demand = officer.url.rstrip("/").rpartition("/")[2]
    press(desks.at(ZHEJIANG, "head", f"/demands/{demand}/"), "同意并发出")
    supervisor = desks.at(JIANGSU, "supervisor", "/demands/")
    arrives(supervisor, title)
    return demand


@pytest.fixture(scope="module")
def led(desks: Desks) -> str:
    demand = demanded(desks, "人口性别信息", "性别", "sex", "没有相近的来源")
    supervisor = desks.at(JIANGSU, "supervisor", f"/demands/{demand}/")
    write(supervisor, lead__department=OFFICES[JIANGSU][0])
    press(supervisor, "Name it")
    return demand


def test_a_demand_finds_its_lead_source_and_its_demander_reads_so(desks: Desks, led: str) -> None:
    officer = desks.at(ZHEJIANG, "officer", f"/demands/{led}/")
    arrives(officer, "由数源部门编目并发布。")
    expect(officer.locator("main")).to_contain_text("江苏省公安厅")


def decide_standards(desks: Desks) -> None:
    """The nation's steward proposes what comes with the product; its supervisor reads an element and a table."""
    nation = desks[NATION]
    nation.hutong("standard", "load", str(nation.home), "--shipped")
    supervisor = desks.at(NATION, "supervisor", "/standards/")
    for name in ("gbt2261.1", "sex"):
        supervisor.goto(nation.base_url + "/standards/")
        supervisor.get_by_role("row").filter(has=supervisor.get_by_text(name, exact=True)).get_by_role("link").click()
        press(supervisor, "审定通过")
        expect(supervisor.get_by_role("status").first).to_contain_text("生效")
    nation.hutong("standard", "approve", str(nation.home), "--all", "--as", "supervisor")
    steward = desks.at(JIANGSU, "steward", "/standards/?kind=table")
    arrives(steward, "gbt2261.1")
    steward.goto(desks[JIANGSU].base_url + "/standards/?kind=element")
    arrives(steward, "sex")


def propose_map(steward: Page, **pairs: str) -> None:
    for code, regional in pairs.items():
        steward.get_by_label(f"Regional code for {code}", exact=True).fill(regional)
    press(steward, "Propose this version")
    expect(steward.get_by_role("status").first).to_contain_text("the supervisor approves it")
    expect(steward.get_by_role("button", name="Approve")).to_have_attribute("aria-disabled", "true")


def approve_map(desks: Desks, version: int) -> None:
    supervisor = desks.at(JIANGSU, "supervisor", "/standards/")
    supervisor.get_by_role("link", name="Sex in Jiangsu").first.click()
    press(supervisor, "Approve")
    expect(supervisor.get_by_role("status").first).to_contain_text(f"Version {version} is in force")


@pytest.fixture(scope="module")
def resource(desks: Desks, led: str) -> str:
    """What was demanded, published by its lead source in the region's codes; the demand is met by it."""
    decide_standards(desks)
    made = desks.describe(JIANGSU, PEOPLE, ("江苏人口信息", "Residents of Jiangsu"), {"sex": "sex"})
    steward = desks.at(JIANGSU, "steward", "/standards/")
    steward.get_by_role("link", name="New code map").click()
    steward.get_by_role("link", name="gbt2261.1").click()
    steward.get_by_role("link", name="Residents of Jiangsu").click()
    expect(steward.get_by_text("0 of 4 codes are covered")).to_be_visible()
    write(steward, name="js-sex", local="江苏人口库", title_zh="江苏性别代码", title_en="Sex in Jiangsu")
    steward.get_by_role("checkbox", name="Residents of Jiangsu").check()
    steward.get_by_label("Regional code for 男", exact=True).fill("")  # proposed by its name, and not agreed to yet
    propose_map(steward, M="1", F="2")
    approve_map(desks, 1)
    desks.publish(JIANGSU, made)
    officer = desks.at(JIANGSU, "officer", f"/demands/{led}/")
    write(officer, fulfil__resource_id=made)
    press(officer, "Meet the demand")
    expect(officer.locator(".room__head")).to_contain_text("met")
    return made


def test_a_demand_ends_as_a_resource_and_each_step_is_recorded_once_at_each_node(
    desks: Desks, led: str, resource: str
) -> None:
    officer = desks.at(ZHEJIANG, "officer", f"/demands/{led}/")
    arrives(officer, "江苏人口信息")
    ours = [one["kind"] for one in desks.say(ZHEJIANG, "demand", "show", led)["timeline"]]
    assert ours.count("demand.told") == 3
    theirs = [one["kind"] for one in desks.say(JIANGSU, "demand", "show", led)["timeline"]]
    assert [theirs.count(f"demand.{kind}") for kind in ("received", "lead_named", "fulfilled")] == [1, 1, 1]
    steward = desks.at(JIANGSU, "steward", "/lists/duty/")
    press(steward, "Publish as it stands")
    expect(steward.locator("main")).to_contain_text("人口性别信息")

    def listed() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = desks.say(ZHEJIANG, "duties", "list", "--of", JIANGSU)
        return found

    assert [(one["lead"], one["resource_id"]) for one in until(listed, what="the list")] == [(True, resource)]


def test_a_demand_that_law_forbids_ends_with_its_provision_before_its_demander(desks: Desks, resource: str) -> None:
    assert resource
    demand = demanded(desks, "涉密地理信息", "坐标", "", "已登记为数源")
    supervisor = desks.at(JIANGSU, "supervisor", f"/demands/{demand}/")
    supervisor.get_by_role("heading", name="End it without a resource").click()
    press(supervisor, "Refuse")
    expect(supervisor.get_by_role("alert")).to_contain_text("fields need attention")
    write(supervisor, refuse__code="secret", refuse__citation="《保守国家秘密法》第十三条", refuse__reason="属国家秘密")
    press(supervisor, "Refuse")
    officer = desks.at(ZHEJIANG, "officer", f"/demands/{demand}/")
    arrives(officer, "《保守国家秘密法》第十三条")
    expect(officer.locator("main")).to_contain_text("涉及国家秘密或工作秘密")


@pytest.fixture(scope="module")
def refused(desks: Desks, led: str, resource: str) -> str:
    """Zhejiang requests what it demanded, in one step; Jiangsu refuses. returns the request's address at Zhejiang"""
    officer = desks.at(ZHEJIANG, "officer", f"/demands/{led}/")
    arrives(officer, "江苏人口信息")
    until(lambda: officer.reload() and officer.get_by_role("link", name="江苏人口信息").count(), what="the entry")
    press(officer, "提交申请")
    expect(officer.get_by_role("status").first).to_contain_text("负责人")
    address = officer.url.removeprefix(desks[ZHEJIANG].base_url)
    head = desks.at(ZHEJIANG, "head", "/sign-off/")
    press(head, "同意并发出")
    answering = desks.at(JIANGSU, "officer", "/inbox/")
    arrives(answering, "Residents of Jiangsu")
    answering.get_by_role("link", name="Residents of Jiangsu").click()
    law = "《政务数据共享条例》第十四条"
    write(answering, refuse__code="no_statutory_duty", refuse__reason="不属法定职责", refuse__citation=law)
    press(answering, "Propose to refuse")
    press(desks.at(JIANGSU, "head", "/sign-off/"), "Sign and send")
    arrives(desks.at(ZHEJIANG, "officer", address), "提供方不同意")
    return address


@pytest.fixture(scope="module")
def decided(desks: Desks, refused: str) -> str:
    """Negotiated, brought up and decided while the bound node is down; it does as it was told. returns the path"""
    officer = desks.at(ZHEJIANG, "officer", refused)
    officer.get_by_role("link", name="提出争议").click()
    write(officer, open__title="申请被拒绝", open__text="迁入登记是法定职责。")
    press(officer, "签批并发送")
    path = officer.url.removeprefix(desks[ZHEJIANG].base_url)
    theirs = desks.at(JIANGSU, "officer", "/disputes/")
    arrives(theirs, "申请被拒绝")
    theirs.get_by_role("link", name="申请被拒绝").click()
    write(theirs, say__text="本部门认为不宜提供。")
    press(theirs, "Send as a statement")
    arrives(officer, "本部门认为不宜提供。")
    write(officer, say__text="双方会商未能一致。")
    press(officer, "记为会商纪要")
    head = desks.at(ZHEJIANG, "head", path)
    write(head, say__text="请共同上级决定。")
    press(head, "提请上一级")
    expect(desks.at(ZHEJIANG, "supervisor", path).get_by_role("button", name="作出决定")).to_have_attribute(
        "aria-disabled", "true"
    )
    supervisor = desks.at(NATION, "supervisor", "/disputes/")
    arrives(supervisor, "申请被拒绝")
    supervisor.goto(desks[NATION].base_url + path)
    write(supervisor, say__text="听取了双方意见。")
    press(supervisor, "记为会商纪要")
    desks[JIANGSU].kill()  # the decision waits for it
    term = {"outcome__do": "agree", "outcome__term_days": "30", "outcome__citation": "条例第二十一条"}
    write(supervisor, outcome__text="应当同意共享。", **term)
    press(supervisor, "作出决定")
    arrives(desks.at(ZHEJIANG, "officer", path), "应当同意共享。")
    desks[JIANGSU].start()
    arrives(supervisor, "确认执行情况")
    write(supervisor, say__text="已核实执行情况。")
    press(supervisor, "确认并办结")
    return path


def test_a_dispute_goes_from_negotiation_to_decision_to_execution_and_stands_alike_in_all_ledgers(
    desks: Desks, refused: str, decided: str
) -> None:
    dispute = "urn:uuid:" + decided.strip("/").rpartition("/")[2]
    told = {ZHEJIANG: "已办结", JIANGSU: "closed"}
    papers = [
        [one["digest"] for one in until(lambda where=where: closed(desks, where, dispute), what="the close")]
        for where in (NATION, ZHEJIANG, JIANGSU)
    ]
    assert papers[0] == papers[1] == papers[2]
    for where, word in told.items():
        auditor = desks.at(where, "auditor", decided)
        expect(auditor.locator(".room__head")).to_contain_text(word)
        expect(auditor.locator(".papers > li")).to_have_count(len(papers[0]))
    for kind in ("dispute.decided", "dispute.minutes", "dispute.executed"):
        said = [in_ledger(desks, where, kind, dispute) for where in (NATION, ZHEJIANG, JIANGSU)]
        assert said[0] == said[1] == said[2]
        assert said[0] <= set(papers[0])
    officer = desks.at(ZHEJIANG, "officer", refused)  # the request leads to both: its agreement, and its dispute
    expect(officer.get_by_role("link", name="争议 · 申请被拒绝")).to_be_visible()
    officer.get_by_role("link", name="查看协议").click()
    expect(officer.get_by_text("已签名（Ed25519）")).to_have_count(2)
    agreement = agreed(desks)
    assert (datetime.fromisoformat(agreement["ends_at"]) - datetime.now(UTC)).days < 30


def closed(desks: Desks, where: str, dispute: str) -> list[dict[str, str]]:
    try:
        shown = desks.say(where, "dispute", "show", dispute)
    except CommandFailed:
        return []
    return list(shown["papers"]) if shown["state"] == "closed" else []


def in_ledger(desks: Desks, where: str, kind: str, dispute: str) -> set[str]:
    folder = desks[where].settings.ledger_folder
    found = until(lambda: logged(folder, kind), what=f"{kind} at {where}")
    return {one["document"] for one in found if one["dispute"] == dispute}


def agreed(desks: Desks) -> dict[str, Any]:
    def active() -> dict[str, Any] | None:
        return next((one for one in desks.say(ZHEJIANG, "agreement", "list") if one["state"] == "active"), None)

    return until(active, what="the agreement in force")


def codes_of(table: pa.Table) -> dict[str, str | None]:
    return {row["code"]: row["sex"] for row in table.to_pylist()}


def test_rows_without_a_regional_code_stay_behind_and_follow_once_the_steward_extends_the_map(
    desks: Desks, decided: str
) -> None:
    agreement = agreed(desks)["id"]
    key = desks[ZHEJIANG].python(KEY.format(department=OFFICES[ZHEJIANG][0]))
    with hutong.connect(desks[ZHEJIANG].base_url, key, progress=False) as node:
        first = node.read(agreement, items=["sex"], purpose="licensing", case="1")
        assert first.to_arrow().column("sex").to_pylist() == ["1", "2", "2", None]
        assert node.exchange(first.exchange)["withheld"] == {"sex": 3}
        local = node.read(agreement, items=["sex"], where="sex = 'F'", purpose="licensing", case="2")
        assert local.to_arrow().num_rows == 0  # a local code means nothing here
        for form, rows_of in FORMS.items():
            answer = node.download(agreement, form, items=["sex"], purpose="licensing", case="2")
            given = {row["sex"] for row in rows_of(b"".join(answer.chunks()))}
            assert given - {None} == {"1", "2"}, form  # a column of its own: CSV has an empty line for what is empty
        with pytest.raises(Refused) as early:
            node.replay(agreement, first.exchange, purpose="licensing", case="3").to_arrow()
        assert early.value.code == "nothing_to_replay"
        steward = desks.at(JIANGSU, "steward", "/withheld/")
        steward.get_by_role("link", name="Which values").first.click()
        expect(steward.get_by_role("rowheader", name="X")).to_be_visible()
        steward.get_by_role("link", name="Extend the map").click()
        propose_map(steward, 男="1")
        approve_map(desks, 2)
        arrives(desks.at(ZHEJIANG, "officer", "/withheld/?show=ready"), first.exchange)
        again = node.replay(agreement, first.exchange, purpose="licensing", case="4")
        assert again.to_arrow().column("sex").to_pylist() == ["1", "1"]
        with pytest.raises(Refused) as twice:
            node.replay(agreement, first.exchange, purpose="licensing", case="5").to_arrow()
        assert twice.value.code == "nothing_to_replay"
    arrives(desks.at(ZHEJIANG, "auditor", "/withheld/?show=replayed"), first.exchange)


def returned(desks: Desks, where: str, entry: str, word: str, ask: str) -> str:
    """An officer asks for what is offered; it comes, and both sides agree. returns the return's id"""
    officer = desks.at(where, "officer", "/returns/")
    offer = officer.locator(f"a[href='/returns/ask/{entry}/']")
    until(lambda: officer.reload() and offer.count(), within_s=90, what=f"the offer at {where}")
    offer.first.click()
    press(officer, ask)
    arrives(officer, word)
    return officer.url.rstrip("/").rpartition("/")[2]


def newest(desks: Desks, where: str, flow: str) -> tuple[dict[str, Any], Path]:
    """The newest batch, and the file that holds it."""
    batch = desks.say(where, "return", "show", flow)["batches"][0]
    return batch, desks[where].home / "data" / "returns" / flow / f"{batch['number']:06d}.parquet"


def held(file: Path) -> list[str]:
    return sorted(pq.read_table(file).column("code").to_pylist())


def offer_below(desks: Desks, where: str, entry: str) -> None:
    officer = desks.at(where, "officer", "/returns/")
    write(officer, offer__resource=entry)
    press(officer, "提供")
    expect(officer.get_by_role("status").first).to_contain_text("下级节点")


@pytest.fixture(scope="module")
def flow(desks: Desks) -> str:
    """The nation's rows of Zhejiang are back in Zhejiang."""
    entry = desks.describe(NATION, RESIDENTS, ("全国居民信息", "Residents"), {"area": "area_code"})
    desks.publish(NATION, entry)
    offer_below(desks, NATION, entry)
    return returned(desks, ZHEJIANG, entry, "双方一致", "申请回流")


def test_an_area_gets_just_its_own_rows_back_and_both_ledgers_say_so(desks: Desks, flow: str) -> None:
    batch, file = newest(desks, ZHEJIANG, flow)
    assert held(file) == ["1", "2", "3", "6", "7"]
    assert (batch["rows"], batch["their_rows"], batch["root"]) == (5, 5, batch["their_root"])
    manifest = orjson.loads(file.with_suffix(".json").read_bytes())
    assert (manifest["rows"], manifest["area"], manifest["provider"]) == (5, ZHEJIANG, NATION)
    here, there = (
        until(lambda one=one: logged(desks[one].settings.ledger_folder, "return.agreed"), what=f"the leaf at {one}")[0]
        for one in (ZHEJIANG, NATION)
    )
    assert {name: here[name] for name in ("batch", "rows", "root")} == {
        name: there[name] for name in ("batch", "rows", "root")
    }


def test_rows_altered_where_they_are_kept_are_named_and_agree_after_the_officer_fetches_anew(
    desks: Desks, flow: str
) -> None:
    before, file = newest(desks, ZHEJIANG, flow)
    table = pq.read_table(file)
    altered = [one | {"name": "改"} if one["code"] == "1" else one for one in table.to_pylist() if one["code"] != "2"]
    pq.write_table(pa.Table.from_pylist(altered, table.schema), file)
    desks[ZHEJIANG].hutong("return", "compare", str(desks[ZHEJIANG].home), flow)
    officer = desks.at(ZHEJIANG, "officer", f"/returns/{flow}/")
    arrives(officer, "双方不一致")
    expect(officer.get_by_role("row").filter(has_text="双方不一致")).to_contain_text("1 区域节点缺少 · 1 内容不一致")
    theirs = desks.at(NATION, "auditor", "/returns/")
    theirs.get_by_role("link", name="全国居民信息").click()
    arrives(theirs, "双方不一致")
    press(officer, "立即全量获取")
    until(lambda: newest(desks, ZHEJIANG, flow)[0]["state"] == "agreed", within_s=90, what="the repair")
    after, _ = newest(desks, ZHEJIANG, flow)
    assert (after["number"] > before["number"], after["rows"], after["kind"]) == (True, 5, "full")


def test_a_node_killed_while_it_fetches_ends_with_each_batch_once(desks: Desks, flow: str) -> None:
    before = newest(desks, ZHEJIANG, flow)[0]["number"]
    for pause in (0.05, 0.4):
        press(desks.at(ZHEJIANG, "officer", f"/returns/{flow}/"), "立即全量获取")
        time.sleep(pause)
        desks[ZHEJIANG].kill()
        desks[ZHEJIANG].start()
    until(lambda: (one := newest(desks, ZHEJIANG, flow)[0])["state"] == "agreed" and one["number"] > before, what="it")
    numbers = [one["number"] for one in desks.say(ZHEJIANG, "return", "show", flow)["batches"]]
    assert numbers == sorted(set(numbers), reverse=True)
    stored = [one["batch"] for one in logged(desks[ZHEJIANG].settings.ledger_folder, "return.stored")]
    assert len(stored) == len(set(stored))


def test_what_returned_to_the_province_sinks_to_the_county_with_its_provenance(desks: Desks, flow: str) -> None:
    officer = desks.at(ZHEJIANG, "officer", f"/returns/{flow}/")
    press(officer, "向下级提供")
    onward = re.search(r"/resources/([0-9a-f-]{36})", officer.url)[1]  # type: ignore[index]
    desks.publish(ZHEJIANG, onward)
    offer_below(desks, ZHEJIANG, onward)
    lower = returned(desks, JIASHAN, onward, "both sides agree", "Ask for the return")
    _, file = newest(desks, JIASHAN, lower)
    assert held(file) == ["1", "2", "3"]
    upper = next(one for one in desks.say(ZHEJIANG, "return", "show", flow)["batches"] if one["state"] == "agreed")
    (hop,) = newest(desks, JIASHAN, lower)[0]["provenance"]
    assert (hop["node"], hop["root"], hop["rows"], hop["receipt"]) == (NATION, upper["root"], 5, upper["receipt"])
    page = desks.at(JIASHAN, "officer")
    for step in ("Nation", "Zhejiang"):
        expect(page.locator("section").filter(has_text="Where the rows come from")).to_contain_text(step)
    page.goto(f"{desks[JIASHAN].base_url}/catalogue/{onward}/")
    expect(page.get_by_role("link", name=f"Return flow · {JIASHAN}")).to_be_visible()  # the entry leads to it
