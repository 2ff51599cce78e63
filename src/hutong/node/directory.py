"""The directory of members: one canonical JSON document, signed by the node that keeps it, copied by every member.

A member goes on working with its copy while the keeper is down. A copy is replaced only by a higher version whose
signature holds under a key the present copy lists for the keeper (or, when joining, the key in the invitation).

    {"v": 1, "kind": "directory", "region": "yrd", "version": 7, "issued_at": time, "members": [
        {"jurisdiction", "name_zh", "name_en", "place", "superior", "base_url", "exchange_url", "log_vkey",
         "keys": [{"id", "alg": "ed25519", "public": base64, "valid_from": time, "valid_to": time or null}],
         "valid_from": time, "valid_to": time or null}, ...]}

The signature is Ed25519 over `hutong directory v1`, a newline, and the document.
"""

from __future__ import annotations

import base64
import binascii
import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import orjson
from cryptography.exceptions import InvalidSignature
from django.db import transaction

from hutong.node.keyring import public_key, ring
from hutong.node.keys import key_id
from hutong.node.models import DirectoryCopy, Member
from hutong.node.settings import PLACES, current
from hutong.node.signatures import PublicKey
from hutong.vocabulary.errors import NotFound, Refused
from hutong.vocabulary.moments import rfc3339

CONTEXT = b"hutong directory v1\n"
PARTICIPANT = "urn:hutong:node:"
_TEXT_FIELDS = ("jurisdiction", "name_zh", "name_en", "place", "superior", "base_url", "exchange_url", "log_vkey")


class UnknownMember(NotFound):
    """No member of the directory is named {name}."""

    zh = "成员名录中没有 {name}。"
    code = "unknown_member"
    next_en = "See who is a member: hutong members"
    next_zh = "查看成员：hutong members"


class BadDirectory(Refused):
    """The directory document was not accepted: {reason}."""

    zh = "成员名录未被接受：{reason}。"
    code = "bad_directory"
    status = 400
    next_en = "Ask the keeper of the directory for a new invitation and join again."
    next_zh = "请向名录管理节点索取新的邀请后重新加入。"


def participant_id(jurisdiction: str) -> str:
    """`320000` as the Dataspace Protocol's participant id, `urn:hutong:node:320000`."""
    return PARTICIPANT + jurisdiction


def jurisdiction_of(participant: str) -> str:
    """raises   UnknownMember for an id that is not a node's"""
    if not participant.startswith(PARTICIPANT):
        raise UnknownMember(name=participant[:80])
    return participant.removeprefix(PARTICIPANT)


def member(jurisdiction: str) -> Member:
    """A present member of the directory.

    raises   UnknownMember, also for one whose membership has ended
    """
    found = Member.objects.filter(jurisdiction=jurisdiction).first()
    if found is None or (found.valid_to is not None and found.valid_to <= datetime.now(UTC)):
        raise UnknownMember(name=jurisdiction)
    return found


def present() -> list[Member]:
    """Every present member, ourselves among them, by jurisdiction."""
    now = datetime.now(UTC)
    return [one for one in Member.objects.order_by("jurisdiction") if one.valid_to is None or one.valid_to > now]


def others() -> list[Member]:
    """Every present member but ourselves, by jurisdiction."""
    return [one for one in present() if one.jurisdiction != current().jurisdiction]


def keeper() -> str:
    """The jurisdiction that keeps our directory; ourselves on the region's node."""
    settings = current()
    return settings.jurisdiction if settings.keeps_directory else settings.region


def copy() -> DirectoryCopy | None:
    return DirectoryCopy.objects.first()


def accept(document: bytes, signature: str, keyid: str, *, pinned: PublicKey | None = None) -> bool:
    """Take a directory document in place of our copy, in one transaction.

    pinned    the keeper's key from an invitation; without it, the key must be in our present copy
    returns   True when it was newer than our copy; an older or equal one changes nothing
    raises    BadDirectory
    """
    key = pinned or ring().lookup(keyid)
    if key is None or key.keyid != keyid or not key.valid_from - 300 <= time.time() < key.valid_to:
        raise BadDirectory(
            reason=f"its key {keyid[:60]} is not the keeper's", reason_zh=f"其密钥 {keyid[:60]} 不是名录管理节点的密钥"
        )
    try:
        key.key.verify(base64.b64decode(signature, validate=True), CONTEXT + document)
    except (InvalidSignature, binascii.Error, ValueError) as error:
        raise BadDirectory(reason="its signature does not hold", reason_zh="签名不成立") from error
    version, members = _decode(document, key.jurisdiction)
    if pinned is None and key.jurisdiction != keeper():
        raise BadDirectory(
            reason=f"{key.jurisdiction} does not keep our directory",
            reason_zh=f"{key.jurisdiction} 不管理我们的成员名录",
        )
    with transaction.atomic():
        present = DirectoryCopy.objects.select_for_update().first()
        same_keeper = present is not None and present.keyid.partition("#")[0] == key.jurisdiction
        if present is not None and same_keeper and present.version >= version:
            return False
        Member.objects.exclude(jurisdiction__in=[one.jurisdiction for one in members]).delete()
        for one in members:
            one.save()
        store(document, signature, keyid, version)
    return True


