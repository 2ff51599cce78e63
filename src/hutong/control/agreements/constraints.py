"""The constraints of an ODRL policy, read into what a grant checks on every request. A closed vocabulary.

Whatever is not in OPERANDS is refused by name when an agreement is signed, received or compiled, so that nothing has
to be guessed when data is asked for. What each operand may say is told in docs/odrl.md, whose table is OPERANDS.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from hutong.control.agreements.operands import OPERANDS, Facts, Outside, bare
from hutong.exchange.grants.ranges import Ranges, counted
from hutong.vocabulary.codes import PURPOSES
from hutong.vocabulary.rulebook import Rule

Values = frozenset[str] | Ranges[datetime] | Ranges[int]  # what one operand may be; which, the operand says
Scope = Mapping[str, Values]  # by operand; an operand nobody constrains is absent
ALWAYS: Final[Ranges[datetime]] = Ranges(((None, None),))

ACTIONS: Final = ("use", "read")  # what the exchange does: it answers reads
MOST_CONSTRAINTS: Final = 2_000  # in one policy; the weekly hours of a whole year are 522
LOGICAL: Final[Mapping[str, Callable[[int, int], bool]]] = {  # of so many branches, so many hold
    "and": lambda branches, hold: hold == branches,
    "or": lambda _branches, hold: hold >= 1,
    "xone": lambda _branches, hold: hold == 1,
}
_OF_A_RULE: Final = {"@id", "@type", "action", "constraint"}
_OF_A_CONSTRAINT: Final = {"@id", "@type"}
_OF_A_COMPARISON: Final = {*_OF_A_CONSTRAINT, "leftOperand", "operator", "rightOperand"}
# What ODRL lets a policy say beside its permissions, and this node cannot carry out.
_REFUSED_MEMBERS: Final = (
    *("prohibition", "obligation", "duty", "profile", "inheritFrom", "conflict"),
    *("action", "constraint"),  # ODRL would give them to every rule
)


class PolicyNotUnderstood(Rule):
    """This node cannot carry out what the policy says at {where}: {reason}."""

    zh = "本节点无法执行策略在 {where} 处的约定：{reason}。"
    code = "policy_not_understood"
    status = 400
    rule = "A-8"
    next_en = "Say it with the operands and operators of docs/odrl.md, or leave it out."
    next_zh = "请使用 docs/odrl.md 所列的操作数和运算符表述，或者去除。"


class PolicyNeverHolds(Rule):
    """Nothing could ever be read under the policy: nothing satisfies what it says on {operand}."""

    zh = "按该策略永远无法读取数据：没有任何情形满足其对 {operand} 的约束。"
    code = "policy_never_holds"
    status = 400
    rule = "A-8"
    next_en = "Correct the constraints on it and send the agreement again."
    next_zh = "请更正相关约束后重新发送协议。"


@dataclass(frozen=True)
class Limits:
    """What a policy allows its consumer. None where it says nothing."""

    in_force: Ranges[datetime]
    purposes: tuple[str, ...]  # in the order of the code list
    items: frozenset[str] | None
    calls: int | None  # over the whole term
    calls_per_day: int | None


def limits_of(policy: Mapping[str, Any], facts: Facts) -> Limits:
    """What the one permission of a policy allows, to the consumer the facts describe.

    policy   as read_policy accepted it
    raises   PolicyNotUnderstood, PolicyNeverHolds
    """
    scope = _Reading(facts).policy(policy)
    for operand, values in scope.items():
        if not (values.parts if isinstance(values, Ranges) else values):
            raise PolicyNeverHolds(operand=operand)
    purposes = _named(scope, "purpose")
    return Limits(
        in_force=cast(Ranges[datetime], scope.get("dateTime", ALWAYS)),
        purposes=tuple(one for one in PURPOSES.codes if purposes is None or one in purposes),
        items=_named(scope, "hutong:item"),
        calls=_most(scope, "count"),
        calls_per_day=_most(scope, "hutong:callsPerDay"),
    )


def _named(scope: Scope, operand: str) -> frozenset[str] | None:
    return cast("frozenset[str] | None", scope.get(operand))


def _most(scope: Scope, operand: str) -> int | None:
    """Calls are counted from 1 upwards, so what may be is an upper bound, or nothing that a quota can hold."""
    values = cast("Ranges[int] | None", scope.get(operand))
    if values is None:
        return None
    if len(values.parts) != 1 or values.parts[0][0] != 1 or values.last is None:
        raise PolicyNotUnderstood(
            where=operand, reason="together its constraints are no upper bound", reason_zh="各约束合起来不是上限"
        )
    return values.last - 1


class _Reading:
    """One policy being read: the facts, and how many constraints were met so far."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._met = 0

    def policy(self, policy: Mapping[str, Any]) -> Scope:
        for name in _REFUSED_MEMBERS:
            if name in policy:
                raise _outside(name, f"the node does not carry out {name}", f"本节点不执行 {name}")
        permissions = policy.get("permission", [])
        if len(permissions) != 1:
            raise _outside("permission", "exactly one permission is expected", "应当恰有一项许可")
        rule, where = permissions[0], "permission[0]"
        _only(rule, _OF_A_RULE, where)
        if bare(rule["action"]) not in ACTIONS:
            action = str(rule["action"])[:80]
            raise _outside(f"{where}.action", f"the exchange does not {action}", f"交换不执行动作 {action}")
        return self._all(rule.get("constraint", []), f"{where}.constraint")

    def _all(self, constraints: Sequence[Mapping[str, Any]], where: str) -> Scope:
        branches = [self._constraint(one, f"{where}[{index}]") for index, one in enumerate(constraints)]
        return {operand: _joined("and", _said(branches, operand)) for operand in _operands(branches)}

    def _constraint(self, constraint: Mapping[str, Any], where: str) -> Scope:
        self._met += 1
        if self._met > MOST_CONSTRAINTS:
            raise _outside(where, f"more than {MOST_CONSTRAINTS} constraints", f"约束超过 {MOST_CONSTRAINTS} 个")
        if "leftOperand" in constraint:
            return self._comparison(constraint, where)
        joined = next(name for name in (*LOGICAL, "andSequence") if name in constraint)
        if joined not in LOGICAL or not constraint[joined]:
            raise _outside(where, f"{joined} is not carried out, or is empty", f"{joined} 不受支持或为空")
        _only(constraint, {*_OF_A_CONSTRAINT, joined}, where)
        where = f"{where}.{joined}"
        if joined == "and":
            return self._all(constraint[joined], where)
        branches = [self._constraint(one, f"{where}[{index}]") for index, one in enumerate(constraint[joined])]
        operands = _operands(branches)
        if len(operands) != 1 or any(not branch for branch in branches):
            raise _outside(where, "alternatives must be on one and the same operand", "各备选应当针对同一操作数")
        return {operand: _joined(joined, _said(branches, operand)) for operand in operands}

    def _comparison(self, constraint: Mapping[str, Any], where: str) -> Scope:
        _only(constraint, _OF_A_COMPARISON, where)
        left, operator = bare(constraint["leftOperand"]), constraint["operator"]
        operand = OPERANDS.get(left)
        if operand is None:
            raise _outside(f"{where}.leftOperand", f"{left[:80]} is not known", f"{left[:80]} 不在词表内")
        if operator not in operand.operators:
            raise _outside(
                f"{where}.operator", f"{operator} is not used with {left}", f"{left} 不使用运算符 {operator}"
            )
        try:
            return {left: operand.read(operator, constraint["rightOperand"], self._facts)}
        except Outside as outside:
            raise _outside(f"{where}.rightOperand", outside.reason, outside.reason_zh) from None


def _operands(branches: Sequence[Scope]) -> list[str]:
    return list(dict.fromkeys(operand for branch in branches for operand in branch))


def _said(branches: Sequence[Scope], operand: str) -> list[Values]:
    return [branch[operand] for branch in branches if operand in branch]


def _joined(how: str, sets: Sequence[Values]) -> Values:
    def keep(hold: int) -> bool:
        return LOGICAL[how](len(sets), hold)

    if isinstance(sets[0], Ranges):  # moments or calls: all of one operand are of one kind
        return counted(cast("Sequence[Ranges[datetime]]", sets), keep)
    held = Counter(value for one in cast("Sequence[frozenset[str]]", sets) for value in one)
    return frozenset(value for value, times in held.items() if keep(times))


def _only(given: Mapping[str, Any], known: set[str], where: str) -> None:
    if unknown := sorted(set(given) - known):
        raise _outside(f"{where}.{unknown[0][:80]}", "it is not known there", "该处没有此成员")


def _outside(where: str, reason: str, reason_zh: str) -> PolicyNotUnderstood:
    return PolicyNotUnderstood(where=where, reason=reason, reason_zh=reason_zh)
