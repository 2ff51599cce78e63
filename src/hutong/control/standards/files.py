"""Definitions from files and to files: JSON as it travels, CSV as people edit it. docs/standards.md describes both."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from hutong.control.standards.proposals import Proposal, Row, day, element_document
from hutong.control.standards.rules import BadDefinition

TABLE_HEADER = ("code", "zh", "en", "parent", "valid_from", "valid_to")
MAP_HEADER = ("local", "zh", "regional")
ELEMENT_HEADER = (
    *("id", "zh", "en", "type", "length", "unit", "table", "check", "standard", "aliases", "definition"),
    *("valid_from", "valid_to", "replaced_by"),
)
LARGEST_FILE = 64 * 1024 * 1024  # bytes


def proposals(path: Path, items: Sequence[Sequence[str]] = (), **described: str) -> list[Proposal]:
    """What a file proposes: a JSON document or list of them, or a CSV by its header.

    described   name, title_zh, title_en, standard for a CSV of codes, which has no place for them; and for a map:
                table, local
    items       for a map in CSV: what it converts, as [resource id, item name] each
    raises      BadDefinition, WrongText
    """
    if not path.is_file() or path.stat().st_size > LARGEST_FILE:
        raise BadDefinition(reason="there is no such file, or it is too large", reason_zh="文件不存在或过大")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadDefinition(reason="it is not UTF-8", reason_zh="不是 UTF-8 编码") from error
    return from_json(text) if path.suffix == ".json" else from_csv(text, items, **described)


def from_json(text: str) -> list[Proposal]:
    """raises   BadDefinition, WrongText"""
    try:
        given = json.loads(text)
        return [_from_document(one) for one in (given if isinstance(given, list) else [given])]
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise BadDefinition(
            reason="it is no JSON of a definition, or a member is missing", reason_zh="不是定义的 JSON，或缺少成员"
        ) from error


def from_csv(text: str, items: Sequence[Sequence[str]] = (), **described: str) -> list[Proposal]:
    """raises   BadDefinition, WrongText"""
    reader = csv.DictReader(io.StringIO(text, newline=""))
    header = tuple(reader.fieldnames or ())
    rows = [{name: (value or "").strip() for name, value in row.items() if name} for row in reader]
    if header[:1] == ("id",) and set(header) <= set(ELEMENT_HEADER):
        return [_element(row) for row in rows]
    name, zh, en = (described.get(one, "") for one in ("name", "title_zh", "title_en"))
    if header[:1] == ("local",) and set(header) <= set(MAP_HEADER):
        document = {
            "table": described.get("table", ""),
            "local": described.get("local", ""),
            "items": [list(one) for one in items],
        }
        return [Proposal("map", name, zh, en, document, map_rows(text))]
    if header[:1] == ("code",) and set(header) <= set(TABLE_HEADER):
        document = {"standard": described.get("standard", "")}
        return [Proposal("table", name, zh, en, document, [_code(row) for row in rows])]
    raise BadDefinition(
        reason="its header is not that of codes, of a map or of elements",
        reason_zh="表头不是代码表、代码映射或数据元的表头",
    )


def map_rows(text: str) -> list[Row]:
    """The pairs of a map: local,zh,regional. A line without a regional code proposes nothing.

    raises   BadDefinition
    """
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    if tuple(reader.fieldnames or ()) != MAP_HEADER:
        raise BadDefinition(
            reason="the header is not " + ",".join(MAP_HEADER), reason_zh="表头应为 " + ",".join(MAP_HEADER)
        )
    given = [{name: value or "" for name, value in row.items() if name} for row in reader]
    # A local code is compared exactly, so it keeps its blanks; what is added to it does not matter.
    return [
        Row(row["local"], row["zh"].strip(), "", row["regional"].strip()) for row in given if row["regional"].strip()
    ]


def to_csv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()


def _from_document(given: dict[str, Any]) -> Proposal:
    return Proposal(
        kind=given["kind"],
        name=given["name"],
        title_zh=given["zh"],
        title_en=given.get("en", ""),
        document=given["document"],
        rows=[
            Row(
                one["code"],
                one.get("zh", ""),
                one.get("en", ""),
                one.get("target", ""),
                day(one.get("valid_from", "")),
                day(one.get("valid_to", "")),
            )
            for one in given.get("codes", [])
        ],
        valid_from=day(given.get("valid_from", "")),
        valid_to=day(given.get("valid_to", "")),
    )


def _element(row: dict[str, str]) -> Proposal:
    return Proposal(
        kind="element",
        name=row["id"],
        title_zh=row.get("zh", ""),
        title_en=row.get("en", ""),
        document=element_document(row, row.get("aliases", "").split("|")),
        valid_from=day(row.get("valid_from", "")),
        valid_to=day(row.get("valid_to", "")),
    )


def _code(row: dict[str, str]) -> Row:
    return Row(
        row["code"],
        row.get("zh", ""),
        row.get("en", ""),
        row.get("parent", ""),
        day(row.get("valid_from", "")),
        day(row.get("valid_to", "")),
    )
