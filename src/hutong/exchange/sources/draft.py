"""A first description of a source, inferred from its values, for an officer to edit.

What a column holds is said by its values where they can prove it (check digits), else by its name.
Guesses err towards care: what looks like a person is graded 3 and masked until an officer decides otherwise.
No value appears in a draft.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from hutong.exchange.shaping.values import kind_of
from hutong.exchange.sources.opening import open_source
from hutong.exchange.sources.source import Source
from hutong.exchange.sources.spec import SourceSpec
from hutong.vocabulary.recognisers import recognise

SAMPLE_ROWS = 20_000  # from the start; enough for a share, and seconds even over a slow link
SAMPLE_BYTES = 64 << 20
MAX_UNIQUE_ROWS = 5_000_000  # beyond it no key is proposed, because proving one would hold the column in memory


@dataclass(frozen=True)
class Element:
    """What is proposed for a data element."""

    grade: int  # 1 to 4
    sensitive: bool
    mask: str


ELEMENTS = {
    "person_id": Element(3, True, "identity_number"),
    "phone": Element(3, True, "phone"),
    "email": Element(3, True, "null"),
    "person_name": Element(3, True, "name"),
    "home_address": Element(3, True, "null"),
    "birth_date": Element(3, True, "year"),
    "uscc": Element(1, False, "keep"),
    "organisation_code": Element(1, False, "keep"),
    "area_code": Element(1, False, "keep"),
}
NOTHING = Element(1, False, "keep")
KEYS = ("person_id", "uscc", "organisation_code")
# A name decides only where the values cannot: names lie more often than check digits.
NAMES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("person_id", re.compile(r"身份证|身份号码|公民身份|id_?card|identity_?(no|number)|person_?id", re.I)),
    ("phone", re.compile(r"手机|电话|联系方式|phone|mobile|(^|_)tel$", re.I)),
    ("email", re.compile(r"邮箱|email|e-mail", re.I)),
    (
        "person_name",
        re.compile(r"^姓名|人姓名|法定代表人|法人代表|负责人|联系人|^(full|person|real)_?name$|legal_?rep", re.I),
    ),
    ("birth_date", re.compile(r"出生|birth", re.I)),
    ("home_address", re.compile(r"家庭住址|户籍地|居住地|现住址|home_?address|residence", re.I)),
)
TITLES = {
    "person_id": "公民身份号码",
    "phone": "联系电话",
    "email": "电子邮箱",
    "person_name": "姓名",
    "birth_date": "出生日期",
    "home_address": "住址",
    "uscc": "统一社会信用代码",
    "organisation_code": "组织机构代码",
    "area_code": "行政区划代码",
}


@dataclass(frozen=True)
class ItemDraft:
    """A proposed item. The mask is a mask document."""

    name: str
    title_zh: str
    type: str
    nullable: bool
    missing: int | None  # of row_count; None where counting would need a second pass over a large source
    element: str
    grade: int
    sensitive: bool
    mask: dict[str, Any]
    key: bool


@dataclass(frozen=True)
class Draft:
    items: tuple[ItemDraft, ...]
    row_count: int
    left_out: tuple[str, ...] = field(default=())


def draft(spec: SourceSpec) -> Draft:
    """raises   SourceRefused and what is below it"""
    source = open_source(spec)
    try:
        sample = _sample(source)
        missing = _missing(source)
        rows = source.count()
        items = tuple(_item(field, sample.column(field.name), missing[field.name]) for field in source.schema)
        unique = {one.name for one in items if one.key and rows <= MAX_UNIQUE_ROWS and _is_unique(source, one.name)}
        return Draft(tuple(replace(one, key=one.name in unique) for one in items), rows, source.left_out)
    finally:
        source.close()


def _sample(source: Source) -> pa.Table:
    batches: list[pa.RecordBatch] = []
    reader = source.read(source.schema.names, limit=SAMPLE_ROWS)
    for batch in reader:
        batches.append(batch)
        if sum(one.nbytes for one in batches) > SAMPLE_BYTES:
            break
    reader.close()
    return pa.Table.from_batches(batches, schema=source.schema)


def _missing(source: Source) -> dict[str, int]:
    """Nulls of every item over the whole source, in constant memory."""
    counts = dict.fromkeys(source.schema.names, 0)
    for batch in source.read(source.schema.names):
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            counts[name] += column.null_count
    return counts


def _item(described: pa.Field[Any], values: Any, missing: int) -> ItemDraft:
    element = _element(described, values)
    proposed = ELEMENTS.get(element, NOTHING)
    action = proposed.mask
    if action in ("year", "name", "identity_number", "phone") and not pa.types.is_string(described.type):
        action = action if action == "year" and pa.types.is_temporal(described.type) else "null"
    kind = kind_of(described.type)
    return ItemDraft(
        name=described.name,
        title_zh=described.name if _is_chinese(described.name) else TITLES.get(element, ""),
        type=kind.value if kind else "",
        nullable=missing > 0,
        missing=missing,
        element=element,
        grade=proposed.grade,
        sensitive=proposed.sensitive,
        mask={"action": action},
        key=element in KEYS and not missing,
    )


def _element(described: pa.Field[Any], values: Any) -> str:
    text = values.cast(pa.string()) if pa.types.is_integer(described.type) else values
    if pa.types.is_string(text.type) and (recognised := recognise(text)):
        return recognised.element
    return next((element for element, pattern in NAMES if pattern.search(described.name)), "")


def _is_unique(source: Source, item: str) -> bool:
    """Over all rows: real registers hold duplicate codes far from their start."""
    values = source.read([item]).read_all().column(0)
    return len(values) > 0 and pc.count_distinct(values).as_py() == len(values)


def _is_chinese(name: str) -> bool:
    return any("\u4e00" <= character <= "\u9fff" for character in name)
