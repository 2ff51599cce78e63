"""What a consumer may read under a grant. Decides and touches nothing; the clock is passed in.

The order matters: who asks comes first, so that a stranger learns nothing about an agreement's state.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from hutong.exchange.grants.grant import Grant, GrantedItem
from hutong.exchange.query import Query
from hutong.exchange.shaping.masks import HASHED, KEYED
from hutong.vocabulary.rulebook import Rule

State = Literal["active", "suspended", "ended"]

# Conditions that tell no more about a masked value than a lookup by a value the consumer already holds.
_EQUALITY = frozenset({"eq", "in"})
# Masks whose original value a consumer may not even guess at: a hit would undo them.
_CLOSED_MASKS = frozenset({"null", "fixed", "alphanum", *HASHED, *KEYED})


class NoGrant(Rule):
    """No agreement {agreement} with you is in force here."""

    zh = "此处没有与贵方生效的协议 {agreement}。"
    code = "no_grant"
    rule = "G-1"
    next_en = "Check the agreement's number, or file a request for the resource."
    next_zh = "请核对协议编号，或就该资源提出共享申请。"


class WrongConsumer(Rule):
    """Agreement {agreement} was not made with {consumer}."""

    zh = "协议 {agreement} 的使用方不是 {consumer}。"
    code = "wrong_consumer"
    rule = "G-1"
    next_en = "Only the consumer named in the agreement may read; file your own request."
    next_zh = "只有协议载明的使用方可以读取；请自行提出共享申请。"


class GrantSuspended(Rule):
    """Agreement {agreement} is suspended by its provider."""

    zh = "协议 {agreement} 已被提供方中止。"
    code = "grant_suspended"
    rule = "D809-27"
    next_en = "See the agreement's page for the reason and what must be put right."
    next_zh = "请在协议页面查看中止原因及整改要求。"


class GrantEnded(Rule):
    """Agreement {agreement} has ended."""

    zh = "协议 {agreement} 已终止。"
    code = "grant_ended"
    rule = "G-3"
    next_en = "File a new request if the data is still needed."
    next_zh = "如仍需使用数据，请重新提出共享申请。"


class GrantExpired(Rule):
    """Agreement {agreement} ran until {ends_at}."""

    zh = "协议 {agreement} 的期限已于 {ends_at} 届满。"
    code = "grant_expired"
    rule = "G-4"
    next_en = "File a request for a further term."
    next_zh = "请申请延长使用期限。"


class GrantNotStarted(Rule):
    """Agreement {agreement} begins on {starts_at}."""

    zh = "协议 {agreement} 自 {starts_at} 起生效。"
    code = "grant_not_started"
    rule = "G-4"
    next_en = "Ask again from that time on."
    next_zh = "请在生效后再次请求。"


class BetweenPeriods(Rule):
    """Agreement {agreement} gives nothing at this time; it does again from {starts_at}."""

    zh = "协议 {agreement} 此时不在可用时段内，下一时段自 {starts_at} 起。"
    code = "between_periods"
    rule = "G-4"
    next_en = "Ask again from that time on."
    next_zh = "请在该时间后再次请求。"


class PurposeNotGranted(Rule):
    """Agreement {agreement} does not allow the purpose {purpose}; it allows: {allowed}."""

    zh = "协议 {agreement} 不允许用于 {purpose}；允许的用途：{allowed}。"
    code = "purpose_not_granted"
    rule = "D809-25"
    next_en = "Use an agreed purpose, or file a request for this one."
    next_zh = "请按约定用途使用，或就该用途另行申请。"


class ItemNotGranted(Rule):
    """Agreement {agreement} does not give these items: {items}."""

    zh = "协议 {agreement} 不包含以下信息项：{items}。"
    code = "item_not_granted"
    rule = "G-6"
    next_en = "Leave them out, or file a request for them. A condition may use granted items only."
    next_zh = "请去掉这些信息项，或另行申请。查询条件只能使用已授权的信息项。"


class MaskedItemInCondition(Rule):
    """Agreement {agreement} masks these items, so this condition may not test them: {items}."""

    zh = "协议 {agreement} 对以下信息项作了脱敏，不能用于此查询条件：{items}。"
    code = "masked_item_in_condition"
    rule = "G-7"
    next_en = "Ask for an exact value you hold (=, in); hidden and pseudonymous items cannot be tested at all."
    next_zh = "可用已掌握的确切值查询（=、in）；隐藏或假名化的信息项不能作为条件。"


class QuotaSpent(Rule):
    """The quota of agreement {agreement} is spent: {used} of {quota} {what}."""

    zh = "协议 {agreement} 的配额已用完：{quota} {what_zh}中已用 {used}。"
    code = "quota_spent"
    status = 429
    rule = "G-8"
    next_en = "Calls count anew each day; for more rows, agree on a larger quota."
    next_zh = "调用次数每日重新计算；如需更多行数，请协商提高配额。"


class BatchOverQuota(Rule):
    """Agreement {agreement} has {left} {what} left, and this read asks for {asked}."""

    zh = "协议 {agreement} 还剩{left} {what_zh}，此次读取需要 {asked} 次。"
    code = "batch_over_quota"
    status = 429
    rule = "G-8"
    next_en = "Each key of a batch counts as one call: ask for fewer keys, or agree on a larger quota."
    next_zh = "批量读取中每个键值计一次调用：请减少键值，或协商提高配额。"


class RateExceeded(Rule):
    """Agreement {agreement} allows {rate} queries a second."""

    zh = "协议 {agreement} 每秒最多允许 {rate} 次查询。"
    code = "rate_exceeded"
    retry_after_s = 1
    status = 429
    rule = "G-9"
    next_en = "Slow down, or ask for many keys in one read."
    next_zh = "请降低频率，或一次读取多个键值。"


class ProviderBusy(Rule):
    """This node is busy: {waiting} messages of yours wait here already."""

    zh = "本节点繁忙：贵方已有 {waiting} 条消息在此等候。"
    code = "provider_busy"
    status = 429
    rule = "G-10"
    retry_after_s = 1
    next_en = "Send again after the time in Retry-After, with fewer messages at once. Others are served meanwhile."
    next_zh = "请在 Retry-After 所示时间后重发，并减少同时发送的消息；期间其他使用方照常服务。"


@dataclass(frozen=True, slots=True)
class Standing:
    """A grant's changing side, read from the database for every batch of requests."""

    state: str  # one of State; anything else fails closed as ended
    calls_today: int
    calls_used: int
    rows_used: int


