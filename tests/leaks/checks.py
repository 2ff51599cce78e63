"""One source under one policy, through every way rows leave, against the naive reference."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq

from hutong.exchange import formats
from hutong.exchange.converted import conversion, open_converted, read_converted
from hutong.exchange.downloads import OpenedFile
from hutong.exchange.editions.difference import CHANGE
from hutong.exchange.editions.edition import Edition
from hutong.exchange.editions.making import Editions
from hutong.exchange.editions.making import _rows as _edition_rows
from hutong.exchange.editions.shelf import Rows, Shelf
from hutong.exchange.grants import Grant, GrantedItem
from hutong.exchange.grants.book import Opened, Terms
from hutong.exchange.grants.ranges import Ranges
from hutong.exchange.grants.rules import Allowed, Standing
from hutong.exchange.query import FORMS, Key, Query
from hutong.exchange.records import granted_rows, lookup_rows, open_rows, read_rows
from hutong.exchange.shaping.codes import CodeMap
from hutong.exchange.shaping.masks import Mask, MaskedItem, output_schema
from hutong.exchange.shaping.predicate import Predicate
from hutong.exchange.shaping.values import BadPredicate
from hutong.exchange.sharing.lines import file_line, head_lines
from hutong.exchange.sources import Source
from hutong.exchange.subscriptions.changes import Telling, changes_file, find
from hutong.exchange.subscriptions.event import bodies
from tests.leaks.naive import HIDDEN_BY_ANSWER, KEY, Policy, Row, leaving
from tests.leaks.tables import DOOMED, NOTE

pc: Any = pyarrow.compute
AGREEMENT = "urn:uuid:0192f0c1-0000-7000-8000-000000000001"
FEW = 7  # of a limited read
SHORTEST_SECRET = 6  # bytes; shorter texts stand in anything


class Leak(AssertionError):
    """Something left that the policy does not let through, or did not leave that should."""


def check(source: Source, rows: Sequence[Row], policy: Policy, turn: int | None = None) -> None:
    """The stream, its forms and point reads; of the other ways rows leave, one in turn, all with None.

    raises   Leak
    """
    expected = leaving(rows, policy)
    secrets = secrets_of(rows, expected)
    opened = opened_under(source, policy)
    stream = open_rows(opened, allowed(opened), query()).read_all()
    _rows(stream.to_pylist(), expected, policy, "stream")
    _schema(stream.schema, source, policy)
    _points(opened, rows, expected, policy)
    _aggregates(stream, expected, policy)
    further: list[Callable[[], None]] = [
        lambda: _limited(opened, expected, policy),
        lambda: _edition(source, rows, policy),
        lambda: _small(opened, expected, policy),
        lambda: _events(opened, expected, policy, secrets),
        lambda: _whole(opened, expected, policy),
    ]
    for form in FORMS:
        _written(form, b"".join(formats.encode(stream.to_reader(), form)), expected, secrets)
        further.append(lambda form=form: _streamed(form, opened, expected, secrets))  # type: ignore[misc]
    for one in further if turn is None else [further[turn % len(further)]]:
        one()


def check_converted(
    source: Source, rows: Sequence[Row], policy: Policy, codes: Mapping[str, str], at: Sequence[int]
) -> None:
    """The same where an item leaves in the region's codes: `rows` are the converted ones, and nothing else may leave.

    at   numbers of rows to look up
    """
    plain = opened_under(source, policy)
    opened = replace(plain, terms=replace(plain.terms, codes={"city": CodeMap("m", codes)}))
    expected = leaving(rows, policy)
    _whole(opened, expected, policy)
    unconditional = replace(opened, terms=replace(opened.terms, where=None))
    asked = query()
    asked.where = opened.terms.where
    for one, what in ((opened, query()), (unconditional, asked)):
        reader, _ = open_converted(conversion(one, allowed(one), what), None)
        _rows(reader.read_all().to_pylist(), expected, policy, "a converted stream")
    for number in at:
        key = query()
        key.key = Key("number", number)
        found, _ = read_converted(conversion(opened, allowed(opened), key), key, 10)
        _rows(found.to_pylist(), [row for row in expected if row["number"] == number], policy, "a converted point read")


def _whole(opened: Opened, expected: Sequence[Row], policy: Policy) -> None:
    _rows(granted_rows(opened).read_all().to_pylist(), expected, policy, "whole grant")


def _streamed(form: str, opened: Opened, expected: Sequence[Row], secrets: set[bytes]) -> None:
    """As the door streams it: the engine's own batches, encoded as they come."""
    content = b"".join(formats.encode(open_rows(opened, allowed(opened), query()), form))
    _written(form, content, expected, secrets)


