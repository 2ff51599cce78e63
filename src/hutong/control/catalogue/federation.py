"""Entries on their way: signed by their origin, carried by the node that keeps the directory, taken by every member.

1. An entry is taken only under the origin's own signature, by a key the directory lists for the origin, valid when it
   was published. Who carried it gives it no weight.
2. A version only grows. The same version again changes nothing; another content under the same version is refused.
3. The keeper carries what it takes to all other members, in the transaction that takes it.
4. Whatever did not arrive by itself is fetched (harvest.py) and taken here, by the same rules: one entry, one version,
   by however many routes it comes. Versions are the origin's own numbers; nobody's clock decides.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from django.db import transaction

from hutong.control.catalogue import dataset as datasets
from hutong.control.catalogue import feed
from hutong.control.catalogue.dataset import BadEntry, EntryDocument
from hutong.control.catalogue.models import Entry, EntryTerm
from hutong.control.catalogue.terms import weighted_terms
from hutong.node.directory import UnknownMember, keeper, member, others
from hutong.node.events import Event, on_event, post_event
from hutong.node.keyring import ring
from hutong.node.receiving import Peer
from hutong.node.settings import current

ENTRY_EVENT = "catalogue.entry"
CLOCK_SKEW_S = 300  # between the origin's clock and the directory's


@dataclass(frozen=True)
class SignedEntry:
    """A data set under its origin's signature; verified or made here."""

    dataset: dict[str, Any]
    signature: str  # Ed25519, base64
    keyid: str
    document: EntryDocument

    def data(self) -> dict[str, Any]:
        """As it travels."""
        return {"dataset": self.dataset, "signature": self.signature, "keyid": self.keyid}


def sign(dataset: dict[str, Any]) -> SignedEntry:
    """Our own entry under our own key.

    raises   BadEntry for one that no other node would take, so that it is never sent
    """
    key = ring().signing_key()
    signature = base64.b64encode(key.sign(datasets.signed_bytes(dataset))).decode("ascii")
    return SignedEntry(dataset, signature, key.keyid, datasets.read(dataset))


def announce(signed: SignedEntry) -> None:
    """Send our entry: the keeper to all members, a member to its keeper. Before joining nobody is told."""
    for jurisdiction in _listeners():
        post_event(jurisdiction, ENTRY_EVENT, signed.document.id, signed.data())


def verify(data: dict[str, Any]) -> SignedEntry:
    """An entry from the wire, its signature and every field checked.

    raises   BadEntry
    """
    dataset, keyid = data.get("dataset"), data.get("keyid")
    if not isinstance(dataset, dict) or not isinstance(keyid, str):
        raise BadEntry(reason="it has no data set or no key id", reason_zh="缺少数据集或密钥编号")
    content = datasets.signed_bytes(dataset)
    document = datasets.read(dataset)
    key = ring().lookup(keyid)
    if key is None or key.jurisdiction != document.origin:
        raise BadEntry(
            reason="its key is not one the directory lists for its origin",
            reason_zh="其密钥未列在成员名录中该来源节点名下",
        )
    if not key.valid_from - CLOCK_SKEW_S <= document.published_at.timestamp() < key.valid_to:
        raise BadEntry(reason="its key was not valid when it was published", reason_zh="发布时其密钥无效")
    try:
        key.key.verify(datasets.decode_signature(data.get("signature")), content)
    except InvalidSignature as error:
        raise BadEntry(reason="its origin's signature does not hold", reason_zh="来源节点的签名不成立") from error
    return SignedEntry(dataset, str(data["signature"]), keyid, document)


def accept(data: dict[str, Any], sender: str) -> bool:
    """Take an entry a member sent, in the caller's transaction.

    returns   True when it was new; an older version, or the same again, changes nothing
    raises    BadEntry
    """
    signed = verify(data)
    origin = signed.document.origin
    if origin == current().jurisdiction:
        return False  # our own, carried back to us
    if sender not in (origin, keeper(), current().superior):
        raise BadEntry(reason=f"{sender} carries no entries of {origin}", reason_zh=f"{sender} 不转发 {origin} 的条目")
    feed.hold()
    present = Entry.objects.select_for_update().filter(id=signed.document.id).first()
    if present is not None and not _is_newer(signed, present):
        return False
    store(signed)
    if current().keeps_directory:
        for jurisdiction in _listeners():
            if jurisdiction not in (origin, sender):
                post_event(jurisdiction, ENTRY_EVENT, signed.document.id, signed.data())
    return True


@transaction.atomic
def store(signed: SignedEntry) -> Entry:
    """Keep an entry and the words it is found by."""
    document = signed.document
    entry, _ = Entry.objects.update_or_create(id=document.id, defaults=_columns(signed) | {"change": feed.advance()})
    EntryTerm.objects.filter(entry=entry).delete()
    weights = weighted_terms(document) if document.state == "published" else {}
    EntryTerm.objects.bulk_create(
        [EntryTerm(term=term, entry=entry, weight=weight) for term, weight in weights.items()], batch_size=500
    )
    return entry


@on_event(ENTRY_EVENT)
def take_entry(peer: Peer, event: Event) -> None:
    """An entry arrives."""
    accept(event.data, peer.jurisdiction)


def _listeners() -> list[str]:
    """Who hears of entries from us."""
    if current().keeps_directory:
        return [one.jurisdiction for one in others()]
    try:
        return [member(keeper()).jurisdiction]
    except UnknownMember:
        return []


def _is_newer(signed: SignedEntry, present: Entry) -> bool:
    document = signed.document
    if present.origin != document.origin:
        raise BadEntry(reason="its id belongs to an entry of another node", reason_zh="其编号属于另一节点的条目")
    if document.version == present.version and signed.dataset != present.dataset:
        raise BadEntry(
            reason="another content was already published under this version", reason_zh="此版本号下已发布过其他内容"
        )
    return document.version > present.version


def _columns(signed: SignedEntry) -> dict[str, Any]:
    document = signed.document
    published_at: datetime = document.published_at
    return {
        "origin": document.origin,
        "version": document.version,
        "state": document.state,
        "title_zh": document.title_zh,
        "title_en": document.title_en,
        "department_name": document.department_name,
        "department_code": document.department_code,
        "attribute": document.attribute,
        "update_cycle": document.update_cycle,
        "theme": document.theme,
        "grade": document.grade,
        "dataset": signed.dataset,
        "signature": signed.signature,
        "keyid": signed.keyid,
        "published_at": published_at,
    }
