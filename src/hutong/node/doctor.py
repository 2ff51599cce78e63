"""`hutong doctor`: every check does the real thing once, never only looks whether a port is open."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from hutong.node import checkup, directory
from hutong.node.checkup import Check, Finding, State
from hutong.node.client import NodeClient, SignedAnswer
from hutong.node.keyring import ring
from hutong.node.keys import load_log_key, load_node_keys, too_open
from hutong.node.models import Member, OutboxMessage
from hutong.node.settings import Settings
from hutong.node.signatures import WINDOW_S
from hutong.vocabulary.errors import Refused

LEAST_FREE_BYTES = 1024**3  # below this a node soon cannot write its ledger: fail
LOW_FREE_BYTES = 10 * 1024**3
CLOCK_WARN_S = 5.0
OLD_COPY_S = 3600.0
WAIT_FOR_PEER_S = 5.0


def examine(settings: Settings) -> list[Finding]:
    """Run every check. One that breaks is a finding, not the end of the examination."""
    checks: list[tuple[str, Check]] = [
        ("keys", _keys),
        ("database", _database),
        ("disk", _disk),
        ("directory", _directory),
        ("peers", _peers),
        ("outbox", _outbox),
        ("ledger", _ledger),
        *checkup.further(),
    ]
    findings: list[Finding] = []
    for name, check in checks:
        try:
            findings.extend(check(settings))
        except Refused as refused:
            findings.append(Finding(name, "fail", f"{refused.say('en')} {refused.next_step('en')}"))
        # The edge: a check that breaks is the finding, and the others still run.
        except Exception as error:
            findings.append(Finding(name, "fail", f"the check broke: {type(error).__name__}: {error}"[:300]))
    return findings


def show(findings: list[Finding]) -> None:
    """Print the findings as a table; a state is a word as well as a colour."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    colours = {"ok": "green", "warn": "yellow", "fail": "red"}
    table = Table(box=None, pad_edge=False)
    for heading in ("state", "check", "finding"):
        table.add_column(heading, overflow="fold")
    for finding in findings:
        table.add_row(Text(finding.state, style=colours[finding.state]), finding.check, Text(finding.said))
    Console().print(table)


def _keys(settings: Settings) -> Iterator[Finding]:
    loose = too_open(settings.keys_folder)
    if loose:
        yield Finding("keys", "fail", f"others can read {', '.join(loose)}: chmod -R go= {settings.keys_folder}")
    for key in [*load_node_keys(settings), load_log_key(settings)]:
        key.private.public_key().verify(key.sign(b"hutong doctor"), b"hutong doctor")
        yield Finding("keys", "ok", f"{key.keyid} signs and verifies")
    ring().refresh(at_once=True)
    yield Finding("keys", "ok", f"messages are signed by {ring().signing_key().keyid}")


def _database(_settings: Settings) -> Iterator[Finding]:
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    from hutong.node.models import SeenNonce

    started = time.perf_counter()
    nonce = f"doctor-{time.time_ns()}"
    SeenNonce.objects.create(keyid="doctor", nonce=nonce, seen_at=datetime.now(UTC))
    SeenNonce.objects.filter(keyid="doctor", nonce=nonce).delete()
    took_ms = (time.perf_counter() - started) * 1000
    yield Finding(
        "database", "ok" if took_ms < 500 else "warn", f"{connection.vendor}: two commits in {took_ms:.0f} ms"
    )
    executor = MigrationExecutor(connection)
    if waiting := executor.migration_plan(executor.loader.graph.leaf_nodes()):
        yield Finding("database", "fail", f"{len(waiting)} migrations wait; restart with hutong serve")


def _disk(settings: Settings) -> Iterator[Finding]:
    usage = shutil.disk_usage(settings.home)
    state: State = "fail" if usage.free < LEAST_FREE_BYTES else "warn" if usage.free < LOW_FREE_BYTES else "ok"
    yield Finding("disk", state, f"{usage.free / 1024**3:.1f} GiB free under {settings.home}")


def _directory(settings: Settings) -> Iterator[Finding]:
    copy = directory.copy()
    if copy is None:
        yield Finding("directory", "warn", "this node has not joined a region: hutong join DIR INVITATION")
        return
    age_s = (datetime.now(UTC) - copy.fetched_at).total_seconds()
    old = age_s > OLD_COPY_S and not settings.keeps_directory
    age = "" if settings.keeps_directory else f", taken over {age_s / 60:.0f} min ago"
    yield Finding("directory", "warn" if old and age_s > 86400 else "ok", f"version {copy.version}{age}")
    own = Member.objects.filter(jurisdiction=settings.jurisdiction).first()
    if own is None:
        yield Finding("directory", "fail", "the directory does not list this node: join again")
    elif (own.base_url, own.exchange_url) != (settings.base_url, settings.exchange_url):
        yield Finding(
            "directory", "fail", f"the directory sends others to {own.base_url}, settings say {settings.base_url}"
        )


def _peers(_settings: Settings) -> Iterator[Finding]:
    others = directory.others()
    for peer, answer in zip(others, asyncio.run(_ping_all(others)), strict=True):
        name = f"peer {peer.jurisdiction}"
        if isinstance(answer, Refused):
            yield Finding(name, "fail", answer.say("en"))
            continue
        if answer.status != 200 or not answer.signed:
            said = str(answer.object().get("title", "no reason given"))
            yield Finding(name, "fail", f"it answered {answer.status}: {said}")
            continue
        yield Finding(name, "ok", f"a signed round trip to {peer.base_url} worked")
        yield _clock(name, answer)


async def _ping_all(others: list[Member]) -> list[SignedAnswer | Refused]:
    async with NodeClient(ring()) as client:

        async def ping(peer: Member) -> SignedAnswer | Refused:
            try:
                address = peer.base_url + "/hutong/ping"
                return await client.call("GET", address, peer=peer.jurisdiction, timeout_s=WAIT_FOR_PEER_S)
            except Refused as refused:
                return refused

        return list(await asyncio.gather(*(ping(peer) for peer in others)))


def _clock(name: str, answer: SignedAnswer) -> Finding:
    theirs = parsedate_to_datetime(answer.headers["Date"])
    apart_s = abs((datetime.now(UTC) - theirs).total_seconds())
    state: State = "fail" if apart_s > WINDOW_S else "warn" if apart_s > CLOCK_WARN_S else "ok"
    return Finding("clock", state, f"{apart_s:.0f} s from that of {name}; messages are refused beyond {WINDOW_S} s")


def _outbox(_settings: Settings) -> Iterator[Finding]:
    given_up = OutboxMessage.objects.exclude(failed_at=None).count()
    waiting = OutboxMessage.objects.filter(delivered_at=None, failed_at=None, attempts__gt=2).count()
    if given_up:
        yield Finding("outbox", "warn", f"{given_up} messages were refused or given up: hutong outbox DIR")
    state: State = "warn" if waiting else "ok"
    yield Finding("outbox", state, f"{waiting} messages could not be delivered at first and are tried again")


def _ledger(settings: Settings) -> Iterator[Finding]:
    from hutong.ledger.verify import verify_files
    from hutong.node import duties

    duties.sequence()
    audit = verify_files(settings.ledger_folder)
    if audit.checkpoint is None or not audit.holds:
        yield Finding("ledger", "fail", f"{len(audit.faults)} faults: hutong ledger verify DIR")
        return
    witnesses = ", ".join(audit.witnesses) or "nobody yet"
    yield Finding("ledger", "ok", f"all {audit.checkpoint.size} entries verify; witnessed by {witnesses}")
