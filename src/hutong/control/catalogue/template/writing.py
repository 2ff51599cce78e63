"""Descriptions as a workbook of the national template."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import xlsxwriter

from hutong.control.catalogue import description_file
from hutong.control.catalogue.models import Resource
from hutong.control.catalogue.template.columns import (
    COLUMNS,
    IDENTITY,
    PROVIDER,
    PROVIDER_CODE,
    PUBLISHED_ON,
    TEMPLATE,
    Column,
    speaking,
)
from hutong.control.standards.dictionary import dictionary
from hutong.control.statute.day import china_date

SHEET = "政务信息资源目录"
WIDE = ("summary_zh", "conditions", "title_zh")


def write(path: Path, resources: Iterable[Resource]) -> int:
    """Write the resources, each a row with its first item and a row for every other. Every cell is text, so that no
    spreadsheet reads a code as a number or a text as a formula.

    returns   how many resources were written
    """
    count, elements = 0, dictionary().known
    columns = [speaking(one, elements) for one in COLUMNS]
    with xlsxwriter.Workbook(path, {"constant_memory": True, "in_memory": False}) as book:
        sheet = book.add_worksheet(SHEET)
        bold = book.add_format({"bold": True, "text_wrap": True, "bg_color": "#E6EEF5"})
        further = book.add_format({"bold": True, "text_wrap": True, "bg_color": "#F2F2F2"})
        text = book.add_format({"num_format": "@", "text_wrap": True, "valign": "top"})
        for at, column in enumerate(columns):
            sheet.set_column(at, at, 28 if column.name in WIDE else 14, text)
            sheet.write_string(0, at, column.heading, bold if at < len(TEMPLATE) else further)
        sheet.freeze_panes(1, 0)
        row = 1
        for resource in resources:
            for cells in _rows(resource, columns):
                for at, said in enumerate(cells):
                    if said:
                        sheet.write_string(row, at, said, text)
                row += 1
            count += 1
    return count


def _rows(resource: Resource, columns: Sequence[Column]) -> Iterable[list[str]]:
    described = description_file.document(resource, list(resource.items.order_by("position")))
    items: list[dict[str, Any] | None] = list(described["items"]) or [None]
    for position, item in enumerate(items):
        yield [_cell(one, resource, described, item, first=position == 0) for one in columns]


def _cell(
    column: Column, resource: Resource, described: dict[str, Any], item: dict[str, Any] | None, *, first: bool
) -> str:
    if column.of_item:
        return _said(column, item[column.name]) if item is not None else ""
    if not first:
        return ""
    if column.name == "conditions" and described["attribute"] == "refused" and not described["conditions"]:
        return str(described["legal_citation"])
    about = {
        IDENTITY: resource.id,
        PROVIDER: resource.department.name_zh,
        PROVIDER_CODE: resource.department_id,
        PUBLISHED_ON: china_date(resource.published_at).isoformat() if resource.published_at else "",
    }
    return about[column.name] if column.name in about else _said(column, described[column.name])


def _said(column: Column, value: Any) -> str:
    return column.out(value) if value not in ("", None, []) else ""
