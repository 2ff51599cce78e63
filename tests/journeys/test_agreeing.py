"""Two real nodes, by command line: from a request to rows, by rule and by officer; refused, suspended, ended."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from hutong.exchange.wire import unpack
from hutong.vocabulary.ids import new_id
from tests.journeys.first_exchange import oversee, put_before_the_supervisor_and_publish
from tests.nodes import CommandFailed, Region, until

MARKET, HEALTH = "11370800MB28559184", "11430000006122244L"
PURPOSE, CASE = "licensing", "hmac-sha256:" + "ab" * 32
DESCRIPTION = {
    "title_en": "Registered companies",
    "summary_zh": "在本省登记的企业",
    "category": "basic",
    "theme": "legal_entity",
    "data_format": "database",
    "update_cycle": "3",
    "sharing_modes": ["interface"],
    "source_system": "企业登记系统",
    "business_matter": "企业登记",
}
CONDITIONS = {"conditions": "承担行政许可职责的部门", "permitted_purposes": [PURPOSE]}
WORDS = ("--basis", "行政许可法第三十一条", "--scenario", "企业开办", "--scope", "登记窗口", "--purpose", PURPOSE)


class Two:
    """Jiangsu publishes, Anhui asks."""

    def __init__(self, region: Region, folder: Path) -> None:
        self.region, self.folder = region, folder
        self.jiangsu, self.anhui = region["320000"], region["340000"]
        self.entries: dict[str, str] = {}

    def at(self, where: str, *words: str, json: bool = False) -> Any:
        """`hutong WORD WORD DIR REST` on one of the nodes."""
        node = self.jiangsu if where == "jiangsu" else self.anhui
        line = (*words[:2], str(node.home), *words[2:])
        return node.json(*line) if json else node.hutong(*line)

    def found(self) -> None:
        """Departments, accounts, a source and two published resources of it."""
        for where, code, name in (("jiangsu", MARKET, "市场监督管理局"), ("anhui", HEALTH, "卫生健康委员会")):
            self.at(where, "department", "add", code, name)
            oversee(self.jiangsu if where == "jiangsu" else self.anhui)
            for role in ("officer", "head"):
                self.at(where, "account", "add", role, "--role", role, "--department", code, "--generate")
        file = self.folder / "companies.sqlite"
        with sqlite3.connect(file) as database:
            database.execute("CREATE TABLE company (uscc TEXT PRIMARY KEY, name TEXT, city TEXT)")
            rows = [(f"91320000MA{n:08d}", f"公司{n}", "南京" if n % 2 else "苏州") for n in range(100)]
            database.executemany("INSERT INTO company VALUES (?, ?, ?)", rows)
        database.close()
        made = self.at("jiangsu", "source", "add", str(file), "--name", "登记", "--table", "company", "--as", "officer")
        source = made.split()[1].rstrip(":")
        for attribute in ("unconditional", "conditional"):
            self.entries[attribute] = self._publish(source, attribute)
        for entry in self.entries.values():
            until(lambda entry=entry: entry in self._seen(), what="the entry at Anhui")

    def _publish(self, source: str, attribute: str) -> str:
        description = self.folder / f"{attribute}.json"
        drafted = self.at("jiangsu", "resource", "draft", source, "--out", str(description), "--as", "officer")
        resource = drafted.split()[1].rstrip(":")
        whole = orjson.loads(description.read_bytes())
        for item in whole["items"]:
            item |= {"title_zh": item["title_zh"] or item["name"], "attribute": attribute}
        whole |= DESCRIPTION | {"title_zh": f"企业 {attribute}", "attribute": attribute}
        whole |= CONDITIONS if attribute == "conditional" else {}
        description.write_bytes(orjson.dumps(whole))
        self.at("jiangsu", "resource", "describe", resource, "--file", str(description), "--as", "officer")
        self.at("jiangsu", "resource", "sign-off", resource, "--as", "head")
        put_before_the_supervisor_and_publish(self.jiangsu, resource, "officer")
        return resource

    def _seen(self) -> list[str]:
        return [one["id"] for one in self.anhui.json("search", str(self.anhui.home), "企业")]

    def request(self, attribute: str, *more: str) -> str:
        """File and sign off. returns the request's id"""
        entry = self.entries[attribute]
        line = ("request", "file", entry, "--items", "uscc,name", "--term-days", "30", *WORDS, *more)
        made = self.at("anhui", *line, "--as", "officer").split()[1]
        self.at("anhui", "request", "sign-off", made, "--as", "head")
        return made

    def show(self, request: str) -> Any:
        return self.at("anhui", "request", "show", request, json=True)

    def in_inbox(self) -> Any:
        return until(lambda: self.at("jiangsu", "agreement", "inbox", json=True), what="the request at Jiangsu")[0]

    def active(self, request: str) -> str:
        shown = until(lambda: self._with_state(request, "active"), what="an active agreement")
        return str(shown["agreement"])

    def _with_state(self, request: str, state: str) -> Any:
        shown = self.show(request)
        return shown if shown["agreement_state"] == state else None

    def agreement(self, where: str, agreement: str) -> Any:
        return self.at(where, "agreement", "show", agreement, json=True)

    def read(self, agreement: str, **changes: Any) -> tuple[int, list[Any], dict[str, Any] | None]:
        """One signed query in Anhui's name at Jiangsu's door. returns status, rows and refusal"""
        query = {"exchange": new_id(), "agreement": agreement, "purpose": PURPOSE, "case": CASE, "items": None}
        query |= {"where": None, "limit": 5, "key": None} | changes
        answer = self.region.ask("340000", "320000", "POST", "/exchange/queries", {"queries": [query]})
        assert answer.status == 200, answer.body
        one = unpack(answer.body, [query["exchange"]])[0]
        return one.status, orjson.loads(one.body) if one.body else [], one.refusal


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    folder = tmp_path_factory.mktemp("agreeing")
    with Region(folder) as region:
        region.start("yrd", "320000", "340000")
        made = Two(region, folder)
        made.found()
        yield made


