"""Conditions as people write them, in the words of SQL, through an allow-list over the parsed tree."""

from __future__ import annotations

from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from hutong.exchange.shaping.predicate import JUNCTIONS, MAX_DEPTH, Predicate
from hutong.exchange.shaping.values import BadPredicate, Scalar

MAX_CHARACTERS = 20_000
SIGNS = {"eq": "=", "ne": "<>", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
TREES: dict[type[exp.Expr], str] = {
    exp.EQ: "eq",
    exp.NEQ: "ne",
    exp.LT: "lt",
    exp.LTE: "le",
    exp.GT: "gt",
    exp.GTE: "ge",
}
FUNCTIONS: dict[type[exp.Expr], str] = {exp.StartsWith: "starts_with", exp.Contains: "contains"}


def from_text(text: str) -> Predicate:
    """raises   BadPredicate"""
    if len(text) > MAX_CHARACTERS:
        raise BadPredicate(
            reason=f"it is longer than {MAX_CHARACTERS} characters", reason_zh=f"超过 {MAX_CHARACTERS} 个字符"
        )
    if "\0" in text:
        raise BadPredicate(reason="it holds a character that is no text", reason_zh="含有非文本字符")
    try:
        trees = sqlglot.parse(f"SELECT 1 WHERE {text}", dialect="duckdb")
        return _condition(_where(trees), 1)
    except (SqlglotError, RecursionError):
        raise BadPredicate(
            reason="it is not a condition such as: city = '南京' AND capital > 5",
            reason_zh="条件应写成如：city = '南京' AND capital > 5",
        ) from None


def _where(trees: list[Any]) -> exp.Expr:
    if len(trees) != 1 or not isinstance(trees[0], exp.Select):
        raise BadPredicate(reason="it is more than a condition", reason_zh="除条件外还有其他内容")
    select = trees[0]
    given = {key for key, value in select.args.items() if value}
    if given != {"expressions", "where"} or len(select.expressions) != 1:
        raise BadPredicate(reason="it is more than a condition", reason_zh="除条件外还有其他内容")
    where: exp.Expr = select.args["where"].this
    return where


def _condition(tree: exp.Expr, depth: int) -> Predicate:
    if depth > 10 * MAX_DEPTH:
        raise BadPredicate(reason=f"it is nested more than {MAX_DEPTH} deep", reason_zh=f"嵌套超过 {MAX_DEPTH} 层")
    if isinstance(tree, exp.Paren):
        return _condition(tree.this, depth + 1)
    if isinstance(tree, (exp.And, exp.Or)):
        op = "and" if isinstance(tree, exp.And) else "or"
        return Predicate(op, args=tuple(_condition(part, depth + 1) for part in tree.flatten()))
    if isinstance(tree, exp.Not):
        return _negated(tree.this, depth)
    return _leaf(tree)


def _negated(tree: exp.Expr, depth: int) -> Predicate:
    inner = _condition(tree, depth + 1)
    return Predicate("not_null", item=inner.item) if inner.op == "is_null" else Predicate("not", args=(inner,))


def _leaf(tree: exp.Expr) -> Predicate:
    if op := TREES.get(type(tree)):
        return Predicate(op, _name(tree.this), (_value(tree.expression),))
    if isinstance(tree, exp.In) and set(_given(tree)) == {"this", "expressions"}:
        return Predicate("in", _name(tree.this), tuple(_value(one) for one in tree.expressions))
    if isinstance(tree, exp.Between) and set(_given(tree)) == {"this", "low", "high"}:
        return Predicate("between", _name(tree.this), (_value(tree.args["low"]), _value(tree.args["high"])))
    if isinstance(tree, exp.Is) and isinstance(tree.expression, exp.Null):
        return Predicate("is_null", _name(tree.this))
    if op := FUNCTIONS.get(type(tree)):
        return Predicate(op, _name(tree.this), (_value(tree.expression),))
    if isinstance(tree, exp.Like):
        return _like(_name(tree.this), _value(tree.expression))
    raise BadPredicate(
        reason="it holds something other than comparisons, IN, BETWEEN, IS NULL, starts_with, contains",
        reason_zh="只能使用比较、IN、BETWEEN、IS NULL、starts_with 和 contains",
    )


def _given(tree: exp.Expr) -> list[str]:
    return [key for key, value in tree.args.items() if value]


def _like(item: str, pattern: Scalar) -> Predicate:
    """LIKE 'x%' and LIKE '%x%' alone; other patterns have no place in the language."""
    body = str(pattern)
    op = "contains" if body.startswith("%") else "starts_with"
    middle = body[1:-1] if op == "contains" else body[:-1]
    if not body.endswith("%") or not middle or any(sign in middle for sign in "%_\\"):
        raise BadPredicate(reason="LIKE is possible only as 'x%' and '%x%'", reason_zh="LIKE 只能写成 'x%' 和 '%x%'")
    return Predicate(op, item, (middle,))


def _name(tree: Any) -> str:
    if isinstance(tree, exp.Column) and isinstance(tree.this, exp.Identifier) and _given(tree) == ["this"]:
        return str(tree.this.this)
    raise BadPredicate(reason="the left side of a comparison must be an item", reason_zh="比较式的左边应为信息项")


def _value(tree: Any) -> Scalar:
    if isinstance(tree, exp.Boolean):
        return bool(tree.this)
    if isinstance(tree, exp.Neg) and isinstance(tree.this, exp.Literal) and not tree.this.is_string:
        return _number("-" + tree.this.this)
    if isinstance(tree, exp.Literal):
        return str(tree.this) if tree.is_string else _number(tree.this)
    if isinstance(tree, exp.Cast) and tree.is_type("date", "timestamp") and isinstance(tree.this, exp.Literal):
        return str(tree.this.this)
    raise BadPredicate(reason="the right side of a comparison must be a value", reason_zh="比较式的右边应为值")


def _number(text: str) -> Scalar:
    return int(text) if text.lstrip("-").isdigit() and len(text) < 40 else text


def to_text(predicate: Predicate) -> str:
    """parse_text gives the same condition back."""
    if predicate.op in JUNCTIONS:
        return f" {predicate.op.upper()} ".join(_bracketed(arg) for arg in predicate.args)
    if predicate.op == "not":
        return "NOT " + _bracketed(predicate.args[0], always=True)
    name = _written(predicate.item)
    values = [_shown(value) for value in predicate.values]
    if predicate.op in SIGNS:
        return f"{name} {SIGNS[predicate.op]} {values[0]}"
    if predicate.op == "in":
        return f"{name} IN ({', '.join(values)})"
    if predicate.op == "between":
        return f"{name} BETWEEN {values[0]} AND {values[1]}"
    if predicate.op in ("is_null", "not_null"):
        return f"{name} IS {'NOT ' if predicate.op == 'not_null' else ''}NULL"
    return f"{predicate.op}({name}, {values[0]})"


def _bracketed(predicate: Predicate, always: bool = False) -> str:
    text = to_text(predicate)
    return f"({text})" if always or predicate.op in JUNCTIONS else text


def _shown(value: Scalar) -> str:
    if isinstance(value, bool):
        return str(value).upper()
    return str(value) if isinstance(value, int) else exp.Literal.string(value).sql(dialect="duckdb")


def _written(name: str) -> str:
    """The item's name, in double quotes only where it needs them."""
    if name.isidentifier():
        try:
            if _name(sqlglot.parse_one(name, dialect="duckdb")) == name:
                return name
        except (SqlglotError, BadPredicate):
            pass
    return exp.to_identifier(name, quoted=True).sql(dialect="duckdb")
