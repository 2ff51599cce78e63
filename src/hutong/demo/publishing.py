"""Departments register sources, describe them, are refused, sign off and submit; supervisors publish; others find."""

from __future__ import annotations

import json
import re
from time import perf_counter

from hutong.demo.region import ANHUI, JIANGSU, Seat
from hutong.demo.resources import INSURED, PUBLISHED, Published
from hutong.demo.screen import Words
from hutong.demo.stage import Stage, identifier


def publish_all(stage: Stage) -> None:
    """Four sources of four kinds become four entries that every member finds."""
    stage.screen.chapter(Words("编目与发布", "Catalogue"))
    stage.screen.say(
        Words(
            "四个部门登记数据源：SQLite、GB18030 编码的 CSV、Parquet、UTF-8 CSV。数据不离开本节点。",
            "Four departments register sources: SQLite, a CSV in GB18030, Parquet, a CSV in UTF-8. Nothing leaves yet.",
        )
    )
    stage.show(JIANGSU, "source add", INSURED.file_name, "--name", INSURED.name, "--as", "officer")
    began = perf_counter()
    with stage.screen.working(Words("读取数据源", "reading sources"), len(PUBLISHED)) as work:
        for _done in stage.everywhere(lambda seat: _register(stage, _of(seat)), [one.seat for one in PUBLISHED]):
            work.step()
    stage.screen.done(Words(_registered(stage, "zh"), _registered(stage, "en")), began=began)
    _refused_first(stage)
    began = perf_counter()
    for one in PUBLISHED:
        _publish(stage, one)
    stage.screen.done(
        Words(
            "负责人审核同意，主管部门审核后，四项目录已签名发布",
            "The heads signed off, the supervisors reviewed; four entries are signed and published",
        ),
        began=began,
    )


def publish(stage: Stage, one: Published) -> str:
    """One more source, registered, described and published. returns its id"""
    _register(stage, one)
    _publish(stage, one)
    return str(stage.facts[f"resource:{one.file_name}"])


def find(stage: Stage) -> None:
    """The entries arrive at Anhui, and are found in two languages."""
    stage.screen.chapter(Words("查找", "Search"))
    began = perf_counter()
    for one in PUBLISHED:
        _wait_for(stage, one)
    stage.screen.done(Words("目录经区域节点到达安徽", "The entries reached Anhui through the region"), began=began)
    for text in ("参保", "enterprise"):
        stage.show(ANHUI, "search", text)
        found = stage.run(ANHUI, "search", text, "--json").json()
        rows = [[one["origin"], one["attribute"], one["title_zh"], one["title_en"]] for one in found]
        headings = [
            Words("来源", "origin"),
            Words("属性", "attribute"),
            Words("名称", "title"),
            Words("英文", "English"),
        ]
        stage.screen.table(headings, rows)


def _of(seat: Seat) -> Published:
    return next(one for one in PUBLISHED if one.seat == seat)


def _register(stage: Stage, one: Published) -> None:
    data = stage.region / "data"
    data.mkdir(exist_ok=True)
    one.write(data / one.file_name)
    table = ["--table", one.table] if one.table else []
    said = stage.run(
        one.seat, "source add", str(data / one.file_name), "--name", one.name, *table, "--as", "officer"
    ).out
    source_id = identifier(said)
    stage.facts.keep(**{f"source:{one.file_name}": source_id, f"said:{one.file_name}": said.strip()})
    drafted = stage.run(one.seat, "resource draft", source_id, "--as", "officer").out
    stage.facts.keep(**{f"resource:{one.file_name}": identifier(drafted)})


def _registered(stage: Stage, language: str) -> str:
    said = str(stage.facts[f"said:{INSURED.file_name}"])
    rows, aside = re.findall(r"(\d+) rows.*?(\d+) set aside", said)[0]
    if language == "zh":
        return f"江苏读入 {int(rows):,} 行，{aside} 行格式有误，按行号隔离"
    return f"Jiangsu read {int(rows):,} rows; {aside} malformed lines were set aside with their numbers"


def _refused_first(stage: Stage) -> None:
    resource = stage.facts[f"resource:{INSURED.file_name}"]
    stage.show(JIANGSU, "resource submit", resource, "--as", "officer")
    said = stage.ask(JIANGSU, "resource submit", resource, "--as", "officer")
    stage.screen.refused(
        Words("草稿不能送审：缺什么，一次说全", "A draft cannot be submitted; it says all that is missing at once"),
        said.err,
    )


def _publish(stage: Stage, one: Published) -> None:
    resource = stage.facts[f"resource:{one.file_name}"]
    file = stage.region / "data" / f"{one.file_name}.description.json"
    file.write_text(json.dumps(one.description(), ensure_ascii=False, indent=1), encoding="utf-8")
    stage.run(one.seat, "resource describe", resource, "--file", str(file), "--as", "officer")
    stage.run(one.seat, "resource sign-off", resource, "--as", "head")
    submission = identifier(stage.run(one.seat, "resource submit", resource, "--as", "officer").out)
    stage.run(one.seat, "resource review", submission, "--as", "supervisor")


def _wait_for(stage: Stage, one: Published) -> None:
    resource = stage.facts[f"resource:{one.file_name}"]

    def arrived() -> bool:
        found = stage.run(ANHUI, "search", one.fields["title_zh"], "--json").json()
        return any(entry["id"] == resource for entry in found)

    stage.until(arrived, Words(one.fields["title_zh"], one.fields["title_en"]), ANHUI)
