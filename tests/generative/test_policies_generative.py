"""Any policy of the vocabulary: read back, it is what was written; read as sets, it is what ODRL says of each value."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hutong.control.agreements.constraints import Limits, PolicyNeverHolds, limits_of
from hutong.control.agreements.drafting import limits_in_terms, permission_for
from hutong.control.agreements.operands import Facts
from hutong.control.agreements.terms import AgreedTerms
from hutong.exchange.grants import Grant, GrantedItem, Standing, check, rules
from hutong.exchange.query import Query, decode
from hutong.vocabulary.codes import PURPOSES
from hutong.vocabulary.errors import Refused
from hutong.vocabulary.ids import new_id
from tests.dsp_peer import HEALTH, terms

AGREEMENT = "urn:uuid:0192f0c1-7d35-7c3e-8a11-5f2d3c4b5a69"
ANHUI = Facts(frozenset({"urn:hutong:node:340000", HEALTH}), "340000", "conditional")
ITEMS = ("uscc", "name", "phone", "capital")
TICK = timedelta(microseconds=1)
SHANGHAI = ZoneInfo("Asia/Shanghai")
# Few moments, close together, so that comparisons meet at their limits.
NOON = datetime(2026, 9, 21, 12, tzinfo=UTC)
moments = st.builds(
    lambda hours, ticks: NOON + timedelta(hours=hours) + ticks * TICK, st.integers(-3, 3), st.integers(-1, 1)
)
zones = st.sampled_from([UTC, SHANGHAI, timezone(timedelta(hours=-7)), timezone(timedelta(hours=5, minutes=45))])
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "lt": lambda left, right: left < right,
    "lteq": lambda left, right: left <= right,
    "eq": lambda left, right: left == right,
    "neq": lambda left, right: left != right,
    "gteq": lambda left, right: left >= right,
    "gt": lambda left, right: left > right,
    "isAnyOf": lambda left, right: left in right,
    "isNoneOf": lambda left, right: left not in right,
}


def compare(left: str, operator: str, right: Any) -> dict[str, Any]:
    return {"leftOperand": left, "operator": operator, "rightOperand": right}


def limits(*constraints: dict[str, Any]) -> Limits:
    policy = {"permission": [{"action": "use", "constraint": list(constraints)}]}
    return limits_of(json.loads(json.dumps(policy)), ANHUI)


def grant(allowed: Limits) -> Grant:
    named = [name for name in ITEMS if allowed.items is None or name in allowed.items]
    assume(named)
    return Grant(
        agreement=AGREEMENT,
        provider="320000",
        consumer="340000",
        resource="r",
        source="s",
        items=tuple(GrantedItem(name, {"action": "keep"}) for name in named),
        where=None,
        purposes=allowed.purposes,
        quota_calls=allowed.calls,
        quota_calls_per_day=allowed.calls_per_day,
        quota_rows=None,
        rate_per_s=None,
        in_force=allowed.in_force,
        pseudonym_key="",
    )


def asking(purpose: str, items: list[str]) -> Query:
    document = {"exchange": new_id(), "agreement": AGREEMENT, "purpose": purpose, "items": items}
    return decode({**document, "case": "hmac-sha256:" + "0" * 64})


# --- what ODRL says of one value, written for reading ---------------------------------------------------------


def holds(constraint: dict[str, Any], value: Any) -> bool:
    if "and" in constraint:
        return all(holds(one, value) for one in constraint["and"])
    if "or" in constraint:
        return any(holds(one, value) for one in constraint["or"])
    if "xone" in constraint:
        return sum(holds(one, value) for one in constraint["xone"]) == 1
    right = constraint["rightOperand"]
    return COMPARE[constraint["operator"]](
        value, datetime.fromisoformat(right) if isinstance(value, datetime) else right
    )


def trees(leaves: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.recursive(
        leaves,
        lambda inner: st.builds(
            lambda how, branches: {how: branches},
            st.sampled_from(["and", "or", "xone"]),
            st.lists(inner, min_size=1, max_size=4),
        ),
        max_leaves=8,
    )


times = st.builds(
    lambda operator, moment, zone: compare("dateTime", operator, moment.astimezone(zone).isoformat()),
    st.sampled_from(["lt", "lteq", "eq", "neq", "gteq", "gt"]),
    moments,
    zones,
)
codes = st.sampled_from(PURPOSES.codes[:5])
purposes = st.one_of(
    st.builds(lambda how, one: compare("purpose", how, one), st.sampled_from(["eq", "neq"]), codes),
    st.builds(
        lambda how, some: compare("purpose", how, some),
        st.sampled_from(["isAnyOf", "isNoneOf"]),
        st.lists(codes, min_size=1, max_size=4),
    ),
)


@given(st.lists(trees(times), min_size=1, max_size=3), st.lists(moments, min_size=1, max_size=20))
def test_a_tree_of_times_is_the_set_of_moments_at_which_it_holds(constraints, asked):
    try:
        in_force = limits(*constraints).in_force
    except PolicyNeverHolds:
        assert not any(all(holds(one, moment) for one in constraints) for moment in asked)
        return
    for moment in asked:
        assert (moment in in_force) == all(holds(one, moment) for one in constraints)


@given(st.lists(trees(purposes), min_size=1, max_size=3))
def test_a_tree_of_purposes_is_the_set_of_purposes_for_which_it_holds(constraints):
    expected = tuple(code for code in PURPOSES.codes if all(holds(one, code) for one in constraints))
    try:
        assert limits(*constraints).purposes == expected
    except PolicyNeverHolds:
        assert not expected


# --- what a node writes is what it reads ----------------------------------------------------------------------

days = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)).map(lambda one: one.replace(microsecond=0, tzinfo=UTC))


@st.composite
def agreements(draw: st.DrawFn) -> AgreedTerms:
    items = tuple(draw(st.lists(st.sampled_from(ITEMS), min_size=1, unique=True)))
    term_days, starts_at = draw(st.integers(1, 1000)), draw(days)
    asked = terms(
        items=items,
        purpose=draw(st.sampled_from(PURPOSES.codes)),
        term_days=term_days,
        quota_calls_per_day=draw(st.integers(1, 10_000_000)),
        department=draw(st.sampled_from([HEALTH, ""])),
    )
    masks = tuple({"action": "keep"} for _ in items)
    return AgreedTerms(asked, masks, starts_at, starts_at + timedelta(days=term_days))


@given(agreements())
def test_a_policy_that_a_node_writes_is_read_back_as_the_same_grant(agreed):
    read = limits(*permission_for(agreed, "340000")["constraint"])
    assert read == limits_in_terms(agreed)
    assert grant(read) == grant(limits_in_terms(agreed))
    assert Grant.from_document(json.loads(json.dumps(grant(read).to_document()))) == grant(read)


# --- wider is never narrower ----------------------------------------------------------------------------------


def a_subset(draw: st.DrawFn, of: tuple[str, ...]) -> list[str]:
    return draw(st.lists(st.sampled_from(of), min_size=1, unique=True))


@st.composite
def narrow_and_wide(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """A permission's constraints, and the same with some of them wider or gone."""
    narrow, wide = [], []
    for left, operator in draw(
        st.lists(
            st.sampled_from(
                [
                    ("dateTime", "lt"),
                    ("dateTime", "lteq"),
                    ("dateTime", "gteq"),
                    ("dateTime", "gt"),
                    ("purpose", "isAnyOf"),
                    ("purpose", "isNoneOf"),
                    ("hutong:item", "isAnyOf"),
                    ("count", "lteq"),
                    ("count", "lt"),
                    ("hutong:callsPerDay", "lteq"),
                ]
            ),
            min_size=1,
            max_size=6,
        )
    ):
        one, more = _widened(draw, left, operator)
        narrow.append(compare(left, operator, one))
        wide += [compare(left, operator, more)] if draw(st.booleans()) else []
    return narrow, wide


