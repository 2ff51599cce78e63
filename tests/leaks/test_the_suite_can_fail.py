"""Each way an adapter could leak, done on purpose: the suite must catch every one of them, and for nothing less."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from hutong.exchange.shaping.mask_vector import mask_table
from hutong.exchange.shaping.masks import MaskedItem
from hutong.exchange.shaping.predicate import Predicate
from hutong.exchange.shaping.vector import kept
from hutong.exchange.sources.parquet import ParquetSource
from hutong.exchange.sources.spec import SourceFailed
from tests.leaks.checks import Leak, check, error_texts, hide_nothing
from tests.leaks.engines import ENGINES, parquet
from tests.leaks.tables import NOTE, SCHEMA, policies

Items = Sequence[MaskedItem]


class Leaky(ParquetSource):
    """A source that keeps to its grant; each case below changes one thing about it."""

    def rows(self, items: Items, where: Predicate | None, limit: int | None, key: bytes | None) -> pa.Table:
        return super().read_masked(items, where, limit, key).read_all()

    def read_masked(
        self, items: Items, where: Predicate | None = None, limit: int | None = None, key: bytes | None = None
    ) -> pa.RecordBatchReader:
        return self.rows(items, where, limit, key).to_reader()


class ForgetsTheCondition(Leaky):
    def rows(self, items: Items, where: Any, limit: Any, key: Any) -> pa.Table:
        return super().rows(items, None, limit, key)


class LooksAtMaskedValues(Leaky):
    """Masks first, then tests what is left: `name = '王**'` finds everybody of that family name."""

    def rows(self, items: Items, where: Any, limit: Any, key: Any) -> pa.Table:
        table = super().rows(items, None, None, key)
        known = where is not None and where.items() <= set(table.column_names)
        try:
            return (kept(table, where) if known else table).slice(0, limit)
        except Exception:
            return super().rows(items, where, limit, key)


class ForgetsMasksInLimitedReads(Leaky):
    def rows(self, items: Items, where: Any, limit: Any, key: Any) -> pa.Table:
        plain = [MaskedItem(item.name) for item in items]
        return super().rows(items if limit is None else plain, where, limit, key)


class ForgetsMasksOfTheLastRow(Leaky):
    """A partition without the mask."""

    def rows(self, items: Items, where: Any, limit: Any, key: Any) -> pa.Table:
        table = super().rows(items, where, limit, key)
        last = (
            super().rows([MaskedItem(item.name) for item in items], where, limit, key).slice(max(table.num_rows - 1, 0))
        )
        if not table.num_rows or last.schema != table.schema:
            return table
        return pa.concat_tables([table.slice(0, table.num_rows - 1), last])


class ForgetsTheConditionOfPointReads(Leaky):
    def lookup(self, items: Any, key: Any, values: Any, where: Any = None, limit: int = 10_000) -> pa.Table:
        return super().lookup(items, key, values, None, limit)


class CountsARowTwice(Leaky):
    def rows(self, items: Items, where: Any, limit: Any, key: Any) -> pa.Table:
        table = super().rows(items, where, limit, key)
        return pa.concat_tables([table, table.slice(0, 1)])


class LosesARow(Leaky):
    def rows(self, items: Items, where: Any, limit: Any, key: Any) -> pa.Table:
        return super().rows(items, where, limit, key).slice(1)


class FillsMissingValues(Leaky):
    def rows(self, items: Items, where: Any, limit: Any, key: Any) -> pa.Table:
        table = super().rows(items, where, limit, key)
        filled = [pc.fill_null(c, "") if pa.types.is_string(c.type) else c for c in table.columns]
        return pa.Table.from_arrays(filled, schema=table.schema)


class TellsInItsSchema(Leaky):
    """As engines do that keep the source's statistics beside the columns."""

    def rows(self, items: Items, where: Any, limit: Any, key: Any) -> pa.Table:
        return super().rows(items, where, limit, key).replace_schema_metadata({"stats": NOTE})


class SendsWhatItFilteredOut(Leaky):
    """The rows beyond are cut off by an offset, and are still in the buffers that dictionaries carry."""

    def rows(self, items: Items, where: Any, limit: Any, key: Any) -> pa.Table:
        table = super().rows(items, where, limit, key)
        every = super().rows([MaskedItem("street")], None, None, key).column(0).combine_chunks()
        place = table.column_names.index("street")
        if table.schema.field(place).type != pa.string():
            return table
        known = pa.concat_arrays([pa.array(table.column(place).to_pylist(), pa.string()), every]).dictionary_encode()
        return table.set_column(place, "street", known.slice(0, table.num_rows))


class SharesOneHash(Leaky):
    """A hash of one answer that is the same in all columns and rows."""

    def rows(self, items: Items, where: Any, limit: Any, key: Any) -> pa.Table:
        table = super().rows(items, where, limit, key)
        for place, item in enumerate(items):
            if item.mask.action == "sha256_query":
                same = pc.if_else(pc.is_valid(table.column(place)), "0" * 64, pa.scalar(None, pa.string()))
                table = table.set_column(place, table.schema.field(place), same)
        return table


class UsesAnotherKey(Leaky):
    def rows(self, items: Items, where: Any, limit: Any, key: Any) -> pa.Table:
        return super().rows(items, where, limit, bytes(32))


class ForgetsMarks(Leaky):
    def rows(self, items: Items, where: Any, limit: Any, key: Any) -> pa.Table:
        return super().rows([MaskedItem(item.name, item.mask) for item in items], where, limit, key)


LEAKY = [one for one in globals().values() if isinstance(one, type) and issubclass(one, Leaky) and one is not Leaky]


def caught(kind: Callable[..., Leaky], folder: Path) -> bool:
    """Whether any policy of the default run finds it."""
    parquet("fresh", folder, "").close()
    source = kind(folder / "x.parquet", index_folder=folder / "index")
    rows = ENGINES["parquet"].rows()
    for number, policy in enumerate(policies(SCHEMA, 0)):
        try:
            check(source, rows, policy, number)
        except Leak:
            return True
    return False


@pytest.mark.parametrize("kind", LEAKY, ids=lambda kind: kind.__name__)
def test_a_leaky_adapter_is_caught(kind: type[Leaky], tmp_path: Path) -> None:
    assert caught(kind, tmp_path)


def test_an_adapter_that_keeps_to_its_grant_is_not(tmp_path: Path) -> None:
    parquet("fresh", tmp_path, "").close()
    source = Leaky(tmp_path / "x.parquet", index_folder=tmp_path / "index")
    for number, policy in enumerate(policies(SCHEMA, 0)):
        if number % 8 == 0:
            check(source, ENGINES["parquet"].rows(), policy, number)


def test_an_error_that_says_a_value_is_caught() -> None:
    for told in (ValueError(NOTE), SourceFailed().with_traceback(None)):
        error = SourceFailed()
        error.__cause__ = told
        texts = error_texts(error).encode()
        if NOTE in str(told):
            with pytest.raises(Leak):
                hide_nothing(texts, {NOTE.encode()}, "an error")
        else:
            hide_nothing(texts, {NOTE.encode()}, "an error")


def test_masking_in_memory_is_the_reference_of_no_test(tmp_path: Path) -> None:
    """The reference shares no code with the product: it says the same of a table that the product never saw."""
    from tests.leaks import naive

    assert not [name for name, value in vars(naive).items() if getattr(value, "__module__", "").startswith("hutong")]
    assert mask_table.__module__.startswith("hutong")