def _edition(source: Source, rows: Sequence[Row], policy: Policy) -> None:
    """As a file, as Delta Sharing describes it, with a reader's hint on its masked values, and against another one."""
    masks = {item: mask for item, mask in policy.masks.items() if mask["action"] != HIDDEN_BY_ANSWER}  # never in files
    policy = replace(policy, masks=masks)
    expected = leaving(rows, policy)
    secrets = secrets_of(rows, expected)
    opened = opened_under(source, policy)
    with TemporaryDirectory() as folder:
        editions = Editions(Shelf(Path(folder), 1 << 30))
        whole = _shelved(editions.shelf, _edition_rows(opened, allowed(opened), query()), 0)
        content = whole.file.read_bytes()
        _written("parquet", content, expected, secrets)
        _rows(pq.read_table(pa.BufferReader(content)).to_pylist(), expected, policy, "edition")
        file = OpenedFile(whole.rows, whole.bytes, whole.digest, 0, whole.made_at_ms)
        for form in ("parquet", "delta"):
            told = [
                *head_lines("t", {"made_at": 0}, whole.schema, form, 0),
                file_line(file, "u", 0, form, of_changes=False),
            ]
            hide_nothing(b"".join(told), secrets, "the lines of Delta Sharing")
        _hinted(editions, whole, expected, policy)
        nothing = _shelved(editions.shelf, Rows(whole.schema.empty_table().to_reader()), 1)
        gone = editions.changes(whole, nothing)
        came = pq.read_table(gone.file)
        if set(came.column(CHANGE).to_pylist()) - {"delete"}:
            raise Leak("a row that went is said to have come")
        _rows(came.drop_columns([CHANGE]).to_pylist(), expected, policy, "changes between editions")
        hide_nothing(gone.file.read_bytes() + repr(came.to_pydict()).encode(), secrets, "changes between editions")


def _hinted(editions: Editions, whole: Edition, masked: Sequence[Row], policy: Policy) -> None:
    """A hint finds masked values only: what it finds is what a reader could have found alone."""
    hint = Predicate.from_document(policy.where) if policy.where is not None else Predicate("ge", "number", (30,))
    keeps = Policy("hint", {item: {"action": "keep"} for item in policy.masks}, hint.to_document())
    try:
        part = editions.part(whole, hint, None)
    except BadPredicate:  # of an item that is not in the edition, or has another type there
        return
    _rows(pq.read_table(part.file).to_pylist(), leaving(masked, keeps), keeps, "a part of an edition")


def _shelved(shelf: Shelf, rows: Rows, version: int) -> Edition:
    with shelf.one_at_a_time(AGREEMENT, "a"):
        return shelf.keep(shelf.write(AGREEMENT, "a", "parquet", rows), version)


def _events(opened: Opened, expected: Sequence[Row], policy: Policy, secrets: set[bytes]) -> None:
    """As a subscription tells them: every row inserted; then, with the source empty, every row deleted."""
    unlike = frozenset(item for item, mask in policy.masks.items() if mask["action"] == HIDDEN_BY_ANSWER)
    telling = Telling(("number",), AGREEMENT, unlike)
    with TemporaryDirectory() as name:
        folder = Path(name)
        for number, word in ((1, "inserted"), (2, "deleted")):
            rows = granted_rows(opened)
            if number == 2:
                rows = rows.schema.empty_table().to_reader()
            find(rows, telling, folder, number, before=number - 1, whole=True)
            found = pq.read_table(changes_file(folder, number)).combine_chunks().to_batches()
            told = [one for batch in found for lot in bodies(batch, AGREEMENT, "320000", 1, "") for one in lot]
            events = [orjson.loads(one) for one in told]
            if {one["type"] for one in events} - {f"hutong.row.{word}"}:
                raise Leak(f"another event than {word}")
            _rows([one["data"] for one in events], [_as_json(row) for row in expected], policy, f"events {word}")
            hide_nothing(b"".join(told), secrets, "an event")
        for file in folder.glob("*.parquet"):
            hide_nothing(repr(pq.read_table(file).to_pydict()).encode(), secrets, "what a subscription keeps")


