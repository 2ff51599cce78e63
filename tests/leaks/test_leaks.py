"""Nothing leaves that a policy does not let through: every engine, history, mask and condition, against plain Python.

HUTONG_LEAKS=all asks under every mask and every condition together; see docs/leaks.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from hutong.exchange.records import granted_rows, lookup_rows, open_rows
from hutong.exchange.shaping.predicate import Predicate
from hutong.exchange.sources import Source
from hutong.vocabulary.errors import Refused
from tests import mariadb, postgres
from tests.http_source import Served
from tests.leaks.checks import (
    allowed,
    check,
    check_converted,
    error_texts,
    hide_nothing,
    opened_under,
    query,
    secrets_of,
)
from tests.leaks.engines import ENGINES, SPOILED, cases
from tests.leaks.naive import Policy
from tests.leaks.stores import INTERFACE
from tests.leaks.tables import ALL, CODED, CODES, TABLE, converted, policies

CASES = list(cases())
SPOILABLE = [(name, "fresh") for name, one in ENGINES.items() if one.spoil]
NAMES_ALONE = Policy(
    "names alone", {"number": {"action": "keep"}, "size": {"action": "keep"}, "name": {"action": "name"}}
)


@pytest.fixture
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, str, Source, Callable[[], None]]]:
    """An engine with a history, the source in it, and how to spoil it."""
    name, history = request.param
    one = ENGINES[name]
    with ExitStack() as until:
        url = ""
        if one.needs == "postgresql":
            url = postgres.new_database(request.getfixturevalue("postgres_url"), "leaks")
        elif one.needs == "mysql":
            url = mariadb.new_database(request.getfixturevalue("mariadb_address"), "leaks")
        elif one.needs == "interface":
            url = until.enter_context(Served(INTERFACE)).address
        source = one.make(history, tmp_path, url)
        until.callback(source.close)
        yield name, history, source, lambda: one.spoil(tmp_path, url) if one.spoil else None


@pytest.mark.timeout(3_600 if ALL else 300)
@pytest.mark.parametrize("made", CASES, indirect=True, ids="-".join)
def test_what_leaves_is_what_the_policy_lets_through(made: tuple[str, str, Source, Callable[[], None]]) -> None:
    name, history, source, _ = made
    one = ENGINES[name]
    assert set(source.schema.names) >= set(one.schema.names)
    assert [source.schema.field(item).type for item in one.schema.names] == one.schema.types
    assert source.count() == len(TABLE)
    turn = CASES.index((name, history))
    step = 1 if ALL or (name, history) == ("parquet", "fresh") else 16
    for number, policy in enumerate(policies(one.schema, turn)):
        if number % step == turn % step:
            check(source, one.rows(), policy, None if ALL else 2 * turn + number // step)


@pytest.mark.parametrize("made", SPOILABLE, indirect=True, ids="-".join)
def test_what_leaves_in_the_regions_codes_is_no_more(made: tuple[str, str, Source, Callable[[], None]]) -> None:
    """Rows without a code stay behind, and no condition can test for a local one."""
    name, _, source, _ = made
    one = ENGINES[name]
    rows = converted(one.rows())
    chosen = [policy for number, policy in enumerate(policies(one.schema, 0)) if number % 8 == 0]
    turn = SPOILABLE.index((name, "fresh"))
    for number, (what, where) in enumerate(CODED.items()):
        if not ALL and (number - turn) % len(CODED) > 1:
            continue
        policy = replace(chosen[number % len(chosen)], name=what, where=where)
        check_converted(source, rows, policy, CODES, [0, 1, 5, 6, 59])


@pytest.mark.parametrize("made", SPOILABLE, indirect=True, ids="-".join)
def test_no_error_says_what_the_rows_hold(
    made: tuple[str, str, Source, Callable[[], None]], caplog: pytest.LogCaptureFixture
) -> None:
    """Refusals to bad questions, and what a source says that no longer holds what it was opened with."""
    name, _, source, spoil = made
    opened = opened_under(source, NAMES_ALONE)
    secrets = secrets_of(ENGINES[name].rows(), []) | {SPOILED.encode()}
    asked = query()
    asked.where = Predicate("eq", "size", (SPOILED,))
    wrong = opened_under(source, Policy("a mask that fits no number", {"size": {"action": "name"}}))
    provoked: dict[str, Callable[[], object]] = {
        "a value of the wrong type": lambda: open_rows(opened, allowed(opened), asked).read_all(),
        "a key of the wrong type": lambda: lookup_rows(opened, allowed(opened), "size", [SPOILED]),
        "a number beyond all types": lambda: lookup_rows(opened, allowed(opened), "size", [10**30]),
        "an unknown item": lambda: source.read([SPOILED]).read_all(),
        "too many rows of one key": lambda: source.lookup(["name"], "city", ["南京"], limit=1),
        "a mask of another type": lambda: open_rows(wrong, allowed(wrong), query()).read_all(),
    }
    for what, provoke in provoked.items():
        said(what, provoke, secrets)
    spoil()
    said("a source that changed, streamed", lambda: granted_rows(opened).read_all(), secrets)
    said("a source that changed, looked up", lambda: lookup_rows(opened, allowed(opened), "number", [5]), secrets)
    hide_nothing(caplog.text.encode(), secrets, "the log")


def said(what: str, provoke: Callable[[], object], secrets: set[bytes]) -> None:
    with pytest.raises(Refused) as caught:
        provoke()
    # An unknown name is said again to whoever asked for it; it came from there.
    own = {SPOILED.encode()} if what == "an unknown item" else set()
    hide_nothing(error_texts(caught.value).encode(), secrets - own, f"the error of {what}")