@dataclass(frozen=True, slots=True)
class Allowed:
    """What may leave for one query."""

    items: tuple[GrantedItem, ...]  # in the order asked for
    rows_left: int | None  # None = no quota of rows; more rows than this MUST NOT leave


def check(
    grant: Grant, standing: Standing, query: Query, consumer: str, now: datetime, *, counted: bool = True
) -> Allowed:
    """What this query may have.

    consumer   the jurisdiction whose signature the message carries
    counted    False for a further piece of what was counted before: the quota does not stop it
    raises     WrongConsumer, GrantSuspended, GrantEnded, GrantNotStarted, BetweenPeriods, GrantExpired,
               PurposeNotGranted, ItemNotGranted, MaskedItemInCondition, QuotaSpent, BatchOverQuota

    The caller MUST still apply the grant's own condition, the masks and rows_left; the rate is in rate.py.
    """
    check_consumer(grant, consumer)
    check_in_force(grant, standing.state)
    check_term(grant, now)
    check_purpose(grant, query.purpose)
    items = check_items(grant, query)
    check_condition(grant, query)
    return Allowed(items, check_quota(grant, standing, query.calls) if counted else None)


def check_changes(grant: Grant, standing: Standing, purpose: str, rows: int, now: datetime) -> None:
    """Whether a batch of changes may leave. They are sent, not asked for, so calls and rate do not count.

    raises   GrantSuspended, GrantEnded, GrantNotStarted, BetweenPeriods, GrantExpired, PurposeNotGranted, QuotaSpent
    """
    check_in_force(grant, standing.state)
    check_term(grant, now)
    check_purpose(grant, purpose)
    if grant.quota_rows is not None and standing.rows_used + rows > grant.quota_rows:
        raise rows_spent(grant, standing.rows_used)


def check_consumer(grant: Grant, consumer: str) -> None:
    """G-1. Only the consumer named in the agreement may read."""
    if grant.consumer != consumer:
        raise WrongConsumer(agreement=grant.agreement, consumer=consumer)


