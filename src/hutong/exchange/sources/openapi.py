"""Existing HTTP interfaces that an OpenAPI document describes: one GET operation, page by page.

What an interface can test itself, as its department has said, is asked of it; every condition is tested again here, on
what came. A row that lacks a required property, or has one of another type, stops the read.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin

import pyarrow as pa

from hutong.exchange.shaping.predicate import Predicate
from hutong.exchange.shaping.values import Kind, Scalar, kind_of, literal
from hutong.exchange.sources.calling import LARGEST_ANSWER, Answered, Caller
from hutong.exchange.sources.described import Operation, lines, operation
from hutong.exchange.sources.location import open_plain, origin
from hutong.exchange.sources.source import BATCH_ROWS, LOOKUP_ROWS, LookupTooWide, Source, cut, needed
from hutong.exchange.sources.spec import BadSourceSetting, SourceSpec, SourceUnreadable

MOST_PAGES = 100_000
ROWS_A_PAGE = 100
SIGNS = (">=", "<=", "=")
ASKED = {"eq": ("=",), "ge": (">=",), "gt": (">=",), "le": ("<=",), "lt": ("<=",), "between": (">=", "<=")}
NEXT = re.compile(r'<([^>]*)>\s*;(?:[^,]*;)?\s*rel="?next"?', re.IGNORECASE)


class OpenapiSource(Source):
    """One operation of an interface."""

    def __init__(self, spec: SourceSpec) -> None:
        """raises   SourceRefused"""
        self._spec = spec
        self._given = spec.given
        self._caller = Caller(spec)
        self._operation = self._described()
        self._filters = _filters(self._given.get("filters", ""), self._operation)
        self._fixed = _fixed(self._given.get("parameters", ""))
        self._size = _number(self._given, "page_size", ROWS_A_PAGE)
        self._first = _number(self._given, "first_page", 1)
        self.schema, self.left_out = self._now(self._operation)

    def look(self) -> pa.Schema:
        return self._now(self._described())[0]

    def count(self) -> int:
        return sum(len(rows) for rows in self._pages({}))

    def _rows(self, schema: pa.Schema, where: Predicate | None, limit: int | None) -> Iterator[pa.RecordBatch]:
        columns = [self._operation.schema.field(name) for name in needed(schema, where)]
        return cut(self._batches(columns, where), schema, where, limit)

    def lookup(
        self,
        items: Sequence[str],
        key: str,
        values: Sequence[Scalar],
        where: Predicate | None = None,
        limit: int = LOOKUP_ROWS,
    ) -> pa.Table:
        schema = self.fields(items)
        wanted = list(dict(zip(self.key_values(key, values), values, strict=True)).values())  # "7" and 7 are one
        # An interface that takes the key is asked once for each; another one is read for all of them at once.
        asks = [[one] for one in wanted] if (key, "=") in self._filters else [wanted] if wanted else []
        found = schema.empty_table()
        for ask in asks:
            among = Predicate.all_of(Predicate("in", key, tuple(ask)), where)
            found = pa.concat_tables([found, self.read(items, among, limit + 1 - found.num_rows).read_all()])
            if found.num_rows > limit:
                raise LookupTooWide(limit=limit)
        return found

    def close(self) -> None:
        self._caller.close()

    def _described(self) -> Operation:
        """The operation as its document describes it now."""
        place = self._given.get("document", "")
        if origin(place):
            text = self._caller.text(place)
        else:
            with open_plain(Path(place)) as file:
                text = b"".join(iter(lambda: file.read(1 << 20), b""))
        if len(text) > LARGEST_ANSWER:
            raise _unreadable("its document is too large", "文档过大")
        return operation(text, self._given.get("operation", ""), self._given.get("rows", ""))

    def _now(self, described: Operation) -> tuple[pa.Schema, tuple[str, ...]]:
        """The columns that are described and that the first page bears out."""
        rows = next(self._pages({}, pages=1), [])
        fits = [field for field in described.schema if _fits(rows, field)]
        plain = pa.schema([pa.field(field.name, field.type) for field in fits])
        return plain, (*described.left_out, *(one for one in described.schema.names if one not in plain.names))

    def _batches(self, columns: Sequence[pa.Field[Any]], where: Predicate | None) -> Iterator[pa.RecordBatch]:
        """Every row that may meet the condition."""
        for rows in self._pages(self._asked(where)):
            for start in range(0, len(rows), BATCH_ROWS):
                part = rows[start : start + BATCH_ROWS]
                yield pa.record_batch({field.name: self._column(part, field) for field in columns})

    def _column(self, rows: Sequence[Mapping[str, Any]], field: pa.Field[Any]) -> Any:
        try:
            return _array(rows, field)
        except (KeyError, pa.ArrowException, TypeError, ValueError, OverflowError):
            raise self.drifted((field.name,)) from None

    def _asked(self, where: Predicate | None) -> dict[str, str]:
        """The parameters that ask for no less than the rows wanted."""
        asked: dict[str, str] = {}
        for part in (where.args if where.op == "and" else (where,)) if where is not None else ():
            signs = ("=",) if part.op == "in" and len(part.values) == 1 else ASKED.get(part.op, ())
            for sign, value in zip(signs, part.values, strict=False):
                if parameter := self._filters.get((part.item, sign)):
                    asked.setdefault(parameter, self._written(part.item, value))
        return asked

    def _written(self, item: str, value: Scalar) -> str:
        read = literal(value, self.schema.field(item).type, item)
        if isinstance(read, bool):
            return "true" if read else "false"
        return read.isoformat().replace("+00:00", "Z") if isinstance(read, datetime) else str(read)

    def _pages(self, asked: Mapping[str, str], pages: int = MOST_PAGES) -> Iterator[list[dict[str, Any]]]:
        """Every page's rows. A page is asked for until an empty one comes: what an interface makes of our size is its
        own affair, and a page that comes twice is an interface that does not turn pages.
        """
        way = self._given.get("paging", "none")
        address, query = self._first_address(), {**self._fixed[1], **asked}
        size_parameter, page_parameter = self._given.get("size_parameter", ""), self._given.get("page_parameter", "")
        if way != "none" and size_parameter:
            query[size_parameter] = str(self._size)
        taken, before = 0, b""
        for number in range(pages):
            if way == "page":
                query[page_parameter] = str(self._first + number)
            elif way == "offset":
                query[page_parameter] = str(taken)
            answer = self._caller.get(address, query)
            rows = self._listed(answer.document)
            digest = hashlib.sha256(answer.body).digest()
            if rows and digest == before:
                raise _unreadable("it gives the same page again", "接口重复返回同一页")
            before, taken = digest, taken + len(rows)
            if rows:
                yield rows
            following = self._following(way, answer, rows, address)
            if following is None:
                return
            if way == "cursor":
                query[page_parameter] = following
            elif way == "link":
                address, query = following, {}
        if pages == MOST_PAGES:
            raise _unreadable("it has too many pages", "页数过多")

    def _following(self, way: str, answer: Answered, rows: Sequence[Any], address: str) -> str | None:
        """What leads to the next page: a cursor, an address, "" for one to be counted; None where this was the last."""
        if way in ("page", "offset"):
            return "" if rows else None
        if way == "cursor":
            found: Any = answer.document
            for step in self._given.get("next_cursor", "").split("."):
                found = found.get(step) if isinstance(found, dict) else None
            return str(found) if isinstance(found, (str, int)) and found != "" else None
        if way == "link" and (link := NEXT.search(answer.link)):
            following: str = urljoin(address, link[1])
            if origin(following) != origin(self._spec.location):
                raise _unreadable("its next page lies at another address", "下一页位于其他地址")
            return following
        return None

    def _first_address(self) -> str:
        path = re.sub(r"\{([^}]*)\}", lambda one: quote(self._fixed[0].get(one[1], ""), safe=""), self._operation.path)
        return self._spec.location.rstrip("/") + path

    def _listed(self, document: Any) -> list[dict[str, Any]]:
        found = document
        for step in filter(None, self._given.get("rows", "").split(".")):
            found = found.get(step) if isinstance(found, dict) else None
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise _unreadable("its answer has no list of rows there", "应答的该位置不是数据行列表")
        return found


def _filters(text: str, described: Operation) -> dict[tuple[str, str], str]:
    """(item, sign): parameter. raises   BadSourceSetting"""
    found: dict[tuple[str, str], str] = {}
    try:
        for item, sign, parameter in lines(text, SIGNS):
            if item not in described.schema.names or parameter not in described.parameters:
                raise ValueError("not described")
            found[item, sign] = parameter
    except ValueError:
        raise BadSourceSetting(
            name="filters",
            reason="each line is an item, =, >= or <=, and a parameter, both of the document",
            reason_zh="每行应为信息项、=、>= 或 <=、参数，且均须在文档中",
        ) from None
    return found


def _fixed(text: str) -> tuple[dict[str, str], dict[str, str]]:
    """Of the path, and of the query; what the path does not name is left out of it. raises   BadSourceSetting"""
    try:
        said = {name: value for name, _, value in lines(text, ("=",))}
    except ValueError:
        raise BadSourceSetting(
            name="parameters", reason="each line is a parameter, =, and its value", reason_zh="每行应为 参数 = 值"
        ) from None
    inside = {name.strip("{}"): value for name, value in said.items() if name.startswith("{")}
    return inside, {name: value for name, value in said.items() if not name.startswith("{")}


def _number(given: Mapping[str, str], name: str, otherwise: int) -> int:
    said = given.get(name, str(otherwise))
    if not said.isdecimal() or len(said) > 9:
        raise BadSourceSetting(name=name, reason="a whole number", reason_zh="应为整数")
    return int(said)


def _fits(rows: Sequence[Mapping[str, Any]], field: pa.Field[Any]) -> bool:
    with suppress(KeyError, pa.ArrowException, TypeError, ValueError, OverflowError):
        _array(rows, field)
        return True
    return False


def _array(rows: Sequence[Mapping[str, Any]], field: pa.Field[Any]) -> Any:
    """A column of rows, of exactly the type described. A required property is there in every row, if only as null."""
    values = [row[field.name] if not field.nullable else row.get(field.name) for row in rows]
    kind = kind_of(field.type)
    if any(isinstance(value, bool) != (kind is Kind.BOOL) for value in values if value is not None):
        raise TypeError
    if kind is Kind.DATE:
        return pa.array(values, pa.string()).cast(field.type)
    if kind is Kind.TIMESTAMP:
        moments = [None if value is None else datetime.fromisoformat(value) for value in values]
        if any(one is not None and one.tzinfo is None for one in moments):
            raise ValueError
        return pa.array([one and one.astimezone(UTC) for one in moments], field.type)
    if kind is Kind.DOUBLE:
        return pa.array([None if value is None else _double(value) for value in values], field.type)
    return pa.array(values, field.type)


def _double(value: Any) -> float:
    if not isinstance(value, (int, float)):
        raise TypeError
    return float(value)


def _unreadable(reason: str, reason_zh: str) -> SourceUnreadable:
    return SourceUnreadable(kind="openapi", reason=reason, reason_zh=reason_zh)
