"""Meter files: made by the node for each day and partner, told to the partner, compared with the partner's own.

A file is made when its day is over. Should the register say something else later (a stream that ended after midnight,
an exchange recovered after a crash), a further version says so; the earlier one stays.
"""

from __future__ import annotations

import base64
import binascii
from datetime import date, timedelta
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from django.db import transaction

from hutong.control.metering import measuring, rules
from hutong.control.metering.models import MeterComparison, MeterFile
from hutong.control.metering.rules import BadMeter
from hutong.control.statute.day import today
from hutong.ledger.record import record
from hutong.node.directory import others
from hutong.node.events import Event, on_event, post_event
from hutong.node.keyring import ring
from hutong.node.receiving import Peer
from hutong.node.settings import current
from hutong.vocabulary.canonical import canonical_bytes, digest

MAKE_EVERY_S: Final = 3600.0
LOOK_BACK_DAYS: Final = 7  # days whose register rows may still change
EVENT: Final = "meter.day"
SIGNED_PREFIX: Final = b"hutong meter v1\n"  # a signature over a meter file can stand for nothing else
ACTOR: Final = "rule:meter"


def make_due() -> None:
    """Make what is missing or has changed of the last days. Safe to run again."""
    for back in range(LOOK_BACK_DAYS, 0, -1):
        day = today() - timedelta(days=back)
        made = set(MeterFile.objects.filter(author=current().jurisdiction, day=day).values_list("peer", flat=True))
        for peer in sorted({*measuring.peers(day), *made}):
            make(day, peer)


@transaction.atomic
def make(day: date, peer: str) -> MeterFile | None:
    """The file of a day with a partner, or a further version where the register now says something else.

    returns   None when the newest version still says what the register does
    """
    us = current().jurisdiction
    lines = measuring.lines(day, peer)
    newest = newest_of(us, peer, day)
    if newest is not None and rules.read(bytes(newest.document))["lines"] == lines:
        return None
    version = newest.version + 1 if newest else 1
    head = {"v": rules.VERSION, "kind": rules.KIND, "author": us, "peer": peer, "day": day.isoformat()}
    said = {**head, "version": version, "lines": lines}
    document = canonical_bytes(said)
    key = ring().signing_key()
    signature = base64.b64encode(key.sign(SIGNED_PREFIX + document)).decode("ascii")
    made = _keep(said, document, signature, key.keyid)
    leaf = {"peer": peer, "day": day.isoformat(), "version": version, "meter": made.digest}
    record("meter.made", f"peer:{peer}", ACTOR, {**leaf, "lines": len(lines)}, commitment=leaf)
    if peer in {one.jurisdiction for one in others()}:
        post_event(peer, EVENT, f"{us}:{day.isoformat()}", wire(made))
    compare(day, peer)
    return made


@on_event(EVENT)
def take(peer: Peer, event: Event) -> None:
    """A partner's file of a day with us: kept as it came, and held beside ours.

    raises   BadMeter
    """
    document, said = signed(event.data)
    if (said["author"], said["peer"]) != (peer.jurisdiction, current().jurisdiction):
        raise BadMeter(reason="it is about other nodes", reason_zh="所涉节点不符")
    day = _day(said["day"])
    known = newest_of(said["author"], said["peer"], day)
    if known is not None and known.version >= said["version"]:
        return
    made = _keep(said, document, event.data["signature"], event.data["keyid"])
    leaf = {"peer": peer.jurisdiction, "day": said["day"], "version": said["version"], "meter": made.digest}
    record("meter.received", f"peer:{peer.jurisdiction}", f"node:{peer.jurisdiction}", leaf, commitment=leaf)
    compare(day, peer.jurisdiction)


def compare(day: date, peer: str) -> MeterComparison:
    """Hold the newest files of both sides beside each other, in the caller's transaction."""
    us = current().jurisdiction
    ours, theirs = newest_of(us, peer, day), newest_of(peer, us, day)
    found: list[dict[str, Any]] = []
    state = "waiting"
    if ours is not None and theirs is not None:
        mine, other = (rules.read(bytes(one.document))["lines"] for one in (ours, theirs))
        found = rules.differences(mine, other)
        state = "differs" if found else "agrees"
    versions = {"ours": ours.version if ours else 0, "theirs": theirs.version if theirs else 0}
    compared, _ = MeterComparison.objects.update_or_create(
        peer=peer, day=day, defaults={"state": state, "differences": found, **versions}
    )
    if state != "waiting":
        detail = {"day": day.isoformat(), "state": state, "differences": len(found), **versions}
        record("meter.compared", f"peer:{peer}", ACTOR, detail)
    return compared


def signed(given: dict[str, Any]) -> tuple[bytes, dict[str, Any]]:
    """A meter file from outside: its document as bytes, and read. raises   BadMeter unless its author signed it"""
    try:
        document = canonical_bytes(given["document"])
        value = binascii.a2b_base64(str(given["signature"]), strict_mode=True)
        keyid = str(given["keyid"])
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise BadMeter(reason="it has no document and signature", reason_zh="缺少文档或签名") from error
    said = rules.read(document)
    known = ring().lookup(keyid)
    if known is None or known.jurisdiction != said["author"]:
        raise BadMeter(
            reason=f"its key is not listed for {said['author']}", reason_zh=f"签名密钥未列在 {said['author']} 名下"
        )
    try:
        known.key.verify(value, SIGNED_PREFIX + document)
    except InvalidSignature as error:
        raise BadMeter(reason="its signature does not hold", reason_zh="签名不成立") from error
    return document, said


def newest_of(author: str, peer: str, day: date) -> MeterFile | None:
    return MeterFile.objects.filter(author=author, peer=peer, day=day).order_by("-version").first()


def wire(made: MeterFile) -> dict[str, Any]:
    """A file as it travels and as it is saved."""
    return {"document": rules.read(bytes(made.document)), "signature": made.signature, "keyid": made.keyid}


def _keep(said: dict[str, Any], document: bytes, signature: str, keyid: str) -> MeterFile:
    return MeterFile.objects.create(
        author=said["author"],
        peer=said["peer"],
        day=_day(said["day"]),
        version=said["version"],
        document=document,
        digest=digest(document),
        signature=signature,
        keyid=keyid,
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadMeter(reason="its day cannot be read", reason_zh="日期无法读取") from error
