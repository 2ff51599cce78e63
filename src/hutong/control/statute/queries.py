"""The parameters in force on a day, and the decisions made."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from django.db.models import QuerySet

from hutong.control.statute.book import rule_named
from hutong.control.statute.models import Decision, ParameterVersion
from hutong.vocabulary.errors import NotFound
from hutong.vocabulary.rulebook import Parameter, Rule
from hutong.vocabulary.text import shown


@dataclass(frozen=True)
class InForce:
    """A parameter as it stands on a day. `versions` are empty where the value is the declared one."""

    value: int
    versions: tuple[str, ...] = ()


def parameter(rule: type[Rule], name: str, on: date) -> int:
    """The value in force that day."""
    return in_force(rule, name, on).value


def in_force(rule: type[Rule], name: str, on: date) -> InForce:
    """The law's value that day, or the local one where it keeps within what the law allows (the shorter term wins)."""
    national, version = national_value(rule, name, on)
    found = [version] if version else []
    local = _newest(rule, name, "local", on)
    if local is not None and national.allows(local.value):
        return InForce(local.value, (*found, local.id))
    return InForce(national.value, tuple(found))


def national_value(rule: type[Rule], name: str, on: date) -> tuple[Parameter, str]:
    """The parameter with the law's value that day, and the version that says so ("" where it is as declared)."""
    declared = rule.declared(name)
    version = _newest(rule, name, "national", on)
    return (replace(declared, value=version.value), version.id) if version else (declared, "")


def _newest(rule: type[Rule], name: str, level: str, on: date) -> ParameterVersion | None:
    found = ParameterVersion.objects.filter(rule=rule.name(), name=name, level=level, state="approved", since__lte=on)
    return found.order_by("-since", "-decided_at", "-id").first()


def versions(rule: str = "") -> QuerySet[ParameterVersion]:
    """The versions of one rule's parameters, or of all, the newest first."""
    found = ParameterVersion.objects.order_by("-proposed_at", "-id")
    return found.filter(rule=rule) if rule else found


def rule(name: str) -> type[Rule]:
    """The rule of a name such as "D809-21/supplement_twice".

    raises   NotFound
    """
    try:
        return rule_named(name)
    except KeyError:
        raise NotFound(what="rule", what_zh="规则", name=shown(name)) from None


def decision(decision_id: str) -> Decision:
    """raises   NotFound"""
    found = Decision.objects.filter(id=decision_id).first()
    if found is None:
        raise NotFound(what="decision", what_zh="决定", name=decision_id[:60])
    return found


def of(subject: str) -> QuerySet[Decision]:
    """The decisions about one thing, the oldest first."""
    return Decision.objects.filter(subject=subject).order_by("made_at", "id")
