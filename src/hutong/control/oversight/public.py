"""What everybody may see: the node's figures of a month or year, no person, no small number."""

from __future__ import annotations

from typing import Any

from hutong.control.oversight import queries
from hutong.control.oversight.measures import SIDES, Measure
from hutong.control.oversight.periods import Period
from hutong.control.oversight.queries import Line
from hutong.control.oversight.rules import SmallCell
from hutong.control.statute import queries as statute
from hutong.node.settings import current
from hutong.vocabulary.errors import Refused

SHOWN = ("resources", "late_replies", "refusals_without_citation", "late_corrections", "no_return_flow", "exchanges")


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
    measure: Measure = line.measure
    told = {
        "name": measure.name,
        "title": {"zh": measure.title("zh"), "en": measure.title("en")},
        "definition": {"zh": measure.definition("zh"), "en": measure.definition("en")},
        "state": line.state,
        "counted_at": line.counted_at.isoformat(timespec="seconds") if line.counted_at else None,
    }
    if line.state != "measured":
        return told
    small = queries.hidden(line.of, least)
    # What is left over when the counted are taken away must not be small either.
    unsafe = small or queries.hidden(line.counted, least) or queries.hidden(line.of - line.counted, least)
    return told | {
        "cases": None if small else line.of,
        "counted": None if unsafe else line.counted,
        "median_days": None if small else line.median_days,
        "parts": queries.publishable(line.parts, least),
    }
