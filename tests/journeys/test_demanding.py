"""Two real nodes, by command line: data no catalogue holds are demanded, assigned, published, and requested."""

from __future__ import annotations

import re
import sqlite3
import tomllib
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from tests.journeys.first_exchange import with_titles
from tests.nodes import CommandFailed, Region, until

MARKET, HEALTH, TAX = "11370800MB28559184", "11430000006122244L", "11330105002500287C"
WORDS = (
    "--for",
    "企业开办核验",
    "--basis",
    "《食品安全法》第三十五条",
    "--scope",
    "登记窗口",
    "--purpose",
    "licensing",
)
ITEMS = ("--item", "统一社会信用代码=uscc", "--item", "有效期=date")


class Two:
    """Anhui wishes, Jiangsu provides; the region keeps the directory."""

    def __init__(self, region: Region, folder: Any) -> None:
        self.region, self.folder = region, folder
        self.jiangsu, self.anhui = region["320000"], region["340000"]

    def at(self, node: Any, *words: str, json: bool = False) -> Any:
        """`hutong WORD WORD DIR REST`."""
        line = (*words[:2], str(node.home), *words[2:])
        return node.json(*line) if json else node.hutong(*line)

    def people(self) -> None:
        for node, offices in (
            (self.jiangsu, {MARKET: "市场监督管理局"}),
            (self.anhui, {HEALTH: "卫健委", TAX: "税务局"}),
        ):
            self.at(node, "account", "add", "director", "--role", "supervisor", "--generate")
            self.at(node, "account", "add", "steward", "--role", "steward", "--generate")
            for number, (code, name) in enumerate(offices.items()):
                self.at(node, "department", "add", code, name)
                for role in ("officer", "head"):
                    self.at(
                        node, "account", "add", f"{role}{number}", "--role", role, "--department", code, "--generate"
                    )

    def demanded(self, *, number: int = 0) -> str:
        wished = ("食品生产许可", *ITEMS, *WORDS, "--from", "320000")
        said = self.at(self.anhui, "demand", "file", *wished, "--as", f"officer{number}")
        made = re.search(r"demand (\S+) is filed", said)[1]  # type: ignore[index]
        self.at(self.anhui, "demand", "sign-off", made, "--as", f"head{number}")
        return made

    def state(self, node: Any, demand: str) -> dict[str, Any]:
        try:
            shown: dict[str, Any] = self.at(node, "demand", "show", demand, json=True)
        except CommandFailed:
            return {"state": ""}
        return shown

    def until_state(self, node: Any, demand: str, state: str) -> dict[str, Any]:
        found: dict[str, Any] = until(
            lambda: one if (one := self.state(node, demand))["state"] == state else None, what=f"{state} of {demand}"
        )
        return found

    def published(self) -> str:
        """The lead source catalogues what was demanded, and the supervisor publishes it."""
        file = self.folder / "permits.sqlite"
        with sqlite3.connect(file) as database:
            database.execute("CREATE TABLE permit (uscc TEXT PRIMARY KEY, until_day TEXT)")
            rows = [(f"91320000MA{n:08d}", f"2027-01-{n % 28 + 1:02d}") for n in range(50)]
            database.executemany("INSERT INTO permit VALUES (?, ?)", rows)
        database.close()
        at = self.at
        made = at(self.jiangsu, "source", "add", str(file), "--name", "许可", "--table", "permit", "--as", "officer0")
        draft = self.folder / "permits.toml"
        source = made.split()[1].rstrip(":")
        drafted = at(self.jiangsu, "resource", "draft", source, "--out", str(draft), "--as", "officer0")
        resource: str = drafted.split()[1].rstrip(":")
        draft.write_text(with_titles(draft.read_text(encoding="utf-8")), encoding="utf-8")
        whole = tomllib.loads(draft.read_text(encoding="utf-8"))
        for item in whole["items"]:
            item["element"] = {"uscc": "uscc", "until_day": "date"}[item["name"]]
        whole |= {
            "title_zh": "食品生产许可信息",
            "title_en": "Food permits",
            "summary_zh": "在本省取得食品生产许可的企业",
            "category": "departmental",
            "theme": "market",
            "update_cycle": "5",
            "attribute": "unconditional",
            "sharing_modes": ["interface"],
            "source_system": "许可系统",
        }
        description = self.folder / "permits.json"
        description.write_bytes(orjson.dumps(whole))
        at(self.jiangsu, "resource", "describe", resource, "--file", str(description), "--as", "officer0")
        at(self.jiangsu, "resource", "sign-off", resource, "--as", "head0")
        said = at(self.jiangsu, "resource", "submit", resource, "--as", "officer0")
        submission = re.search(r"[0-9a-f-]{36}", said.replace(resource, ""))[0]  # type: ignore[index]
        at(self.jiangsu, "resource", "review", submission, "--as", "director")
        return resource


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    folder = tmp_path_factory.mktemp("demanding")
    with Region(folder) as region:
        region.start("yrd", "320000", "340000")
        made = Two(region, folder)
        made.people()
        yield made


