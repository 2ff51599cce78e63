"""Editions on the shelf: whole or absent, made once, bounded, and what differs between two of them."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hutong.exchange.editions.difference import CHANGE, difference
from hutong.exchange.editions.edition import DATA, Edition
from hutong.exchange.editions.shelf import PART, VERSIONS_KEPT, EditionTooLarge, Rows, Shelf
from hutong.exchange.files import Span, _span

AGREEMENT = "urn:uuid:0192f0c1-0000-7000-8000-0000000000aa"
TERMS = "a" * 32


def rows(table: pa.Table) -> Rows:
    return Rows(table.to_reader(max_chunksize=2))


def table(*names: str | None) -> pa.Table:
    return pa.table({"name": pa.array(names, pa.string()), "n": pa.array(range(len(names)), pa.int64())})


def written(shelf: Shelf, made: Rows, terms: str = TERMS) -> Edition:
    with shelf.one_at_a_time(AGREEMENT, terms):
        return shelf.write(AGREEMENT, terms, "parquet", made)


def kept(shelf: Shelf, made: pa.Table, version: int = 0, terms: str = TERMS) -> Edition:
    return shelf.keep(written(shelf, rows(made), terms), version)


def test_an_edition_is_found_again_with_all_that_is_known_of_it(tmp_path):
    shelf = Shelf(tmp_path, 1 << 20)
    made = kept(shelf, table("a", "b", None))
    found = shelf.get(AGREEMENT, TERMS, 0)
    assert found == made
    assert (found.rows, found.agreed, found.bytes, found.schema) == (3, 3, found.file.stat().st_size, table().schema)
    assert pq.read_table(found.file).to_pylist() == table("a", "b", None).to_pylist()
    assert shelf.get(AGREEMENT, TERMS, 1) is None
    shelf.remove(AGREEMENT)
    assert shelf.get(AGREEMENT, TERMS, 0) is None


def test_a_reader_that_breaks_off_leaves_nothing(tmp_path):
    def batches():
        yield table("a").to_batches()[0]
        raise pa.ArrowInvalid("a cell value")

    shelf = Shelf(tmp_path, 1 << 20)
    reader = pa.RecordBatchReader.from_batches(table("a").schema, batches())
    with pytest.raises(pa.ArrowInvalid):
        written(shelf, Rows(reader))
    assert list(tmp_path.rglob("*" + PART)) == []


def test_what_a_killed_process_left_half_written_is_cleared_by_the_next(tmp_path):
    shelf = Shelf(tmp_path, 1 << 20)
    left = written(shelf, rows(table("a")))
    assert shelf.versions(AGREEMENT, TERMS) == []
    with shelf.one_at_a_time(AGREEMENT, TERMS):
        assert not left.folder.exists()


class Killed(Exception):
    """Where a process ends."""


def _killed_after_the_rows(folder: Path, ignore_errors: bool = False) -> None:
    (folder / DATA).unlink()
    raise Killed


@pytest.mark.parametrize(
    "removing",
    [
        lambda shelf, _place: shelf.remove(AGREEMENT),
        lambda shelf, place: Shelf(shelf.folder, 0).make_room(0, place.parent),
        lambda shelf, _place: [kept(shelf, table("a"), version) for version in range(1, VERSIONS_KEPT + 1)],
        lambda shelf, _place: kept(shelf, table("b"), 0),
    ],
    ids=["remove", "make_room", "older_version", "in_its_place"],
)
def test_a_removal_that_is_killed_leaves_no_edition_without_its_rows(tmp_path, monkeypatch, removing):
    shelf = Shelf(tmp_path / "editions", 1 << 30)
    place = kept(shelf, table("a")).folder
    with monkeypatch.context() as dying:
        dying.setattr("shutil.rmtree", _killed_after_the_rows)
        with suppress(Killed):
            removing(shelf, place)
    left = shelf.get(AGREEMENT, TERMS, 0)
    assert left is None or left.file.is_file()
    assert list(place.parent.glob("*" + PART))
    with shelf.one_at_a_time(AGREEMENT, "others"):
        shelf.clear()
    assert not list(place.parent.glob("*" + PART))


def test_what_somebody_is_writing_is_not_cleared(tmp_path):
    shelf = Shelf(tmp_path / "editions", 1 << 30)
    with shelf.one_at_a_time(AGREEMENT, TERMS):
        draft = shelf.write(AGREEMENT, TERMS, "parquet", rows(table("a")))
        shelf.clear()
        assert draft.file.is_file()
        shelf.drop(draft)


def test_old_versions_go_and_the_newest_stay(tmp_path):
    shelf = Shelf(tmp_path, 1 << 20)
    for version in range(VERSIONS_KEPT + 3):
        kept(shelf, table("a"), version)
    assert shelf.versions(AGREEMENT, TERMS) == list(range(3, VERSIONS_KEPT + 3))


def test_the_shelf_is_bounded_and_what_was_used_longest_ago_goes_first(tmp_path):

    size = kept(Shelf(tmp_path / "measure", 1 << 20), table("a")).bytes
    shelf = Shelf(tmp_path / "shelf", 2 * size)
    names = ["b" * 32, "c" * 32, "d" * 32]
    for age, terms in zip((300, 200, 100), names, strict=True):
        made = kept(shelf, table("a"), terms=terms)
        at = made.folder.joinpath("edition.json").stat().st_mtime - age
        os.utime(made.folder / "edition.json", (at, at))
    assert [shelf.get(AGREEMENT, terms, 0) is not None for terms in names] == [False, True, True]
    assert shelf.size() <= shelf.most_bytes
    with pytest.raises(EditionTooLarge):
        written(Shelf(tmp_path / "small", size - 1), rows(table("a")))


def test_the_difference_of_two_editions_is_the_rows_that_went_and_came_counted(tmp_path, monkeypatch):
    monkeypatch.setattr("hutong.exchange.editions.difference.ROWS_AT_ONCE", 2)  # many shares of few rows
    shelf = Shelf(tmp_path, 1 << 20)
    plain = pa.schema([("name", pa.string())])
    before = kept(shelf, pa.table({"name": ["a", "b", "b", None, "c"]}, plain), 0)
    after = kept(shelf, pa.table({"name": ["a", "b", None, None, "d"]}, plain), 1)
    changed = difference(before, after).read_all().to_pylist()
    assert sorted((row[CHANGE], row["name"] or "") for row in changed) == [
        ("delete", "b"),
        ("delete", "c"),
        ("insert", ""),
        ("insert", "d"),
    ]
    assert difference(after, replace(after, version=2)).read_all().num_rows == 0


@pytest.mark.parametrize(
    ("asked", "span"),
    [
        ("", Span(0, 99, True)),
        ("bytes=0-9", Span(0, 9, False)),
        ("bytes=90-", Span(90, 99, False)),
        ("bytes=90-500", Span(90, 99, False)),
        ("bytes=-10", Span(90, 99, False)),
        ("bytes=-500", Span(0, 99, False)),
        ("bytes=100-", None),
        ("bytes=-0", None),
        ("bytes=9-3", Span(0, 99, True)),
        ("bytes=0-9,20-29", Span(0, 99, True)),
        ("rows=0-9", Span(0, 99, True)),
        ("bytes=-", Span(0, 99, True)),
    ],
)
def test_a_range_is_read_as_http_says(asked, span):
    assert _span(asked, 100) == span


def test_a_file_that_is_not_an_edition_is_none(tmp_path: Path):
    assert Edition.of(tmp_path) is None
