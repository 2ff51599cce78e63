"""What databases and files hold beyond the plain: collations, mixed types, drift, infinities, unshareable columns."""

from __future__ import annotations

import datetime
import logging
import sqlite3
from decimal import Decimal
from pathlib import Path

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hutong.exchange.shaping.masks import Mask, MaskedItem
from hutong.exchange.shaping.predicate import Predicate, parse_text
from hutong.exchange.sources import Source, SourceShelf, SourceSpec, open_source, probe
from hutong.exchange.sources.mysql import MysqlSource
from hutong.exchange.sources.source import LookupTooWide
from hutong.exchange.sources.spec import NoTable, SourceDrifted, SourceFailed, SourceUnreadable, UnknownKind
from tests import mariadb
from tests.postgres import new_database


def found(source: Source, text: str, item: str) -> list[object]:
    values: list[object] = source.read([item], parse_text(text)).read_all().column(0).to_pylist()
    return values


def sqlite_source(folder: Path, *statements: str) -> Source:
    path = folder / "x.db"
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()
    return open_source(SourceSpec("sqlite", str(path), "t"))


def change(folder: Path, statement: str) -> None:
    connection = sqlite3.connect(folder / "x.db")
    connection.execute(statement)
    connection.commit()
    connection.close()


def test_sqlite_columns_that_ignore_case_or_blanks_still_compare_exactly(tmp_path: Path) -> None:
    source = sqlite_source(
        tmp_path,
        "CREATE TABLE t (a TEXT COLLATE NOCASE, b TEXT COLLATE RTRIM)",
        "INSERT INTO t VALUES ('x', 'y'), ('X', 'y  ')",
        "CREATE INDEX i ON t (a)",
    )
    assert found(source, "a = 'X'", "a") == ["X"]
    assert found(source, "a > 'X'", "a") == ["x"]
    assert found(source, "a IN ('X')", "a") == ["X"]
    assert found(source, "starts_with(a, 'X')", "a") == ["X"]
    assert found(source, "b = 'y'", "b") == ["y"]
    assert source.lookup(["a"], "a", ["X"]).to_pylist() == [{"a": "X"}]


def test_sqlite_columns_of_mixed_values_are_text_and_bytes_are_left_out(tmp_path: Path) -> None:
    source = sqlite_source(
        tmp_path,
        "CREATE TABLE t (mixed, whole INTEGER, real REAL, bytes, empty, kept BLOB)",
        "INSERT INTO t VALUES (1, 1, 1, x'00', NULL, 'a'), ('x', 2, 2.5, 1, NULL, 'b'), (2.5, NULL, NULL, 1, NULL, 3)",
    )
    assert {field.name: str(field.type) for field in source.schema} == {
        "mixed": "string",
        "whole": "int64",
        "real": "double",
        "empty": "string",
        "kept": "string",
    }
    assert source.left_out == ("bytes",)
    assert found(source, "mixed >= '1'", "mixed") == ["1", "x", "2.5"]
    assert source.lookup(["whole"], "mixed", ["1", "x"]).column(0).to_pylist() == [1, 2]
    assert source.lookup(["kept"], "kept", ["3"]).column(0).to_pylist() == ["3"]


def test_a_long_run_of_missing_values_does_not_decide_a_columns_type(tmp_path: Path) -> None:
    source = sqlite_source(
        tmp_path,
        "CREATE TABLE t (n INTEGER, a)",
        "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 40000) "
        "INSERT INTO t SELECT n, NULL FROM r",
        "INSERT INTO t VALUES (40001, 'x')",
    )
    table = source.read(["n", "a"]).read_all()
    assert table.num_rows == 40_001
    assert table.column("a").to_pylist()[-1] == "x"


def test_a_value_that_is_no_longer_of_the_probed_type_stops_a_read_and_satisfies_no_condition(tmp_path: Path) -> None:
    source = sqlite_source(tmp_path, "CREATE TABLE t (age, name)", "INSERT INTO t VALUES (5, 'a'), (30, 'b')")
    change(tmp_path, "INSERT INTO t VALUES ('zzz', 'secret')")
    assert found(source, "age >= 18", "name") == ["b"]
    assert found(source, "NOT age < 18", "name") == ["b"]
    with pytest.raises(SourceFailed) as failed:
        source.read(["age"]).read_all()
    assert "zzz" not in str(failed.value)
    with pytest.raises(SourceFailed) as failed:
        source.read_masked([MaskedItem("age", Mask("first", 1)), MaskedItem("name")]).read_all()
    assert "zzz" not in str(failed.value)
    with pytest.raises(SourceFailed):
        source.lookup(["age"], "name", ["secret"])


