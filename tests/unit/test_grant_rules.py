"""Who may read what under a grant: every rule, its refusals included."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hutong.exchange.grants import BadGrant, Grant, GrantedItem, Standing, check, rules
from hutong.exchange.grants.ranges import Ranges
from hutong.exchange.grants.rate import Rates
from hutong.exchange.query import Query, decode
from hutong.vocabulary.ids import new_id
from hutong.vocabulary.rulebook import Rule

AGREEMENT = "urn:uuid:0192f0c1-7d35-7c3e-8a11-5f2d3c4b5a69"
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
KEEP = {"action": "keep"}
GRANT = Grant(
    agreement=AGREEMENT,
    provider="320000",
    consumer="340000",
    resource="r",
    source="s",
    items=(
        GrantedItem("name", KEEP),
        GrantedItem("city", KEEP),
        GrantedItem("phone", {"action": "phone"}),
        GrantedItem("born", {"action": "year"}),
        GrantedItem("income", {"action": "null"}),
        GrantedItem("person", {"action": "pseudonym"}),
    ),
    where={"op": "eq", "item": "province", "value": "江苏"},
    purposes=("licensing", "audit"),
    quota_calls=500,
    quota_calls_per_day=10,
    quota_rows=100,
    rate_per_s=2,
    in_force=Ranges(((NOW - DAY, NOW + DAY), (NOW + 2 * DAY, NOW + 3 * DAY))),
    pseudonym_key="",
)
ACTIVE = Standing("active", calls_today=0, calls_used=0, rows_used=0)


def asking(**wanted) -> Query:
    return decode(
        {
            "exchange": new_id(),
            "agreement": AGREEMENT,
            "purpose": "licensing",
            "case": "hmac-sha256:" + "0" * 64,
            "items": None,
            "where": None,
            "limit": None,
            "key": None,
            **wanted,
        }
    )


def where(op: str, item: str, **more) -> dict:
    return {"op": op, "item": item, **(more or {"value": "1"})}


def test_all_granted_items_are_answered_in_the_grants_order_when_none_is_named():
    allowed = check(GRANT, ACTIVE, asking(), "340000", NOW)
    assert [item.name for item in allowed.items] == ["name", "city", "phone", "born", "income", "person"]
    assert allowed.rows_left == 100


def test_named_items_are_answered_in_the_order_named():
    allowed = check(GRANT, ACTIVE, asking(items=["city", "name"]), "340000", NOW)
    assert [item.name for item in allowed.items] == ["city", "name"]


def is_refused(refusal: type[Rule], *, by: str = "340000", standing=ACTIVE, at=NOW, **wanted) -> None:
    with pytest.raises(refusal):
        check(GRANT, standing, asking(**wanted), by, at)


def test_g_1_wrong_consumer_learns_nothing_about_the_state():
    is_refused(rules.WrongConsumer, by="310000")
    is_refused(rules.WrongConsumer, by="310000", standing=Standing("suspended", 0, 0, 0))


def test_d809_27_grant_suspended_serves_nothing():
    is_refused(rules.GrantSuspended, standing=Standing("suspended", 0, 0, 0))


@pytest.mark.parametrize("state", ["ended", "paused?"])
def test_g_3_grant_ended_or_in_no_known_state_serves_nothing(state):
    is_refused(rules.GrantEnded, standing=Standing(state, 0, 0, 0))


def test_g_4_grant_not_started_serves_nothing():
    is_refused(rules.GrantNotStarted, at=NOW - 2 * DAY)


def test_g_4_grant_expired_serves_nothing():
    is_refused(rules.GrantExpired, at=NOW + 3 * DAY)


def test_d809_25_purpose_not_granted_is_refused():
    is_refused(rules.PurposeNotGranted, purpose="marketing")


@pytest.mark.parametrize(
    "wanted",
    [
        {"items": ["name", "salary"]},
        {"where": where("eq", "salary")},
        # The grant's own condition may look at items the consumer may not.
        {"where": where("eq", "province")},
        {"key": {"item": "salary", "value": "1"}},
    ],
)
def test_g_6_item_not_granted_is_neither_shown_nor_tested(wanted):
    is_refused(rules.ItemNotGranted, **wanted)


@pytest.mark.parametrize("used", [(10, 10, 0), (0, 500, 0), (0, 0, 100)])
def test_g_8_quota_spent_of_the_day_of_the_term_or_of_rows(used):
    is_refused(rules.QuotaSpent, standing=Standing("active", *used))


def test_g_4_between_periods_the_refusal_names_the_next():
    with pytest.raises(rules.BetweenPeriods, match="2026-03-04T09:00"):
        check(GRANT, ACTIVE, asking(), "340000", NOW + DAY)
    check(GRANT, ACTIVE, asking(), "340000", NOW + 2 * DAY)


def test_g_8_quota_spent_the_last_call_is_made_and_the_next_is_not():
    check(GRANT, Standing("active", 9, 499, 99), asking(), "340000", NOW)
    with pytest.raises(rules.QuotaSpent, match="500 of 500 calls in all"):
        check(GRANT, Standing("active", 9, 500, 99), asking(), "340000", NOW)


def test_g_8_batch_over_quota_each_key_counts_as_a_call():
    keys = {"item": "name", "values": ["a", "b", "c"]}
    check(GRANT, Standing("active", 7, 497, 99), asking(keys=keys), "340000", NOW)
    with pytest.raises(rules.BatchOverQuota, match="has 2 calls today left, and this read asks for 3"):
        check(GRANT, Standing("active", 8, 497, 99), asking(keys=keys), "340000", NOW)
    is_refused(rules.ItemNotGranted, keys={"item": "salary", "values": ["1"]})


@pytest.mark.parametrize("item", ["name", "city"])
@pytest.mark.parametrize("op", ["eq", "ne", "lt", "ge", "starts_with", "contains"])
def test_g7_an_item_that_is_shown_may_be_tested_in_every_way(item, op):
    check(GRANT, ACTIVE, asking(where=where(op, item)), "340000", NOW)


@pytest.mark.parametrize(
    ("condition", "allowed"),
    [
        (where("eq", "phone"), True),
        (where("in", "phone", values=["1", "2"]), True),
        (where("ne", "phone"), False),
        (where("starts_with", "phone"), False),
        (where("lt", "born"), False),
        (where("between", "born", low="1", high="2"), False),
        ({"op": "is_null", "item": "phone"}, False),
        ({"op": "not", "arg": where("gt", "born")}, False),
        ({"op": "and", "args": [where("eq", "name"), {"op": "or", "args": [where("le", "born")]}]}, False),
        (where("eq", "income"), False),
        (where("eq", "person"), False),
    ],
)
def test_g_7_masked_item_in_condition_for_exact_values_only_and_a_hidden_one_never(condition, allowed):
    query = asking(where=condition)
    if allowed:
        check(GRANT, ACTIVE, query, "340000", NOW)
    else:
        with pytest.raises(rules.MaskedItemInCondition):
            check(GRANT, ACTIVE, query, "340000", NOW)


@pytest.mark.parametrize(("item", "allowed"), [("name", True), ("phone", True), ("income", False), ("person", False)])
def test_g7_a_lookup_is_a_test_for_an_exact_value(item, allowed):
    query = asking(key={"item": item, "value": "1"})
    if allowed:
        check(GRANT, ACTIVE, query, "340000", NOW)
    else:
        with pytest.raises(rules.MaskedItemInCondition):
            check(GRANT, ACTIVE, query, "340000", NOW)


def test_g8_a_grant_without_quotas_limits_nothing():
    free = replace(GRANT, quota_calls=None, quota_calls_per_day=None, quota_rows=None)
    assert check(free, Standing("active", 10**6, 10**8, 10**9), asking(), "340000", NOW).rows_left is None


def test_g_9_rate_exceeded_a_burst_of_one_second_may_come_at_once():
    rates = Rates()
    for _ in range(2):
        rates.take(GRANT, 100.0)
    with pytest.raises(rules.RateExceeded):
        rates.take(GRANT, 100.0)
    rates.take(GRANT, 100.5)
    with pytest.raises(rules.RateExceeded):
        rates.take(GRANT, 100.6)


def test_every_refusal_of_a_grant_says_its_rule_and_what_next_in_both_languages():
    refusals = [
        one for one in vars(rules).values() if isinstance(one, type) and issubclass(one, Rule) and one is not Rule
    ]
    for refusal in refusals:
        assert refusal.status in (403, 429)
        assert refusal.rule
        assert refusal.next_en
        assert refusal.next_zh
    assert len({one.code for one in refusals}) == len(refusals)


def test_a_grants_document_reads_back_as_the_same_grant():
    assert Grant.from_document(GRANT.to_document()) == GRANT


@pytest.mark.parametrize(
    "change",
    [
        {"extra": 1},
        {"items": []},
        {"items": [{"name": "name", "mask": {}}]},
        {"items": [{"name": "name", "mask": KEEP}, {"name": "name", "mask": KEEP}]},
        {"purposes": []},
        {"quota_rows": -1},
        {"quota_rows": True},
        {"in_force": []},
        {"in_force": [["2026-01-01T00:00:00", None]]},
        {"in_force": [["soon", None]]},
        {"in_force": [["2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z"]]},
        {"in_force": "2026-01-01T00:00:00Z"},
        {"consumer": 340000},
        {"where": "1 = 1"},
    ],
)
def test_a_grants_document_that_is_not_wholly_understood_is_not_served(change):
    with pytest.raises(BadGrant):
        Grant.from_document(GRANT.to_document() | change)


def test_a_grants_document_that_lacks_a_member_is_not_served():
    document = GRANT.to_document()
    del document["where"]
    with pytest.raises(BadGrant, match="where"):
        Grant.from_document(document)
