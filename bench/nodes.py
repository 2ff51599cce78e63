"""Two real nodes for a benchmark: Jiangsu provides, Anhui consumes, the region keeps the directory and then rests."""

from __future__ import annotations

import base64
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import django
import orjson

import tests.conftest  # noqa: F401 - gives this process a node of its own to be settings of

django.setup()

from tests.nodes import Node, Region  # noqa: E402

PROVIDER, CONSUMER = "320000", "340000"
DEPARTMENT = "11370800MB28559184"
PURPOSE = "bench"
AGREEMENT = "urn:uuid:0192f0c1-7d35-7c3e-8a11-5f2d3c4b5a69"

# Run inside a node's own environment: each node is its own Django.
_GRANT = """
import base64, json, sys
from datetime import UTC, datetime, timedelta
from hutong.node.settings import setup
setup(sys.argv[1])
from django.db import transaction
from hutong.exchange.grants import Grant, GrantedItem, put
from hutong.exchange.models import Source
from hutong.node.keys import seal
given = json.load(sys.stdin)
with transaction.atomic():
    Source.objects.update_or_create(id=given["source"]["id"], defaults={
        **given["source"], "location": seal(given["source"]["location"].encode()), "check_ok": True})
    for agreement, terms in given["grants"].items():
        put(Grant(agreement=agreement, provider="320000", consumer="340000", resource="bench",
            source=given["source"]["id"], purposes=("bench",), where=terms["where"],
            items=tuple(GrantedItem(name, mask) for name, mask in terms["items"].items()),
            quota_calls_per_day=None, quota_rows=None, rate_per_s=None,
            starts_at=datetime.now(UTC) - timedelta(days=1), ends_at=datetime.now(UTC) + timedelta(days=1),
            pseudonym_key=base64.b64encode(seal(base64.b64decode(given["key"]))).decode()), "active")
"""
_SUBSCRIBE = """
import json, secrets, sys
from hutong.node.settings import setup
setup(sys.argv[1])
from hutong.exchange.models import ApiKey, Subscription
from hutong.vocabulary.canonical import digest
given = json.load(sys.stdin)
ApiKey.objects.create(key_digest=digest(given["key"].encode()), prefix=given["key"][:8],
    department=given["department"], application="bench")
for agreement in given["agreements"]:
    Subscription.objects.create(agreement_id=agreement, provider="320000", department=given["department"],
        exchange_url="http://127.0.0.1", state="active", case_key=secrets.token_bytes(32))
"""


@dataclass
class Pair:
    """The provider and the consumer, serving."""

    provider: Node
    consumer: Node
    key: str  # the application's API key at the consumer

    @property
    def consumer_address(self) -> tuple[str, int]:
        host, _, port = self.consumer.settings.listen.rpartition(":")
        return host, int(port)

    def request(self, agreement: str, body: Mapping[str, Any], accept: str = "application/json") -> bytes:
        """One read at the consumer's door, as bytes for the load generator."""
        content = orjson.dumps(body)
        head = (
            f"POST /exchange/v1/agreements/{agreement}/read HTTP/1.1\r\nHost: bench\r\n"
            f"Authorization: Bearer {self.key}\r\nHutong-Purpose: {PURPOSE}\r\nHutong-Case: 2026-1\r\n"
            f"Accept: {accept}\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        return head.encode("ascii") + content


@contextmanager
def pair(
    folder: Path, source: Mapping[str, Any], grants: Mapping[str, Mapping[str, Any]], *arguments: str
) -> Iterator[Pair]:
    """Two joined nodes with the grants in force.

    source   {"id", "kind", "location", "table"}
    grants   agreement: {"items": {name: mask}, "where": document or None}
    """
    with Region(folder) as region:
        region.start("yrd", PROVIDER, CONSUMER, arguments=arguments)
        region["yrd"].stop()  # the members go on with their copy; two cores are for what is measured
        key = "hk_" + secrets.token_urlsafe(32)
        pseudonym_key = base64.b64encode(secrets.token_bytes(32)).decode("ascii")
        described = {"department": DEPARTMENT, "name": "bench", "snapshot": "", **source}
        given = {"source": described, "grants": dict(grants), "key": pseudonym_key}
        _inside(region[PROVIDER], _GRANT, given)
        _inside(
            region[CONSUMER],
            _SUBSCRIBE,
            {"key": key, "department": DEPARTMENT, "agreements": list(grants)},
        )
        yield Pair(region[PROVIDER], region[CONSUMER], key)


def _inside(node: Node, code: str, given: Mapping[str, Any]) -> None:
    subprocess.run(
        [sys.executable, "-c", code, str(node.home)],
        input=orjson.dumps(given),
        env=node._environment(),
        check=True,
        timeout=60,
    )


def wait_s(seconds: float) -> None:
    """Let background work of the start settle before a measurement."""
    time.sleep(seconds)
