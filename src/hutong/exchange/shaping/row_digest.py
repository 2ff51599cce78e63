"""A row, or its key, as one digest: how two sides, or two moments, are compared without their values."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp


def row_digest(names: Sequence[str], salt: str) -> exp.Expression:
    """SHA-256 of these columns as hex, in DuckDB's words.

    Of the values as text, each with its length before it, so that no two rows read alike; "-" for none.

    salt   the agreement's id: digests of two agreements cannot be compared
    """
    none = exp.Literal.string("-")
    values = []
    for name in names:
        text = exp.cast(exp.column(name, quoted=True), "VARCHAR")
        length = exp.Anonymous(this="length", expressions=[text])
        told = exp.Anonymous(this="concat", expressions=[length, exp.Literal.string(":"), text])
        missing = exp.Is(this=exp.column(name, quoted=True), expression=exp.Null())
        values.append(exp.Case(ifs=[exp.If(this=missing, true=none)], default=told))
    return exp.Anonymous(
        this="sha256", expressions=[exp.Anonymous(this="concat", expressions=[exp.Literal.string(salt), *values])]
    )
