"""One query, as it travels between nodes: decoded strictly, bounded, and named by its digest."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from hutong.exchange.shaping.predicate import Predicate
from hutong.vocabulary.canonical import digest
from hutong.vocabulary.errors import BadInput
from hutong.vocabulary.ids import UUID_TEXT

QUERIES_PER_MESSAGE = 256  # most that travel in one signed message; owner: the wire
ROWS_PER_ANSWER = 1_000  # most rows of an answer that is not a stream; owner: the wire
ITEMS_PER_QUERY = 500  # most items one query may name
KEYS_PER_QUERY = 1_000  # most keys one query may name; owner: the wire
FORMS = ("json", "csv", "arrow", "parquet")

_FIELDS = frozenset(
    {"exchange", "agreement", "purpose", "case", "items", "where", "limit", "key", "keys", "replay", "edition"}
)
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


@dataclass(slots=True)
class Keys:
    """Many records, by the values of one item; answered in this order."""

    item: str
    values: tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Chosen:
    """Of the files an agreement gives, which: for a query that is answered in files.

    version, at   an earlier edition, by its number or as it was at a time; the newest when neither is given
    since         the first edition from a time on
    where, limit  a part of it, by its own masked values
    changes_from  not the rows but what changed from this version on, up to the edition chosen
    look          nothing is opened: only what there is
    """

    version: int | None = None
    since: datetime | None = None
    at: datetime | None = None
    where: Predicate | None = None
    limit: int | None = None
    changes_from: int | None = None
    look: bool = False


WHOLE = Chosen()


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
    keys: Keys | None = None  # never together with key or limit
    edition: Chosen | None = None  # for files alone

    @property
    def calls(self) -> int:
        """What it counts in a quota of calls: one, or one for each key of a batch."""
        return len(self.keys.values) if self.keys else 1

    @property
    def by_key(self) -> Predicate | None:
        """The condition its key or keys make."""
        if self.keys is not None:
            return Predicate("in", self.keys.item, self.keys.values)
        return None if self.key is None else Predicate("eq", self.key.item, (self.key.value,))

    @property
    def tested_items(self) -> tuple[str, ...]:
        """Items the consumer's condition looks at."""
        tested = tuple(self.where.items()) if self.where else ()
        by_key = self.key or self.keys
        return (*tested, by_key.item) if by_key else tested


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
    query.items, query.limit, query.key, query.keys = items, limit, key, _keys(document)
    query.edition = _chosen(document.get("edition"))
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
    if any(document.get(name) is not None for name in ("items", "where", "limit", "key", "keys")):
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


def _keys(document: Mapping[str, Any]) -> Keys | None:
    value = document.get("keys")
    if value is None:
        return None
    if not isinstance(value, dict) or value.keys() != {"item", "values"} or not isinstance(value["item"], str):
        raise BadQuery(reason="keys is an object with item and values", reason_zh="keys 应为含 item 和 values 的对象")
    values = value["values"]
    fits = isinstance(values, list) and all(type(one) in (str, int) for one in values)
    if not fits or not 0 < len(values) <= KEYS_PER_QUERY:
        raise BadQuery(
            reason=f"the keys are a list of 1 to {KEYS_PER_QUERY} texts or whole numbers",
            reason_zh=f"键值应为含 1 至 {KEYS_PER_QUERY} 个文本或整数的列表",
        )
    if document.get("key") is not None or document.get("limit") is not None:
        raise BadQuery(reason="keys stand without key and without limit", reason_zh="keys 不能与 key 或 limit 同时使用")
    return Keys(value["item"], tuple(values))


def _chosen(value: Any) -> Chosen | None:
    if value is None:
        return None
    if not isinstance(value, dict) or not value.keys() <= _CHOICES:
        raise BadQuery(
            reason="edition is an object with " + ", ".join(sorted(_CHOICES)),
            reason_zh="edition 应为对象，成员为 " + "、".join(sorted(_CHOICES)),
        )
    counts = [value.get(name) for name in ("version", "limit", "changes_from")]
    where = value.get("where")
    if not all(one is None or (type(one) is int and one >= 0) for one in counts):
        raise BadQuery(reason="a version or limit is a whole number", reason_zh="版本或行数上限应为整数")
    version, limit, changes_from = counts
    return Chosen(
        version=version,
        since=_moment(value.get("since")),
        at=_moment(value.get("at")),
        where=None if where is None else Predicate.from_document(where),
        limit=limit,
        changes_from=changes_from,
        look=value.get("look") is True,
    )


def _moment(text: Any) -> datetime | None:
    try:
        moment = None if text is None else datetime.fromisoformat(text)
    except (TypeError, ValueError):
        moment = None
    if (moment is None) != (text is None) or (moment is not None and moment.tzinfo is None):
        raise BadQuery(
            reason="a time of an edition has a date, a time and a zone", reason_zh="版本时间应含日期、时间和时区"
        )
    return moment


_CHOICES = frozenset({"version", "since", "at", "where", "limit", "changes_from", "look"})
