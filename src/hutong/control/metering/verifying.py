"""Whether a meter file holds: its signature, its place in the ledger, and the register it was made from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from hutong.control.metering import actions, measuring, rules
from hutong.ledger.models import AuditRecord
from hutong.node.settings import current
from hutong.vocabulary.canonical import digest


@dataclass(frozen=True)
class Verified:
    """author, peer, day, version   as the file says, under its author's signature
    in_ledger    whether our ledger holds its digest
    recounted    whether it is about this node, so that our register was counted again
    differences  by line; empty when the register says the same
    """

    author: str
    peer: str
    day: date
    version: int
    digest: str
    in_ledger: bool
    recounted: bool
    differences: list[dict[str, Any]]

    @property
    def holds(self) -> bool:
        return self.in_ledger and self.recounted and not self.differences


def verify(given: dict[str, Any]) -> Verified:
    """Count everything again. raises   BadMeter"""
    document, said = actions.signed(given)
    named, us = digest(document), current().jurisdiction
    day = date.fromisoformat(said["day"])
    # Both sides commit to the digest of each file in their own ledger, when it is made and when it comes.
    noted = AuditRecord.objects.filter(kind__in=("meter.made", "meter.received"), detail__meter=named)
    in_ledger = noted.exclude(entry_digest="").exists()
    found: list[dict[str, Any]] = []
    if said["author"] == us:
        ours = measuring.lines(day, said["peer"])
        found = [{"line": one, "what": "not in the file"} for one in ours if one not in said["lines"]]
        found += [{"line": one, "what": "not in the register"} for one in said["lines"] if one not in ours]
    elif said["peer"] == us:
        found = rules.differences(measuring.lines(day, said["author"]), said["lines"])
    recounted = us in (said["author"], said["peer"])
    return Verified(said["author"], said["peer"], day, said["version"], named, in_ledger, recounted, found)
