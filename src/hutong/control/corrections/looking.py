"""Reading the record a report is about: its values as digests of this ticket, and the grants that cover it.

The values never leave this module: what is kept is an HMAC under a key that is made for one ticket and stays with the
provider, so that nobody can try values against it, and old and new can still be told apart.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import orjson
from django.db import transaction
from django.utils import timezone

from hutong.control.agreements.models import Agreement
from hutong.control.agreements.transitions import Party
from hutong.control.corrections import content
from hutong.control.corrections.models import Correction
from hutong.exchange.converted import rows_of_local_key
from hutong.exchange.grants.book import Book, Opened
from hutong.exchange.grants.rules import Allowed
from hutong.exchange.models import ExchangeRecord
from hutong.exchange.records import json_rows_of, lookup_rows
from hutong.exchange.shaping.values import Kind, kind_of
from hutong.exchange.sources import Source
from hutong.ledger.record import record
from hutong.node.keys import seal, unseal
from hutong.vocabulary.canonical import canonical_bytes
from hutong.vocabulary.errors import Refused, Unavailable

LOOK: Final = "corrections.look"  # the work to wake
LOOK_EVERY_S: Final = 60.0
LOOKS_AT_ONCE: Final = 100
DIGEST_KEY_BYTES: Final = 32
RESTING: Final = ("suspended", "agreed")  # an agreement that shows nothing now and may again; the second: delivered

log = logging.getLogger("hutong.corrections")


@dataclass(frozen=True)
class Seen:
    """A record as it stands in the source."""

    digests: dict[str, str]  # item: "hmac-sha256:..."; "" where the source has no such record
    reached: dict[str, str | int]  # agreement: the key's value as this agreement shows it, where its grant covers it
    keys: list[
        str | int
    ]  # the key's value as the source holds it; several where one code stands for several local ones
    resting: list[str]  # agreements about this resource that show nothing now, and may again


def look_at_all() -> None:
    """Read what new reports are about. A source that does not answer is asked again in a minute."""
    waiting = Correction.objects.filter(role=Party.PROVIDER, state="reported", looked_at=None).order_by("id")
    for pk in waiting.values_list("pk", flat=True)[:LOOKS_AT_ONCE]:
        look_at(pk)


def look_at(pk: int) -> Correction:
    """Keep what the source says now as the record's state before any correction. A second look changes nothing."""
    one = Correction.objects.select_related("agreement").get(pk=pk)
    try:
        digest_key = unseal(bytes(one.digest_key)) if one.digest_key else secrets.token_bytes(DIGEST_KEY_BYTES)
        seen = see(one, digest_key)
    except Refused as refused:
        Correction.objects.filter(pk=pk, looked_at=None).update(look_failed=refused.code)
        log.warning("correction %s: the source was not read: %s", one.ticket, refused.code)
        return Correction.objects.get(pk=pk)
    with transaction.atomic():
        one = Correction.objects.select_for_update().get(pk=pk)
        if one.looked_at is not None:
            return one
        one.digest_key, one.before = seal(digest_key), seen.digests
        one.reached_before, one.looked_at, one.look_failed = sorted(seen.reached), datetime.now(UTC), ""
        one.content = content.kept({**content.opened(bytes(one.content)), "local": seen.keys, "reached": seen.reached})
        one.save()
        about = {"ticket": one.ticket, "before": one.before}
        record("correction.looked", f"correction:{one.ticket}", "rule:D809-26", about, commitment=about)
    return one


def see(one: Correction, digest_key: bytes) -> Seen:
    """Read the record now. Outside any transaction: a source may take its time.

    raises   Refused, where the source does not answer or has no such item
    """
    opened, resting = _opened(one)
    own = opened.get(one.agreement_id)
    if own is None or isinstance(own.source, Refused):
        raise own.source if own is not None and isinstance(own.source, Refused) else Unavailable(what="the source")
    names = list(dict.fromkeys([*one.items, one.key_item]))
    keys = _local(own, own.source, one)
    if not keys:  # the map knows no such code
        return Seen(dict.fromkeys(one.items, ""), {}, [], [])
    table = own.source.lookup(names, one.key_item, keys)
    found = {name: sorted(str(held) for held in table.column(name).to_pylist()) for name in one.items}
    digests = {name: _digest(digest_key, one.ticket, name, held) for name, held in found.items()}
    return Seen(digests, _reached(opened, one, keys), keys, resting)


def shown_to(one: Correction, agreement_id: str) -> str | int | None:
    """The record's key as one agreement's masks show it; None where its grant does not cover the record now.

    raises   Refused, where the source does not answer
    """
    keys = content.opened(bytes(one.content)).get("local", [])
    opened = Book().open({agreement_id}, timezone.localdate())
    for held in opened.values():
        if isinstance(held.source, Refused):
            raise held.source
    return _reached(opened, one, keys).get(agreement_id) if keys else None


def _local(own: Opened, source: Source, one: Correction) -> list[str | int]:
    """The reported key as the source holds it: who reports knows it as the agreement gives it, converted or not."""
    value, codes = content.key_value(one), own.terms.codes.get(one.key_item)
    if codes is None:
        return [value]
    type_ = source.types()[one.key_item]
    found = codes.locals_for(lambda regional: regional == str(value), type_)
    return [int(code) for code in found] if kind_of(type_) is Kind.INTEGER else list(found)


def have_read(agreements: Sequence[str]) -> set[str]:
    """Of these agreements, those under which something was read, by the register of use."""
    read = ExchangeRecord.objects.filter(role=Party.PROVIDER).exclude(outcome="refused")
    return {one for one in agreements if read.filter(agreement_id=one).exists()}


def _opened(one: Correction) -> tuple[dict[str, Opened], list[str]]:
    """The grants of every agreement about this resource that is in force, and the ticket's own; and which rest."""
    concluded = Agreement.objects.filter(role=Party.PROVIDER, resource_id=one.resource_id)
    states = dict(concluded.filter(state__in=("active", *RESTING)).values_list("id", "state"))
    in_force = {agreement for agreement, state in states.items() if state == "active"}
    opened = Book().open({one.agreement_id, *in_force}, timezone.localdate())
    active = {agreement for agreement, held in opened.items() if held.standing.state == "active"}
    return opened, sorted(states.keys() - active)


def _reached(opened: Mapping[str, Opened], one: Correction, keys: Sequence[str | int]) -> dict[str, str | int]:
    """Where a grant covers one of the items, the key and the row: the key as that grant's masks show it."""
    now, found = datetime.now(UTC), {}
    for agreement, held in opened.items():
        grant = held.grant
        granted = grant.by_name
        covered = one.key_item in granted and any(name in granted for name in one.items)
        if held.standing.state != "active" or now not in grant.in_force or not covered:
            continue
        allowed = Allowed((granted[one.key_item],), None)
        if held.terms.codes:
            rows = json_rows_of(rows_of_local_key(held, allowed, one.key_item, keys))
        else:
            rows = [row for some in lookup_rows(held, allowed, one.key_item, keys).values() for row in some]
        shown = [orjson.loads(row)[one.key_item] for row in rows]
        if shown and shown[0] is not None:
            found[agreement] = shown[0]
    return found


def _digest(key: bytes, ticket: str, item: str, values: Sequence[str]) -> str:
    if not values:
        return ""
    said = canonical_bytes([ticket, item, list(values)])
    return "hmac-sha256:" + hmac.new(key, said, hashlib.sha256).hexdigest()
