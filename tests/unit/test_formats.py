"""Rows in four forms, and which one a reader gets."""

from __future__ import annotations

import csv
import datetime
import io
import json
from collections.abc import Iterator
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hutong.exchange.formats import MEDIA_TYPES, NoSuchForm, choose, encode
from hutong.exchange.formats.encoding import bare, json_columns

SCHEMA = pa.schema(
    [
        ("text", pa.string()),
        ("whole", pa.int64()),
        ("share", pa.float64()),
        ("money", pa.decimal128(10, 2)),
        ("flag", pa.bool_()),
        ("day", pa.date32()),
        ("at", pa.timestamp("us")),
        ("utc", pa.timestamp("us", tz="UTC")),
    ]
)
DAY = datetime.date(2024, 2, 29)
MOMENT = datetime.datetime(2024, 2, 29, 8, 0, 0, 500_000)
FIRST = ['南\n京,"x"', 1, 0.5, Decimal("1.50"), True, DAY, MOMENT, MOMENT.replace(tzinfo=datetime.UTC)]
ROWS: list[dict[str, object]] = [
    dict(zip(SCHEMA.names, FIRST, strict=True)),
    dict.fromkeys(SCHEMA.names),
    dict.fromkeys(SCHEMA.names) | {"text": "", "share": float("nan"), "whole": 2**53},
]


def stream(rows: list[dict[str, object]], per_batch: int = 2) -> pa.RecordBatchReader:
    return pa.Table.from_pylist(rows, schema=SCHEMA).to_reader(per_batch)


def encoded(form: str, rows: list[dict[str, object]]) -> bytes:
    return b"".join(encode(stream(rows), form))


def test_json_keeps_what_any_reader_of_json_can_keep() -> None:
    first, second, third = json.loads(encoded("json", ROWS))
    assert first == {
        "text": '南\n京,"x"',
        "whole": 1,
        "share": 0.5,
        "money": "1.50",
        "flag": True,
        "day": "2024-02-29",
        "at": "2024-02-29T08:00:00.500000",
        "utc": "2024-02-29T08:00:00.500000Z",
    }
    assert set(second.values()) == {None}
    assert (third["text"], third["share"], third["whole"]) == ("", None, str(2**53))


def test_how_one_whole_number_is_written_tells_nothing_of_the_others() -> None:
    numbers = [5, 2**53, None, -(2**53), 2**53 - 1]
    table = pa.table({"whole": pa.array(numbers, pa.int64())})
    written = [5, str(2**53), None, str(-(2**53)), 2**53 - 1]
    assert json.loads(b"".join(encode(table.to_reader(), "json"))) == [{"whole": one} for one in written]
    assert json_columns(table) == [written]


def test_an_arrow_stream_holds_nothing_but_its_values() -> None:
    """Under missing values and behind the last one, engines leave what was in that memory before."""
    secret = b"SECRET--" * 16
    some = pa.py_buffer(b"\x05")  # of three values the first and the third
    text = pa.py_buffer(b"abc" + secret)
    offsets = pa.py_buffer(b"".join(one.to_bytes(4, "little") for one in (0, 1, 1, 3, 3, 3)))
    columns = [
        pa.Array.from_buffers(pa.int64(), 3, [some, pa.py_buffer(secret)]),
        pa.Array.from_buffers(pa.timestamp("us"), 3, [None, pa.py_buffer(bytes(24) + secret)]),
        pa.Array.from_buffers(pa.decimal128(12, 2), 3, [pa.py_buffer(b"\x00"), pa.py_buffer(secret)]),
        pa.Array.from_buffers(pa.string(), 3, [some, offsets, text]),
        pa.array([None, "SECRET--", "a", "b", None, "SECRET--"]).slice(2, 3),
    ]
    batch = pa.RecordBatch.from_arrays(columns, names=["n", "at", "money", "text", "sliced"])
    assert b"SECRET--" in batch.serialize().to_pybytes()
    made = bare(batch)
    assert made.drop_columns(["n"]).to_pylist() == batch.drop_columns(["n"]).to_pylist()
    assert made.column(0).is_valid().to_pylist() == [True, False, True]
    written = pa.py_buffer(b"".join(encode(pa.Table.from_batches([batch]).to_reader(), "arrow"))).to_pybytes()
    assert written.count(b"SECRET--") == 2  # the two values of the first column
    again = pa.ipc.open_stream(written).read_all()
    again.validate(full=True)
    assert again.to_pylist() == batch.to_pylist()
    empty = batch.slice(0, 0)
    assert bare(empty).num_rows == 0


@pytest.mark.parametrize("form", ["json", "csv", "arrow", "parquet"])
@pytest.mark.parametrize("count", [0, 1, 3])
def test_every_form_is_whole_also_when_there_is_no_row(form: str, count: int) -> None:
    rows = ROWS[:count]
    data = encoded(form, rows)
    if form == "json":
        assert len(json.loads(data)) == count
    elif form == "csv":
        lines = list(csv.reader(io.StringIO(data.decode("utf-8"), newline="")))
        assert lines[0] == SCHEMA.names
        assert len(lines) == count + 1
    else:
        table = pa.ipc.open_stream(data).read_all() if form == "arrow" else pq.read_table(io.BytesIO(data))
        assert table.schema.remove_metadata() == SCHEMA
        assert str(table.to_pylist()) == str(pa.Table.from_pylist(rows, schema=SCHEMA).to_pylist())


def test_csv_tells_an_empty_text_from_a_missing_one() -> None:
    lines = encoded("csv", ROWS).decode("utf-8").splitlines()
    assert lines[-1].startswith('"",')
    assert lines[-2].startswith(",")


@pytest.mark.parametrize("form", MEDIA_TYPES)
def test_a_source_that_breaks_off_breaks_the_answer_off(form: str) -> None:
    def broken() -> Iterator[pa.RecordBatch]:
        yield from stream(ROWS)
        raise KeyError("gone")

    with pytest.raises(KeyError):
        list(encode(pa.RecordBatchReader.from_batches(SCHEMA, broken()), form))


@pytest.mark.parametrize("form", ["json", "csv", "arrow"])
def test_a_stream_gives_its_first_bytes_before_its_last_rows_are_read(form: str) -> None:
    read = []

    def rows() -> Iterator[pa.RecordBatch]:
        for batch in stream(ROWS * 50):
            read.append(batch)
            yield batch

    chunks = iter(encode(pa.RecordBatchReader.from_batches(SCHEMA, rows()), form))
    next(chunks)
    assert len(read) <= 1


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", "json"),
        ("*/*", "json"),
        ("text/csv", "csv"),
        ("text/*", "csv"),
        ("application/vnd.apache.arrow.stream", "arrow"),
        ("application/json;q=0.5, application/vnd.apache.parquet", "parquet"),
        ("text/html, */*;q=0.1", "json"),
        ("application/json;q=0, */*", "csv"),
        ("TEXT/CSV; charset=utf-8", "csv"),
        ("text/csv;q=x, application/json;q=0.1", "json"),
    ],
)
def test_the_reader_chooses_the_form(accept: str, form: str) -> None:
    assert choose(accept) == form


@pytest.mark.parametrize("accept", ["text/html", "application/json;q=0", "text/csv;q=nan", "x" * 2_000])
def test_a_form_that_does_not_exist_is_refused_with_those_that_do(accept: str) -> None:
    with pytest.raises(NoSuchForm, match="text/csv"):
        choose(accept)