def opened_under(source: Source, policy: Policy) -> Opened:
    """The policy as a grant in force, as the exchange holds one."""
    always = Ranges(((datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC), None),))
    grant = Grant(
        agreement=AGREEMENT, provider="320000", consumer="340000", resource="r",
        source="s", items=tuple(GrantedItem(item, mask) for item, mask in policy.masks.items()),
        where=policy.where, purposes=("licensing",), quota_calls=None, quota_calls_per_day=None, quota_rows=None,
        rate_per_s=None, in_force=always, pseudonym_key="",
    )  # fmt: skip
    masked = {
        item: MaskedItem(item, Mask.from_document(mask, item), item in policy.marked)
        for item, mask in policy.masks.items()
    }
    where = None if policy.where is None else Predicate.from_document(policy.where)
    return Opened(Terms(0, grant, where, masked, KEY, {}), Standing("active", 0, 0, 0), source)


def secrets_of(rows: Sequence[Row], expected: Sequence[Row]) -> set[bytes]:
    """Texts of the source that nothing of the answer contains."""
    told = "\0".join(str(value) for row in expected for value in row.values())
    texts = {value for row in [*rows, *DOOMED] for value in row.values() if isinstance(value, str)} | {NOTE}
    return {text.encode() for text in texts if len(text.encode()) >= SHORTEST_SECRET and text not in told}


def hide_nothing(found: bytes, secrets: Iterable[bytes], where: str) -> None:
    for secret in secrets:
        if secret in found:
            raise Leak(f"{where} holds a value of the source that may not leave")


def allowed(opened: Opened) -> Allowed:
    return Allowed(opened.grant.items, None)


def query(limit: int | None = None) -> Query:
    return Query("", "", "", "", None, None, limit, None, "")


def _rows(found: Sequence[Row], expected: Sequence[Row], policy: Policy, way: str) -> None:
    """The same rows; where values cannot be foreseen, equal ones for equal ones."""
    if len(found) != len(expected):
        raise Leak(f"{way}: {len(found)} rows instead of {len(expected)} under {policy.name}")
    by_number = {row["number"]: row for row in found}
    tokens: dict[Any, Any] = {}
    for row in expected:
        got = by_number.get(row["number"])
        if got is None or list(got) != list(row):
            raise Leak(f"{way}: another row, or other items, under {policy.name}")
        for item, value in row.items():
            if policy.masks[item]["action"] == HIDDEN_BY_ANSWER:
                same = _hidden(got[item], value, tokens)
            else:
                same = shown(got[item]) == shown(value)
            if not same:
                raise Leak(f"{way}: item {item} under {policy.masks[item]} and {policy.name}")
    if len(set(tokens.values())) != len(tokens):
        raise Leak(f"{way}: different values under one hash")


def _hidden(got: Any, value: Any, tokens: dict[Any, Any]) -> bool:
    if value is None:
        return got is None
    return isinstance(got, str) and len(got) == 64 and tokens.setdefault(value, got) == got


def shown(value: Any) -> str:
    """NaN equals itself, and -0.0 is not 0.0."""
    return repr(value)


def _schema(schema: pa.Schema, source: Source, policy: Policy) -> None:
    masked = list(opened_under(source, policy).terms.masked.values())
    if schema != output_schema(source.schema, masked) or schema.metadata or any(field.metadata for field in schema):
        raise Leak("the schema says more, or other, than the masks do")


def _limited(opened: Opened, expected: Sequence[Row], policy: Policy) -> None:
    found = open_rows(opened, allowed(opened), query(FEW)).read_all().to_pylist()
    if len(found) != min(FEW, len(expected)):
        raise Leak(f"limited: {len(found)} rows under {policy.name}")
    numbers = {row["number"] for row in found}
    _rows(found, [row for row in expected if row["number"] in numbers], policy, "limited")


def _small(opened: Opened, expected: Sequence[Row], policy: Policy) -> None:
    found = [orjson.loads(row) for row in read_rows(opened, allowed(opened), query(), 1_000)]
    _rows(found, [_as_json(row) for row in expected], policy, "record query")


def _points(opened: Opened, rows: Sequence[Row], expected: Sequence[Row], policy: Policy) -> None:
    """Every row asked for by its key, those outside the condition too."""
    asked = [row["number"] for row in rows] + [row["number"] for row in DOOMED] + [-1]
    found = lookup_rows(opened, allowed(opened), "number", asked)
    answers = [orjson.loads(row) for answer in found.values() for row in answer]
    _rows(answers, [_as_json(row) for row in expected], policy, "point reads")


