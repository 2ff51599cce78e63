"""The limit of bench/sharing: one Parquet file as a Delta Sharing table, with no key, no agreement and no record."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from hutong.exchange.sharing.lines import schema_string

FILE = Path(os.environ["BENCH_FILE"])
TABLE = "/shares/s/schemas/s/tables/rows"


def lines(*answers: dict[str, Any]) -> Response:
    content = b"".join(orjson.dumps(one) + b"\n" for one in answers)
    return Response(content, headers={"delta-table-version": "0"}, media_type="application/x-ndjson")


def head() -> tuple[dict[str, Any], ...]:
    schema = schema_string(pq.read_schema(FILE), "parquet")
    described = {"id": "1", "format": {"provider": "parquet"}, "schemaString": schema, "partitionColumns": []}
    return {"protocol": {"minReaderVersion": 1}}, {"metaData": described}


async def metadata(_: Request) -> Response:
    return lines(*head())


async def query(request: Request) -> Response:
    file = {"url": f"{request.base_url}file", "id": "1", "partitionValues": {}, "size": FILE.stat().st_size}
    return lines(*head(), {"file": file})


async def content(_: Request) -> Response:
    return FileResponse(FILE, media_type="application/octet-stream")


app = Starlette(
    routes=[
        Route(TABLE + "/metadata", metadata),
        Route(TABLE + "/query", query, methods=["POST"]),
        Route("/file", content),
    ]
)
