"""Drafts: what a source's values and names say about it."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from hutong.exchange.sources import SourceSpec, take_in
from hutong.exchange.sources.draft import Draft, draft
from hutong.vocabulary.identifiers import credit_check, identity_check, organisation_check


def drafted(folder: Path, rows: list[dict[str, str]]) -> Draft:
    path = folder / "in.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    snapshot = take_in(SourceSpec("csv", str(path)), folder / "snapshots", "x").snapshot
    return draft(SourceSpec("csv", str(path), "", str(snapshot)))


def invented_person(number: int) -> str:
    body = f"31011519900101{number:03d}"
    return body + identity_check(body)


def invented_company(number: int) -> str:
    inner = f"{number:08d}"
    body = "91310115" + inner + organisation_check(inner)
    return body + credit_check(body)


def test_people_are_recognised_graded_and_masked(tmp_path: Path) -> None:
    rows = [
        {
            "证件": invented_person(number),
            "code": invented_company(number),
            "姓名": "王小明",
            "联系": f"138000{number:05d}",
            "出生日期": "1990-01-01",
            "amount": str(number),
            "remark": "NA" if number % 2 else "x",
        }
        for number in range(60)
    ]
    made = drafted(tmp_path, rows)
    items = {item.name: item for item in made.items}
    assert made.row_count == 60
    assert {name: (item.element, item.mask["action"], item.grade) for name, item in items.items()} == {
        "证件": ("person_id", "identity_number", 3),
        "code": ("uscc", "keep", 1),
        "姓名": ("person_name", "name", 3),
        "联系": ("phone", "phone", 3),
        "出生日期": ("birth_date", "year", 3),
        "amount": ("", "keep", 1),
        "remark": ("", "keep", 1),
    }
    assert {name for name, item in items.items() if item.key} == {"证件", "code"}
    assert (items["remark"].missing, items["remark"].nullable, items["amount"].nullable) == (30, True, False)
    assert (items["amount"].type, items["出生日期"].type, items["code"].type) == ("int64", "date", "string")
    assert items["姓名"].title_zh == "姓名"


def test_a_code_that_repeats_anywhere_is_no_key(tmp_path: Path) -> None:
    rows = [{"code": invented_company(number)} for number in [*range(100), 0]]
    assert not drafted(tmp_path, rows).items[0].key


def test_real_companies_are_recognised_by_their_codes(real_data: Path, tmp_path: Path) -> None:
    path = real_data / "entities" / "yrd_enterprises_1978_2004.csv.xz"
    if not path.exists():
        pytest.skip(f"no {path}")
    snapshot = take_in(SourceSpec("csv", str(path)), tmp_path, "yrd").snapshot
    made = draft(SourceSpec("csv", str(path), "", str(snapshot)))
    items = {item.name: item for item in made.items}
    assert made.row_count == 138_339
    assert (items["uscc"].element, items["uscc"].key) == ("uscc", False)  # the register holds duplicates
    assert items["registration_date"].type == "date"
    assert items["type"].missing == 128_790