def _as_json(row: Row) -> Row:
    return {item: _json_value(value) for item, value in row.items()}


def _json_value(value: Any) -> Any:
    """As the JSON form writes it."""
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.%f") if value.year > 999 else value.isoformat()
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    if isinstance(value, float) and not math.isfinite(value):
        return None
    beyond = isinstance(value, int) and abs(value) > 2**53 - 1
    return str(value) if beyond else value


AGGREGATES: dict[str, tuple[Callable[[Any], Any], Callable[[list[Any]], Any]]] = {
    "count": (lambda column: pc.count(column).as_py(), len),
    "distinct": (lambda column: pc.count_distinct(column).as_py(), lambda values: len(set(values))),
    "least": (lambda column: pc.min_max(column).as_py()["min"], lambda values: min(values, default=None)),
    "most": (lambda column: pc.min_max(column).as_py()["max"], lambda values: max(values, default=None)),
}


def _aggregates(stream: pa.Table, expected: Sequence[Row], policy: Policy) -> None:
    for item, mask in policy.masks.items():
        if mask["action"] == HIDDEN_BY_ANSWER:
            continue
        values = [row[item] for row in expected if row[item] is not None and row[item] == row[item]]
        column = stream.column(item)
        if pa.types.is_floating(column.type):
            column = pc.drop_null(pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column))
        for name, (engine, plain) in AGGREGATES.items():
            if name in ("least", "most") and pa.types.is_boolean(column.type):
                continue
            if engine(column) != plain(values):
                raise Leak(f"{name} of {item} under {mask} and {policy.name}")


def _written(form: str, content: bytes, expected: Sequence[Row], secrets: set[bytes]) -> None:
    hide_nothing(content, secrets, f"the {form} bytes")
    if form == "parquet":
        file = pq.ParquetFile(pa.BufferReader(content))
        hide_nothing(repr(file.read().to_pydict()).encode(), secrets, "parquet")
        _footer(file, expected)
    if form == "arrow":
        reader = pa.ipc.open_stream(content)
        for batch in reader:
            for item, column in zip(batch.schema.names, batch.columns, strict=True):
                _memory(item, column, secrets)


def _memory(item: str, column: Any, secrets: set[bytes]) -> None:
    """What lies in a column's memory beside its values: nothing under the missing ones, nothing beyond the last."""
    for buffer in column.buffers():
        hide_nothing(bytes(buffer or b""), secrets, "an arrow buffer")
    if not column.null_count or pa.types.is_string(column.type):
        return
    everything = pa.Array.from_buffers(column.type, len(column), [None, column.buffers()[1]], offset=column.offset)
    under = everything.filter(pc.is_null(column)).buffers()[1]
    if any(bytes(under)):
        raise Leak(f"something lies under the missing values of {item}")


def _footer(file: pq.ParquetFile, expected: Sequence[Row]) -> None:
    """What the footer says of the columns is of the masked ones."""
    about = file.metadata
    if about.num_rows != len(expected):
        raise Leak("the footer counts other rows")
    for number in range(about.num_columns):
        item = about.schema.column(number).name
        told = [about.row_group(group).column(number).statistics for group in range(about.num_row_groups)]
        if any(one is None for one in told):
            continue
        if sum(one.null_count for one in told) != sum(row[item] is None for row in expected):
            raise Leak(f"the footer counts other missing values of {item}")
        values = [row[item] for row in expected]
        for one in told:
            extremes = [one.min, one.max] if one.has_min_max else []
            if any(not _among(extreme, values) for extreme in extremes):
                raise Leak(f"the footer's extremes of {item} are of no value that left")


def _among(extreme: Any, values: Sequence[Any]) -> bool:
    if any(isinstance(value, tuple) for value in values):  # hashes of this answer
        return isinstance(extreme, str) and len(extreme) == 64
    return any(extreme == value for value in values)


def error_texts(error: BaseException) -> str:
    """Everything an error would say to anybody, with what it was raised from."""
    said, seen, one = [], set(), error
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        said += [str(one), repr(one), repr(one.args), repr(getattr(one, "__notes__", ""))]
        problem: Callable[[], Mapping[str, Any]] | None = getattr(one, "problem", None)
        if problem is not None:
            said.append(repr(problem()))
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
    return "\n".join(said)
