"""The rows that every engine is given, and the policies that every engine is asked under."""

from __future__ import annotations

import datetime
import itertools
import os
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import pyarrow as pa

from hutong.exchange.shaping.masks import ACTIONS, COUNTED, FITTING, KEEPS, MARKABLE
from hutong.exchange.shaping.values import kind_of
from tests.leaks.naive import CODE, Policy, Row, _check, _inner, _outer

ALL = os.environ.get("HUTONG_LEAKS") == "all"  # every mask under every condition; without it, every mask and each
# condition with every engine, in fewer combinations
ROWS = 60
SCHEMA = pa.schema(
    [
        ("number", pa.int64()),
        ("id", pa.string()),
        ("code", pa.string()),
        ("name", pa.string()),
        ("phone", pa.string()),
        ("street", pa.string()),
        ("city", pa.string()),
        ("born", pa.string()),
        ("size", pa.int64()),
        ("share", pa.float64()),
        ("money", pa.decimal128(12, 2)),
        ("ok", pa.bool_()),
        ("day", pa.date32()),
        ("at", pa.timestamp("us")),
    ]
)
NAMES = [
    "王小明",
    "李四",
    "欧阳娜娜",
    "赵",
    "",
    None,
    "\U00020bb7野家康",
    "O'Brien; --",
    "e\u0301tienne",
    "两行\n姓名",
    "第一%_",
]
CITIES = ["南京市", "南京", "苏州", None, "NANJING", "nanjing", ""]
BORN = ["1992-07-06", "1992/07/06 08:00", "1992", "19920706", "1992-7", "1992年7月", None, "不详", "2001-05-17\n"]
SIZES = [0, -1, 5, 2**53 + 1, -(10**17), None, 42, 7, 2**63 - 1, -(2**63)]
SHARES = [0.1, 0.3, -5.5, 1e300, None, 2.5, 1e-7, float("nan")]
MONEY = ["0.00", "-99999999.99", None, "1.50", "12345.67"]
DAYS = ["2000-01-01", "1999-12-31", None, "2024-02-29", "1850-01-01"]
TIMES = ["2000-01-01 00:00:00", "2024-02-29 23:59:59.999999", None, "1978-06-05 08:30:00"]


def _taken(values: list[Any], number: int, make: Any = lambda value: value) -> Any:
    value = values[number % len(values)]
    return None if value is None else make(value)


def _id(number: int) -> str | None:
    """Valid for nobody: births of the 1850s; every seventh is none, spoiled, or of another form."""
    body = f"3201{number % 90:02d}185{number % 10}0{number % 9 + 1}1{number % 9}{number * 13 % 1000:03d}"
    odd = {5: None, 12: body + "?", 19: "320102185", 26: "秘密不是号码", 33: body + _check(body).lower()}
    return odd[number] if number in odd else body + _check(body)


def _code(number: int) -> str | None:
    inner = "".join(CODE[(number * 7 + place * 5) % 31] for place in range(8))
    body = f"91320{number:03d}" + inner + _inner(inner)
    return None if number % 11 == 3 else body[:16] + "0" * 2 if number % 11 == 7 else body + _outer(body)


def _row(number: int) -> Row:
    return {
        "number": number,
        "id": _id(number),
        "code": _code(number),
        "name": _taken(NAMES, number),
        "phone": _taken([f"138{number:08d}", "+86 138-0000-1234", "王小明的电话", None], number),
        "street": _taken([f"秘密大街{number}号(东门)", f"秘密大街{number}号（西门）", None, "无门牌"], number),
        "city": _taken(CITIES, number),
        "born": _taken(BORN, number),
        "size": _taken(SIZES, number),
        "share": _taken(SHARES, number),
        "money": _taken(MONEY, number, Decimal),
        "ok": _taken([True, False, None], number),
        "day": _taken(DAYS, number, datetime.date.fromisoformat),
        "at": _taken(TIMES, number, datetime.datetime.fromisoformat),
    }


TABLE: list[Row] = [_row(number) for number in range(ROWS)]
# A column nobody may read, and rows that were deleted: none of it may ever be seen.
NOTE = "秘密附注"
DOOMED: list[Row] = [
    {**_row(number), "number": number, "name": "秘密已删除的人", "street": "秘密已删除的街"}
    for number in range(ROWS, ROWS + 5)
]

