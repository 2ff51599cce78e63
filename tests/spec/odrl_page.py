"""docs/odrl.md: its tables come from the code and from the two suites, and tests compare them.

HUTONG_WRITE_PAGES=1 makes the same tests write them anew.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hutong.control.agreements.operands import OPERANDS
from hutong.vocabulary.errors import Refused
from tests.spec.odrl_cases import Case, words

PAGE = Path(__file__).resolve().parents[2] / "docs" / "odrl.md"
AGREES = "agrees"


def check(name: str, table: str) -> None:
    """The part of the page between `<!-- name -->` and `<!-- end -->` is this table."""
    page = PAGE.read_text(encoding="utf-8")
    found = re.search(rf"(<!-- {name} -->\n)(.*?)(\n<!-- end -->)", page, re.DOTALL)
    assert found is not None, f"docs/odrl.md has no part {name}"
    if os.environ.get("HUTONG_WRITE_PAGES"):
        PAGE.write_text(page[: found.start(2)] + table + page[found.end(2) :], encoding="utf-8")
    else:
        assert found[2] == table, "HUTONG_WRITE_PAGES=1 writes it anew"


def example(name: str, page: str) -> Any:
    """A JSON example of a page, by the word after ```json."""
    found = re.search(rf"```json {name}\n(.*?)\n```", page, re.DOTALL)
    assert found is not None, f"no example {name}"
    return json.loads(found[1])


def operands() -> str:
    """A row for each left operand: the claim."""
    rows = [
        (f"`{left}`", " ".join(f"`{one}`" for one in operand.operators), operand.right, operand.means, operand.checked)
        for left, operand in OPERANDS.items()
    ]
    return _table(("left operand", "operators", "right operand", "what is compared", "when, by whom"), rows)


def covered(cases: Sequence[Case]) -> str:
    """A row for each operator of an operand that a case of the subset has."""
    found: dict[tuple[str, str], list[str]] = {}
    for case in cases:
        for word in dict.fromkeys(words(case.policy["permission"][0].get("constraint", []))) if case.inside else ():
            found.setdefault(word, []).append(case.name.partition("-")[0])
    rows = [
        (f"`{left}`" if left else "joined by", f"`{how}`", ", ".join(names)) for (left, how), names in found.items()
    ]
    return _table(("left operand", "operator", "cases of the subset"), sorted(rows))


def suites(cases: Sequence[Case], verdicts: Mapping[tuple[str, str], str]) -> str:
    """A row for each policy: how its cases ended."""
    by_policy: dict[tuple[str, str], list[Case]] = {}
    for case in cases:
        by_policy.setdefault((case.suite, case.policy_name), []).append(case)
    rows = []
    for (suite, policy), under in sorted(by_policy.items(), key=lambda one: (one[0][0], _natural(one[0][1]))):
        verdict = Counter(verdicts[suite, case.name] for case in under)
        says = "; ".join(f"{word}" for word in sorted(verdict))
        numbers = ", ".join(case.name.partition("-")[0] for case in under)
        rows.append((f"{suite} {policy}", under[0].says or "—", numbers, says))
    total = Counter(verdict == AGREES for verdict in verdicts.values())
    sums = f"{total[True]} of {len(verdicts)} cases are in the subset and agree; {total[False]} are refused by name."
    return f"{sums}\n\n{_table(('policy', 'in its own words', 'cases', 'here'), rows)}"


def alone(reports: int, constraints: int) -> str:
    return f"{reports} reports on {constraints} constraints, each evaluated alone, agree."


def refused(refusal: Refused) -> str:
    where = refusal.parameters["where"]
    return f"`{refusal.code}` at `{where}`: {refusal.parameters['reason']}"


def _natural(name: str) -> tuple[str, int]:
    stem = name.rstrip("0123456789")
    return stem, int(name[len(stem) :] or 0)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