def test_text_that_is_not_utf_8_stops_a_read(tmp_path: Path) -> None:
    source = sqlite_source(tmp_path, "CREATE TABLE t (a TEXT)", "INSERT INTO t VALUES ('x')")
    change(tmp_path, "INSERT INTO t VALUES (CAST(x'ff41' AS TEXT))")
    with pytest.raises(SourceFailed):
        source.read(["a"]).read_all()


def test_an_sqlite_source_is_never_written(tmp_path: Path) -> None:
    source = sqlite_source(tmp_path, "CREATE TABLE t (a)", "INSERT INTO t VALUES ('x')")
    before = (tmp_path / "x.db").read_bytes()
    source.read(["a"], parse_text("a = 'x''); DELETE FROM t; --'")).read_all()
    source.lookup(["a"], "a", ["x'); DELETE FROM t; --"])
    source.close()
    assert (tmp_path / "x.db").read_bytes() == before


def test_a_missing_table_a_wrong_file_and_odd_names_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "no.db").write_bytes(b"this is no database, whatever its name says" * 100)
    with pytest.raises(SourceUnreadable, match="no SQLite file"):
        open_source(SourceSpec("sqlite", str(tmp_path / "no.db"), "t"))
    sqlite_source(tmp_path, 'CREATE TABLE "t" ("a ""b"" ?#%" TEXT)', "INSERT INTO t VALUES ('x')")
    with pytest.raises(SourceUnreadable, match="no table"):
        open_source(SourceSpec("sqlite", str(tmp_path / "x.db"), 't"; DROP TABLE t; --'))
    odd = tmp_path / "name with ? # % 空 ' .db"
    (tmp_path / "x.db").rename(odd)
    source = open_source(SourceSpec("sqlite", str(odd), "t"))
    assert source.read(source.schema.names).read_all().to_pylist() == [{'a "b" ?#%': "x"}]
    assert source.lookup(source.schema.names, 'a "b" ?#%', ["x"]).num_rows == 1
    with pytest.raises(NoTable):
        SourceSpec("sqlite", str(odd))
    with pytest.raises(UnknownKind):
        SourceSpec("oracle", "x")


def test_a_schema_probed_before_spares_the_pass_and_a_vanished_item_is_noticed(tmp_path: Path) -> None:
    source = sqlite_source(tmp_path, "CREATE TABLE t (a, b)", "INSERT INTO t VALUES (1, 'x')")
    spec = SourceSpec("sqlite", str(tmp_path / "x.db"), "t")
    assert open_source(spec, schema=source.schema).schema == source.schema
    with pytest.raises(SourceUnreadable, match="gone"):
        open_source(spec, schema=pa.schema([("c", pa.string())]))


PG = """
CREATE TYPE mood AS ENUM ('sad', 'happy');
CREATE SCHEMA "odd.schema";
CREATE TABLE "odd.schema"."T 1" (x int);
CREATE TABLE t (
  n int4, padded char(4), folded text, money numeric(10, 2), loose numeric, id uuid, mood mood,
  tags text[], raw bytea, day date, at timestamptz, small int2, single float4, doc jsonb, note varchar(20)
);
INSERT INTO t VALUES
  (1, 'a', 'x', 1.50, 0.1, '00000000-0000-0000-0000-000000000001', 'sad', '{a}', '\\x00', 'infinity',
   '2024-01-01 08:00+08', 1, 0.5, '{"a": 1}', 'o''brien'),
  (2, 'ab', 'X', -99999999.99, 'NaN', NULL, 'happy', NULL, NULL, '2024-02-29', '-infinity', -5, 'NaN', NULL, '%s $1');
"""