CONDITIONS: dict[str, Mapping[str, Any] | None] = {
    "every row": None,
    "no row": {"op": "eq", "item": "city", "value": "北京"},
    "of a masked item": {"op": "eq", "item": "name", "value": "王小明"},
    "as masked": {"op": "in", "item": "name", "values": ["王**", "XXXXXXXX"]},
    "not": {"op": "not", "arg": {"op": "eq", "item": "city", "value": "南京"}},
    "missing": {"op": "is_null", "item": "city"},
    "both": {
        "op": "and",
        "args": [{"op": "ge", "item": "number", "value": 10}, {"op": "starts_with", "item": "city", "value": "南"}],
    },
    "either": {
        "op": "or",
        "args": [{"op": "gt", "item": "size", "value": 5}, {"op": "contains", "item": "street", "value": "("}],
    },
    "a range of doubles": {"op": "between", "item": "share", "low": "0", "high": "1e299"},
    "not of doubles": {"op": "not", "arg": {"op": "lt", "item": "share", "value": "1"}},
    "days": {"op": "lt", "item": "day", "value": "2000-01-01"},
    "the largest": {"op": "ge", "item": "size", "value": 2**63 - 1},
}


# Codes of the region for the cities; "nanjing" and "" have none, so their rows stay behind.
CODES = {"南京市": "320100", "南京": "320100", "苏州": "320500", "NANJING": "320199"}
CODED: dict[str, Mapping[str, Any] | None] = {
    "every row": None,
    "a code": {"op": "eq", "item": "city", "value": "320100"},
    "not a code": {"op": "not", "arg": {"op": "eq", "item": "city", "value": "320100"}},
    "a local code": {"op": "in", "item": "city", "values": ["南京", "nanjing"]},
    "codes that begin so": {
        "op": "or",
        "args": [{"op": "starts_with", "item": "city", "value": "3205"}, {"op": "is_null", "item": "city"}],
    },
}


def converted(rows: list[Row]) -> list[Row]:
    """The rows that have a code, with it."""
    held = (row for row in rows if row["city"] is None or row["city"] in CODES)
    return [{**row, "city": None if row["city"] is None else CODES[row["city"]]} for row in held]


def masks_for(type_: pa.DataType) -> list[dict[str, Any]]:
    """Every mask that fits a type, with each of its parameters."""
    kind, found = kind_of(type_), []
    for action in ACTIONS:
        if kind not in FITTING[action]:
            continue
        if action in COUNTED:
            found += [{"action": action, "n": n} for n in (1, 4, 40)]
        elif action == "encrypt_identity_number":
            found += [{"action": action, "keeps": keeps} for keeps in KEEPS]
            found.append({"action": action, "keeps": "province", "suite": "sm"})
        else:
            found.append({"action": action})
            found += [{"action": action, "suite": "sm"}] if action in ("pseudonym", "encrypt_credit_code") else []
    return found


def policies(schema: pa.Schema, turn: int) -> Iterator[Policy]:
    """Every mask of every item at least once, under conditions in turn; all pairs with HUTONG_LEAKS=all.

    turn   where to begin in the conditions, so that engines begin at different ones
    """
    masks = {field.name: masks_for(field.type) for field in schema if field.name != "number"}
    possible = {
        name: where
        for name, where in CONDITIONS.items()
        if name != "days" or pa.types.is_date32(schema.field("day").type)
    }
    most = max(len(found) for found in masks.values())
    names = itertools.cycle(list(possible)[turn % len(possible) :] + list(possible)[: turn % len(possible)])
    for place in range(most):
        chosen = {item: found[(place + shift) % len(found)] for shift, (item, found) in enumerate(masks.items())}
        marked = frozenset(
            item
            for item, mask in chosen.items()
            if place % 3 == 0 and mask["action"] in MARKABLE and pa.types.is_string(schema.field(item).type)
        )
        for name in possible if ALL else [next(names)]:
            yield Policy(f"{name}, masks {place}", {"number": {"action": "keep"}, **chosen}, possible[name], marked)
