"""Whose rows are in a file: the marks and canaries of this node's agreements, looked for in every column.

Reads the file and the grants' keys; keeps nothing, and names no value.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet as pq

from hutong.exchange.grants import Grant
from hutong.exchange.grants.tracing import Tracing
from hutong.exchange.models import Grant as GrantRow
from hutong.exchange.shaping import canaries as rows_of_nobody
from hutong.exchange.shaping import watermark
from hutong.exchange.shaping.masks import Mask, MaskedItem, mark_key
from hutong.exchange.sources.spec import SourceRefused
from hutong.exchange.sources.workbook import numbered_rows
from hutong.node.keys import unseal
from hutong.vocabulary.errors import Refused

pc: Any = pyarrow.compute  # its stubs know only some of the types it takes

NAMED_BELOW: Final = 1e-6  # a recipient is named when chance would do it less often; owner: the wire
BATCH_ROWS: Final = 65_536
LEAST_LOG10: Final = -300.0  # what is said of anything less likely


class Undetectable(Refused):
    """The file cannot be searched: {reason}."""

    zh = "无法检索该文件：{reason}。"
    code = "undetectable"
    status = 400
    next_en = "Give it as CSV, a workbook, Parquet, an Arrow stream or file, or JSON with one object a line."
    next_zh = "请提供 CSV、工作簿、Parquet、Arrow 流或文件，或每行一个对象的 JSON。"


@dataclass(frozen=True)
class Finding:
    """Evidence of one kind for one agreement.

    column     of the file, where it is the strongest
    matched    different texts whose width is this agreement's, or canaries of it
    of         different texts that can bear a mark, or canaries the agreement has
    log10_p    the bound on finding as much by chance, times the agreements, kinds and columns that were tried
    """

    agreement: str
    consumer: str
    kind: str  # watermark or canaries
    column: str
    matched: int
    of: int
    log10_p: float

    @property
    def named(self) -> bool:
        return self.log10_p < math.log10(NAMED_BELOW)


@dataclass
class _Column:
    """What one column of the file holds that is of use."""

    seen: dict[str, bool] = field(default_factory=dict)  # texts in half width: written in full width
    rows: int = 0
    canaries: dict[str, set[str]] = field(default_factory=dict)  # agreement: those found


def detect(file: Path) -> list[Finding]:
    """Every traced agreement of this node against a file, the strongest evidence first.

    raises   Undetectable
    """
    grants = [(grant, grant.tracing, _key(grant)) for grant in _grants() if grant.tracing is not None]
    wanted = {grant.agreement: _canaries(grant, tracing, key) for grant, tracing, key in grants}
    columns: dict[str, _Column] = {}
    for batch in _batches(file):
        for name, values in zip(batch.schema.names, batch.columns, strict=True):
            _look(columns.setdefault(name, _Column()), _texts(values), wanted)
    tried = max(1, 2 * len(grants) * len(columns))
    found = [
        finding
        for grant, tracing, key in grants
        for finding in (_marks(grant, tracing, key, columns), _birds(grant, wanted[grant.agreement], columns))
        if finding is not None
    ]
    corrected = (_corrected(one, tried) for one in found)
    return sorted(corrected, key=lambda one: one.log10_p)


def canary_values(grant: Grant) -> frozenset[str]:
    """The identifiers of a grant's canaries, as they leave, as text."""
    if grant.tracing is None:
        return frozenset()
    return frozenset(_canaries(grant, grant.tracing, _key(grant)))


def _grants() -> Iterator[Grant]:
    """Ended agreements too: a leak may be of any time."""
    for document in GrantRow.objects.values_list("document", flat=True).iterator():
        if "tracing" in document:
            yield Grant.from_document(document)


def _key(grant: Grant) -> bytes:
    return unseal(base64.b64decode(grant.pseudonym_key))


def _canaries(grant: Grant, tracing: Tracing, key: bytes) -> list[str]:
    if tracing.canaries is None:
        return []
    item = grant.by_name[tracing.canaries.item]
    mask = MaskedItem(item.name, Mask.from_document(item.mask, item.name))
    made = rows_of_nobody.as_they_leave(tracing.canaries, mask, pa.string(), key)
    return [str(one) for one in made.to_pylist()]


def _look(column: _Column, texts: Any, wanted: dict[str, list[str]]) -> None:
    column.rows += len(texts) - texts.null_count
    if len(column.seen) < watermark.ENOUGH:
        column.seen |= watermark.widths(texts)
    for agreement, values in wanted.items():
        if values:
            hits = texts.filter(pc.is_in(texts, value_set=pa.array(values, pa.string())))
            if len(hits):
                column.canaries.setdefault(agreement, set()).update(hits.to_pylist())