def test_postgresql_types_beyond_the_plain_keep_their_meaning(postgres_url: str) -> None:
    url = new_database(postgres_url, "odd")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(PG)
    source = open_source(SourceSpec("postgresql", url, "public.t"))
    assert source.left_out == ("tags", "raw")
    rows = source.read(source.schema.names).read_all().to_pylist()
    assert rows[0] | {"doc": "", "single": 0} == {
        "n": 1,
        "padded": "a",
        "folded": "x",
        "money": Decimal("1.50"),
        "loose": 0.1,
        "id": "00000000-0000-0000-0000-000000000001",
        "mood": "sad",
        "day": None,
        "at": datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC),
        "small": 1,
        "single": 0,
        "doc": "",
        "note": "o'brien",
    }
    assert (rows[1]["at"], rows[1]["day"]) == (None, datetime.date(2024, 2, 29))
    assert found(source, "folded = 'X'", "n") == [2]
    assert found(source, "folded IN ('X')", "n") == [2]
    assert found(source, "starts_with(folded, 'X')", "n") == [2]
    assert found(source, "padded = 'a'", "n") == [1]
    assert found(source, "padded = 'a   '", "n") == []
    assert found(source, "money < '1.501' AND money >= 1.5", "n") == [1]
    assert found(source, "loose = '0.1'", "n") == [1]
    assert found(source, "single > 1 OR single < 1", "n") == [1]
    assert found(source, "single IS NULL", "n") == [2]  # NaN counts as missing
    assert found(source, "at = '2024-01-01T00:00:00Z'", "n") == [1]
    assert found(source, "mood = 'happy' AND note = '%s $1'", "n") == [2]
    for key, value in (("folded", "X"), ("note", "%s $1"), ("small", -5), ("money", "-99999999.99"), ("mood", "happy")):
        assert source.lookup(["n"], key, [value]).to_pylist() == [{"n": 2}], key
    assert source.lookup(source.schema.names, "n", [1]).schema == source.schema
    masked = source.read_masked([MaskedItem("note", Mask("first", 2)), MaskedItem("day", Mask("month"))]).read_all()
    assert masked.to_pylist()[1] == {"note": "%s***", "day": datetime.date(2024, 2, 1)}
    source.close()
    odd = probe(SourceSpec("postgresql", url, "odd.schema.T 1"))
    assert (odd.row_count, odd.schema.names) == (0, ["x"])


