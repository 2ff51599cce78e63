"""What the exchange knows of a grant and its source, read anew for every batch."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hutong.exchange.grants import Grant, GrantedItem, put
from hutong.exchange.grants.book import Book
from hutong.exchange.grants.ranges import Ranges
from hutong.exchange.models import Source
from hutong.exchange.sources import Source as OpenSource
from hutong.node.keys import seal
from hutong.node.settings import current

AGREEMENT = "urn:uuid:0192f0c1-0000-7000-8000-000000000001"
pytestmark = pytest.mark.django_db


def a_grant() -> None:
    now = datetime.now(UTC)
    terms = {"agreement": AGREEMENT, "provider": "320000", "consumer": "340000", "resource": "r", "source": "s"}
    limits = {"quota_calls": None, "quota_calls_per_day": None, "quota_rows": None, "rate_per_s": None, "where": None}
    span = Ranges(((now - timedelta(days=1), now + timedelta(days=1)),))
    items = (GrantedItem("code", {"action": "keep"}),)
    put(Grant(**terms, **limits, in_force=span, items=items, purposes=("licensing",), pseudonym_key=""), "active")  # type: ignore[arg-type]


def a_source(kind: str, file: Path, schema: list[dict[str, object]]) -> None:
    Source.objects.create(
        id="s",
        department="11320000HTDEM00309",
        name="s",
        kind=kind,
        location=seal(str(file).encode()),
        table="t" if kind == "sqlite" else "",
        schema=schema,
        checked_at=datetime.now(UTC),
    )


def opened(book: Book) -> OpenSource:
    source = book.open([AGREEMENT], date.today())[AGREEMENT].source
    assert isinstance(source, OpenSource)
    return source


def described(**types: str) -> list[dict[str, object]]:
    return [{"name": name, "type": type_, "nullable": True} for name, type_ in types.items()]


def test_a_database_file_has_the_items_it_was_described_with_until_it_is_probed_again(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "x.db")) as connection, connection:
        connection.execute("CREATE TABLE t (code, more)")
        connection.execute("INSERT INTO t VALUES (1, 2)")
    a_source("sqlite", tmp_path / "x.db", described(code="string"))
    a_grant()
    book = Book()
    first = opened(book)
    assert first.schema == pa.schema([("code", pa.string())])  # a look at the values would have said int64
    assert opened(book) is first
    Source.objects.update(schema=described(code="int64", more="int64"), checked_at=datetime.now(UTC))
    assert opened(book).schema == pa.schema([("code", pa.int64()), ("more", pa.int64())])


def test_a_parquet_file_read_in_place_is_looked_up_by_an_index_in_the_nodes_folder(tmp_path: Path) -> None:
    file = tmp_path / "x.parquet"
    pq.write_table(pa.table({"code": ["a", "b"]}), file)
    a_source("parquet", file, described(code="string"))
    a_grant()
    book = Book()
    assert opened(book).lookup(["code"], "code", ["b"]).num_rows == 1
    before = {one.name for one in current().indexes_folder.glob("x.*.arrow")}
    pq.write_table(pa.table({"code": ["a", "b", "b"]}), file)
    assert opened(book).lookup(["code"], "code", ["b"]).num_rows == 2
    after = {one.name for one in current().indexes_folder.glob("x.*.arrow")}
    assert len(before) == len(after) == 2
    assert not before & after  # the old file's rows are gone with it
