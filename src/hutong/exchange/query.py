"""One query, as it travels between nodes: decoded strictly, bounded, and named by its digest."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from hutong.exchange.shaping.predicate import Predicate
from hutong.vocabulary.canonical import digest
from hutong.vocabulary.errors import BadInput
from hutong.vocabulary.ids import UUID_TEXT

QUERIES_PER_MESSAGE = 256  # most that travel in one signed message; owner: the wire
ROWS_PER_ANSWER = 1_000  # most rows of an answer that is not a stream; owner: the wire
ITEMS_PER_QUERY = 500  # most items one query may name
FORMS = ("json", "csv", "arrow", "parquet")

_FIELDS = frozenset({"exchange", "agreement", "purpose", "case", "items", "where", "limit", "key", "replay"})
_AGREEMENT = re.compile(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")
_CASE = re.compile(r"hmac-sha256:[0-9a-f]{64}\Z")
_PURPOSE = re.compile(r"[0-9A-Za-z._:-]{1,64}\Z")


class BadQuery(BadInput):
    """The query cannot be read: {reason}."""

    zh = "查询无法读取：{reason}。"
    code = "bad_query"


@dataclass(slots=True)
class Key:
    """One record, by the value of one item."""

    item: str
    value: str | int


@dataclass(slots=True)  # not frozen: thousands a second are made
class Query:
    """What a consumer asks for under one agreement. Not changed once it is complete."""

    exchange: str  # UUID, minted by the consumer's node; the same id again is a repeat
    agreement: str  # urn:uuid:...
    purpose: str  # code
    case: str  # hmac-sha256:<hex> of the case number, under a key that stays with the consumer
    items: tuple[str, ...] | None  # None = all granted items
    where: Predicate | None
    limit: int | None  # rows; None = all
    key: Key | None
    digest: str  # of its canonical JSON: what both receipts name
    replay: str = ""  # the exchange whose withheld rows are asked for; then nothing else is

    @property
    def tested_items(self) -> tuple[str, ...]:
        """Items the consumer's condition looks at."""
        tested = tuple(self.where.items()) if self.where else ()
        return (*tested, self.key.item) if self.key else tested


def is_agreement(text: str) -> bool:
    return _AGREEMENT.match(text) is not None


def is_purpose(text: str) -> bool:
    return _PURPOSE.match(text) is not None


def envelope(document: Any) -> Query:
    """Who asks what for, and nothing of what: enough to record a refusal, whatever else is wrong with the query.

    raises   BadQuery
    """
    if not isinstance(document, dict):
        raise BadQuery(reason="a query is an object", reason_zh="查询应为对象")
    return Query(
        exchange=_matching(document, "exchange", UUID_TEXT, "a UUID", "UUID"),
        agreement=_matching(document, "agreement", _AGREEMENT, "urn:uuid: and a UUID", "urn:uuid: 加 UUID"),
        purpose=_matching(document, "purpose", _PURPOSE, "a purpose code", "用途代码"),
        case=_matching(document, "case", _CASE, "hmac-sha256: and 64 hex digits", "hmac-sha256: 加 64 位十六进制数"),
        items=None,
        where=None,
        limit=None,
        key=None,
        digest=document_digest(document),
    )


def complete(query: Query, document: Mapping[str, Any]) -> Query:
    """Fill an envelope in with what is asked for.

    raises   BadQuery, BadPredicate; the envelope is then as it was
    """
    if not document.keys() <= _FIELDS:
        raise BadQuery(
            reason="a query has the members " + ", ".join(sorted(_FIELDS)),
            reason_zh="查询的成员为 " + "、".join(sorted(_FIELDS)),
        )
    where, limit = document.get("where"), document.get("limit")
    if limit is not None and (type(limit) is not int or limit < 1):
        raise BadQuery(
            reason="limit is a whole number of rows from 1 on, or null",
            reason_zh="limit 应为不小于 1 的整数行数，或 null",
        )
    items, key = _items(document.get("items")), _key(document.get("key"))
    query.where = None if where is None else Predicate.from_document(where)
    query.items, query.limit, query.key = items, limit, key
    query.replay = _replay(document)
    return query


def decode(document: Any) -> Query:
    """raises BadQuery, BadPredicate"""
    return complete(envelope(document), document)


def document_digest(document: Mapping[str, Any]) -> str:
    """Of the canonical JSON. A query's numbers are whole (see decode and Predicate), so sorting the keys is enough.

    raises   BadQuery for what has no JSON
    """
    try:
        return digest(orjson.dumps(document, option=orjson.OPT_SORT_KEYS))
    except orjson.JSONEncodeError as error:
        raise BadQuery(
            reason="it holds a number or a text that JSON cannot carry exactly",
            reason_zh="含有 JSON 不能准确表示的数字或文本",
        ) from error


def _matching(document: Mapping[str, Any], name: str, pattern: re.Pattern[str], what: str, what_zh: str) -> str:
    value = document.get(name)
    if not isinstance(value, str) or not pattern.match(value):
        raise BadQuery(reason=f"{name} is {what}", reason_zh=f"{name} 应为{what_zh}")
    return value


def _items(value: Any) -> tuple[str, ...] | None:
    if value is None:
        return None
    names = isinstance(value, list) and all(isinstance(one, str) for one in value)
    if not names or not 0 < len(value) <= ITEMS_PER_QUERY or len(set(value)) != len(value):
        raise BadQuery(
            reason=f"items is a list of 1 to {ITEMS_PER_QUERY} different names, or null",
            reason_zh=f"items 应为 1 至 {ITEMS_PER_QUERY} 个不重复名称的列表，或 null",
        )
    return tuple(value)


def _replay(document: Mapping[str, Any]) -> str:
    if document.get("replay") is None:
        return ""
    if any(document.get(name) is not None for name in ("items", "where", "limit", "key")):
        raise BadQuery(
            reason="a replay repeats what its exchange asked for, and asks for nothing else",
            reason_zh="补发只能重复原交换所请求的内容，不能另加条件",
        )
    return _matching(document, "replay", UUID_TEXT, "the id of an exchange", "交换编号")


def _key(value: Any) -> Key | None:
    if value is None:
        return None
    if not isinstance(value, dict) or value.keys() != {"item", "value"} or not isinstance(value["item"], str):
        raise BadQuery(reason="key is an object with item and value", reason_zh="key 应为含 item 和 value 的对象")
    if type(value["value"]) not in (str, int):
        raise BadQuery(reason="the key's value is text or a whole number", reason_zh="key 的值应为文本或整数")
    return Key(value["item"], value["value"])
