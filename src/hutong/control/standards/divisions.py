"""GB/T 2260 with its history, from a list of today's divisions and a list of changes, as public collections keep them.

A change is known by its year alone. So a code that went in a year is good to the end of it, and one that came in a year
from its beginning: whoever was born, or registered, in that year is doubted under neither.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections import defaultdict
from datetime import date
from pathlib import Path
from typing import Any

from hutong.control.standards.proposals import Row
from hutong.control.standards.rules import BadDefinition


def divisions(current: Path, changes: Path) -> list[Row]:
    """The codes in their order, each with its spans of validity.

    current   CSV with the columns code12 (or code) and name
    changes   JSON, gzip or not: {"events": [{"year", "old": {"code", "name"}, "new": {"code", "name"}}]}
    raises    BadDefinition
    """
    try:
        now = _current(current)
        events = json.loads(_text(changes))["events"]
    except (OSError, KeyError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise BadDefinition(
            reason="the divisions or their changes cannot be read", reason_zh="区划或变更无法读取"
        ) from error
    came, went = _changes(events)
    rows: list[Row] = []
    for code in sorted({*now, *came, *went}):
        rows.extend(_spans(code, now.get(code, ""), came.get(code, {}), went.get(code, {})))
    return rows


def _changes(events: list[dict[str, Any]]) -> tuple[dict[str, dict[int, str]], dict[str, dict[int, str]]]:
    """By code: the years it came, and the years it went, with its name then."""
    came: dict[str, dict[int, str]] = defaultdict(dict)
    went: dict[str, dict[int, str]] = defaultdict(dict)
    for event in sorted(events, key=lambda one: int(one["year"])):
        old, new = (_division(event.get(side)) for side in ("old", "new"))
        if old == new:
            continue  # the seat moved, or something else that is no code's matter
        if old is not None:
            went[old[0]][int(event["year"])] = old[1]
        if new is not None:
            came[new[0]][int(event["year"])] = new[1]
    return came, went


def _spans(code: str, now: str, came: dict[int, str], went: dict[int, str]) -> list[Row]:
    """A code's stretches: each begins where it came (or before all records) and ends where it next went."""
    parent = _parent(code)
    spans: list[Row] = []
    began: int | None = None
    name = ""
    there = bool(went) and (not came or min(went) <= min(came))  # it was there before the records begin
    for year in sorted({*came, *went}):
        if year in went and (there or began is not None):
            spans.append(_row(code, went[year] or name, parent, began, year))
            began, there = None, False
        if year in came and began is None and not there:
            began, name = year, came[year]
    if now:
        spans.append(_row(code, now, parent, began, None))
    elif began is not None:
        spans.append(
            _row(code, name, parent, began, None)
            if not went or max(went) < began
            else _row(code, name, parent, began, max(went))
        )
    return spans


def _row(code: str, name: str, parent: str, first: int | None, last: int | None) -> Row:
    starts = None if first is None else date(first, 1, 1)
    ends = None if last is None else date(last, 12, 31)
    return Row(code, name, "", parent, starts, ends)


def _parent(code: str) -> str:
    if code.endswith("0000"):
        return ""
    return code[:2] + "0000" if code.endswith("00") else code[:4] + "00"


def _division(given: dict[str, Any] | None) -> tuple[str, str] | None:
    code = str((given or {}).get("code") or "")[:6]
    return (code, str((given or {}).get("name") or "")) if len(code) == 6 and code.isdigit() else None


def _current(path: Path) -> dict[str, str]:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.DictReader(lines))
    return {str(row.get("code12") or row["code"])[:6]: row["name"] for row in rows}


def _text(path: Path) -> str:
    content = path.read_bytes()
    return (gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content).decode("utf-8")
