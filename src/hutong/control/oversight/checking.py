"""Checking a signed statement: is it ours, is it in the ledger, and does a recount give the same."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import date

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from hutong.control.oversight.actions import SIGNED_PREFIX
from hutong.control.oversight.counting import count
from hutong.control.oversight.measures import measures
from hutong.control.oversight.models import Statement
from hutong.control.oversight.periods import Period
from hutong.ledger.models import LedgerEntry
from hutong.node.keyring import ring
from hutong.node.keys import load_node_keys
from hutong.node.settings import current
from hutong.vocabulary.canonical import canonical_bytes, digest
from hutong.vocabulary.errors import NotFound

KIND = "oversight.statement"


@dataclass(frozen=True)
class Difference:
    """A figure that a recount gives otherwise."""

    measure: str
    department: str
    stated: int
    stated_of: int
    found: int
    found_of: int


@dataclass(frozen=True)
class Checked:
    """What checking one statement found."""

    statement: Statement
    digest_holds: bool
    signature_holds: bool
    in_ledger: bool
    recounted: int  # figures counted again; snapshots cannot be
    differences: tuple[Difference, ...]

    @property
    def holds(self) -> bool:
        return self.digest_holds and self.signature_holds and self.in_ledger


def statement(month: Period) -> Statement:
    """raises   NotFound"""
    found = Statement.objects.filter(month=month.since).first()
    if found is None:
        raise NotFound(what="statement", what_zh="监督报表", name=str(month))
    return found


def check(found: Statement) -> Checked:
    content = canonical_bytes(found.document)
    return Checked(
        statement=found,
        digest_holds=digest(content) == found.digest,
        signature_holds=_signed(found, content),
        in_ledger=_entered(found),
        recounted=sum(1 for one in measures() if not one.ground.snapshot),
        differences=tuple(_differences(found)),
    )


def _signed(found: Statement, content: bytes) -> bool:
    key = _own_key(found.keyid)
    if key is None:
        return False
    try:
        key.verify(base64.b64decode(found.signature), SIGNED_PREFIX + content)
    except (InvalidSignature, ValueError):
        return False
    return True


def _own_key(keyid: str) -> Ed25519PublicKey | None:
    """A key of ours: as the directory lists it, or, where it does not (before joining), as our folder has it."""
    listed = ring().lookup(keyid)
    if listed is not None:
        return listed.key if listed.jurisdiction == current().jurisdiction else None
    kept = next((one for one in load_node_keys(current()) if one.keyid == keyid), None)
    return kept.private.public_key() if kept else None


def _entered(found: Statement) -> bool:
    """The ledger has one entry for the month, and it commits to this digest."""
    month = Period("month", found.month)
    entries = [bytes(one) for one in LedgerEntry.objects.filter(kind=KIND).values_list("entry", flat=True)]
    ours = [one for one in map(orjson.loads, entries) if one.get("month") == str(month)]
    return len(ours) == 1 and ours[0]["digest"] == found.digest


def _differences(found: Statement) -> list[Difference]:
    """Each figure counted again as of its day. The day matters: a clock may have become late since."""
    month = Period("month", found.month)
    stated = {(one["measure"], one["department"]): one for one in found.document["figures"]}
    as_of = {one["measure"]: date.fromisoformat(one["as_of"]) for one in found.document["figures"]}
    differ = []
    for one in measures():
        if one.ground.snapshot or one.name not in as_of:
            continue
        again = {
            department: (each.counted, each.of, each.digest)
            for department, each in count(one.ground.cases(month, as_of[one.name])).items()
        }
        departments = set(again) | {department for name, department in stated if name == one.name}
        for department in sorted(departments):
            said = stated.get((one.name, department), {"counted": 0, "of": 0, "rows_digest": ""})
            counted, of, rows = again.get(department, (0, 0, said["rows_digest"] if not said["of"] else ""))
            if (counted, of, rows) != (said["counted"], said["of"], said["rows_digest"]):
                differ.append(Difference(one.name, department, said["counted"], said["of"], counted, of))
    return differ