def _widened(draw: st.DrawFn, left: str, operator: str) -> tuple[Any, Any]:
    if left == "dateTime":
        earlier, later = sorted((draw(moments), draw(moments)))
        one, more = (earlier, later) if operator.startswith("lt") else (later, earlier)
        return one.isoformat(), more.isoformat()
    if left in ("count", "hutong:callsPerDay"):
        fewer = draw(st.integers(2, 5))
        return str(fewer), str(fewer + draw(st.integers(0, 5)))
    some = a_subset(draw, PURPOSES.codes[:5] if left == "purpose" else ITEMS)
    few = a_subset(draw, tuple(some))
    return (some, few) if operator == "isNoneOf" else (few, some)


@given(
    narrow_and_wide(),
    st.lists(
        st.tuples(moments, codes, st.sampled_from(ITEMS), st.integers(0, 10), st.integers(0, 10)),
        min_size=1,
        max_size=30,
    ),
)
def test_widening_a_constraint_never_narrows_what_passes(policies, requests):
    try:
        narrow = grant(limits(*policies[0]))
    except PolicyNeverHolds:
        return
    wide = grant(limits(*policies[1]))
    for now, purpose, item, today, used in requests:
        standing, query = Standing("active", today, used, 0), asking(purpose, [item])
        try:
            check(narrow, standing, query, "340000", now)
        except Refused:
            continue
        check(wide, standing, query, "340000", now)


# --- limits ---------------------------------------------------------------------------------------------------


@given(
    st.datetimes(datetime(1950, 1, 1), datetime(2200, 1, 1)),
    st.sampled_from([UTC, SHANGHAI]),
    st.sampled_from(["lt", "lteq", "eq", "neq", "gteq", "gt"]),
)
def test_a_moment_is_the_same_in_utc_and_in_shanghai(naive, zone, operator):
    moment = naive.replace(tzinfo=zone)
    here = limits(compare("dateTime", operator, moment.astimezone(SHANGHAI).isoformat()))
    there = limits(compare("dateTime", operator, moment.astimezone(UTC).isoformat()))
    assert here == there
    for now in (moment - TICK, moment, moment + TICK):
        expected = COMPARE[operator](now.astimezone(UTC), moment.astimezone(UTC))
        assert (now.astimezone(SHANGHAI) in here.in_force) == (now.astimezone(UTC) in here.in_force) == expected


@given(st.dates(datetime(1992, 1, 1).date(), datetime(2200, 1, 1).date()))
def test_a_day_of_shanghai_begins_at_its_midnight_there(day):
    midnight = datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)
    for operator in ("lt", "gteq"):
        of_day, of_moment = (
            limits(compare("dateTime", operator, right)) for right in (f"{day}+08:00", midnight.isoformat())
        )
        assert of_day == of_moment


@given(st.integers(1, 2**53 - 1), st.sampled_from(["count", "hutong:callsPerDay"]))
def test_the_call_at_the_limit_is_made_and_the_next_is_not(most, left):
    limited = grant(limits(compare(left, "lteq", str(most))))
    query = asking(PURPOSES.codes[0], [ITEMS[0]])

    def made(calls: int) -> Standing:
        standing = Standing("active", 0, 0, 0)
        return replace(standing, calls_used=calls) if left == "count" else replace(standing, calls_today=calls)

    check(limited, made(most - 1), query, "340000", NOON)
    with pytest.raises(rules.QuotaSpent):
        check(limited, made(most), query, "340000", NOON)
    if most > 1:
        assert limits(compare(left, "lt", str(most))) == limits(compare(left, "lteq", str(most - 1)))
