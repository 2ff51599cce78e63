"""Fetching what did not arrive: after joining, after an outage, after a restore.

Entries are sent as they are published (federation.py). This asks the other side's feed of changes (feed.py) for
whatever came since the last reading, and takes it by the same rules, so that it makes no difference which route was
faster or how many there were. A member asks its keeper for everybody's; the keeper asks each member for its own, and
so does a member while the keeper is away.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from django.db import transaction

from hutong.control.catalogue import federation, feed
from hutong.control.catalogue.dataset import CONTEXT, DSP_PATH, BadEntry
from hutong.control.catalogue.models import Harvest
from hutong.node import directory
from hutong.node.client import NodeClient
from hutong.node.keyring import ring
from hutong.node.settings import current
from hutong.vocabulary.errors import Refused

LOOK_EVERY_S = 5.0  # how soon after joining the first reading begins
EVERY = timedelta(minutes=15)  # between readings of one feed: what was sent is here already; owner: catalogue
AGAIN_AFTER = timedelta(minutes=1)  # when it did not answer
A_PAGE = 100  # entries
MOST_PAGES = 100_000  # of one reading; a feed that never ends is left

log = logging.getLogger("hutong.harvest")


class FeedBroken(Refused):
    """{peer} answered {status} to a request for its catalogue's changes."""

    zh = "向 {peer} 索取目录变更，答复状态为 {status}。"
    code = "feed_broken"
    status = 502
    next_en = "Ask the people who run that node; both must run versions that know changes."
    next_zh = "请联系该节点的运维人员；双方节点的版本都须支持目录变更查询。"


@dataclass(frozen=True)
class Reading:
    """What came of reading one feed."""

    peer: str
    taken: int = 0  # entries that were new, or newer
    refused: int = 0
    failure: Refused | None = None


def harvest() -> list[Reading]:
    """Read every feed that is due. The keeper's stands for all; while it is away, each member's own is read."""
    settings = current()
    if directory.copy() is None:
        return []
    if settings.keeps_directory:
        return _read_all([one.jurisdiction for one in directory.others()])
    readings = _read_all([directory.keeper()])
    if _last(directory.keeper()).failed:
        everyone = [one.jurisdiction for one in directory.others()]
        readings += _read_all([one for one in everyone if one != directory.keeper()])
    return readings


def read(peer: str, *, again: bool = False) -> Reading:
    """Read one node's feed from where we left off. Every page is kept as it comes: a cut loses nothing.

    peer    a member: the keeper, whose feed has everybody's entries, or another, of which we take its own
    again   from the very beginning
    """
    row = _last(peer)
    copy = directory.copy()
    version = copy.version if copy else 0
    if again or (row.refused_under is not None and row.refused_under < version):
        row.cursor, row.refused_under = "", None
    taken = refused = 0
    failure: Refused | None = None
    ring().refresh(at_once=True)  # a round that begins with joining knows the keys that came with it
    try:
        for catalog in _pages(peer, row):
            for entry in feed.signed_entries(catalog):
                try:
                    with transaction.atomic():
                        taken += federation.accept(entry, peer)
                except BadEntry as bad:
                    refused += 1
                    log.warning("an entry in the feed of %s was not taken: %s", peer, bad)
            row.cursor = str(catalog.get("hutong:cursor", ""))[:40]
            row.refused_under = version if refused else row.refused_under
            row.save()
    except Refused as caught:
        failure = caught
        log.warning("the feed of %s was not read to its end: %s", peer, caught)
    row.failed, row.asked_at = failure is not None, datetime.now(UTC)
    row.save()
    return Reading(peer, taken, refused, failure)


def _read_all(peers: list[str]) -> list[Reading]:
    return [read(one) for one in peers if _is_due(_last(one))]


def _last(peer: str) -> Harvest:
    return Harvest.objects.filter(peer=peer).first() or Harvest(peer=peer)


def _is_due(row: Harvest) -> bool:
    pause = AGAIN_AFTER if row.failed else EVERY
    return row.asked_at is None or datetime.now(UTC) - row.asked_at >= pause


def _pages(peer: str, row: Harvest) -> Iterator[dict[str, Any]]:
    """The pages that follow the row's cursor, which the caller moves on.

    raises   NoAnswer, UnsignedAnswer, FeedBroken, UnknownMember
    """
    url = f"{directory.member(peer).base_url}{DSP_PATH}/catalog/request"
    keys = ring()
    keys.refresh()  # here, in a thread: the client's coroutines may not read the database
    with asyncio.Runner() as runner:
        client = NodeClient(keys)
        try:
            for _ in range(MOST_PAGES):
                body = orjson.dumps(_question(peer, row.cursor))
                answer = runner.run(client.call("POST", url, body, peer=peer))
                catalog = answer.object()
                if answer.status != 200 or not isinstance(catalog.get("hutong:cursor"), str):
                    raise FeedBroken(peer=peer, status=answer.status)
                before = row.cursor
                yield catalog
                if catalog.get("hutong:more") is not True or row.cursor == before:
                    return
        finally:
            runner.run(client.close())


def _question(peer: str, cursor: str) -> dict[str, Any]:
    origin = feed.ANY if peer == directory.keeper() else peer
    wanted = {"hutong:changes": cursor, "hutong:origin": origin, "hutong:limit": A_PAGE}
    return {"@context": [CONTEXT], "@type": "CatalogRequestMessage", "filter": [wanted]}