def _marks(grant: Grant, tracing: Tracing, key: bytes, columns: dict[str, _Column]) -> Finding | None:
    if not tracing.watermark:
        return None
    marks, best = mark_key(key), None
    for name, column in columns.items():
        matched = watermark.matching(column.seen, marks)
        chance = watermark.log10_chance(matched, len(column.seen))
        one = Finding(grant.agreement, grant.consumer, "watermark", name, matched, len(column.seen), chance)
        best = one if best is None or one.log10_p < best.log10_p else best
    return best


def _birds(grant: Grant, values: Sequence[str], columns: dict[str, _Column]) -> Finding | None:
    """A file without them holds a given canary with a chance of at most rows / possible; m of n, of at most
    (n * rows / possible) ** m."""
    if not values or grant.tracing is None or grant.tracing.canaries is None:
        return None
    possible, best = rows_of_nobody.POSSIBLE[grant.tracing.canaries.kind], None
    for name, column in columns.items():
        hits = len(column.canaries.get(grant.agreement, ()))
        each = min(1.0, len(values) * max(column.rows, 1) / possible)
        one = Finding(
            grant.agreement,
            grant.consumer,
            "canaries",
            name,
            hits,
            len(values),
            hits * math.log10(each) if hits else 0.0,
        )
        best = one if best is None or one.log10_p < best.log10_p else best
    return best


def _corrected(one: Finding, tried: int) -> Finding:
    chance = max(LEAST_LOG10, min(0.0, one.log10_p + math.log10(tried)))
    return Finding(one.agreement, one.consumer, one.kind, one.column, one.matched, one.of, chance)


def _texts(values: Any) -> Any:
    if pa.types.is_nested(values.type) or pa.types.is_binary(values.type):
        return pa.nulls(len(values), pa.string())
    return pc.cast(values, pa.string())


def _batches(file: Path) -> Iterator[pa.RecordBatch]:
    try:
        yield from _READERS[file.suffix.lower()](file)
    except KeyError:
        raise Undetectable(reason="its ending names no known form", reason_zh="扩展名不是已知格式") from None
    except (pa.ArrowException, OSError, UnicodeError, SourceRefused):
        raise Undetectable(reason="it cannot be read as its ending says", reason_zh="无法按扩展名读取") from None


def _csv(file: Path) -> Iterator[pa.RecordBatch]:
    """Every column as text: a number read as one would lose its zeros."""
    encoding = "utf-8" if _is_utf8(file) else "gb18030"
    read = pyarrow.csv.ReadOptions(encoding=encoding)
    names = pyarrow.csv.open_csv(file, read_options=read).schema.names
    types = pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True)
    yield from pyarrow.csv.open_csv(file, read_options=read, convert_options=types)


def _is_utf8(file: Path) -> bool:
    with file.open(encoding="utf-8") as text:
        try:
            text.read(1 << 20)
        except UnicodeDecodeError:
            return False
    return True


def _arrow(file: Path) -> Iterator[pa.RecordBatch]:
    source = pa.memory_map(str(file))
    try:
        reader = pa.ipc.open_file(source)
    except pa.ArrowInvalid:
        yield from pa.ipc.open_stream(pa.memory_map(str(file)))
        return
    yield from (reader.get_batch(number) for number in range(reader.num_record_batches))


def _parquet(file: Path) -> Iterator[pa.RecordBatch]:
    yield from pq.ParquetFile(file).iter_batches(BATCH_ROWS)


def _json(file: Path) -> Iterator[pa.RecordBatch]:
    yield from pyarrow.json.read_json(file).to_batches()


def _workbook(file: Path) -> Iterator[pa.RecordBatch]:
    """The first sheet; columns by number: the header may have been taken out."""
    rows = (row for _number, row in numbered_rows(file))
    while some := list(islice(rows, BATCH_ROWS)):
        width = max(map(len, some))
        columns = [[row[place] if place < len(row) else None for row in some] for place in range(width)]
        names = [f"column {place}" for place in range(1, width + 1)]
        yield pa.RecordBatch.from_arrays([pa.array(one, pa.string()) for one in columns], names)


_READERS = {
    ".xlsx": _workbook,
    ".xls": _workbook,
    ".csv": _csv,
    ".txt": _csv,
    ".parquet": _parquet,
    ".arrow": _arrow,
    ".arrows": _arrow,
    ".feather": _arrow,
    ".json": _json,
    ".jsonl": _json,
    ".ndjson": _json,
}
