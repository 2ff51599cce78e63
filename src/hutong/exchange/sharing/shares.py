"""Shares, schemas and tables: names for the agreements that a bound key may read.

A share is an agreement, named by its UUID; its one schema is the provider, its one table the agreed rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hutong.exchange.entitlements import Application, readable
from hutong.vocabulary.errors import BadInput, NotFound
from hutong.vocabulary.ids import uuid_of

TABLE = "rows"
MOST_AT_ONCE = 500  # of a list


@dataclass(frozen=True)
class Share:
    name: str  # the agreement's UUID
    agreement: str
    schema: str  # the provider's jurisdiction

    @property
    def table(self) -> dict[str, str]:
        return {"name": TABLE, "schema": self.schema, "share": self.name, "shareId": self.name, "id": self.name}


def shares_of(application: Application) -> list[Share]:
    """Agreements in force whose purposes hold the key's own. From a worker thread."""
    return [
        Share(uuid_of(one["agreement"]), one["agreement"], one["provider"].lower())
        for one in readable(application.department)
        if one["state"] == "active" and (not one["purposes"] or application.purpose in one["purposes"])
    ]


def find(shares: Sequence[Share], name: str) -> Share:
    """raises   NotFound, also for a share of others"""
    for one in shares:
        if one.name == name.lower():
            return one
    raise NotFound(what="share", name=name[:80])


def page(items: Sequence[dict[str, Any]], query: Mapping[str, str]) -> dict[str, Any]:
    """One page of a list, and where the next begins. raises   BadInput"""
    most, start = query.get("maxResults", str(MOST_AT_ONCE)), query.get("pageToken") or "0"
    if not (most.isascii() and most.isdigit() and start.isascii() and start.isdigit() and len(most + start) < 12):
        raise BadInput(
            reason="maxResults and pageToken are whole numbers", reason_zh="maxResults 和 pageToken 应为整数"
        )
    first, count = int(start), min(int(most), MOST_AT_ONCE)
    found: dict[str, Any] = {"items": list(items[first : first + count])}
    if count and first + count < len(items):
        found["nextPageToken"] = str(first + count)
    return found
