"""docs/rules.md, written from the rule book: python -m hutong.control.statute.page (make docs).

A test compares the page with this text, so that no rule is in force that the page does not say.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import groupby
from typing import Final

from hutong.vocabulary.rulebook import ClockRule, Parameter, Rule

HEAD: Final = """\
# The rule book

Written by `make docs` from the rule classes of the code; do not edit. Each rule is one class: its sentence is the rule
and the message that people, programs and partners get when it is not kept (a … stands for what the case at hand
gives), and a test carries its name. `D809-21` is article 21 of decree 809 (政务数据共享条例, in force since
2025-08-01); the other letters are this system's own rules.

The values below are those the law was published with. What is in force on a day is data: a version is proposed by one
person and approved by another (`hutong rule propose`, `hutong rule approve`, or the room Rules of the portal), a local
value holds only where the law allows it, and a decision keeps the versions it was made with
(`hutong replay DIR DECISION`).
"""
GROUPS: Final = {
    "A": "Agreements between two nodes",
    "C": "Terms and their extension",
    "CAT": "The catalogue and its sources",
    "CSL": "The Cybersecurity Law",
    "D809": "Decree 809",
    "DCAT-AP": "The catalogue as DCAT-AP",
    "DSP": "The Dataspace Protocol",
    "G": "Grants: what the exchange lets through",
    "O": "Supervision and its statements",
    "R": "Rules about rules",
    "S": "Standards: elements, code tables, code maps",
    "Z": "Zones whose members treat each other as local, and what is offered to an area alike",
    "SHDR": "The Shanghai Data Regulation, whose terms another jurisdiction sets for itself",
    "ZJCR": "The Zhejiang regulation on public credit information",
}
LOCAL: Final = {
    "lower": "a local rule may only be lower",
    "higher": "a local rule may only be higher",
    "any": "a local rule is free",
    "none": "no local rule",
}


def page() -> str:
    """The whole page. Rules of tests are no rules of the book."""
    from hutong.control.statute.book import rulebook

    ours = [rule for rule in rulebook() if rule.__module__.startswith("hutong.")]
    return "\n".join([HEAD, *_lines(ours)]) + "\n"


def group_of(rule: type[Rule]) -> str:
    """The letters of a rule's number: "D809" of "D809-21"."""
    number = str(rule.rule)
    return next((one for one in sorted(GROUPS, key=len, reverse=True) if number.startswith(one + "-")), number)


def _lines(rules: list[type[Rule]]) -> Iterator[str]:
    for letters, group in groupby(rules, group_of):
        yield f"## {GROUPS.get(letters, letters)}\n"
        for rule in group:
            yield from _rule(rule)


def _rule(rule: type[Rule]) -> Iterator[str]:
    kind = " (a term)" if issubclass(rule, ClockRule) else ""
    yield f"### {rule.rule} `{rule.code}`{kind}\n"
    declared = {one.name: one.value for one in rule.declares}
    yield f"{rule.sentence('en', **declared)}\n"
    yield f"{rule.sentence('zh', **declared)}\n"
    until = f" to {rule.until}" if rule.until else ""
    yield f"* in force: from {rule.since}{until}; answered {rule.status}"
    for one in rule.declares:
        yield f"* {_parameter(one)}"
    yield f"* kept by: `{rule.__module__}`\n"


def _parameter(one: Parameter) -> str:
    return f"`{one.name}`: {one.value} {one.unit} ({one.unit_zh}); {one.source}; owner: {one.owner}; {LOCAL[one.local]}"


if __name__ == "__main__":
    from hutong.node.settings import setup

    setup(sys.argv[1])
    sys.stdout.write(page())
