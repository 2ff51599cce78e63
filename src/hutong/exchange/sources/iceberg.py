"""Iceberg tables, through a REST catalogue or a SQL one; installed with hutong[iceberg].

The table is loaded anew at every read, so each read is of one whole snapshot. Deletions by position are applied by
pyiceberg; a table with deletions by value, which it does not know, is refused. Conditions are handed
down only to leave files and row groups out; what is read is tested again, by the one meaning of conditions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from pathlib import Path
from typing import Any

import pyarrow as pa

from hutong.exchange.shaping.predicate import Predicate
from hutong.exchange.shaping.values import Kind, kind_of, literal
from hutong.exchange.sources.location import check_address, check_place
from hutong.exchange.sources.source import Source, cut, described, differing, guarded, needed, shareable
from hutong.exchange.sources.spec import SourceFailed, SourceOutside, SourceSpec, SourceUnreadable
from hutong.vocabulary.errors import Refused

try:
    from pyiceberg.catalog import Catalog
    from pyiceberg.catalog.rest import RestCatalog
    from pyiceberg.catalog.sql import SqlCatalog
    from pyiceberg.exceptions import NoSuchNamespaceError, NoSuchTableError
    from pyiceberg.expressions import (
        AlwaysTrue,
        And,
        BooleanExpression,
        EqualTo,
        GreaterThan,
        GreaterThanOrEqual,
        In,
        LessThan,
        LessThanOrEqual,
        Or,
    )
    from pyiceberg.io.pyarrow import ArrowScan, PyArrowFileIO, _read_all_delete_files, schema_to_pyarrow
    from pyiceberg.table import DataScan, FileScanTask, Table
except ImportError as error:
    raise SourceUnreadable(
        kind="iceberg",
        reason="this node lacks what reads it: pip install 'hutong[iceberg]'",
        reason_zh="本节点缺少读取组件：pip install 'hutong[iceberg]'",
    ) from error

PRUNED = (Kind.TEXT, Kind.INTEGER, Kind.DATE)
TESTS: dict[str, Any] = {
    "eq": EqualTo,
    "lt": LessThan,
    "le": LessThanOrEqual,
    "gt": GreaterThan,
    "ge": GreaterThanOrEqual,
    "in": In,
}
EVERYTHING = AlwaysTrue()


class CheckedFileIO(PyArrowFileIO):
    """Opens what a table's metadata names, unless it lies where no source may: metadata is somebody else's text."""

    def new_input(self, location: str) -> Any:
        scheme, _, path = self.parse_location(location, self.properties)
        if scheme in ("s3", "s3a"):
            check_address(str(self.properties.get("s3.endpoint", "")))
        elif scheme == "file":
            check_place(Path(path))  # as it is opened: a "%" in it is a character of the name
        else:
            raise SourceOutside()
        return super().new_input(location)


class IcebergSource(Source):
    """One table, at its current snapshot."""

    def __init__(self, spec: SourceSpec) -> None:
        """raises   SourceRefused"""
        self._properties = _properties(spec)
        self._name = spec.table
        self._catalogue = _catalogue(spec, self._properties)
        table = self._table()
        self.schema, self.left_out = _schema(table)
        self.field_ids = _field_ids(table)

    def look(self) -> pa.Schema:
        return _schema(self._table())[0]

    def changes(self) -> str:
        snapshot = self._table().current_snapshot()
        return str(snapshot.snapshot_id) if snapshot else ""

    def count(self) -> int:
        first = self.fields(self.schema.names[:1])
        return sum(batch.num_rows for batch in guarded(first, self._scanned(self._table(), first.names, EVERYTHING)))

    def _rows(self, schema: pa.Schema, where: Predicate | None, limit: int | None) -> Iterator[pa.RecordBatch]:
        table = self._table()
        changed, ids = differing(described(self.schema), _schema(table)[0]), _field_ids(table)
        moved = [name for name in self.schema.names if ids.get(name) != self.field_ids[name]]
        if changed or moved:
            raise self.drifted(changed or moved)
        pruned = (_pruning(where, self.types()) if where else None) or EVERYTHING
        return cut(self._scanned(table, needed(schema, where), pruned), schema, where, limit)

    def close(self) -> None:
        pass

    def _table(self) -> Table:
        try:
            table = self._catalogue.load_table(self._name)
        except (NoSuchTableError, NoSuchNamespaceError):
            raise SourceUnreadable(
                kind="iceberg", reason="it has no table of that name", reason_zh="没有该名称的表"
            ) from None
        except Refused:
            raise
        except Exception:
            # Catalogues and their transports fail in many ways, and put addresses and keys into what they say.
            raise SourceFailed() from None
        table.io = CheckedFileIO(self._properties)  # not one that the table's own properties name
        return table

    def _scanned(self, table: Table, names: Sequence[str], pruned: BooleanExpression) -> Iterator[pa.RecordBatch]:
        scan = table.scan(row_filter=pruned, selected_fields=tuple(names))
        schema = self.fields(names)
        reader = ArrowScan(table.metadata, table.io, scan.projection(), pruned)
        for task in _planned(scan):
            # Its public reader decodes every file of the plan at once, into memory; this one goes batch by batch.
            deletes = _read_all_delete_files(table.io, [task])
            for batch in reader._record_batches_from_scan_tasks_and_deletes([task], deletes):
                columns = [batch.column(field.name).cast(field.type) for field in schema]
                yield pa.RecordBatch.from_arrays(columns, schema=schema)


def _planned(scan: DataScan) -> Iterable[FileScanTask]:
    """raises   SourceUnreadable"""
    try:
        return scan.plan_files()
    except (ValueError, NotImplementedError) as error:
        # The one thing of a table that it knows and does not read. Its text names a file, and is not passed on.
        if "equality deletes" not in str(error):
            raise
        raise SourceUnreadable(
            kind="iceberg",
            reason="rows of it are deleted by value (equality deletes), which is not read; let its writer rewrite"
            " the data files",
            reason_zh="表中有按值删除的记录（equality deletes），无法读取；请由写入方重写数据文件",
        ) from None


def _properties(spec: SourceSpec) -> dict[str, str]:
    """What every file is opened with. raises   AddressOutside"""
    given = spec.given
    if not given.get("endpoint"):
        return {}
    check_address(given["endpoint"])
    named = {
        "endpoint": "endpoint",
        "region": "region",
        "access_key": "access-key-id",
        "secret_key": "secret-access-key",
    }
    found = {f"s3.{name}": given[setting] for setting, name in named.items() if given.get(setting)}
    return {"s3.region": "us-east-1", **found, "s3.connect-timeout": "10", "s3.request-timeout": "60"}


def _catalogue(spec: SourceSpec, properties: dict[str, str]) -> Catalog:
    """raises   SourceOutside, AddressOutside, SourceFailed"""
    ours = {**properties, "py-io-impl": f"{__name__}.{CheckedFileIO.__name__}", "uri": spec.location}
    given = spec.given
    if given.get("warehouse"):
        ours["warehouse"] = given["warehouse"]
    try:
        if given.get("catalogue", "rest") == "sql":
            if spec.location.startswith("sqlite:"):
                check_place(Path(spec.location.partition("://")[2][1:]))
            return SqlCatalog(given.get("catalogue_name", "default"), **ours, init_catalog_tables="false")
        check_address(spec.location)
        if given.get("credential"):
            ours["credential"] = given["credential"]
            ours["oauth2-server-uri"] = given.get("token_address") or spec.location.rstrip("/") + "/v1/oauth/tokens"
            check_address(ours["oauth2-server-uri"])
        catalogue = RestCatalog("hutong", **ours)
        check_address(str(catalogue.uri))  # which its own configuration may have changed
        return catalogue
    except Refused:
        raise
    except Exception:
        raise SourceFailed() from None


def _schema(table: Table) -> tuple[pa.Schema, tuple[str, ...]]:
    said = schema_to_pyarrow(table.schema(), include_field_ids=False)
    return shareable(pa.schema([pa.field(one.name, _plain(one.type)) for one in said]))


def _field_ids(table: Table) -> dict[str, int]:
    return {one.name: one.field_id for one in table.schema().fields}


def _plain(type_: pa.DataType) -> pa.DataType:
    return pa.string() if pa.types.is_large_string(type_) else type_


def _pruning(where: Predicate, types: dict[str, pa.DataType]) -> BooleanExpression | None:
    """An expression that is true wherever the condition is; None where nothing can be left out."""
    if where.op in ("and", "or"):
        parts = [_pruning(one, types) for one in where.args]
        said = [one for one in parts if one is not None]
        if not said or (where.op == "or" and len(said) < len(parts)):
            return None
        return reduce(And if where.op == "and" else Or, said)
    type_ = types.get(where.item)
    if type_ is None or kind_of(type_) not in PRUNED or where.op not in (*TESTS, "between"):
        return None
    values: list[Any] = [literal(value, type_, where.item) for value in where.values]
    if pa.types.is_int32(type_) and any(abs(one) >= 2**31 for one in values):
        return None
    if where.op == "between":
        return And(TESTS["ge"](where.item, values[0]), TESTS["le"](where.item, values[1]))
    found: BooleanExpression = TESTS[where.op](where.item, values if where.op == "in" else values[0])
    return found
