"""Answers of the Delta Sharing protocol: one JSON object a line, in the parquet and in the delta response format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson
import pyarrow as pa

from hutong.exchange.downloads import OpenedFile

CAPABILITIES = "delta-sharing-capabilities"
VERSION = "delta-table-version"
LINES_TYPE = b"application/x-ndjson; charset=utf-8"
_NAMES = {
    pa.int8(): "byte",
    pa.int16(): "short",
    pa.int32(): "integer",
    pa.int64(): "long",
    pa.uint8(): "short",
    pa.uint16(): "integer",
    pa.uint32(): "long",
    pa.uint64(): "decimal(20,0)",
    pa.float32(): "float",
    pa.float64(): "double",
    pa.bool_(): "boolean",
    pa.date32(): "date",
}


def chosen_format(capabilities: str) -> str:
    """parquet or delta: parquet where the reader takes both, because it reads it faster."""
    for part in capabilities.lower().replace(" ", "").split(";"):
        name, _, values = part.partition("=")
        if name == "responseformat" and "delta" in values.split(",") and "parquet" not in values.split(","):
            return "delta"
    return "parquet"


def head_lines(table: str, stated: Mapping[str, Any], schema: pa.Schema, form: str, version: int) -> Iterator[bytes]:
    """Protocol and metadata. `table` is the agreement's id, which never changes."""
    zoneless = any(pa.types.is_timestamp(one.type) and one.type.tz is None for one in schema)
    described: dict[str, Any] = {
        "id": table,
        "name": "rows",
        "format": {"provider": "parquet", "options": {}} if form == "delta" else {"provider": "parquet"},
        "schemaString": schema_string(schema, form),
        "partitionColumns": [],
        "configuration": {"delta.enableChangeDataFeed" if form == "delta" else "enableChangeDataFeed": "true"},
    }
    if form == "delta":
        features = {"readerFeatures": ["timestampNtz"], "writerFeatures": ["changeDataFeed", "timestampNtz"]}
        plain = {"minReaderVersion": 1, "minWriterVersion": 4}
        protocol = {"minReaderVersion": 3, "minWriterVersion": 7, **features} if zoneless else plain
        yield _line({"protocol": {"deltaProtocol": protocol}})
        described["createdTime"] = stated["made_at"]
        yield _line({"metaData": {"version": version, "deltaMetadata": described}})
        return
    yield _line({"protocol": {"minReaderVersion": 1}})
    yield _line({"metaData": {**described, "version": version}})


def file_line(file: OpenedFile, url: str, expires: int, form: str, *, of_changes: bool) -> bytes:
    """A file; its statistics are the number of its rows and no value of theirs."""
    identity = f"{file.digest.removeprefix('sha256:')[:32]}-{file.version}"
    common = {"id": identity, "version": file.version, "timestamp": file.made_at, "expirationTimestamp": expires * 1000}
    stats = orjson.dumps({"numRecords": file.rows}).decode()
    if form == "delta":
        action: dict[str, Any] = {"path": url, "partitionValues": {}, "size": file.bytes}
        if file.kind == "cdf":
            return _line({"file": {**common, "deltaSingleAction": {"cdc": {**action, "dataChange": False}}}})
        action |= {"modificationTime": file.made_at, "dataChange": True, "stats": stats}
        return _line({"file": {**common, "deltaSingleAction": {"add": action}}})
    described = {"url": url, **common, "partitionValues": {}, "size": file.bytes}
    if file.kind != "cdf":
        described["stats"] = stats
    return _line({file.kind if of_changes else "file": described})


def schema_string(schema: pa.Schema, form: str) -> str:
    """The schema as Spark writes it."""
    fields = [
        {"name": one.name, "type": _spark_type(one.type, form), "nullable": True, "metadata": {}} for one in schema
    ]
    return orjson.dumps({"type": "struct", "fields": fields}).decode()


def _spark_type(type_: pa.DataType, form: str) -> str:
    if pa.types.is_timestamp(type_):
        return "timestamp_ntz" if form == "delta" and type_.tz is None else "timestamp"
    if isinstance(type_, pa.Decimal128Type):
        return f"decimal({type_.precision},{type_.scale})"
    return _NAMES.get(type_, "string")


def _line(value: Any) -> bytes:
    return orjson.dumps(value) + b"\n"
