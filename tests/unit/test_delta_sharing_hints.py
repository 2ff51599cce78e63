"""What a reader's hints become: conditions of our own language, or nothing; never less than the reader would keep."""

from __future__ import annotations

import orjson
import pyarrow as pa
import pytest

from hutong.exchange.downloads import OpenedFile
from hutong.exchange.sharing.hints import read_hints
from hutong.exchange.sharing.lines import chosen_format, file_line, schema_string


def op(name: str, *children: object) -> dict[str, object]:
    return {"op": name, "children": list(children)}


def column(name: str, kind: str = "string") -> dict[str, str]:
    return {"op": "column", "name": name, "valueType": kind}


def literal(value: str, kind: str = "string") -> dict[str, str]:
    return {"op": "literal", "value": value, "valueType": kind}


CITY = op("equal", column("city"), literal("南京"))
CITY_READ = {"op": "eq", "item": "city", "value": "南京"}


@pytest.mark.parametrize(
    ("hint", "read", "whole"),
    [
        (CITY, CITY_READ, True),
        (op("lessThan", literal("5", "long"), column("n", "long")), {"op": "gt", "item": "n", "value": 5}, True),
        (op("not", op("isNull", column("city"))), {"op": "not", "arg": {"op": "is_null", "item": "city"}}, True),
        (op("or", CITY, CITY), {"op": "or", "args": [CITY_READ, CITY_READ]}, True),
        # Of an AND what is understood is used; of an OR or a NOT, all or nothing.
        (op("and", CITY, op("startsWith", column("city"), literal("南"))), CITY_READ, False),
        (op("or", CITY, op("startsWith", column("city"), literal("南"))), None, False),
        (op("not", op("and", CITY, op("hash", column("city")))), None, False),
        # Engines differ on the order of NaN and on times without a zone.
        (op("equal", column("x", "double"), literal("1.5", "double")), None, False),
        (op("equal", column("t", "timestamp"), literal("2026-01-01T00:00:00Z", "timestamp")), None, False),
        (op("equal", column("n", "long"), literal("1; DROP", "long")), None, False),
        (op("equal", column("city"), column("name")), None, False),
        (op("equal", column("city"), op("sql", literal("SELECT 1"))), None, False),
        ({"op": "and", "children": []}, None, False),
        ([1, 2], None, False),
    ],
)
def test_a_json_hint_is_read_through_an_allow_list(hint, read, whole):
    found = read_hints(orjson.dumps(hint).decode(), None)
    assert (found.where.to_document() if found.where else None, found.whole) == (read, whole)


def test_a_json_hint_nested_without_end_or_no_json_at_all_is_left_out():
    deep: dict[str, object] = CITY
    for _ in range(60):
        deep = op("and", deep)
    for text in (orjson.dumps(deep).decode(), "{", 5, "x" * 200_000):
        assert read_hints(text, None).where is None


def test_sql_hints_hold_all_that_are_understood_and_say_when_some_were_not():
    read = read_hints(None, ["city = '南京'", "n >= 5"])
    assert read.whole
    assert read.where.to_text() == "city = '南京' AND n >= 5"
    some = read_hints(None, ["city = '南京'", "upper(city) = 'X'", "1=1; DROP TABLE t", 5])
    assert (some.where.to_document(), some.whole) == (CITY_READ, False)
    assert read_hints(None, None).whole
    assert not read_hints(None, "city = '南京'").whole


@pytest.mark.parametrize(
    ("capabilities", "chosen"),
    [
        ("", "parquet"),
        ("responseformat=delta,parquet;readerfeatures=deletionvectors", "parquet"),
        ("responseformat=delta;readerfeatures=timestampntz", "delta"),
        ("ResponseFormat = Delta", "delta"),
        ("responseformat=avro", "parquet"),
    ],
)
def test_the_format_is_one_the_reader_takes(capabilities, chosen):
    assert chosen_format(capabilities) == chosen


def test_statistics_are_the_number_of_rows_and_no_value():
    file = OpenedFile(rows=3, bytes=100, digest="sha256:" + "a" * 64, version=2, made_at=1)
    for form in ("parquet", "delta"):
        line = orjson.loads(file_line(file, "http://127.0.0.1/x", 5, form, of_changes=False))["file"]
        stats = line["stats"] if form == "parquet" else line["deltaSingleAction"]["add"]["stats"]
        assert orjson.loads(stats) == {"numRecords": 3}


def test_a_schema_is_written_as_spark_writes_it():
    schema = pa.schema(
        [("a", pa.string()), ("b", pa.decimal128(10, 2)), ("c", pa.timestamp("us")), ("d", pa.timestamp("us", "UTC"))]
    )
    types = {
        form: [one["type"] for one in orjson.loads(schema_string(schema, form))["fields"]]
        for form in ("parquet", "delta")
    }
    assert types["parquet"] == ["string", "decimal(10,2)", "timestamp", "timestamp"]
    assert types["delta"] == ["string", "decimal(10,2)", "timestamp_ntz", "timestamp"]
