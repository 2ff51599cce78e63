"""A published list as others read it: JSON for programs, CSV for people."""

from __future__ import annotations

import csv
import io
from typing import Any, Final

from hutong.control.demands.lists import KINDS
from hutong.control.demands.models import ListVersion
from hutong.control.standards.dictionary import dictionary
from hutong.node.directory import participant_id
from hutong.node.settings import current
from hutong.vocabulary.codes import PURPOSES, UPDATE_CYCLES, CodeList
from hutong.vocabulary.moments import rfc3339

# Column: heading, in the order of the sheet.
COLUMNS: Final[dict[str, dict[str, str]]] = {
    "demand": {
        "id": "编号",
        "title": "需求名称",
        "department_name": "需求部门",
        "home": "需求方行政区",
        "purpose": "用途",
        "elements": "数据元",
        "words": "信息项",
        "area_code": "区域",
        "update_cycle": "更新周期",
        "state": "状态",
        "holder": "办理方行政区",
        "lead_name": "数源部门",
        "due_on": "应办结日期",
        "resource_id": "数据资源",
        "refusal_code": "不予办理理由",
        "refusal_citation": "依据",
        "co_demanders": "并入需求数",
    },
    "duty": {
        "id": "编号",
        "title_zh": "责任事项",
        "department_name": "责任部门",
        "department_code": "统一社会信用代码",
        "elements": "数据元",
        "area_code": "区域",
        "update_cycle": "更新周期",
        "lead": "数源部门",
        "basis": "依据",
        "resource_id": "数据资源",
    },
    "barred": {
        "id": "编号",
        "title_zh": "名称",
        "department_name": "部门",
        "resource_id": "数据资源",
        "items": "信息项",
        "elements": "数据元",
        "citation": "依据",
        "reason": "理由",
        "reviewed_on": "审核日期",
    },
}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_json(made: ListVersion) -> dict[str, Any]:
    """The list with its version, what changed, and its digest, which the ledger holds."""
    name = KINDS[made.kind]
    return {
        "v": 1,
        "list": made.kind,
        "name_zh": name.zh,
        "name_en": name.en,
        "publisher": participant_id(current().jurisdiction),
        "version": made.version,
        "published_at": rfc3339(made.published_at),
        "added": made.added,
        "gone": made.gone,
        "changed": made.changed,
        "digest": made.digest,
        "lines": made.lines,
    }


def as_csv(made: ListVersion) -> str:
    """One row per line, with Chinese headings. A cell that a spreadsheet would run as a formula is marked as text."""
    columns, elements = COLUMNS[made.kind], dictionary().known
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns.values())
    for line in made.lines:
        writer.writerow([_cell(name, line.get(name, ""), elements) for name in columns])
    return text.getvalue()


def _cell(name: str, value: Any, elements: CodeList) -> str:
    if name == "elements":
        said = "、".join(elements.name(one, "zh") for one in value)
    elif isinstance(value, list):
        said = "、".join(str(one) for one in value)
    elif isinstance(value, bool):
        said = "是" if value else ""
    elif name == "purpose":
        said = PURPOSES.name(str(value), "zh")
    elif name == "update_cycle":
        said = UPDATE_CYCLES.name(str(value), "zh")
    else:
        said = str(value)
    return "'" + said if said.startswith(_FORMULA) else said