def test_an_unconditional_request_becomes_rows_by_rule_without_anybody(two: Two) -> None:
    request = two.request("unconditional", "--where", "city = '南京'")
    began = time.monotonic()
    agreement = two.active(request)
    waited_s = time.monotonic() - began
    status, rows, _ = two.read(agreement)
    assert status == 200
    assert len(rows) == 5
    assert set(rows[0]) == {"uscc", "name"}
    shown = two.show(request)
    assert shown["state"] == "agreed"
    kinds = [step["kind"] for step in shown["timeline"]]
    assert kinds[:3] == ["request.filed", "request.signed_off", "negotiation.requested"]
    assert two.agreement("jiangsu", agreement)["digest"] == two.agreement("anhui", agreement)["digest"]
    assert waited_s < 30


def test_both_nodes_hold_the_same_two_signatures(two: Two) -> None:
    agreement = two.active(two.request("unconditional"))
    ours, theirs = two.agreement("jiangsu", agreement), two.agreement("anhui", agreement)
    for name in ("document", "digest", "provider_signature", "consumer_signature"):
        assert ours[name] == theirs[name]
    assert ours["provider_signature"]["keyid"].startswith("320000#")
    assert ours["consumer_signature"]["keyid"].startswith("340000#")


def test_an_officer_agrees_with_masks_suspends_resumes_and_ends(two: Two) -> None:
    request = two.request("conditional")
    waiting = two.in_inbox()
    assert (waiting["peer"], waiting["purpose"], waiting["items"]) == ("340000", PURPOSE, ["uscc", "name"])
    agree = ("agreement", "agree", waiting["pid"], "--mask", "name=name", "--mask", "uscc=last:4", "--as", "officer")
    two.at("jiangsu", *agree)
    with pytest.raises(CommandFailed, match="may not do this"):
        two.at("jiangsu", "agreement", "sign", waiting["pid"], "--as", "officer")
    two.at("jiangsu", "agreement", "sign", waiting["pid"], "--as", "head")
    agreement = two.active(request)
    status, rows, _ = two.read(agreement)
    assert status == 200
    assert {row["name"][0] for row in rows} == {"公"}
    assert all("*" in row["name"] and row["uscc"].startswith("*") for row in rows)

    change = (agreement, "--reason", "保密核查", "--as", "officer")
    two.at("jiangsu", "agreement", "suspend", *change, "--cause", "secrecy")
    status, _, refusal = two.read(agreement)  # the very next request
    assert (status, refusal["code"], refusal["rule"]) == (403, "grant_suspended", "D809-27")
    until(lambda: two.agreement("anhui", agreement)["state"] == "suspended", what="Anhui's notice")
    with pytest.raises(CommandFailed, match="only the provider may resume"):
        two.at("anhui", "agreement", "resume", *change)
    two.at("jiangsu", "agreement", "resume", *change)
    assert two.read(agreement)[0] == 200
    two.at("jiangsu", "agreement", "end", *change, "--cause", "secrecy")
    assert two.read(agreement)[2]["code"] == "grant_ended"
    until(lambda: two.agreement("anhui", agreement)["state"] == "ended", what="Anhui's notice")
    kinds = [step["kind"] for step in two.agreement("anhui", agreement)["timeline"]]
    kinds = [kind for kind in kinds if kind.startswith("transfer.")]
    assert kinds[-4:] == ["transfer.started", "transfer.suspended", "transfer.started", "transfer.terminated"]


def test_the_consumer_ends_what_it_no_longer_needs(two: Two) -> None:
    agreement = two.active(two.request("unconditional"))
    assert two.read(agreement)[0] == 200
    two.at("anhui", "agreement", "end", agreement, "--reason", "用途已实现", "--as", "officer")
    until(lambda: two.agreement("jiangsu", agreement)["state"] == "ended", what="Jiangsu's notice")
    assert two.read(agreement)[2]["code"] == "grant_ended"


def test_a_refusal_without_citation_is_refused_and_one_with_it_arrives(two: Two) -> None:
    request = two.request("conditional")
    pid = two.in_inbox()["pid"]
    line = ("agreement", "refuse", pid, "--code", "no_statutory_duty", "--reason", "不属于法定职责", "--as", "officer")
    with pytest.raises(CommandFailed, match="must cite"):
        two.at("jiangsu", *line, "--citation", "")
    two.at("jiangsu", *line, "--citation", "《政务数据共享条例》第二条")
    two.at("jiangsu", "agreement", "sign", pid, "--as", "head")
    shown = until(lambda: two.show(request) if two.show(request)["state"] == "refused" else None, what="the refusal")
    assert shown["refusal_reason"] == "不属于法定职责"
    assert shown["refusal_citation"] == "《政务数据共享条例》第二条"


def test_a_request_sent_while_the_provider_is_down_is_answered_when_it_is_back(two: Two) -> None:
    two.jiangsu.kill()
    request = two.request("unconditional")
    assert two.show(request)["state"] == "signed_off"
    two.jiangsu.start()
    assert two.read(two.active(request))[0] == 200