def check_in_force(grant: Grant, state: str) -> None:
    """G-2 (D809-27), G-3. A suspended or ended agreement gives nothing, from the very next request on."""
    if state == "suspended":
        raise GrantSuspended(agreement=grant.agreement)
    if state != "active":
        raise GrantEnded(agreement=grant.agreement)


def check_term(grant: Grant, now: datetime) -> None:
    """G-4. An agreement gives nothing before its term, nothing after, and nothing between its periods."""
    if now in grant.in_force:
        return
    starts_at, ends_at = grant.in_force.next_after(now), grant.in_force.last
    if starts_at is None and ends_at is not None:
        raise GrantExpired(agreement=grant.agreement, ends_at=_minutes(ends_at))
    refused = GrantNotStarted if starts_at == grant.in_force.parts[0][0] else BetweenPeriods
    raise refused(agreement=grant.agreement, starts_at=_minutes(starts_at))


def check_purpose(grant: Grant, purpose: str) -> None:
    """G-5 (D809-25). Data is used for the agreed purposes and no other."""
    if purpose not in grant.purposes:
        raise PurposeNotGranted(agreement=grant.agreement, purpose=purpose, allowed=grant.purposes)


def check_items(grant: Grant, query: Query) -> tuple[GrantedItem, ...]:
    """G-6. Items outside the agreement are neither answered nor tested."""
    granted = grant.by_name
    asked = query.items or ()
    if not (granted.keys() >= {*asked, *query.tested_items}):
        missing = {*asked, *query.tested_items} - granted.keys()
        raise ItemNotGranted(agreement=grant.agreement, items=sorted(missing))
    return grant.items if query.items is None else tuple(granted[name] for name in asked)


def check_condition(grant: Grant, query: Query) -> None:
    """G-7. A masked item may be tested for an exact value only; a hidden or pseudonymous one not at all.

    Otherwise a consumer finds a masked value by halving: `birth_date < '1970-01-01'`, then narrower.
    """
    wrong = {item for item, operator in _tests(query) if _tells_more(grant.by_name[item].action, operator)}
    if wrong:
        raise MaskedItemInCondition(agreement=grant.agreement, items=sorted(wrong))


def check_quota(grant: Grant, standing: Standing, calls: int = 1) -> int | None:
    """G-8. The agreed calls a day, and calls and rows over the term, are not exceeded. Gives the rows left.

    calls   what the query counts: a batch counts each of its keys
    """
    for used, quota, what, what_zh in (
        (standing.calls_today, grant.quota_calls_per_day, "calls today", "次当日调用"),
        (standing.calls_used, grant.quota_calls, "calls in all", "次累计调用"),
    ):
        if quota is not None and used >= quota:
            raise QuotaSpent(agreement=grant.agreement, used=used, quota=quota, what=what, what_zh=what_zh)
        if quota is not None and used + calls > quota:
            raise BatchOverQuota(agreement=grant.agreement, left=quota - used, asked=calls, what=what, what_zh=what_zh)
    if grant.quota_rows is None:
        return None
    left = grant.quota_rows - standing.rows_used
    if left <= 0:
        raise rows_spent(grant, standing.rows_used)
    return left


def rows_spent(grant: Grant, used: int) -> QuotaSpent:
    """G-8, found while reading: the answer would have more rows than are left."""
    return QuotaSpent(agreement=grant.agreement, used=used, quota=grant.quota_rows, what="rows", what_zh="行")


def _tests(query: Query) -> Iterator[tuple[str, str]]:
    """Each (item, operator) of the consumer's condition and key."""
    if query.key is not None:
        yield query.key.item, "eq"
    if query.keys is not None:
        yield query.keys.item, "in"
    if query.where is not None:
        yield from ((node.item, node.op) for node in query.where.nodes() if node.item)


def _tells_more(action: str, operator: str) -> bool:
    """Whether such a test tells more of a masked value than the mask does."""
    return action != "keep" and (action in _CLOSED_MASKS or operator not in _EQUALITY)


def _minutes(moment: datetime | None) -> str:
    return "" if moment is None else moment.isoformat(timespec="minutes")
