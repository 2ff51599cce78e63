"""What an agreement allows, as the data plane reads it: one document, decoded strictly.

Anything unknown in a grant's document fails closed: a grant that is not understood wholly is not served at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from hutong.exchange.grants.ranges import Ranges
from hutong.exchange.grants.tracing import BadTracing, Tracing
from hutong.vocabulary.errors import Refused

_FIELDS = {
    "agreement",
    "provider",
    "consumer",
    "resource",
    "source",
    "items",
    "where",
    "purposes",
    "quota_calls",
    "quota_calls_per_day",
    "quota_rows",
    "rate_per_s",
    "in_force",
    "pseudonym_key",
}
_MAY_LACK = {"tracing", "fields"}
_TEXTS = ("agreement", "provider", "consumer", "resource", "source")
_LIMITS = ("quota_calls", "quota_calls_per_day", "quota_rows", "rate_per_s")


class BadGrant(Refused):
    """The grant of agreement {agreement} cannot be carried out: {reason}."""

    zh = "协议 {agreement} 的授权无法执行：{reason}。"
    code = "bad_grant"
    status = 500
    next_en = "The provider's operator must correct the agreement's terms."
    next_zh = "请由提供方运维人员更正协议条款。"


@dataclass(frozen=True, slots=True)
class GrantedItem:
    """An item that may leave, and how it is masked on the way."""

    name: str
    mask: Mapping[str, Any]  # {"action": "keep"} or another mask document, see hutong.exchange.shaping.masks
    codes: str = ""  # id of the code map version that makes regional codes of it; "" for as it is in the source

    @property
    def action(self) -> str:
        return str(self.mask["action"])


@dataclass(frozen=True)
class Grant:
    """One agreement: who may read which items of which rows, for what, how often, how long."""

    agreement: str
    provider: str
    consumer: str  # the only jurisdiction that may read
    resource: str
    source: str  # Source.id
    items: tuple[GrantedItem, ...]  # in the order they are answered
    where: Mapping[str, Any] | None  # predicate document over original values; None = every row
    purposes: tuple[str, ...]
    quota_calls: int | None  # calls over the whole term
    quota_calls_per_day: int | None  # calls, by the provider's calendar day
    quota_rows: int | None  # rows over the whole term
    rate_per_s: int | None  # queries a second, per worker process of the provider
    in_force: Ranges[datetime]  # when it may be read under
    pseudonym_key: str  # the grant's own, sealed by this node, base64; "" where nothing is keyed
    tracing: Tracing | None = None  # what marks its answers, as both sides agreed
    fields: Mapping[str, int] = field(default_factory=dict)  # by item, its column's id in the source, where it has one

    def __post_init__(self) -> None:
        if not self.items or not self.purposes:
            raise BadGrant(
                agreement=self.agreement, reason="it names no items or no purposes", reason_zh="未列明信息项或用途"
            )
        names = [item.name for item in self.items]
        if len(set(names)) != len(names):
            raise BadGrant(agreement=self.agreement, reason="it names an item twice", reason_zh="信息项重复")
        if not self.in_force.parts:
            raise BadGrant(agreement=self.agreement, reason="it is never in force", reason_zh="没有任何生效时段")
        for moment in (one for part in self.in_force.parts for one in part):
            if moment is not None and moment.tzinfo is None:
                raise BadGrant(agreement=self.agreement, reason="a time has no zone", reason_zh="时间没有时区")

    @cached_property
    def by_name(self) -> dict[str, GrantedItem]:
        return {item.name: item for item in self.items}

    def to_document(self) -> dict[str, Any]:
        further: dict[str, Any] = {"tracing": self.tracing.to_document()} if self.tracing else {}
        if self.fields:
            further["fields"] = dict(self.fields)
        return {
            **further,
            **{name: getattr(self, name) for name in (*_TEXTS, *_LIMITS, "where", "pseudonym_key")},
            "items": [_item_document(item) for item in self.items],
            "purposes": list(self.purposes),
            "in_force": [[one and one.isoformat() for one in part] for part in self.in_force.parts],
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Grant:
        """raises BadGrant for anything missing, unknown or of the wrong kind"""
        agreement = str(document.get("agreement", "?"))
        if set(document) - _MAY_LACK != _FIELDS:
            odd = ", ".join(sorted(set(document) - _MAY_LACK ^ _FIELDS))
            raise BadGrant(
                agreement=agreement,
                reason=f"its document lacks, or should not have: {odd}",
                reason_zh=f"其文档缺少或不应有：{odd}",
            )
        try:
            return cls(
                agreement=_text(document["agreement"]),
                provider=_text(document["provider"]),
                consumer=_text(document["consumer"]),
                resource=_text(document["resource"]),
                source=_text(document["source"]),
                items=tuple(_item(one) for one in document["items"]),
                where=None if document["where"] is None else dict(document["where"]),
                purposes=tuple(_text(one) for one in document["purposes"]),
                quota_calls=_limit(document["quota_calls"]),
                quota_calls_per_day=_limit(document["quota_calls_per_day"]),
                quota_rows=_limit(document["quota_rows"]),
                rate_per_s=_limit(document["rate_per_s"]),
                in_force=Ranges(tuple((_moment(low), _moment(high)) for low, high in document["in_force"])),
                pseudonym_key=_text(document["pseudonym_key"]),
                tracing=Tracing.from_document(document["tracing"]) if "tracing" in document else None,
                fields={_text(name): _place(one) for name, one in document.get("fields", {}).items()},
            )
        except (AttributeError, KeyError, TypeError, ValueError, BadTracing) as error:
            raise BadGrant(
                agreement=agreement,
                reason="a member of its document has the wrong kind",
                reason_zh="其文档中有成员类型不对",
            ) from error


def _item(document: Mapping[str, Any]) -> GrantedItem:
    if set(document) - {"codes"} != {"name", "mask"} or not isinstance(document["mask"].get("action"), str):
        raise ValueError("an item is a name and a mask, and may have a code map")
    return GrantedItem(_text(document["name"]), dict(document["mask"]), _text(document.get("codes", "")))


def _item_document(item: GrantedItem) -> dict[str, Any]:
    document = {"name": item.name, "mask": dict(item.mask)}
    return {**document, "codes": item.codes} if item.codes else document


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("text expected")
    return value


def _moment(value: Any) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)


def _place(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError("a column's id is a whole number")
    return value


def _limit(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("a limit is a whole number or null")
    return value