def store(document: bytes, signature: str, keyid: str, version: int) -> None:
    """Write the one row of our copy, and make this process's key ring reread it after the commit."""
    values = {"version": version, "document": document, "signature": signature, "keyid": keyid}
    DirectoryCopy.objects.update_or_create(id=1, defaults=values | {"fetched_at": datetime.now(UTC)})
    transaction.on_commit(lambda: ring().refresh(at_once=True))


def record(one: Member) -> dict[str, Any]:
    """A member as it stands in the document."""
    texts = {name: getattr(one, name) for name in _TEXT_FIELDS}
    return texts | {"keys": one.keys, "valid_from": rfc3339(one.valid_from), "valid_to": rfc3339(one.valid_to)}


def read_record(given: Any, *, version: int) -> Member:
    """A member from its record; nothing is saved.

    raises   BadDirectory naming the field
    """
    if not isinstance(given, dict):
        raise BadDirectory(reason="a member is not an object", reason_zh="有成员不是对象")
    for name in _TEXT_FIELDS:
        if not isinstance(given.get(name), str) or len(given[name]) > 300:
            raise BadDirectory(
                reason=f"a member's {name} is not a text of at most 300 characters",
                reason_zh=f"有成员的 {name} 不是至多 300 个字符的文本",
            )
    jurisdiction = given["jurisdiction"]
    if not (jurisdiction.replace("-", "").isalnum() and jurisdiction.isascii() and len(jurisdiction) <= 40):
        raise BadDirectory(
            reason="a jurisdiction is not letters, digits and hyphens", reason_zh="行政区代码只能用字母、数字和连字符"
        )
    if given["place"] not in PLACES:
        raise BadDirectory(reason=f"the place of {jurisdiction} is unknown", reason_zh=f"{jurisdiction} 的层级未知")
    for name in ("base_url", "exchange_url"):
        _check_url(given[name], name, jurisdiction)
    keys = given.get("keys")
    if not isinstance(keys, list) or not keys:
        raise BadDirectory(reason=f"{jurisdiction} has no key", reason_zh=f"{jurisdiction} 没有密钥")
    texts = {name: given[name] for name in _TEXT_FIELDS}
    return Member(
        **texts,
        keys=[read_key(jurisdiction, key) for key in keys],
        valid_from=_time(given.get("valid_from"), jurisdiction),
        valid_to=None if given.get("valid_to") is None else _time(given["valid_to"], jurisdiction),
        version=version,
    )


def _decode(document: bytes, signer: str) -> tuple[int, list[Member]]:
    try:
        given = orjson.loads(document)
    except orjson.JSONDecodeError as error:
        raise BadDirectory(reason="it is not JSON", reason_zh="不是 JSON") from error
    if not isinstance(given, dict) or given.get("v") != 1 or given.get("kind") != "directory":
        raise BadDirectory(reason="it is not a directory of version 1", reason_zh="不是版本 1 的成员名录")
    if given.get("region") != signer:
        raise BadDirectory(
            reason="the node that signed it is not the node that keeps it", reason_zh="签名节点不是名录管理节点"
        )
    version, members = given.get("version"), given.get("members")
    if not isinstance(version, int) or isinstance(version, bool) or not isinstance(members, list):
        raise BadDirectory(reason="it has no version or no members", reason_zh="缺少版本或成员")
    return version, [read_record(one, version=version) for one in members]


def read_key(jurisdiction: str, given: Any) -> dict[str, Any]:
    try:
        public = base64.b64decode(given["public"], validate=True)
        if given["alg"] != "ed25519" or given["id"] != key_id(jurisdiction, public):
            raise BadDirectory(
                reason=f"a key of {jurisdiction} does not match its name",
                reason_zh=f"{jurisdiction} 的某个密钥与其编号不符",
            )
        entry = {name: given[name] for name in ("id", "alg", "public", "valid_from", "valid_to")}
        public_key(jurisdiction, entry)
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise BadDirectory(
            reason=f"a key of {jurisdiction} cannot be read", reason_zh=f"{jurisdiction} 的某个密钥无法读取"
        ) from error
    return entry


def _check_url(url: str, name: str, jurisdiction: str) -> None:
    try:
        parts = urlsplit(url)
        bad = parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query
        _ = parts.port
    except ValueError:
        bad = True
    if bad or url.endswith("/") or "#" in url or not url.isascii() or any(one <= " " for one in url):
        raise BadDirectory(
            reason=f"the {name} of {jurisdiction} is not a plain http or https address",
            reason_zh=f"{jurisdiction} 的 {name} 不是普通的 http 或 https 地址",
        )


def _time(text: Any, jurisdiction: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise BadDirectory(
            reason=f"a time of {jurisdiction} cannot be read", reason_zh=f"{jurisdiction} 的某个时间无法读取"
        ) from error
    if moment.tzinfo is None:
        raise BadDirectory(
            reason=f"a time of {jurisdiction} has no time zone", reason_zh=f"{jurisdiction} 的某个时间没有时区"
        )
    return moment