def test_postgresql_sessions_are_read_only_and_tell_nothing_of_what_failed(
    postgres_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    url = new_database(postgres_url, "sealed")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE base (a text)")
        connection.execute("INSERT INTO base VALUES ('SECRET')")
        connection.execute("CREATE VIEW t AS SELECT a, a::int AS n FROM base")
        connection.execute("CREATE FUNCTION leak() RETURNS text LANGUAGE sql AS 'DELETE FROM base RETURNING a'")
        connection.execute("CREATE VIEW w AS SELECT leak() AS a")
    source = open_source(SourceSpec("postgresql", url, "t"))
    with caplog.at_level(logging.DEBUG), pytest.raises(SourceFailed) as failed:
        source.read(["n"]).read_all()
    assert "SECRET" not in str(failed.value) + caplog.text
    assert failed.value.__cause__ is None
    assert failed.value.__suppress_context__
    assert source.read(["a"]).read_all().num_rows == 1  # the failure cost one connection, not the source
    writing = open_source(SourceSpec("postgresql", url, "w"))
    with pytest.raises(SourceFailed):
        writing.read(["a"]).read_all()
    with pytest.raises(SourceFailed):
        writing.lookup(["a"], "a", ["x"])
    with pytest.raises(SourceUnreadable, match="no table"):
        open_source(SourceSpec("postgresql", url, "nobody"))
    for location in ("postgresql://[broken", "host=/nowhere dbname=x"):
        with pytest.raises((SourceUnreadable, SourceFailed)):
            open_source(SourceSpec("postgresql", location, "t"))
    assert "nowhere" not in repr(SourceSpec("postgresql", "host=/nowhere password=x", "t"))
    source.close()
    writing.close()


def mysql_source(address: str, *statements: str) -> Source:
    url = mariadb.new_database(address, "odd", *statements)
    return open_source(SourceSpec("mysql", url, "t"))


def test_mysql_types_beyond_the_plain_keep_their_meaning(mariadb_address: str) -> None:
    source = mysql_source(
        mariadb_address,
        "SET sql_mode = '', time_zone = '+00:00'",
        "CREATE TABLE t (n int unsigned primary key, money decimal(20,4), wide decimal(50,2), huge bigint unsigned,"
        " single float, small tinyint(1), born date, seen timestamp(3) NULL, took time, grown year,"
        " sort enum('a', 'B'), tags set('x', 'y'), gbk varchar(20) CHARACTER SET gbk, fixed char(5),"
        " said json, raw blob, flags bit(3), place point)",
        "INSERT INTO t VALUES (1, 1.5, 2.5, 18446744073709551615, 0.1, 7, '0000-00-00', '2024-01-01 12:00:00.5',"
        " '-12:30:00', 1999, 'B', 'x,y', '南京', 'ab ', '{\"a\": 1}', 'x', b'1', NULL)",
        "INSERT INTO t (n, born) VALUES (2, '2000-00-00'), (3, '2000-02-29'), (4294967295, NULL)",
    )
    assert source.left_out == ("raw", "flags", "place")
    assert {field.name: str(field.type) for field in source.schema if field.name != "n"} == {
        **{"money": "decimal128(20, 4)", "wide": "double", "huge": "decimal128(20, 0)", "single": "float"},
        **{
            "small": "int16",
            "born": "date32[day]",
            "seen": "timestamp[us, tz=UTC]",
            "took": "string",
            "grown": "int16",
        },
        **dict.fromkeys(("sort", "tags", "gbk", "fixed", "said"), "string"),
    }
    table = source.read(source.schema.names).read_all().to_pylist()
    assert [row["born"] for row in table] == [None, None, datetime.date(2000, 2, 29), None]
    assert table[0]["huge"] == Decimal(18446744073709551615)
    assert table[0]["single"] == pytest.approx(0.1)
    assert table[0]["seen"] == datetime.datetime(2024, 1, 1, 12, 0, 0, 500000, datetime.UTC)
    assert (table[0]["took"], table[0]["gbk"], table[0]["fixed"]) == ("-12:30:00", "南京", "ab")
    for text, expected in (
        ("money = '1.5'", [1]),
        ("huge = '18446744073709551615'", [1]),
        ("single > 0.1", [1]),  # a float of 0.1 is a little more than the double
        ("small = 7", [1]),
        ("born IS NULL", [1, 2, 4294967295]),
        ("NOT born = '2000-02-28'", [3]),
        ("born <= '2000-02-29'", [3]),
        ("seen >= '2024-01-01T20:00:00.5+08:00'", [1]),
        ("sort = 'b'", []),
        ("sort = 'B' AND tags = 'x,y' AND gbk = '南京' AND starts_with(gbk, '南')", [1]),
        ("contains(said, '\"a\"') OR took = '-12:30:00'", [1]),
    ):
        assert found(source, text, "n") == expected, text
    for key, value in (("money", "1.50"), ("gbk", "南京"), ("sort", "B"), ("born", "2000-02-29"), ("n", 4294967295)):
        assert source.lookup(["n"], key, [value]).num_rows == 1, key
    source.close()


def test_mysql_sessions_are_read_only_and_tell_nothing_of_what_failed(
    mariadb_address: str, caplog: pytest.LogCaptureFixture
) -> None:
    source = mysql_source(
        mariadb_address,
        "CREATE TABLE base (a varchar(9), n bigint)",
        "INSERT INTO base VALUES ('SECRET', 1)",
        "CREATE VIEW t AS SELECT a, n + 9223372036854775807 AS m FROM base",
    )
    with caplog.at_level(logging.DEBUG), pytest.raises(SourceFailed) as failed:
        source.read(["m"]).read_all()
    assert "out of range" not in str(failed.value) + caplog.text
    assert isinstance(source, MysqlSource)
    with pytest.raises(SourceFailed):
        source._fetch("DELETE FROM base")
    breaking_out = Predicate("eq", "a", ("x\\' OR 1 = 1 -- ",))
    assert source.read(["a"], breaking_out).read_all().num_rows == 0
    assert source.read(["a"]).read_all().num_rows == 1  # nothing was deleted, and the source lives
    source.close()
    for location in ("mysql://[broken", "mysql://h/x?local_infile=1", "mysql://root@127.0.0.1:1/x", "ftp://h/x"):
        with pytest.raises((SourceUnreadable, SourceFailed)):
            open_source(SourceSpec("mysql", location, "t"))


def test_mysql_streams_hold_a_batch_at_a_time_and_a_connection_the_server_ended_is_replaced(
    mariadb_address: str,
) -> None:
    source = mysql_source(mariadb_address, "CREATE TABLE t AS SELECT seq AS n FROM seq_1_to_50000")
    begun = source.read(["n"])
    assert begun.read_next_batch().num_rows == 16_384
    begun.close()  # without reading the rest
    assert source.read(["n"], limit=3).read_all().num_rows == 3
    with mariadb.connect(mariadb_address) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id FROM information_schema.processlist WHERE id <> CONNECTION_ID() AND user = 'root'")
        for (number,) in cursor.fetchall():
            cursor.execute(f"KILL {number}")
    assert source.count() == 50_000
    assert source.read(["n"]).read_all().num_rows == 50_000
    source.close()


def test_databases_notice_a_column_that_was_removed_or_retyped_at_the_next_read(
    postgres_url: str, mariadb_address: str
) -> None:
    made = ["CREATE TABLE t (n int, day date, word varchar(9))", "INSERT INTO t VALUES (1, '2000-01-01', '1')"]
    url = new_database(postgres_url, "drifting")
    with psycopg.connect(url, autocommit=True) as postgres:
        for statement in made:
            postgres.execute(statement)
        sources = {"postgresql": open_source(SourceSpec("postgresql", url, "t"))}
        sources["mysql"] = mysql_source(mariadb_address, *made)
        retype = {"postgresql": "ALTER TABLE t ALTER day TYPE timestamp", "mysql": "ALTER TABLE t MODIFY day datetime"}
        with mariadb.connect(mariadb_address, "odd") as mysql, mysql.cursor() as cursor:
            for kind, run in (("postgresql", postgres.execute), ("mysql", cursor.execute)):
                source, heard = sources[kind], []
                source.on_drift = heard.append
                run(retype[kind])  # type: ignore[operator]
                run("ALTER TABLE t ADD more int")  # type: ignore[operator]
                assert source.lookup(["n"], "word", ["1"]).num_rows == 1
                for read in (lambda s: s.lookup(["day"], "word", ["1"]), lambda s: s.read(["day"]).read_all()):
                    with pytest.raises(SourceDrifted, match="day"):
                        read(source)
                run("ALTER TABLE t DROP COLUMN word")  # type: ignore[operator]
                with pytest.raises(SourceDrifted, match="word"):
                    source.read(["n"], parse_text("word = '1'")).read_all()
                assert heard[-1] == ("day", "word")
                source.close()


def test_parquet_types_beyond_the_plain_keep_their_meaning(tmp_path: Path) -> None:
    at = datetime.datetime(2024, 1, 1, 12, tzinfo=datetime.UTC)
    table = pa.table(
        {
            "money": pa.array([Decimal("1.50"), Decimal("-2.25"), None], pa.decimal128(20, 4)),
            "at": pa.array([at, at + datetime.timedelta(microseconds=1), None], pa.timestamp("us", tz="Asia/Shanghai")),
            "second": pa.array([0, 1, None], pa.timestamp("s")),
            "single": pa.array([0.5, float("nan"), None], pa.float32()),
            "large": pa.array(["x", "y", None], pa.large_string()),
            "coded": pa.array(["x", "y", None]).dictionary_encode(),
            "huge": pa.array([2**64 - 1, 1, None], pa.uint64()),
            "parts": pa.array([["a"], [], None]),
            "raw": pa.array([b"a", b"b", None]),
            "n": pa.array([1, 2, 3], pa.int16()),
        }
    )
    pq.write_table(table, tmp_path / "x.parquet")
    for folder in (None, tmp_path / "index"):
        source = open_source(SourceSpec("parquet", str(tmp_path / "x.parquet")), index_folder=folder)
        assert source.left_out == ("parts", "raw")
        assert found(source, "money = '1.5'", "n") == [1]
        assert found(source, "money < 0", "n") == [2]
        assert found(source, "at > '2024-01-01T20:00:00+08:00'", "n") == [2]
        assert found(source, "single > 100 OR NOT single <= 100", "n") == []
        assert found(source, "single IS NULL", "n") == [2, 3]  # NaN counts as missing
        assert found(source, "large = 'y' AND coded = 'y'", "n") == [2]
        assert found(source, "huge > 9223372036854775807", "n") == [1]
        for key, value in (("money", "1.5"), ("large", "x"), ("coded", "x"), ("at", "2024-01-01T12:00:00Z"), ("n", 1)):
            rows = source.lookup(["n", "money", "at", "coded"], key, [value], parse_text("single < 1"))
            assert rows.column("n").to_pylist() == [1], key
            assert rows.schema == source.fields(["n", "money", "at", "coded"])
        source.close()


def test_a_parquet_file_replaced_in_place_is_read_anew_only_with_the_same_items(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"a": [1, 2]}), path)
    source = open_source(SourceSpec("parquet", str(path)), index_folder=tmp_path / "index")
    assert source.lookup(["a"], "a", [3]).num_rows == 0
    pq.write_table(pa.table({"a": [3, 4, 5]}), path)
    assert source.read(["a"]).read_all().num_rows == 3
    assert source.lookup(["a"], "a", [3]).num_rows == 1
    pq.write_table(pa.table({"a": ["x"]}), path)
    with pytest.raises(SourceDrifted):
        source.read(["a"])
    path.unlink()
    with pytest.raises(SourceFailed):
        source.lookup(["a"], "a", [3])
    source.close()


