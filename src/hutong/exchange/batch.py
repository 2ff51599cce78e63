"""Many keys in one query: what each of them has, in the order asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import orjson

from hutong.exchange.converted import conversion, read_converted
from hutong.exchange.grants.book import Opened
from hutong.exchange.grants.rules import Allowed
from hutong.exchange.query import Key, Keys, Query
from hutong.exchange.records import Rows, json_rows_of, lookup_rows
from hutong.exchange.shaping.converting import Withheld
from hutong.exchange.sources.source import LOOKUP_ROWS, LookupTooWide


def batch_rows(opened: Opened, allowed: Allowed, query: Query, keys: Keys) -> tuple[list[Rows], Withheld | None]:
    """The rows of each key, none for a key without rows; and what stayed behind, where the grant converts codes.

    raises   LookupTooWide, BadPredicate for a key that is not of the item's type, what the source refuses
    """
    if opened.terms.codes:
        return _converted(opened, allowed, query, keys)
    found = lookup_rows(opened, allowed, keys.item, keys.values, query.where)
    return [found.get((type(value), value), []) for value in keys.values], None


def batch_body(keys: Keys, answers: Sequence[Rows]) -> bytes:
    """[{"key": ..., "rows": [...]}, ...]"""
    parts = (
        b'{"key":%s,"rows":[%s]}' % (orjson.dumps(value), b",".join(rows))
        for value, rows in zip(keys.values, answers, strict=True)
    )
    return b"[" + b",".join(parts) + b"]"


def _converted(opened: Opened, allowed: Allowed, query: Query, keys: Keys) -> tuple[list[Rows], Withheld]:
    """Key by key: where the key itself is converted, rows cannot be told apart by what the source holds."""
    withheld, answers, left = Withheld(), list[Rows](), LOOKUP_ROWS
    for value in keys.values:
        one = replace(query, keys=None, key=Key(keys.item, value))
        table, stayed = read_converted(conversion(opened, allowed, one), one, left + 1)
        left -= table.num_rows
        if left < 0:
            raise LookupTooWide(limit=LOOKUP_ROWS)
        withheld.join(stayed)
        answers.append(json_rows_of(table))
    return answers, withheld
