"""Deletions of an Iceberg table as other writers make them: in files beside the data, as the table's specification
says (version 2, "Delete Formats"). pyiceberg reads those of positions and writes none."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat, ManifestContent, ManifestWriter, ManifestWriterV2
from pyiceberg.partitioning import PartitionSpec
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Operation
from pyiceberg.table.update.snapshot import _FastAppendFiles
from pyiceberg.typedef import Record

PATH_ID, POSITION_ID = 2147483546, 2147483545  # reserved by the specification


class _DeleteManifest(ManifestWriterV2):
    def content(self) -> ManifestContent:
        return ManifestContent.DELETES

    @property
    def _meta(self) -> dict[str, str]:
        return {**super()._meta, "content": "deletes"}


class _Deletions(_FastAppendFiles):
    def new_manifest_writer(self, spec: PartitionSpec) -> ManifestWriter:
        return _DeleteManifest(spec, self.schema(), self.new_manifest_output(), self._snapshot_id, self._compression)


def delete_positions(table: Table, column: str, values: Iterable[Any], *, bounds: bool = False) -> None:
    """Delete the rows with these values by their places in the files, in one snapshot.

    bounds   state in the metadata which data file each deletion file speaks of, a deletion file for each data file
    """
    wanted = list(values)
    found: dict[str, list[int]] = {}
    for task in table.scan().plan_files():
        held = pq.read_table(task.file.file_path.removeprefix("file://"), columns=[column])[column].to_pylist()
        places = [place for place, value in enumerate(held) if value in wanted]
        if places:
            found[task.file.file_path] = places
    groups = [{path: places} for path, places in found.items()] if bounds else [found]
    files = []
    for group in groups:
        rows = [(path, place) for path, places in sorted(group.items()) for place in places]
        content = pa.Table.from_arrays(
            [pa.array([path for path, _ in rows]), pa.array([place for _, place in rows], pa.int64())],
            schema=pa.schema([_field("file_path", pa.string(), PATH_ID), _field("pos", pa.int64(), POSITION_ID)]),
        )
        edges = {PATH_ID: next(iter(group)).encode()} if bounds else None
        files.append(_written(table, content, DataFileContent.POSITION_DELETES, lower_bounds=edges, upper_bounds=edges))
    _commit(table, files)


def delete_equal(table: Table, column: str, values: Iterable[Any]) -> None:
    """Delete the rows with these values by the values themselves, in one snapshot."""
    field = table.schema().find_field(column)
    type_ = table.schema().as_arrow().field(column).type
    schema = pa.schema([_field(column, type_, field.field_id)])
    content = pa.Table.from_arrays([pa.array(list(values), type_)], schema=schema)
    _commit(table, [_written(table, content, DataFileContent.EQUALITY_DELETES, equality_ids=[field.field_id])])


def _field(name: str, type_: pa.DataType, number: int) -> pa.Field:
    return pa.field(name, type_, nullable=False, metadata={"PARQUET:field_id": str(number)})


def _written(table: Table, content: pa.Table, kind: DataFileContent, **more: Any) -> DataFile:
    address = f"{table.location()}/data/deletes-{uuid4()}.parquet"
    with table.io.new_output(address).create() as stream:
        pq.write_table(content, stream)
    file = DataFile.from_args(
        content=kind,
        file_path=address,
        file_format=FileFormat.PARQUET,
        partition=Record(),
        record_count=content.num_rows,
        file_size_in_bytes=len(table.io.new_input(address)),
        **more,
    )
    file.spec_id = table.spec().spec_id
    return file


def _commit(table: Table, files: Iterable[DataFile]) -> None:
    with table.transaction() as transaction:
        made = _Deletions(Operation.DELETE, transaction, table.io)
        for file in files:
            made.append_data_file(file)
        made.commit()