def test_damaged_ambiguous_and_globbing_parquet_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 no PAR1")
    pq.write_table(pa.table({"a": [1], "A": [2]}), tmp_path / "case.parquet")
    pq.write_table(pa.table({"a": [1]}), tmp_path / "x[1].parquet")
    for name in ("bad.parquet", "case.parquet", "x[1].parquet"):
        with pytest.raises(SourceUnreadable):
            open_source(SourceSpec("parquet", str(tmp_path / name)))


def test_a_lookup_that_finds_too_much_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"k": ["x"] * 50_000, "n": range(50_000)}), tmp_path / "x.parquet")
    source = sqlite_source(tmp_path, "CREATE TABLE t (k TEXT)", "INSERT INTO t VALUES ('x'), ('x'), ('x')")
    with pytest.raises(LookupTooWide):
        source.lookup(["k"], "k", ["x"], limit=2)
    for folder in (None, tmp_path / "index"):
        parquet = open_source(SourceSpec("parquet", str(tmp_path / "x.parquet")), index_folder=folder)
        with pytest.raises(LookupTooWide):
            parquet.lookup(["k"], "k", ["x"])
        table = parquet.lookup(["n"], "n", [0, 16_383, 16_384, 49_999, 49_999, 50_000])
        assert sorted(table.column(0).to_pylist()) == [0, 16_383, 16_384, 49_999]
        assert parquet.lookup(["n"], "n", []).num_rows == 0


