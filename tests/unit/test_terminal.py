"""How commands print what they found."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from hutong.terminal import language, print_json, print_rows, print_with_timeline

ROWS = [{"id": "r1", "title": "企业登记"}, {"id": "r2", "title": ""}]
LINE = "{id}  {title}".format_map


@dataclass(frozen=True)
class Step:
    kind: str
    actor: str = "wang"
    at: datetime = datetime(2026, 11, 2, 8, 30, 15, 250_000, UTC)


def test_rows_are_a_line_each(capsys):
    print_rows(ROWS, False, LINE)
    assert capsys.readouterr().out == "r1  企业登记\nr2  \n"


def test_the_same_rows_are_one_list_for_programs(capsys):
    print_rows(ROWS, True, LINE)
    said = capsys.readouterr().out
    assert json.loads(said) == ROWS
    assert "企业登记" in said  # as it is, not escaped


def test_no_rows_are_no_lines_but_a_list_without_rows(capsys):
    print_rows([], False, LINE)
    assert capsys.readouterr().out == ""
    print_rows([], True, LINE)
    assert json.loads(capsys.readouterr().out) == []


def test_what_json_has_no_word_for_is_written_as_text(capsys):
    print_json({"at": Step("filed").at, "day": date(2026, 11, 2), "fee": Decimal("1.50")})
    said = json.loads(capsys.readouterr().out)
    assert said == {"at": "2026-11-02T08:30:15.250000+00:00", "day": "2026-11-02", "fee": "1.50"}


def test_a_thing_is_printed_with_what_happened_to_it(capsys):
    print_with_timeline({"id": "r1", "state": "filed"}, [Step("request.filed")], False)
    assert capsys.readouterr().out == "id: r1\nstate: filed\n  2026-11-02T08:30:15  request.filed  wang\n"


def test_for_programs_what_happened_is_a_member_of_the_thing(capsys):
    print_with_timeline({"id": "r1"}, [Step("request.filed")], True)
    step = {"at": "2026-11-02T08:30:15.250000+00:00", "kind": "request.filed", "actor": "wang"}
    assert json.loads(capsys.readouterr().out) == {"id": "r1", "timeline": [step]}


@pytest.mark.parametrize(
    ("said", "spoken"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LC_ALL": "", "LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LC_ALL": "C", "LANG": "zh_CN.UTF-8"}, "en"),
    ],
)
def test_the_terminal_speaks_the_first_language_its_environment_names(monkeypatch, said, spoken):
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    assert language() == spoken
