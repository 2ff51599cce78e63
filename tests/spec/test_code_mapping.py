"""Code maps on the way out, on every kind of source: rows converted, withheld, replayed, against plain Python.

The reference below shares nothing with the product but the condition's document.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hutong.exchange.converted import conversion, open_converted, read_converted
from hutong.exchange.grants import Allowed, Grant, GrantedItem, Standing
from hutong.exchange.grants.book import Opened, Terms
from hutong.exchange.grants.ranges import Ranges
from hutong.exchange.query import Query, decode
from hutong.exchange.shaping.codes import BadConversion, CodeMap
from hutong.exchange.shaping.masks import Mask, MaskedItem
from hutong.exchange.shaping.predicate import Predicate
from hutong.exchange.shaping.values import BadPredicate
from hutong.exchange.sources import Source
from hutong.exchange.withheld import Kept, Replay
from hutong.vocabulary.ids import new_id
from tests.spec.five_sources import WORDS, rows_of, truth

AGREEMENT = "urn:uuid:0192f0c1-0000-7000-8000-000000000001"
KEEP = {"action": "keep"}
# Local word to a regional code of three; the others, "NANJING" and "a%b_c" among them, are in no map yet.
WORD_CODES = {
    "南京": "3201",
    "南京市": "3201",
    "nanjing": "3201",
    "a": "10",
    "a ": "11",
    "o'brien'; DROP TABLE register; --": "20",
}
MORE_WORD_CODES = WORD_CODES | {"NANJING": "3201", "Ω": "20"}
SIZE_CODES = {"0": "none", "5": "few", "-1": "unknown", "42": "many", "x": "few", "007": "few"}
CODES = {"word": CodeMap("words@1", WORD_CODES), "size": CodeMap("sizes@1", SIZE_CODES)}
MORE_CODES = {"word": CodeMap("words@2", MORE_WORD_CODES), "size": CodeMap("sizes@2", SIZE_CODES | {"7": "many"})}
ITEMS = ("number", "word", "size", "share")


def opened(source: Source, codes: Mapping[str, CodeMap], masks: Mapping[str, dict[str, Any]] | None = None) -> Opened:
    given = {name: (masks or {}).get(name, KEEP) for name in ITEMS}
    now = datetime.now(UTC)
    grant = Grant(
        **{"agreement": AGREEMENT, "provider": "320000", "consumer": "340000", "resource": "r", "source": "s"},
        items=tuple(GrantedItem(name, mask, codes[name].id if name in codes else "") for name, mask in given.items()),
        where=None,
        purposes=("licensing",),
        **dict.fromkeys(("quota_calls", "quota_calls_per_day", "quota_rows", "rate_per_s")),
        in_force=Ranges(((now - timedelta(days=1), now + timedelta(days=1)),)),
        pseudonym_key="",
    )
    masked = {name: MaskedItem(name, Mask.from_document(mask)) for name, mask in given.items()}
    return Opened(Terms(1, grant, None, masked, b"", dict(codes)), Standing("active", 0, 0, 0), source)


def query(items: Sequence[str] | None = None, **more: Any) -> Query:
    return decode(
        {
            **{"exchange": new_id(), "agreement": AGREEMENT, "purpose": "licensing", "case": "hmac-sha256:" + "0" * 64},
            "items": list(items) if items else None,
            **more,
        }
    )


def allowed(of: Opened, asked: Query) -> Allowed:
    names = asked.items or ITEMS
    return Allowed(tuple(of.grant.by_name[name] for name in names), None)


# --- the reference --------------------------------------------------------------------------------------------


def regional(row: Mapping[str, Any], codes: Mapping[str, CodeMap]) -> tuple[dict[str, Any], set[str]]:
    """The row in regional codes, and the items whose value no map holds."""
    made, unmapped = dict(row), set()
    for item, one in codes.items():
        if row[item] is None:
            continue
        made[item] = one.pairs.get(str(row[item]))
        if made[item] is None:
            unmapped.add(item)
    return made, unmapped


def could_be(document: Mapping[str, Any], row: Mapping[str, Any], unmapped: set[str], negated: bool = False) -> Any:
    """What a condition says if every test of an unmapped item is passed: true, false, or nothing."""
    op = document["op"]
    if op == "not":
        return could_be(document["arg"], row, unmapped, not negated)
    if op in ("and", "or"):
        found = [could_be(arg, row, unmapped, negated) for arg in document["args"]]
        decides = (op == "or") is not negated
        return decides if decides in found else (None if None in found else not decides)
    if document["item"] in unmapped and op not in ("is_null", "not_null"):
        return True
    given = row if document["item"] not in unmapped else {**row, document["item"]: "there"}
    said = truth(document, given)
    return None if said is None else said is not negated


def expected(
    kind: str, codes: Mapping[str, CodeMap], items: Sequence[str], where: Mapping[str, Any] | None
) -> tuple[list[int], dict[str, int]]:
    """The numbers of the rows that leave, and how many stay behind for which item."""
    touched = set(items) | (set(Predicate.from_document(where).items()) if where else set())
    leaves, stays = [], dict.fromkeys(codes, 0)
    for row in rows_of(kind):
        made, unmapped = regional(row, {item: one for item, one in codes.items() if item in touched})
        if unmapped:
            if where is None or could_be(where, made, unmapped):
                for item in unmapped:
                    stays[item] += 1
        elif where is None or truth(where, made):
            leaves.append(row["number"])
    return sorted(leaves), {item: rows for item, rows in stays.items() if rows}


def answered(of: Opened, asked: Query, replay: Replay | None = None) -> tuple[list[dict[str, Any]], Any]:
    reader, withheld = open_converted(conversion(of, allowed(of, asked), asked, replay), asked.limit)
    return reader.read_all().to_pylist(), withheld


def replayed(of: Opened, kept: Kept, exchange: str) -> tuple[list[dict[str, Any]], Kept]:
    """A replay of what an exchange left behind, with the maps of now."""
    held = kept.held_now(of.terms.codes, exchange)
    again = query(kept.asked["items"], where=kept.asked["where"], key=kept.asked["key"])
    return answered(of, again, Replay(kept, held))[0], kept.taken(held, exchange)


# --- the claims -----------------------------------------------------------------------------------------------


def test_code_mapping_quarantines_the_row_of_an_unmapped_value_and_the_added_mapping_replays_it(register):
    kind, source = register
    first, more = opened(source, CODES), opened(source, MORE_CODES)
    asked = query(ITEMS)
    rows, withheld = answered(first, asked)
    numbers, stays = expected(kind, CODES, ITEMS, None)
    assert sorted(row["number"] for row in rows) == numbers
    assert withheld.rows == stays
    held = {row["number"]: row for row in rows_of(kind)}
    assert all(
        row["word"] == (WORD_CODES[held[row["number"]]["word"]] if held[row["number"]]["word"] else None)
        for row in rows
    )
    assert set(withheld.values["word"]) == {one for one in WORDS if one and one not in WORD_CODES}
    # The map grows: exactly the rows it now covers come, each once.
    kept = Kept.of(asked, withheld)
    again, kept = replayed(more, kept, "e1")
    assert sorted(row["number"] for row in again) == sorted(
        set(expected(kind, MORE_CODES, ITEMS, None)[0]) - set(numbers)
    )
    assert again
    assert kept.held_now(MORE_CODES) == {}
    assert kept.held_now(MORE_CODES, "e1") != {}  # the same replay repeated gives the same again
    whole = {one: CodeMap(f"{one}@3", {str(row[one]): "x" for row in rows_of(kind)}) for one in CODES}
    last, kept = replayed(opened(source, whole), kept, "e2")
    sent = [row["number"] for row in [*rows, *again, *last]]
    assert sorted(sent) == sorted(held)  # all of them, none twice
    assert not any(kept.waiting().values())


def conditions() -> list[dict[str, Any]]:
    """Conditions as a consumer would write them, in regional codes; the same ones on every run."""
    pick = random.Random(20260101)
    codes = {"word": [*dict.fromkeys(WORD_CODES.values()), "9", "3"], "size": ["few", "none", "many", "f"]}

    def leaf() -> dict[str, Any]:
        item = pick.choice(("word", "size", "number"))
        if item == "number":
            return {"op": pick.choice(("lt", "ge")), "item": item, "value": pick.randrange(150)}
        op = pick.choice(
            ("eq", "ne", "lt", "le", "gt", "ge", "in", "between", "starts_with", "contains", "is_null", "not_null")
        )
        value = pick.choice(codes[item])
        if op in ("is_null", "not_null"):
            return {"op": op, "item": item}
        if op == "in":
            return {"op": op, "item": item, "values": [value, pick.choice(codes[item])]}
        if op == "between":
            return {"op": op, "item": item, "low": value, "high": pick.choice(codes[item])}
        return {"op": op, "item": item, "value": value}

    def tree(depth: int) -> dict[str, Any]:
        if depth == 0:
            return leaf()
        op = pick.choice(("and", "or", "not", "leaf"))
        if op == "leaf":
            return leaf()
        if op == "not":
            return {"op": "not", "arg": tree(depth - 1)}
        return {"op": op, "args": [tree(depth - 1) for _ in range(pick.choice((2, 3)))]}

    return [tree(depth) for depth in (0, 1, 2, 3) for _ in range(12)]


def test_code_mapping_answers_every_condition_in_regional_codes_as_plain_python_does(register):
    kind, source = register
    of = opened(source, CODES)
    for where in conditions():
        items = (
            ("number", "word") if where["op"] == "and" else ("number", "size") if where["op"] == "or" else ("number",)
        )
        rows, withheld = answered(of, query(items, where=where))
        numbers, stays = expected(kind, CODES, items, where)
        assert sorted(row["number"] for row in rows) == numbers, where
        assert withheld.rows == stays, where


def test_code_mapping_replays_what_each_condition_left_behind_and_nothing_else(register):
    kind, source = register
    first, more = opened(source, CODES), opened(source, MORE_CODES)
    for where in conditions()[::4]:
        asked = query(("number", "word"), where=where)
        rows, withheld = answered(first, asked)
        kept = Kept.of(asked, withheld)
        held = kept.held_now(MORE_CODES)
        again = answered(more, query(("number", "word"), where=where), Replay(kept, held))[0] if held else []
        sent = sorted(row["number"] for row in [*rows, *again])
        assert sent == expected(kind, MORE_CODES, ("number", "word"), where)[0], where


def test_a_local_code_cannot_be_tested_from_outside(register):
    _, source = register
    of = opened(source, CODES)
    for value in ("南京", "nanjing"):  # local codes; no regional code is written so
        rows, withheld = answered(of, query(("number",), where={"op": "eq", "item": "word", "value": value}))
        assert rows == []
        assert set(withheld.rows) == {"word"}
    with pytest.raises(BadPredicate, match="size is not of type string"):
        answered(of, query(("number",), where={"op": "eq", "item": "size", "value": 5}))


def test_a_point_read_converts_and_withholds_like_a_stream(register):
    kind, source = register
    of = opened(source, CODES)
    for row in rows_of(kind)[:40]:
        asked = query(ITEMS, key={"item": "number", "value": row["number"]})
        table, withheld = read_converted(conversion(of, allowed(of, asked), asked), asked, 1_000)
        made, unmapped = regional(row, CODES)
        assert set(withheld.rows) == unmapped
        found = table.to_pylist()
        assert [(one["number"], one["word"], one["size"]) for one in found] == (
            [] if unmapped else [(row["number"], made["word"], made["size"])]
        )
    by_code = query(("number",), key={"item": "word", "value": "3201"})
    table, _ = read_converted(conversion(of, allowed(of, by_code), by_code), by_code, 1_000)
    wanted = expected(kind, CODES, ("number",), {"op": "eq", "item": "word", "value": "3201"})[0]
    assert sorted(table.column("number").to_pylist()) == wanted


def test_masks_look_at_the_regional_code(register):
    _, source = register
    of = opened(source, CODES, {"word": {"action": "first", "n": 2}})
    rows, _ = answered(of, query(("number", "word")))
    assert {row["word"] for row in rows} == {None, "32**", "10", "11", "20"}


def test_a_limit_counts_the_rows_that_leave(register):
    kind, source = register
    of = opened(source, CODES)
    rows, _ = answered(of, query(ITEMS, limit=3))
    assert len(rows) == 3
    numbers = expected(kind, CODES, ITEMS, None)[0]
    assert len(answered(of, query(ITEMS, limit=1_000))[0]) == len(numbers)


def test_a_column_without_codes_is_not_converted(register):
    _, source = register
    of = opened(source, {"share": CodeMap("shares@1", {"0.1": "1"})})
    with pytest.raises(BadConversion, match="share"):
        answered(of, query(("number", "share")))
