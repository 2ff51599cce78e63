"""What a Delta Sharing reader would like less of, read into our closed language of conditions.

Hints are wishes: the reader applies them again. What is not understood exactly is left out, never guessed, so that no
row is missing that the reader would keep. They are tested on masked rows, by the provider, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from hutong.exchange.shaping.predicate import Predicate, parse_text
from hutong.exchange.shaping.values import BadPredicate

LONGEST = 100_000  # characters of the JSON of a hint
MOST = 100  # hints of SQL
DEEPEST = 20
_COMPARE = {
    "equal": "eq",
    "lessThan": "lt",
    "lessThanOrEqual": "le",
    "greaterThan": "gt",
    "greaterThanOrEqual": "ge",
}
_MIRRORED = {"eq": "eq", "lt": "gt", "le": "ge", "gt": "lt", "ge": "le"}
_EXACT = frozenset({"bool", "int", "long", "string", "date"})  # of the others, engines differ on some values


@dataclass(frozen=True)
class Hints:
    """where   what every row the reader wants satisfies; None for no condition
    whole   where is all the reader asked: only then may rows be counted for it"""

    where: Predicate | None = None
    whole: bool = True


class _NotUnderstood(Exception):
    pass


def read_hints(json_hints: Any, sql_hints: Any) -> Hints:
    """Of the two ways a reader may write them, JSON first."""
    if json_hints is not None:
        return _of_json(json_hints)
    if isinstance(sql_hints, Sequence) and not isinstance(sql_hints, str):
        return _of_sql(sql_hints)
    return Hints(whole=sql_hints is None)


def _of_json(text: Any) -> Hints:
    try:
        if not isinstance(text, str) or len(text) > LONGEST:
            raise _NotUnderstood
        document, whole = _weaker(orjson.loads(text), 1)
        return Hints(None if document is None else Predicate.from_document(document), whole)
    except (_NotUnderstood, BadPredicate, orjson.JSONDecodeError, RecursionError):
        return Hints(whole=False)


def _of_sql(texts: Sequence[Any]) -> Hints:
    parts: list[Predicate] = []
    whole = len(texts) <= MOST
    for text in texts[:MOST]:
        try:
            parts.append(parse_text(text if isinstance(text, str) else ""))
        except BadPredicate:
            whole = False
    try:
        joined = Predicate.all_of(*parts)
        return Hints(None if joined is None else Predicate.from_document(joined.to_document()), whole)
    except BadPredicate:
        return Hints(whole=False)


def _weaker(node: Any, depth: int) -> tuple[dict[str, Any] | None, bool]:
    """Of an AND, the parts that are understood; of anything else, all or nothing. And whether that was all."""
    if isinstance(node, dict) and node.get("op") == "and":
        found = [_weaker(child, depth + 1) for child in _children(node, depth)]
        parts = [part for part, _ in found if part is not None]
        whole = all(one for _, one in found)
        if not parts:
            return None, whole
        return ({"op": "and", "args": parts} if len(parts) > 1 else parts[0]), whole
    try:
        return _exact(node, depth), True
    except _NotUnderstood:
        return None, False


def _exact(node: Any, depth: int) -> dict[str, Any]:
    """raises   _NotUnderstood"""
    op = node.get("op") if isinstance(node, dict) else None
    children = _children(node, depth)
    if op in ("and", "or"):
        return {"op": op, "args": [_exact(child, depth + 1) for child in children]}
    if op == "not" and len(children) == 1:
        return {"op": "not", "arg": _exact(children[0], depth + 1)}
    if op == "isNull" and len(children) == 1:
        return {"op": "is_null", "item": _column(children[0])}
    if op in _COMPARE and len(children) == 2:
        compare, (left, right) = _COMPARE[op], children
        if isinstance(left, dict) and left.get("op") == "literal":
            compare, left, right = _MIRRORED[compare], right, left
        return {"op": compare, "item": _column(left), "value": _literal(right)}
    raise _NotUnderstood


def _children(node: Any, depth: int) -> list[Any]:
    children = node.get("children") if isinstance(node, dict) else None
    if depth > DEEPEST or not isinstance(children, list) or not children:
        raise _NotUnderstood
    return children


def _column(node: Any) -> str:
    if not isinstance(node, dict) or node.get("op") != "column" or node.get("valueType") not in _EXACT:
        raise _NotUnderstood
    name = node.get("name")
    if not isinstance(name, str):
        raise _NotUnderstood
    return name


def _literal(node: Any) -> str | int | bool:
    kind = node.get("valueType") if isinstance(node, dict) and node.get("op") == "literal" else None
    value = node.get("value") if kind in _EXACT else None
    if not isinstance(value, str):
        raise _NotUnderstood
    if kind == "bool" and value in ("true", "false"):
        return value == "true"
    if kind in ("int", "long") and value.lstrip("-").isdigit() and value.isascii() and len(value) < 20:
        return int(value)
    if kind in ("string", "date"):
        return value
    raise _NotUnderstood