def test_a_shelf_gives_the_same_open_source_until_it_is_full(tmp_path: Path) -> None:
    specs = []
    for number in range(3):
        pq.write_table(pa.table({"a": [number]}), tmp_path / f"{number}.parquet")
        specs.append(SourceSpec("parquet", str(tmp_path / f"{number}.parquet")))
    shelf = SourceShelf(most=2)
    first = shelf.get(specs[0])
    assert shelf.get(specs[0]) is first
    reader = first.read(["a"])
    shelf.get(specs[1])
    shelf.get(specs[2])
    assert shelf.get(specs[0]) is not first
    assert reader.read_all().num_rows == 1
    shelf.drop(specs[0])


def test_many_threads_may_read_one_source(register: tuple[str, Source]) -> None:
    from concurrent.futures import ThreadPoolExecutor

    _, source = register

    def work(number: int) -> int:
        rows = source.read(["word", "size"], parse_text("size IS NOT NULL")).read_all().num_rows
        return rows + source.lookup(["number"], "number", [number]).num_rows

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(work, range(60)))) == 1


def test_a_stream_left_half_read_harms_no_later_read(register: tuple[str, Source]) -> None:
    _, source = register
    for _ in range(5):
        reader = source.read(["word"])
        reader.read_next_batch()
        del reader
    assert source.read(["word"]).read_all().num_rows == source.count()
