"""A filled-in workbook as descriptions, each with the rows it came from. Touches no database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hutong.control.catalogue.template.columns import (
    IDENTITY,
    PROVIDER,
    PROVIDER_CODE,
    PUBLISHED_ON,
    BadCell,
    Column,
    heading,
    speaking,
)
from hutong.exchange.sources.workbook import numbered_rows
from hutong.vocabulary.codes import CodeList
from hutong.vocabulary.errors import Refused

HEADINGS_WITHIN = 20  # rows from the top
MOST_RESOURCES = 5000  # of one workbook; owner: catalogue
_ABOUT = (IDENTITY, PROVIDER, PROVIDER_CODE, PUBLISHED_ON)  # no fields of the description


class NotTheTemplate(Refused):
    """This workbook has no row of headings of the national template: 信息资源名称 is missing."""

    zh = "该工作簿没有国家模板的表头：缺少“信息资源名称”。"
    code = "not_the_template"
    status = 422
    next_en = "Export the catalogue to see the headings."
    next_zh = "可先导出目录查看表头。"


class TooManyResources(Refused):
    """A workbook holds at most {most} resources."""

    zh = "每个工作簿最多 {most} 项数据资源。"
    code = "too_many_resources"
    status = 422
    next_en = "Divide it."
    next_zh = "请拆分后导入。"


class RowWithoutResource(Refused):
    """This row names no resource, and none stands above it."""

    zh = "该行没有信息资源名称，上方也没有数据资源。"
    code = "row_without_resource"
    status = 422
    next_en = "Give the resource's name in its first row."
    next_zh = "请在首行填写信息资源名称。"


@dataclass
class Described:
    """One resource of the workbook: as it is given, nothing checked beyond the cells themselves."""

    row: int  # where it begins
    title: str
    about: dict[str, str]  # id, provider, provider_code
    fields: dict[str, Any] = field(default_factory=dict)
    items: list[dict[str, Any]] = field(default_factory=list)
    item_rows: list[int] = field(default_factory=list)
    refusal: Refused | None = None
    refused_row: int = 0

    def refuse(self, row: int, refusal: Refused) -> None:
        """The first refusal stands; nothing of the resource is taken then."""
        if self.refusal is None:
            self.refusal, self.refused_row = refusal, row


@dataclass(frozen=True)
class Sheet:
    resources: tuple[Described, ...]
    ignored: tuple[str, ...]  # headings that are none of ours


def read(path: Path, elements: CodeList) -> Sheet:
    """elements   the data elements a cell may name
    raises     WorkbookTooLarge, SourceUnreadable, NotTheTemplate, TooManyResources"""
    rows = numbered_rows(path)
    found, ignored, rows = _headings(rows)
    columns = {at: speaking(one, elements) for at, one in found.items()}
    resources: list[Described] = []
    cells_before: tuple[str, ...] | None = None
    for number, row in rows:
        cells = {at: row[at] for at in columns if at < len(row) and row[at].strip()}
        if not cells:
            continue
        own = tuple(cells.get(at, "") for at, one in columns.items() if not one.of_item)
        if any(own) and own != cells_before:
            resources.append(_begun(number, cells, columns))
            cells_before = own
            if len(resources) > MOST_RESOURCES:
                raise TooManyResources(most=MOST_RESOURCES)
        elif not resources:
            resources.append(_without_resource(number))
            continue
        _take_item(resources[-1], number, cells, columns)
    return Sheet(tuple(resources), tuple(ignored))


def _headings(
    rows: Iterator[tuple[int, list[str]]],
) -> tuple[dict[int, Column], list[str], Iterator[tuple[int, list[str]]]]:
    """The columns by their place. The guide's headings stand in two rows, a group's name above its parts."""
    for number, row in rows:
        if number > HEADINGS_WITHIN:
            break
        found = {at: one for at, text in enumerate(row) if (one := heading(text)) is not None}
        if not any(one.name == "title_zh" and not one.of_item for one in found.values()):
            continue
        following = next(rows, None)
        below = following[1] if following else []
        parts = {at: one for at, text in enumerate(below) if (one := heading(text)) is not None}
        is_heading = any(one.of_item for one in parts.values()) or len(parts) > 2
        if is_heading:
            found |= parts
            spoken = [below[at] if at < len(below) and below[at] else text for at, text in enumerate(row)]
        else:
            spoken = row
        ignored = [text.strip() for at, text in enumerate(spoken) if text.strip() and at not in found]
        rest = rows if is_heading or following is None else _chained(following, rows)
        return found, ignored, rest
    raise NotTheTemplate


def _chained(first: tuple[int, list[str]], rest: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[int, list[str]]]:
    yield first
    yield from rest


def _begun(number: int, cells: dict[int, str], columns: dict[int, Column]) -> Described:
    given = {one.name: cells[at] for at, one in columns.items() if at in cells and not one.of_item}
    made = Described(number, given.get("title_zh", ""), {name: given[name] for name in _ABOUT if name in given})
    if not made.title:
        made.refuse(number, BadCell(heading="信息资源名称", reason="it is empty", reason_zh="不能为空"))
    for at, one in columns.items():
        if at in cells and not one.of_item and one.name not in _ABOUT:
            try:
                made.fields[one.name] = one.back(cells[at], one.heading)
            except Refused as refusal:
                made.refuse(number, refusal)
    _settle_citation(made.fields)
    return made


def _settle_citation(fields: dict[str, Any]) -> None:
    """The guide writes the grounds of a refusal where conditions stand."""
    if fields.get("attribute") == "refused" and fields.get("conditions"):
        cited = fields.get("legal_citation")
        if not cited or cited == fields["conditions"]:
            fields["legal_citation"] = fields.pop("conditions")


def _take_item(resource: Described, number: int, cells: dict[int, str], columns: dict[int, Column]) -> None:
    item: dict[str, Any] = {}
    for at, one in columns.items():
        if at in cells and one.of_item:
            try:
                item[one.name] = one.back(cells[at], one.heading)
            except Refused as refusal:
                resource.refuse(number, refusal)
    if not item:
        return
    item.setdefault("name", item.get("title_zh", ""))
    item.setdefault("type", "string")
    resource.items.append(item)
    resource.item_rows.append(number)


def _without_resource(number: int) -> Described:
    made = Described(number, "", {})
    made.refuse(number, RowWithoutResource())
    return made
