"""docs/states.md is what the table of transitions says now, and it says what the specification does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hutong.control.agreements.diagram import page
from tests.dsp_messages import PLACES
from tests.dsp_states import LEGAL

FILE = Path(__file__).resolve().parent.parent.parent / "docs" / "states.md"


def test_the_page_is_not_older_than_the_table() -> None:
    assert FILE.read_text(encoding="utf-8") == page(), "docs/states.md is stale: run make docs"


@pytest.mark.parametrize("machine", LEGAL)
def test_the_diagram_draws_the_specifications_steps_and_no_others(machine: str) -> None:
    part = page().split("## ")[1 + list(LEGAL).index(machine)]
    drawn = set()
    for before, after, words, who in re.findall(r"^    (\S+) --> (\S+): (.+) \((\w+)\)$", part, re.MULTILINE):
        senders = ("consumer", "provider") if who == "either" else (who,)
        drawn |= {("" if before == "[*]" else before, words, sender, after) for sender in senders}
    expected = set()
    for step, after in LEGAL[machine].items():
        event = f" {step.said}" if step.said in ("ACCEPTED", "FINALIZED") else ""
        expected.add((step.before, PLACES[step.said][0] + event, step.sender, after))
    assert drawn == expected
