"""What a node does by itself: follow the directory, keep its log in step with its database, tidy up."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from hutong.ledger.entries import signed_size
from hutong.ledger.sequencer import ROUND_ENTRIES, Pace, sequence_once
from hutong.node import work
from hutong.node.ledger_host import WitnessRounds
from hutong.node.settings import current

FOLLOW_EVERY_S = 300.0
# Not woken by each act: a checkpoint a second serves every act of that second, and no act waits for its round.
LEDGER_EVERY_S = 1.0
# A round shares its process with the exchange: 6,500 entries at once held queries up for 200 ms. In slices with rests
# it takes a third of one thread at most, some milliseconds at a time.
LEDGER_PACE = Pace(slice_entries=512, rest=2.0)
WITNESS_EVERY_S = 5.0
TIDY_EVERY_S = 3600.0
FOLLOW_AT_MOST_EVERY = timedelta(seconds=5)
KEEP_MESSAGES = timedelta(days=30)  # closed messages stay readable so long; owner: node

log = logging.getLogger("hutong.duties")


def take_on() -> None:
    """Register the node's own work. Runs only in the process that does the work (work.py)."""
    work.register("directory", follow_directory, FOLLOW_EVERY_S)
    work.register("ledger", sequence, LEDGER_EVERY_S)
    work.register_aside("witness", _witness_rounds().run, WITNESS_EVERY_S)
    work.register("tidy", tidy, TIDY_EVERY_S)


@lru_cache(maxsize=1)
def _witness_rounds() -> WitnessRounds:
    """One for the process: it remembers what each witness knows."""
    return WitnessRounds()


def follow_directory() -> None:
    """Fetch the keeper's directory, in case a push did not reach us. Woken when an unknown key knocks."""
    from hutong.node import directory, membership
    from hutong.node.client import NodeClient
    from hutong.node.keyring import ring
    from hutong.vocabulary.errors import Refused

    settings, copy = current(), directory.copy()
    addresses = ring().addresses(directory.keeper())
    if settings.keeps_directory or copy is None or addresses is None:
        return
    if datetime.now(UTC) - copy.fetched_at < FOLLOW_AT_MOST_EVERY:
        return

    async def fetch() -> dict[str, object]:
        async with NodeClient(ring()) as client:
            # Open and unsigned: the document carries its own signature.
            return (await client.call("GET", addresses[0] + membership.PATH, peer="")).object()

    try:
        membership.take_copy(asyncio.run(fetch()))
    except Refused as refused:
        log.warning("the directory was not refreshed, the copy of version %d stays: %s", copy.version, refused)


def sequence() -> None:
    """Give every waiting ledger entry its place, write its tiles, and sign the checkpoint."""
    from hutong.node.keys import load_log_key

    settings = current()
    key = load_log_key(settings)

    def once() -> int:
        return sequence_once(settings.ledger_folder, key, key.keyid, pace=LEDGER_PACE)

    size = signed_size(settings.ledger_folder)
    while (grown := once()) - size >= ROUND_ENTRIES:  # a full one: more may wait
        size = grown


def tidy() -> None:
    """Forget old nonces and closed messages."""
    from django.db.models import Q

    from hutong.node import replay
    from hutong.node.models import InboxMessage, OutboxMessage

    now = datetime.now(UTC)
    replay.forget_old(now)
    old = now - KEEP_MESSAGES
    OutboxMessage.objects.filter(Q(delivered_at__lt=old) | Q(failed_at__lt=old)).delete()
    InboxMessage.objects.filter(received_at__lt=old).delete()