@pytest.fixture(scope="module")
def story(two: Two) -> dict[str, Any]:
    """From the demand of two departments to the resource; a kill -9 of the holder lies between."""
    demand, same = two.demanded(), ""
    two.until_state(two.jiangsu, demand, "open")
    same = two.demanded(number=1)
    two.until_state(two.anhui, same, "joined")
    two.at(two.jiangsu, "demand", "name-lead", demand, MARKET, "--as", "director")
    two.jiangsu.kill()
    two.jiangsu.start()
    two.until_state(two.anhui, demand, "led")
    resource = two.published()
    two.at(two.jiangsu, "demand", "fulfil", demand, resource, "--as", "officer0")
    return {"demand": demand, "same": same, "resource": resource}


def test_a_demand_ends_as_a_resource_that_both_demanders_are_told_of(two, story):
    for demand in (story["demand"], story["same"]):
        assert two.until_state(two.anhui, demand, "fulfilled")["resource"] == story["resource"]
    region = two.until_state(two.region["yrd"], story["demand"], "fulfilled")
    assert region["lead"]["code"] == MARKET


def test_a_met_demand_is_requested_in_one_step_and_agreed_by_rule(two, story):
    two.until_state(two.anhui, story["demand"], "fulfilled")
    until(
        lambda: any(one["id"] == story["resource"] for one in two.anhui.json("search", str(two.anhui.home))),
        what="the entry at Anhui",
    )
    said = two.at(two.anhui, "demand", "request", story["demand"], "--as", "officer0")
    request = re.search(r"request (\S+) is filed", said)[1]
    two.at(two.anhui, "request", "sign-off", request, "--as", "head0")
    until(lambda: two.at(two.anhui, "request", "show", request, json=True)["state"] == "agreed", what="the agreement")
    shown = two.at(two.anhui, "request", "show", request, json=True)
    assert shown["items"] == ["uscc", "until_day"]


def test_each_step_is_recorded_once_at_each_node_it_concerns(two, story):
    at_jiangsu = [one["kind"] for one in two.state(two.jiangsu, story["demand"])["timeline"]]
    for kind in ("demand.received", "demand.lead_named", "demand.fulfilled"):
        assert at_jiangsu.count(kind) == 1
    steps = [one["kind"] for one in two.until_state(two.anhui, story["demand"], "fulfilled")["timeline"]]
    assert steps.count("demand.told") == 3


def test_the_published_list_of_duties_is_found_by_another_node(two, story):
    said = two.at(two.jiangsu, "lists", "publish", "duty", "--as", "steward")
    assert "version 1" in said
    listed = until(
        lambda: two.at(two.anhui, "duties", "list", "--of", "320000", json=True), what="Jiangsu's duties at Anhui"
    )
    assert [(one["lead"], one["resource_id"]) for one in listed] == [(True, story["resource"])]
    shown = two.at(two.jiangsu, "lists", "show", "duty", "--csv")
    assert "食品生产许可" in shown
    with pytest.raises(CommandFailed, match="may not do this"):
        two.at(two.jiangsu, "duties", "add", MARKET, "许可", "--elements", "uscc,date", "--lead", "--as", "officer0")
