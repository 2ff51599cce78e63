"""What everybody may see: the node's figures of a month or year, no person, no small number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hutong.control.oversight import queries
from hutong.control.oversight.measures import SIDES
from hutong.control.oversight.periods import Period
from hutong.control.oversight.queries import Line
from hutong.control.oversight.rules import SmallCell
from hutong.control.statute import queries as statute
from hutong.node.settings import current
from hutong.vocabulary.errors import Refused

Two = tuple[str, str]  # zh, en


@dataclass(frozen=True)
class Told:
    """How the public reads a measure: what was done rather than what was not."""

    titles: Two
    definitions: Two
    number: Callable[[Line], int]  # among line.of


def _in_time(line: Line) -> int:
    return line.of - line.counted


def _counted(line: Line) -> int:
    return line.counted


def _all(line: Line) -> int:
    return line.of


SHOWN: dict[str, Told] = {
    "resources": Told(
        ("已发布资源", "Published resources"),
        (
            "期末（或统计当日）处于已发布状态的数据资源。",
            "Data resources that were published at the end of the period, or on the day of counting.",
        ),
        _counted,
    ),
    "late_replies": Told(
        ("按时答复的申请", "Requests answered in time"),
        (
            "期间内应当答复的共享申请中，在法定期限内答复的申请。",
            "Of the requests whose reply fell due in the period, those replied to by their statutory day.",
        ),
        _in_time,
    ),
    "refusals_without_citation": Told(
        ("被拒绝的申请", "Requests refused"),
        (
            "期间内被拒绝的共享申请，按理由代码列出；每件均须列明法律依据。",
            "Requests refused in the period, by the code of the reason; each cites the law.",
        ),
        _all,
    ),
    "late_deliveries": Told(
        ("按时提供的数据", "Data delivered in time"),
        (
            "期间内应当提供的已同意申请中，在二十个工作日内提供数据的申请。",
            "Of the agreed requests whose delivery fell due in the period, those delivered within twenty working days.",
        ),
        _in_time,
    ),
    "late_corrections": Told(
        ("按时办结的校核", "Corrections made in time"),
        (
            "期间内应当办结的校核申请中，在法定期限内核实、更正并反馈的申请。",
            "Of the correction reports whose reply fell due in the period, those verified and replied to in time.",
        ),
        _in_time,
    ),
    "no_return_flow": Told(
        ("按时回流的数据", "Data returned to lower areas in time"),
        (
            "期间内应当向下级回流的数据中，按时、完整回流的事项。",
            "Of the returns of data to lower areas that fell due in the period, those made in time and complete.",
        ),
        _in_time,
    ),
    "exchanges": Told(
        ("数据交换", "Exchanges"),
        (
            "期间内本节点作为提供方完成的数据交换；分母包括被拒绝和中断的交换。",
            "Exchanges served by this node as provider in the period, among all that were asked for.",
        ),
        _counted,
    ),
}


class FiguresNotPublic(Refused):
    """This node does not publish its figures."""

    zh = "本节点未公开其数据共享指标。"
    code = "figures_not_public"
    status = 404
    next_en = "Ask the node's operator: the setting is public_figures."
    next_zh = "请联系节点运维人员：设置项为 public_figures。"


def check_public() -> None:
    """raises   FiguresNotPublic"""
    if current().public_figures != "yes":
        raise FiguresNotPublic


def fewest(period: Period) -> int:
    """The smallest number of cases that is published."""
    return statute.parameter(SmallCell, "fewest", period.since)


def lines(period: Period) -> list[Line]:
    """The node's lines that are published, in their order."""
    found = {one.measure.name: one for side in SIDES for one in queries.card(period, side, None)}
    return [found[name] for name in SHOWN]


def document(period: Period) -> dict[str, Any]:
    """The same as JSON: every number with its definition, its day, and null where fewer than `fewest`."""
    least = fewest(period)
    return {
        "node": current().jurisdiction,
        "period": str(period),
        "fewest": least,
        "figures": [_document(one, least) for one in lines(period)],
    }


def _document(line: Line, least: int) -> dict[str, Any]:
    shown = SHOWN[line.measure.name]
    told = {
        "name": line.measure.name,
        "title": dict(zip(("zh", "en"), shown.titles, strict=True)),
        "definition": dict(zip(("zh", "en"), shown.definitions, strict=True)),
        "state": line.state,
        "counted_at": line.counted_at.isoformat(timespec="seconds") if line.counted_at else None,
    }
    if line.state != "measured":
        return told
    small = queries.hidden(line.of, least)
    return told | {
        "cases": None if small else line.of,
        "number": number(line, least),
        "median_days": None if small else line.median_days,
        "parts": queries.publishable(line.parts, least),
    }


def number(line: Line, least: int) -> int | None:
    """The number the public reads; None where it, all cases, or what is left over is small."""
    found = SHOWN[line.measure.name].number(line)
    unsafe = any(queries.hidden(one, least) for one in (line.of, found, line.of - found))
    return None if unsafe else found
