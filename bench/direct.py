"""The limit of bench/query: the same SQLite file served by the same server with nothing in between."""

from __future__ import annotations

import os
import sqlite3

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

_connection = sqlite3.connect(os.environ["BENCH_SOURCE"], check_same_thread=False)
_connection.row_factory = sqlite3.Row


async def company(request: Request) -> JSONResponse:
    rows = _connection.execute(
        "SELECT code, name, type, industry, province, city, district, registered_on, address, phone"
        " FROM companies WHERE code = ?",
        (request.path_params["code"],),
    ).fetchall()
    return JSONResponse([dict(row) for row in rows])


app = Starlette(routes=[Route("/companies/{code}", company)])
