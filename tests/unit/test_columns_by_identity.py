"""A grant finds its columns by their ids: a rename disarms no mask, and no other column takes an item's place."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hutong.control.agreements.compile import compile_grant
from hutong.control.identity.models import Account
from hutong.exchange.grants import Grant, GrantedItem, put
from hutong.exchange.grants.book import Book, Opened
from hutong.exchange.grants.ranges import Ranges
from hutong.exchange.models import Source as registered
from hutong.exchange.records import granted_rows
from hutong.exchange.shaping.masks import Mask, MaskedItem
from hutong.exchange.shaping.predicate import parse_text
from hutong.exchange.sources import Source, SourceSpec, open_source, probe
from hutong.exchange.sources.bound import bound
from hutong.exchange.sources.parquet import ParquetSource
from hutong.exchange.sources.postgresql import PostgresqlSource
from hutong.exchange.sources.spec import SourceDrifted, UnknownItem
from hutong.node.keys import seal
from tests.concluded import provided
from tests.dsp_peer import DspPeer
from tests.postgres import new_database

AGREEMENT = "urn:uuid:0192f0c1-0000-7000-8000-000000000001"

ROWS = {"name": ["王小明", "李四"], "city": ["南京", "苏州"], "n": [1, 2]}
GRANTED = {"name": 1, "city": 2, "n": 3}
ITEMS = [MaskedItem("n"), MaskedItem("name", Mask("name")), MaskedItem("city")]
MASKED = [{"n": 1, "name": "王**", "city": "南京"}]
HERE = parse_text("city = '南京'")


def written(file: Path, ids: Mapping[str, int]) -> Path:
    """The rows under other names: ids says which column is which. Replaced in one step, as files are."""
    held = {id_: ROWS[item] for item, id_ in GRANTED.items()} | {9: ["x", "y"]}
    fields, columns = [], []
    for name, id_ in ids.items():
        values = pa.array(held[id_])
        fields.append(pa.field(name, values.type, metadata={"PARQUET:field_id": str(id_)}))
        columns.append(values)
    pq.write_table(pa.Table.from_arrays(columns, schema=pa.schema(fields)), file.with_suffix(".new"))
    file.with_suffix(".new").replace(file)
    return file


def served(source: Source) -> list[dict[str, object]]:
    """By a stream and by a point read, which must say the same."""
    rows = source.read_masked(ITEMS, HERE).read_all().to_pylist()
    found = source.lookup(["n", "city"], "n", [1, 2], HERE)
    assert found.to_pylist() == [{"n": row["n"], "city": row["city"]} for row in rows]
    return rows


def test_a_renamed_column_is_still_the_item_and_still_masked(tmp_path: Path) -> None:
    file = written(tmp_path / "x.parquet", {"city_of_birth": 2, "full_name": 1, "n": 3, "more": 9})
    source = bound(ParquetSource(file), GRANTED)
    assert served(source) == MASKED
    assert source.schema.names == ["city", "name", "n", "more"]
    assert source.count() == 2
    source.prepare_lookup("city")
    with pytest.raises(UnknownItem):
        source.read(["full_name"])


def test_nothing_is_in_the_way_where_nothing_was_renamed(tmp_path: Path) -> None:
    plain = ParquetSource(written(tmp_path / "x.parquet", {"more": 9, **GRANTED}))
    assert bound(plain, GRANTED) is plain
    assert bound(plain, {}) is plain
    pq.write_table(pa.table(ROWS), tmp_path / "without.parquet")
    without = ParquetSource(tmp_path / "without.parquet")
    assert without.field_ids == {}
    assert bound(without, GRANTED) is without


@pytest.mark.parametrize(
    "ids",
    [
        {"name": 2, "city": 1, "n": 3},  # two columns have changed names
        {"name": 9, "full_name": 1, "city": 2, "n": 3},  # another column took the name
        {"name": 9, "city": 2, "n": 3},  # the column is gone, and another has its name
        {"city": 2, "n": 3},
    ],
    ids=str,
)
def test_another_column_is_never_served_in_an_items_place(tmp_path: Path, ids: dict[str, int]) -> None:
    file = written(tmp_path / "x.parquet", ids)
    with pytest.raises(SourceDrifted):
        bound(ParquetSource(file), GRANTED)


def test_columns_that_change_names_under_an_open_file_stop_it(tmp_path: Path) -> None:
    file = written(tmp_path / "x.parquet", GRANTED)
    source = open_source(SourceSpec("parquet", str(file)), index_folder=tmp_path / "index")
    assert served(source) == MASKED
    written(file, {"name": 2, "city": 1, "n": 3})
    with pytest.raises(SourceDrifted):
        source.read_masked(ITEMS)
    with pytest.raises(SourceDrifted):
        source.lookup(["name"], "n", [1])


def test_a_file_whose_ids_are_not_each_columns_own_has_none(tmp_path: Path) -> None:
    fields = [pa.field("a", pa.int64(), metadata={"PARQUET:field_id": "1"}), pa.field("b", pa.int64())]
    pq.write_table(pa.table({"a": [1], "b": [2]}, schema=pa.schema(fields)), tmp_path / "x.parquet")
    assert ParquetSource(tmp_path / "x.parquet").field_ids == {}


def test_a_postgresql_column_keeps_its_number_through_a_rename(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = new_database(postgres_url, "renamed")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE t (name text, city text, n int8)")
        connection.execute("INSERT INTO t VALUES ('王小明', '南京', 1), ('李四', '苏州', 2)")
        spec = SourceSpec("postgresql", url, "t")
        granted = dict(probe(spec).field_ids)
        assert granted == GRANTED
        source = PostgresqlSource(url, "t")
        assert served(bound(source, granted)) == MASKED
        monkeypatch.setattr("hutong.exchange.sources.postgresql.COLUMNS_SEEN_S", 0.0)
        connection.execute("ALTER TABLE t ADD more text; ALTER TABLE t ADD another text; ALTER TABLE t DROP more")
        assert served(bound(source, granted)) == MASKED  # what others added or dropped is nothing to this grant
        connection.execute("ALTER TABLE t RENAME city TO old; ALTER TABLE t RENAME name TO city")
        connection.execute("ALTER TABLE t RENAME old TO name")
        for read in (lambda: source.read(["name"]), lambda: source.lookup(["name"], "n", [1])):
            with pytest.raises(SourceDrifted):
                read()
        with pytest.raises(SourceDrifted):
            bound(PostgresqlSource(url, "t"), granted)
        connection.execute("ALTER TABLE t RENAME city TO full_name; ALTER TABLE t RENAME name TO town")
        assert served(bound(PostgresqlSource(url, "t"), granted)) == MASKED
        connection.execute("ALTER TABLE t DROP full_name; ALTER TABLE t ADD name text")
        with pytest.raises(SourceDrifted):
            bound(PostgresqlSource(url, "t"), granted)
        connection.execute("DROP TABLE t")
        with pytest.raises(SourceDrifted):
            source.read(["name"])


def described(**ids: int) -> list[dict[str, object]]:
    return [{"name": name, "type": "string", "nullable": True, "field": id_} for name, id_ in ids.items()]


def test_a_grant_keeps_the_ids_that_its_items_had_when_it_was_made(anhui: DspPeer, officer: Account) -> None:
    made, _ = provided(anhui, officer)
    registered.objects.update(schema=described(uscc=4, name=5, unasked=6))
    grant = compile_grant(made)
    assert grant.fields == {"name": 5, "uscc": 4}
    assert Grant.from_document(grant.to_document()) == grant
    put(grant, "active")
    registered.objects.update(schema=described(uscc=5, name=4))
    assert compile_grant(made).fields == {"name": 5, "uscc": 4}


def test_a_source_that_was_refreshed_is_served_by_the_ids_of_the_grant(db: None, tmp_path: Path) -> None:
    file = written(tmp_path / "x.parquet", GRANTED)
    registered.objects.create(
        id="s", department="11320000HTDEM00309", name="s", kind="parquet", location=seal(str(file).encode()),
        checked_at=datetime.now(UTC),
    )  # fmt: skip
    terms = {"agreement": AGREEMENT, "provider": "320000", "consumer": "340000", "resource": "r", "source": "s"}
    limits = {"quota_calls": None, "quota_calls_per_day": None, "quota_rows": None, "rate_per_s": None, "where": None}
    always = Ranges(((datetime(2026, 1, 1, tzinfo=UTC), None),))
    items = tuple(GrantedItem(item.name, item.mask.to_document()) for item in ITEMS)
    put(
        Grant(**terms, **limits, in_force=always, items=items, purposes=("p",), pseudonym_key="", fields=GRANTED),  # type: ignore[arg-type]
        "active",
    )
    book = Book()

    def opened() -> Opened:
        registered.objects.update(checked_at=datetime.now(UTC))  # as a refresh does
        return book.open([AGREEMENT], date.today())[AGREEMENT]

    assert granted_rows(opened()).read_all().num_rows == 2
    written(file, {"town": 2, "n": 3, "full_name": 1})
    assert granted_rows(opened()).read_all().to_pylist()[0] == MASKED[0]
    again = [book.open([AGREEMENT], date.today())[AGREEMENT].source for _ in range(2)]
    assert again[0] is again[1]
    written(file, {"name": 2, "n": 3, "city": 1})
    assert isinstance(opened().source, SourceDrifted)
