"""The protocol's subset of ODRL: offers and agreements, read strictly and kept as sent.

A policy's document is kept whole, unknown members included, because its canonical JSON is what both
sides sign. Reading checks its shape; what it means for the data plane is in terms.py and compile.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from hutong.control.agreements.fields import Fields, Malformed, text_value
from hutong.vocabulary.canonical import canonical_bytes

COMPARISONS: Final = ("eq", "neq", "gt", "gteq", "lt", "lteq", "term-lteq")
MEMBERSHIPS: Final = ("hasPart", "isA", "isAllOf", "isAnyOf", "isNoneOf", "isPartOf")
LOGICAL: Final = ("and", "andSequence", "or", "xone")
DEEPEST: Final = 16  # levels of constraints within constraints; agreements people can read have two or three
TIMESTAMP: Final = re.compile(  # xsd:dateTime
    r"-?([1-9][0-9]{3,}|0[0-9]{3})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"T(([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?|24:00:00(\.0+)?)"
    r"(Z|[+-]((0[0-9]|1[0-3]):[0-5][0-9]|14:00))?\Z"
)


class Kind(StrEnum):
    """Which of the protocol's policies in messages: they differ in what must be there."""

    OFFER = "offer"
    AGREEMENT = "agreement"


@dataclass(frozen=True)
class Policy:
    """An offer or agreement. `target` is None only where the protocol lets it be absent."""

    id: str
    document: dict[str, Any]
    target: str | None = None
    assigner: str | None = None
    assignee: str | None = None
    timestamp: str | None = None


def read_policy(value: Any, kind: Kind, where: str) -> Policy:
    """raises   Malformed"""
    fields = Fields(value, where)
    policy_id = fields.identifier("@id")
    fields.literal("@type", "Agreement" if kind is Kind.AGREEMENT else "Offer")
    _read_rules(fields)
    _refuse_what_cannot_be_signed(fields)
    if kind is Kind.OFFER:
        return Policy(policy_id, fields.document, fields.identifier_or_none("target"))
    return Policy(
        policy_id,
        fields.document,
        fields.identifier("target"),
        fields.text("assigner"),
        fields.text("assignee"),
        _read_timestamp(fields),
    )


def _read_timestamp(fields: Fields) -> str | None:
    timestamp = fields.text_or_none("timestamp")
    if timestamp is not None and not TIMESTAMP.match(timestamp):
        raise fields.fail("timestamp", "an xsd:dateTime is expected", "应为 xsd:dateTime")
    return timestamp


def _read_rules(fields: Fields) -> None:
    if fields.has("profile") and not isinstance(fields.document["profile"], str):
        fields.many("profile", text_value)
    for name in ("permission", "prohibition", "obligation"):
        fields.many_or_none(name, _read_rule, fewest=1)
    if not (fields.has("permission") or fields.has("prohibition")):
        raise fields.fail("permission", "a permission or a prohibition is expected", "应有许可或禁止")


def _read_rule(value: Any, where: str) -> None:
    fields = Fields(value, where)
    fields.text("action")
    fields.many_or_none("constraint", lambda inner, path: _read_constraint(inner, path, 1))


def _read_constraint(value: Any, where: str, depth: int) -> None:
    fields = Fields(value, where)
    if depth > DEEPEST:
        raise Malformed(
            where=where,
            reason=f"constraints are nested more than {DEEPEST} deep",
            reason_zh=f"约束嵌套超过 {DEEPEST} 层",
        )
    joined = [name for name in LOGICAL if fields.has(name)]
    if not joined:
        return _read_atomic(fields)
    if len(joined) > 1 or (fields.has("leftOperand") and fields.has("operator") and fields.has("rightOperand")):
        raise Malformed(
            where=where,
            reason="either one of and, andSequence, or, xone, or a comparison, never both",
            reason_zh="and、andSequence、or、xone 与比较式只能用其中一个",
        )
    fields.many(joined[0], lambda inner, path: _read_constraint(inner, path, depth + 1))
    return None


def _read_atomic(fields: Fields) -> None:
    fields.text("leftOperand")
    fields.literal("operator", *COMPARISONS, *MEMBERSHIPS)
    if not isinstance(fields.document.get("rightOperand"), (str, dict, list)):
        raise fields.fail("rightOperand", "a string, an object or a list is expected", "应为字符串、对象或列表")


def _refuse_what_cannot_be_signed(fields: Fields) -> None:
    """Floats and NUL have no place in a document two parties sign and two kinds of database keep."""
    try:
        encoded = canonical_bytes(fields.document)
    except (ValueError, TypeError, RecursionError) as error:
        raise Malformed(where=fields.where, reason=str(error), reason_zh=f"无法写成规范化 JSON（{error}）") from error
    if b"\\u0000" in encoded:
        raise Malformed(where=fields.where, reason="a text contains NUL", reason_zh="文本含 NUL 字符")
