"""Two real nodes with grants in force, without the steps that lead there: Jiangsu provides, Anhui consumes.

with pair(folder, {"s1": {"kind": "sqlite", "location": "/...", "table": "companies"}}, {AGREEMENT: {...}}) as nodes:
    nodes.connect().read(AGREEMENT, purpose=PURPOSE, case="1").to_arrow()
"""

from __future__ import annotations

import base64
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import psycopg
from psycopg.rows import dict_row

import hutong
import tests.conftest  # noqa: F401 - gives this process a node of its own to be settings of
from tests.nodes import Node, Region

PROVIDER, CONSUMER = "320000", "340000"
DEPARTMENT = "11370800MB28559184"
PURPOSE = "licensing"

# Run inside a node's own environment: each node is its own Django.
_GRANT = """
import base64, json, sys
from datetime import UTC, datetime, timedelta
from django.db import transaction
from hutong.exchange.grants import Grant, GrantedItem, put
from hutong.exchange.grants.ranges import Ranges
from hutong.exchange.models import Source
from hutong.node.keys import seal
given = json.load(sys.stdin)
now = datetime.now(UTC)
always = Ranges(((now - timedelta(days=1), now + timedelta(days=1)),))
with transaction.atomic():
    for name, source in given["sources"].items():
        location = seal(source["location"].encode())
        Source.objects.create(id=name, department=given["department"], name=name, kind=source["kind"],
            location=location, table=source.get("table", ""), check_ok=True)
    for agreement, terms in given["grants"].items():
        codes = terms.pop("codes", {})
        items = tuple(GrantedItem(name, mask, codes.get(name, "")) for name, mask in terms.pop("items").items())
        put(Grant(**{"agreement": agreement, "provider": "320000", "consumer": "340000", "resource": "r",
            "purposes": (given["purpose"],), "where": None, "quota_calls": None, "quota_calls_per_day": None,
            "quota_rows": None, "rate_per_s": None, "in_force": always,
            "pseudonym_key": base64.b64encode(seal(base64.b64decode(given["key"]))).decode(), **terms},
            items=items), "active")
"""
_SUBSCRIBE = """
import json, secrets, sys
from hutong.exchange.models import ApiKey, Entitlement
from hutong.vocabulary.canonical import digest
given = json.load(sys.stdin)
ApiKey.objects.create(key_digest=digest(given["key"].encode()), prefix=given["key"][:10],
    department=given["department"], application="tests")
for agreement in given["agreements"]:
    Entitlement.objects.create(agreement_id=agreement, provider="320000", department=given["department"],
        exchange_url="http://127.0.0.1", state="active", case_key=secrets.token_bytes(32))
"""
_SET_STATE = """
import json, sys
from hutong.exchange.grants import set_state
given = json.load(sys.stdin)
set_state(given["agreement"], given["state"])
"""


@dataclass
class Pair:
    """The provider and the consumer, serving."""

    region: Region
    key: str  # the application's API key at the consumer

    @property
    def provider(self) -> Node:
        return self.region[PROVIDER]

    @property
    def consumer(self) -> Node:
        return self.region[CONSUMER]

    @property
    def consumer_address(self) -> tuple[str, int]:
        host, _, port = self.consumer.settings.listen.rpartition(":")
        return host, int(port)

    def connect(self) -> hutong.Connection:
        return hutong.connect(self.consumer.base_url, self.key, progress=False)

    def set_state(self, agreement: str, state: str) -> None:
        """Suspend, resume or end at the provider."""
        self.provider.python(_SET_STATE, {"agreement": agreement, "state": state})

    def request(self, agreement: str, body: Mapping[str, Any], accept: str = "application/json") -> bytes:
        """One read at the consumer's door, as the bytes of an HTTP request."""
        content = orjson.dumps(body)
        head = (
            f"POST /exchange/v1/agreements/{agreement}/read HTTP/1.1\r\n{self._headers(accept)}"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        return head.encode("ascii") + content

    def lookup(self, agreement: str, item: str, value: str) -> bytes:
        """One record by GET, as the bytes of an HTTP request."""
        address = f"/exchange/v1/agreements/{agreement}/read?key={item}&value={value}"
        return f"GET {address} HTTP/1.1\r\n{self._headers('application/json')}\r\n".encode("ascii")

    def _headers(self, accept: str) -> str:
        return (
            f"Host: node\r\nAuthorization: Bearer {self.key}\r\nHutong-Purpose: {PURPOSE}\r\n"
            f"Hutong-Case: 2026-1\r\nAccept: {accept}\r\n"
        )

    def register(self, node: Node, exchange: str = "") -> list[dict[str, Any]]:
        """A node's register, oldest first; of one exchange where it is named."""
        rows = query(node, "SELECT * FROM exchange_record ORDER BY id")
        return [row for row in rows if exchange in ("", row["exchange_id"])]


@contextmanager
def pair(
    folder: Path,
    sources: Mapping[str, Mapping[str, str]],
    grants: Mapping[str, Mapping[str, Any]],
    *arguments: str,
    databases: Callable[[str], str] | None = None,
    environment: Mapping[str, str] | None = None,
    exchange_urls: Mapping[str, str] | None = None,
    arguments_of: Mapping[str, tuple[str, ...]] | None = None,
    keeper_rests: bool = True,
) -> Iterator[Pair]:
    """Two joined nodes with the grants in force; the region's node keeps the directory and rests.

    sources      id: {"kind", "location", "table"}
    grants       agreement: {"source": id, "items": {name: mask}, and what differs from an unlimited grant}
    arguments    for hutong serve
    databases    a PostgreSQL URL for each node; SQLite when not given
    environment  settings of every node (HUTONG_...)
    exchange_urls  where others reach a node's exchange, by jurisdiction
    arguments_of   for hutong serve of one node, in place of `arguments`
    keeper_rests   False: the region's node goes on
    """
    with Region(folder, databases) as region:
        region.environment |= environment or {}
        region.exchange_urls |= exchange_urls or {}
        region.arguments_of |= arguments_of or {}
        region.start("yrd", PROVIDER, CONSUMER, arguments=arguments)
        if keeper_rests:
            region["yrd"].stop()  # the members go on with their copy of the directory
        made = Pair(region, "hk_" + secrets.token_urlsafe(32))
        made.provider.python(
            _GRANT,
            {
                "sources": dict(sources),
                "grants": {agreement: dict(terms) for agreement, terms in grants.items()},
                "department": DEPARTMENT,
                "purpose": PURPOSE,
                "key": base64.b64encode(secrets.token_bytes(32)).decode("ascii"),
            },
        )
        made.consumer.python(_SUBSCRIBE, {"key": made.key, "department": DEPARTMENT, "agreements": list(grants)})
        yield made


def query(node: Node, statement: str) -> list[dict[str, Any]]:
    """Look into a node's database."""
    if url := node.environment.get("DATABASE_URL"):
        with psycopg.connect(url, row_factory=dict_row) as database:
            return database.execute(statement.encode()).fetchall()
    with closing(sqlite3.connect(f"file:{node.home / 'node.db'}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(statement)]
