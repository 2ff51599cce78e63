"""Every rule of the law and of the house has a test that carries its number and its code."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from hutong.control.statute.book import rulebook
from hutong.vocabulary.rulebook import Rule

TESTS = Path(__file__).resolve().parents[1]
OURS = [rule for rule in rulebook() if rule.__module__.startswith("hutong.")]
NAMES = [
    node.name
    for file in TESTS.rglob("test_*.py")
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test_")
]


def wanted_name(rule: type[Rule]) -> str:
    return f"test_{re.sub('[-.]', '_', str(rule.rule)).lower()}_{rule.code}"


@pytest.mark.parametrize("rule", OURS, ids=lambda rule: rule.name())
def test_a_rule_has_a_test_of_its_name(rule: type[Rule]):
    wanted = wanted_name(rule)
    assert any(name == wanted or name.startswith(wanted + "_") for name in NAMES), f"no test named {wanted}..."
