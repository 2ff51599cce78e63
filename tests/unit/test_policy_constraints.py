"""What each constraint of a policy comes to, and that whatever is not in the vocabulary is refused by name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hutong.control.agreements.constraints import MOST_CONSTRAINTS, PolicyNeverHolds, PolicyNotUnderstood, limits_of
from hutong.control.agreements.operands import OPERANDS, Facts
from hutong.vocabulary.areas import within
from hutong.vocabulary.codes import PURPOSES

HOSPITAL = "11340000HTDEM00579"
ANHUI = Facts(frozenset({"urn:hutong:node:340000", HOSPITAL}), "340000", "conditional")
NOON = "2026-09-21T12:00:00Z"
AT_NOON = datetime(2026, 9, 21, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)


def compare(left: str, operator: str, right: Any) -> dict[str, Any]:
    return {"leftOperand": left, "operator": operator, "rightOperand": right}


def policy(*constraints: dict[str, Any], **rule: Any) -> dict[str, Any]:
    return {"permission": [{"action": "use", "constraint": list(constraints), **rule}]}


def limits(*constraints: dict[str, Any], facts: Facts = ANHUI) -> Any:
    return limits_of(policy(*constraints), facts)


@pytest.mark.parametrize(
    ("operator", "before", "at", "after"),
    [
        ("lt", True, False, False),
        ("lteq", True, True, False),
        ("eq", False, True, False),
        ("neq", True, False, True),
        ("gteq", False, True, True),
        ("gt", False, False, True),
    ],
)
@pytest.mark.parametrize(
    "noon",
    [
        NOON,
        "2026-09-21T20:00:00+08:00",
        "2026-09-21T12:00:00.000000Z",
        {"@value": NOON, "@type": "xsd:dateTime"},
        {"@value": NOON, "@type": "http://www.w3.org/2001/XMLSchema#dateTime"},
    ],
)
def test_a_moment_is_compared_to_the_microsecond_in_whatever_zone(operator, before, at, after, noon):
    for word in ("dateTime", "odrl:dateTime", "http://www.w3.org/ns/odrl/2/dateTime"):
        in_force = limits(compare(word, operator, noon)).in_force
        assert [AT_NOON - TICK in in_force, AT_NOON in in_force, AT_NOON + TICK in in_force] == [before, at, after]


@pytest.mark.parametrize(
    ("constraint", "first", "last"),
    [
        # Before the day has begun anywhere on Earth; from when it has begun everywhere.
        (compare("dateTime", "lt", "2026-09-21"), None, "2026-09-20T10:00:00+00:00"),
        (compare("dateTime", "gteq", "2026-09-21"), "2026-09-21T14:00:00+00:00", None),
        (compare("dateTime", "lt", "2026-09-21+08:00"), None, "2026-09-20T16:00:00+00:00"),
        (
            compare("dateTime", "gteq", {"@value": "2026-09-21Z", "@type": "xsd:date"}),
            "2026-09-21T00:00:00+00:00",
            None,
        ),
        (compare("dateTime", "lt", "2026-09-21T12:00:00"), None, "2026-09-20T22:00:00+00:00"),
        (compare("dateTime", "gteq", "2026-09-21T12:00:00"), "2026-09-22T02:00:00+00:00", None),
    ],
)
def test_a_time_without_zone_allows_only_what_every_zone_allows(constraint, first, last):
    ((low, high),) = limits(constraint).in_force.parts
    assert (low and low.isoformat(), high and high.isoformat()) == (first, last)


@pytest.mark.parametrize(
    ("operator", "right", "calls"),
    [("lteq", "3", 3), ("lt", "3", 2), ("lteq", {"@value": "3", "@type": "xsd:integer"}, 3)],
)
@pytest.mark.parametrize("left", ["count", "hutong:callsPerDay"])
def test_a_count_is_how_many_calls_may_be_made_this_one_included(left, operator, right, calls):
    read = limits(compare(left, operator, right))
    assert (read.calls, read.calls_per_day) == ((calls, None) if left == "count" else (None, calls))


def test_purposes_are_those_named_or_all_but_those_named():
    one, another = PURPOSES.codes[:2]
    assert limits(compare("purpose", "eq", one)).purposes == (one,)
    assert limits(compare("purpose", "isAnyOf", [another, one])).purposes == (one, another)
    assert limits(compare("purpose", "neq", one)).purposes == PURPOSES.codes[1:]
    assert limits(compare("purpose", "isNoneOf", [one, another])).purposes == PURPOSES.codes[2:]
    assert limits().purposes == PURPOSES.codes


def test_and_or_and_xone_are_what_odrl_says_they_are():
    one, two, three = (compare("purpose", "isAnyOf", list(PURPOSES.codes[i : i + 2])) for i in range(3))
    first, second, third, fourth = PURPOSES.codes[:4]
    assert limits({"and": [one, two]}).purposes == (second,)
    assert limits({"or": [one, two, three]}).purposes == (first, second, third, fourth)
    assert limits({"xone": [one, two, three]}).purposes == (first, fourth)
    assert limits({"xone": [one, two, two]}).purposes == (first,)
    assert limits({"or": [{"and": [one, two]}, three]}).purposes == (second, third, fourth)


def test_hours_of_two_days_are_two_periods():
    days = [
        {
            "and": [
                compare("dateTime", "gteq", f"2026-09-{day}T01:00:00Z"),
                compare("dateTime", "lt", f"2026-09-{day}T09:00:00Z"),
            ]
        }
        for day in (22, 21)
    ]
    parts = limits({"or": days}).in_force.parts
    assert [(low.day, high.hour) for low, high in parts] == [(21, 9), (22, 9)]


@pytest.mark.parametrize(
    "constraint",
    [
        compare("recipient", "eq", HOSPITAL),
        compare("recipient", "isAnyOf", ["urn:hutong:node:310000", "urn:hutong:node:340000"]),
        compare("spatial", "eq", "340000"),
        compare("spatial", "isAnyOf", ["310000", "340000"]),
        compare("spatial", "isPartOf", "340000"),
        compare("spatial", "isPartOf", "100000"),
        compare("hutong:sharingAttribute", "eq", "conditional"),
        {"xone": [compare("spatial", "eq", "310000"), compare("spatial", "eq", "340000")]},
    ],
)
def test_what_is_settled_by_whom_the_agreement_is_with_limits_nothing_more(constraint):
    assert limits(constraint) == limits()


@pytest.mark.parametrize(
    ("operand", "constraints"),
    [
        ("recipient", [compare("recipient", "eq", "urn:hutong:node:310000")]),
        ("spatial", [compare("spatial", "eq", "310000")]),
        ("spatial", [compare("spatial", "isPartOf", "340100")]),
        ("spatial", [{"xone": [compare("spatial", "eq", "340000"), compare("spatial", "isPartOf", "340000")]}]),
        ("hutong:sharingAttribute", [compare("hutong:sharingAttribute", "eq", "unconditional")]),
        ("dateTime", [compare("dateTime", "lt", NOON), compare("dateTime", "gteq", NOON)]),
        ("purpose", [compare("purpose", "eq", "licensing"), compare("purpose", "eq", "statistics")]),
        ("hutong:item", [compare("hutong:item", "eq", "a"), compare("hutong:item", "eq", "b")]),
        ("count", [compare("count", "lt", "1")]),
    ],
)
def test_a_8_policy_never_holds_and_is_refused(operand, constraints):
    with pytest.raises(PolicyNeverHolds) as refused:
        limits(*constraints)
    assert refused.value.parameters["operand"] == operand


@pytest.mark.parametrize(
    ("where", "document"),
    [
        ("prohibition", {**policy(), "prohibition": [{"action": "use"}]}),
        ("obligation", {**policy(), "obligation": [{"action": "delete"}]}),
        ("profile", {**policy(), "profile": "https://example.org/profile"}),
        ("inheritFrom", {**policy(), "inheritFrom": "urn:another"}),
        ("action", {**policy(), "action": "read"}),
        ("permission", {"permission": [{"action": "use"}, {"action": "use"}]}),
        ("permission", {"permission": []}),
        ("permission[0].action", policy(action="distribute")),
        ("permission[0].duty", policy(duty=[{"action": "compensate"}])),
        ("permission[0].target", policy(target="urn:x")),
        ("permission[0].constraint[0].leftOperand", policy(compare("payAmount", "lteq", "5"))),
        ("permission[0].constraint[0].operator", policy(compare("purpose", "isA", "licensing"))),
        ("permission[0].constraint[0].operator", policy(compare("count", "eq", "1"))),
        ("permission[0].constraint[0].operator", policy(compare("hutong:item", "isNoneOf", ["a"]))),
        ("permission[0].constraint[0].operator", policy(compare("dateTime", "term-lteq", NOON))),
        ("permission[0].constraint[0].unit", policy({**compare("count", "lteq", "1"), "unit": "urn:per-user"})),
        ("permission[0].constraint[0]", policy({"andSequence": [compare("dateTime", "lt", NOON)]})),
        ("permission[0].constraint[0]", policy({"or": []})),
        (
            "permission[0].constraint[0].or",
            policy({"or": [compare("dateTime", "lt", NOON), compare("count", "lt", "2")]}),
        ),
        (
            "permission[0].constraint[0].or",
            policy({"or": [{"and": [compare("dateTime", "lt", NOON), compare("count", "lt", "2")]}]}),
        ),
        ("count", policy({"xone": [compare("count", "lteq", "2"), compare("count", "lteq", "5")]})),
        *(
            ("permission[0].constraint[0].rightOperand", policy(compare(left, operator, right)))
            for left, operator, right in [
                ("purpose", "eq", "marketing"),
                ("purpose", "eq", ["licensing"]),
                ("purpose", "isAnyOf", []),
                ("purpose", "isAnyOf", [{"@id": "licensing"}]),
                ("dateTime", "lt", "soon"),
                ("dateTime", "lt", "2026-02-30T00:00:00Z"),
                ("dateTime", "lt", "2026-09-21T12:00:00.0000001Z"),
                ("dateTime", "lt", "9999-12-31T23:00:00-14:00"),
                ("dateTime", "eq", "2026-09-21T12:00:00"),
                ("dateTime", "lteq", "2026-09-21"),
                ("dateTime", "lt", {"@value": NOON, "@type": "xsd:string"}),
                ("dateTime", "lt", {"@value": NOON, "@type": "xsd:dateTime", "@language": "zh"}),
                ("count", "lteq", "0"),
                ("count", "lteq", "-1"),
                ("count", "lteq", "1.5"),
                ("count", "lteq", "9007199254740992"),
                ("count", "lteq", {"@value": 3, "@type": "xsd:integer"}),
                ("spatial", "eq", "http://example.org/EU"),
                ("spatial", "eq", "990000"),
                ("hutong:sharingAttribute", "eq", "refused"),
            ]
        ),
    ],
)
def test_a_8_policy_not_understood_is_refused_and_its_place_named(where, document):
    with pytest.raises(PolicyNotUnderstood) as refused:
        limits_of(document, ANHUI)
    assert refused.value.parameters["where"] == where


def test_a8_a_policy_is_bounded():
    many = [compare("purpose", "eq", "licensing")] * (MOST_CONSTRAINTS + 1)
    assert limits(*many[1:]).purposes == ("licensing",)
    with pytest.raises(PolicyNotUnderstood, match=str(MOST_CONSTRAINTS)):
        limits(*many)


def test_a_consumer_whose_place_is_unknown_cannot_be_held_to_one():
    with pytest.raises(PolicyNotUnderstood, match="GB/T 2260"):
        limits(compare("spatial", "eq", "340000"), facts=Facts(frozenset({"https://connector.example"}), "", ""))


def test_every_operand_is_read_here_with_each_of_its_operators():
    rights = {"dateTime": NOON, "purpose": "licensing", "hutong:item": "a", "count": "2", "hutong:callsPerDay": "2"}
    rights |= {"recipient": HOSPITAL, "spatial": "340000", "hutong:sharingAttribute": "conditional"}
    for left, operand in OPERANDS.items():
        for operator in operand.operators:
            limits(compare(left, operator, rights[left]))


@pytest.mark.parametrize(
    ("code", "area", "inside"),
    [
        ("340104", "340100", True),
        ("340104", "340000", True),
        ("340000", "100000", True),
        ("340000", "340000", True),
        ("340100", "340104", False),
        ("341000", "340100", False),
        ("310000", "340000", False),
    ],
)
def test_a_division_lies_in_those_above_it(code, area, inside):
    assert within(code, area) is inside
