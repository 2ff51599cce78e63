"""The whole rule book, gathered from every part."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from functools import lru_cache
from importlib import import_module

import hutong
from hutong.vocabulary.rulebook import Rule

# Rules that stand beside the thing they guard, and not in a rules module.
ELSEWHERE = (
    "hutong.control.agreements.constraints",
    "hutong.control.agreements.transitions",
    "hutong.control.catalogue.secrecy",
    "hutong.control.catalogue.shapes",
    "hutong.exchange.asking",
)


@lru_cache(maxsize=1)
def rulebook() -> tuple[type[Rule], ...]:
    """Every rule there is, by number, then by code."""
    for name in (*_rules_modules(), *ELSEWHERE):
        import_module(name)
    return tuple(sorted((rule for rule in _below(Rule) if rule.rule), key=_order))


def rule_named(name: str) -> type[Rule]:
    """The rule of a name such as "D809-21/supplement_twice".

    raises   KeyError
    """
    for rule in rulebook():
        if rule.name() == name:
            return rule
    raise KeyError(name)


def _rules_modules() -> Iterator[str]:
    for module in pkgutil.walk_packages(hutong.__path__, "hutong."):
        if module.name.endswith("rules"):
            yield module.name


def _below(cls: type[Rule]) -> Iterator[type[Rule]]:
    for one in cls.__subclasses__():
        yield one
        yield from _below(one)


def _order(rule: type[Rule]) -> tuple[str, list[int], str]:
    head, _, tail = str(rule.rule).partition("-")
    return head, [int(part) for part in tail.replace(".", "-").split("-") if part.isdigit()], rule.code
