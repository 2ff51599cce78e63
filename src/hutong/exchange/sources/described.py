"""What an OpenAPI document (3.0 or 3.1) says of one operation: its parameters, and the columns of the rows it gives."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from hutong.exchange.sources.spec import SourceUnreadable

DEEPEST = 30  # references and allOf followed, one below the other
TYPES: dict[str, pa.DataType] = {
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "string": pa.string(),
}
FORMATS: dict[str, pa.DataType] = {"date": pa.date32(), "date-time": pa.timestamp("us", tz="UTC")}


@dataclass(frozen=True)
class Operation:
    """One way to ask."""

    path: str  # below the service's address, with {parameters} still in it
    parameters: frozenset[str]  # of the query
    schema: pa.Schema  # a column is not nullable where every row must have it
    left_out: tuple[str, ...]  # properties that are no plain values


def operation(text: bytes, named: str, rows: str) -> Operation:
    """Find an operation and read it.

    named    its operationId, or its path
    rows     where the rows stand in the answer: names with points between, "" for the answer itself
    raises   SourceUnreadable
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict) or not str(document.get("openapi", "")).startswith(("3.0", "3.1")):
        raise _unreadable("the document is no OpenAPI 3.0 or 3.1 in JSON", "文档不是 JSON 格式的 OpenAPI 3.0 或 3.1")
    read = _Document(document)
    for path, item in _object(document.get("paths")).items():
        found = _object(_object(item).get("get"))
        if found and named in (path, found.get("operationId")):
            listed = [*_list(_object(item).get("parameters")), *_list(found.get("parameters"))]
            said = [read.resolved(one) for one in listed]
            queried = frozenset(str(one["name"]) for one in said if one.get("in") == "query" and "name" in one)
            schema, left_out = read.columns(read.answer(found), rows)
            return Operation(path, queried, schema, left_out)
    raise _unreadable("the document has no GET operation of that name", "文档中没有该名称的 GET 操作")


class _Document:
    """References followed, alternatives merged."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document

    def resolved(self, node: Any, depth: int = 0) -> dict[str, Any]:
        """What a reference within the document stands for; allOf as one schema."""
        if depth > DEEPEST:
            raise _unreadable("its references run in a circle", "引用存在循环")
        said = _object(node)
        reference = said.get("$ref")
        if isinstance(reference, str):
            target: Any = self._document if reference.startswith("#/") else None
            for step in reference.removeprefix("#/").split("/"):
                target = _object(target).get(step.replace("~1", "/").replace("~0", "~"))
            if target is None:
                raise _unreadable("it refers to what is not in it", "引用的内容不在文档中")
            return self.resolved(target, depth + 1)
        whole = dict(said)
        for part in _list(said.get("allOf")):
            merged = self.resolved(part, depth + 1)
            whole["properties"] = _object(merged.get("properties")) | _object(whole.get("properties"))
            whole["required"] = [*_list(merged.get("required")), *_list(whole.get("required"))]
            whole.setdefault("type", merged.get("type"))
        return whole

    def answer(self, found: dict[str, Any]) -> dict[str, Any]:
        responses = _object(found.get("responses"))
        for status in ("200", "2XX", "2xx", "default"):
            for media, content in _object(self.resolved(responses.get(status, {})).get("content")).items():
                if media.partition(";")[0].strip() == "application/json" or media.endswith("+json"):
                    return self.resolved(_object(content).get("schema"))
        raise _unreadable("the document does not describe the answer", "文档未描述应答内容")

    def columns(self, schema: dict[str, Any], rows: str) -> tuple[pa.Schema, tuple[str, ...]]:
        for step in rows.split(".") if rows else ():
            schema = self.resolved(_object(schema.get("properties")).get(step, {}))
        one = self.resolved(schema.get("items", {}))
        properties = _object(one.get("properties"))
        if _type(schema) != "array" or not properties:
            raise _unreadable("it describes no rows there", "该位置未描述数据行")
        required = set(_list(one.get("required")))
        fields = [(name, self._column(value), name not in required) for name, value in properties.items()]
        kept = [pa.field(name, type_, nullable) for name, type_, nullable in fields if type_ is not None]
        return pa.schema(kept), tuple(name for name, type_, _ in fields if type_ is None)

    def _column(self, node: Any) -> pa.DataType | None:
        said = self.resolved(node)
        kind = _type(said)
        if kind == "string" and said.get("format") in FORMATS:
            return FORMATS[said["format"]]
        return TYPES.get(kind)


def _type(schema: Mapping[str, Any]) -> str:
    """The one type besides null, "" for several or none."""
    said = schema.get("type")
    types = [one for one in (said if isinstance(said, list) else [said]) if one != "null"]
    return str(types[0]) if len(types) == 1 else ""


def lines(text: str, signs: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    """The lines of a setting, each in two parts with one of the signs between; ValueError for another."""
    for line in text.splitlines():
        if line.strip():
            sign = next((one for one in signs if one in line), None)
            left, _, right = line.partition(sign or "=")
            if sign is None or not left.strip() or not right.strip():
                raise ValueError("a line has no two parts")
            yield left.strip(), sign, right.strip()


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _unreadable(reason: str, reason_zh: str) -> SourceUnreadable:
    return SourceUnreadable(kind="openapi", reason=reason, reason_zh=reason_zh)
