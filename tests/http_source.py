"""A small real HTTP interface of an authority, described by OpenAPI: pages in every way, keys, tokens, bad days."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.serving import Handler, Serving

TYPES = {int: {"type": "integer"}, float: {"type": "number"}, bool: {"type": "boolean"}, str: {"type": "string"}}


def allow(address: str) -> None:
    """As the operator does by the setting source_addresses."""
    os.environ["HUTONG_SOURCE_ADDRESSES"] = f"{os.environ.get('HUTONG_SOURCE_ADDRESSES', '')} {address}".strip()


@dataclass
class Interface:
    """What it holds and how it behaves; tests change it while it serves."""

    rows: Sequence[Mapping[str, Any]]
    properties: dict[str, Any]
    required: list[str] = field(default_factory=list)
    tests: Mapping[str, Callable[[Mapping[str, Any], str], bool]] = field(default_factory=dict)
    expects: Mapping[str, str] = field(default_factory=dict)  # header or query parameter: value
    token: str = ""  # that a bearer must show
    fail: list[int] = field(default_factory=list)  # statuses of the next answers
    stuck: bool = False  # gives the first page for ever
    leads_to: str = ""  # where a redirection or the next page leads instead
    asked: list[str] = field(default_factory=list)
    tokens: int = 0

    def document(self) -> dict[str, Any]:
        names = [*self.tests, "page", "offset", "cursor", "size", "way", "key"]
        row = {"type": "object", "properties": self.properties, "required": self.required}
        listed = {"type": "array", "items": {"$ref": "#/components/schemas/Row"}}
        inner = {"type": "object", "properties": {"items": listed, "next": {"type": ["string", "null"]}}}
        answer = {"allOf": [{"type": "object", "properties": {"data": inner}}]}
        content = {"application/json": {"schema": {"$ref": "#/components/schemas/Answer"}}}
        found = {
            "operationId": "listRows",
            "parameters": [{"name": name, "in": "query", "schema": {"type": "string"}} for name in names],
            "responses": {"200": {"description": "rows", "content": content}},
        }
        schemas = {"Row": row, "Answer": answer}
        return {"openapi": "3.1.0", "paths": {"/v1/rows": {"get": found}}, "components": {"schemas": schemas}}


class Served(Serving):
    """Serves an interface; `address` is where."""

    def __init__(self, interface: Interface) -> None:
        class Answering(Handler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                _answer(self, interface)

            def do_POST(self) -> None:
                _grant(self, interface)

        super().__init__(Answering)
        self.interface = interface
        allow(self.address)


def _answer(asked: Handler, interface: Interface) -> None:
    parts = urlsplit(asked.path)
    query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    interface.asked.append(asked.path)
    if parts.path == "/openapi.json":
        return asked.answer(200, interface.document())
    if interface.fail:
        return asked.answer(interface.fail.pop(0), {"detail": "no"})
    bearer = asked.headers.get("Authorization") == f"Bearer {interface.token}"
    shown = {**dict(asked.headers.items()), **query}
    if (interface.token and not bearer) or any(shown.get(name) != one for name, one in interface.expects.items()):
        return asked.answer(401, {"detail": "who are you"})
    if interface.leads_to and "page" not in query:
        return asked.answer(302, {}, {"Location": interface.leads_to})
    return _page(asked, interface, query)


def _page(asked: Handler, interface: Interface, query: Mapping[str, str]) -> None:
    rows = [
        row
        for row in interface.rows
        if all(test(row, query[name]) for name, test in interface.tests.items() if name in query)
    ]
    size = min(int(query.get("size", "1000000")), 60)  # its own limit, whatever is asked for
    start = int(query.get("offset", 0)) or int(query.get("cursor", 0)) or (int(query.get("page", 1)) - 1) * size
    if not {"page", "offset", "cursor", "size"} & set(query):
        size = len(rows) or 1
    start = 0 if interface.stuck else start
    more = start + size < len(rows)
    headers = {}
    if query.get("way") == "link" and more:
        following = interface.leads_to or f"/v1/rows?way=link&size={size}&cursor={start + size}"
        headers["Link"] = f'<{following}>; rel="next"'
    following_cursor = str(start + size) if more else None
    asked.answer(200, {"data": {"items": rows[start : start + size], "next": following_cursor}}, headers)


def _grant(asked: Handler, interface: Interface) -> None:
    asked.body()
    interface.tokens += 1
    interface.token = f"token-{interface.tokens}"
    asked.answer(200, {"access_token": interface.token, "expires_in": 3600})
