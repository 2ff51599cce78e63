"""How a node becomes a member, changes its key, and how the keeper publishes the directory.

Joining is one command on each side. `hutong invite` on the keeper prints one string: where the keeper is, its key, and
a one-time secret. `hutong join` on the new node sends its record, signed with its own key (proof that it holds the key)
and sealed with an HMAC under the secret's digest (proof that it was invited, and that nobody changed the record on the
way); the secret itself never travels. The keeper answers with the directory and pushes it to everyone else.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson
from django.db import transaction
from django.http import HttpRequest

from hutong.ledger.note import ED25519, VerifierKey
from hutong.ledger.record import record as record_in_ledger
from hutong.node import directory, messages
from hutong.node.directory import BadDirectory
from hutong.node.keyring import public_key, ring
from hutong.node.keys import SigningKey, load_log_key, load_node_keys
from hutong.node.models import DirectoryCopy, Invitation, Member, OutboxMessage
from hutong.node.receiving import Answer, Peer, decode_object, receiver
from hutong.node.settings import FILE_NAME, Settings, change, current
from hutong.node.signatures import KeyLookup, PublicKey
from hutong.vocabulary.canonical import canonical_bytes
from hutong.vocabulary.errors import BadInput, Refused
from hutong.vocabulary.moments import rfc3339

if TYPE_CHECKING:  # as in ledger_host: only who speaks to another node loads an HTTP client
    from hutong.node.client import SignedAnswer

PREFIX = "hutong-invitation-1."
INVITATION_DAYS = 7
PROCESS = "directory"
PATH = "/hutong/directory"


class NotKeeper(Refused):
    """This node does not keep the directory; {keeper} does."""

    zh = "本节点不管理成员名录，由 {keeper} 管理。"
    code = "not_keeper"
    status = 409
    next_en = "Run the command on the node that keeps the directory."
    next_zh = "请在管理名录的节点上执行。"


class BadInvitation(Refused):
    """The invitation was not accepted: {reason}."""

    zh = "邀请未被接受：{reason}。"
    code = "bad_invitation"
    status = 403
    next_en = "Ask the keeper of the directory for a new one: hutong invite DIR --jurisdiction CODE"
    next_zh = "请向名录管理节点索取新的邀请：hutong invite DIR --jurisdiction 行政区划代码"


class NotJoined(Refused):
    """This node has not joined a region yet."""

    zh = "本节点尚未加入区域。"
    code = "not_joined"
    status = 409
    next_en = "Join first: hutong join DIR INVITATION"
    next_zh = "请先加入：hutong join DIR 邀请"


class JoinRefused(Refused):
    """The keeper refused: {reason}"""

    zh = "名录管理节点拒绝：{reason}"
    code = "join_refused"
    status = 409
    next_en = "Ask the keeper of the directory for a new invitation."
    next_zh = "请向名录管理节点索取新的邀请。"


@dataclass(frozen=True)
class _OneKey:
    """A key ring of one public key, and ours to sign with."""

    public: PublicKey
    own: SigningKey | None = None

    def lookup(self, keyid: str) -> PublicKey | None:
        return self.public if keyid == self.public.keyid else None

    def signing_key(self) -> SigningKey:
        if self.own is None:
            raise RuntimeError("this key ring only verifies")
        return self.own


def publish() -> int:
    """Sign the directory as it now stands, keep it, and send it to every other member. In the caller's transaction.

    returns   the new version
    raises    NotKeeper
    """
    settings = current()
    if not settings.keeps_directory:
        raise NotKeeper(keeper=directory.keeper())
    present = DirectoryCopy.objects.select_for_update().first()
    version = (present.version if present else 0) + 1
    document = canonical_bytes(
        {
            "v": 1,
            "kind": "directory",
            "region": settings.jurisdiction,
            "version": version,
            "issued_at": rfc3339(datetime.now(UTC)),
            "members": [directory.record(one) for one in Member.objects.order_by("jurisdiction")],
        }
    )
    key = ring().lasting_key()
    directory.store(document, _b64(key.sign(directory.CONTEXT + document)), key.keyid, version)
    OutboxMessage.objects.filter(process=PROCESS, delivered_at=None, failed_at=None).delete()  # superseded
    for one in directory.others():
        messages.post(one.jurisdiction, PROCESS, PATH, signed_copy())
    return version


def signed_copy() -> dict[str, Any]:
    """Our copy of the directory as it travels.

    raises   NotJoined
    """
    copy = directory.copy()
    if copy is None:
        raise NotJoined
    return {"document": _b64(bytes(copy.document)), "signature": copy.signature, "keyid": copy.keyid}


def take_copy(given: dict[str, Any], *, pinned: PublicKey | None = None) -> bool:
    """Accept a travelling copy; see directory.accept.

    raises   BadDirectory
    """
    texts = [given.get(name) for name in ("document", "signature", "keyid")]
    if not all(isinstance(text, str) for text in texts):
        raise BadDirectory(
            reason="it has no document, signature and keyid", reason_zh="缺少 document、signature 或 keyid"
        )
    document, signature, keyid = (str(text) for text in texts)
    try:
        raw = base64.b64decode(document, validate=True)
    except ValueError as error:
        raise BadDirectory(reason="its document is not base64", reason_zh="其 document 不是 base64") from error
    return directory.accept(raw, signature, keyid, pinned=pinned)


def found_directory() -> None:
    """On a new keeper: the directory's first version, with the keeper as its only member."""
    settings = current()
    with transaction.atomic():
        directory.read_record(own_record(settings), version=1).save()
        publish()


def own_record(settings: Settings) -> dict[str, Any]:
    """This node as a member: its addresses, its keys and its log's verifier key."""
    log_key = load_log_key(settings)
    now = rfc3339(datetime.now(UTC))
    key = load_node_keys(settings)[0]
    return {
        "jurisdiction": settings.jurisdiction,
        "name_zh": settings.name_zh,
        "name_en": settings.name_en,
        "place": settings.place,
        "superior": settings.superior,
        "base_url": settings.base_url,
        "exchange_url": settings.exchange_url,
        "log_vkey": str(VerifierKey(log_key.keyid, ED25519, log_key.public)),
        "keys": [_entry(key.keyid, key.public_text, valid_from=now)],
        "valid_from": now,
        "valid_to": None,
    }


def invite(jurisdiction: str, *, days: int = INVITATION_DAYS) -> str:
    """A one-time invitation for one jurisdiction, as one string. Only the secret's digest is kept.

    raises   NotKeeper
    """
    settings = current()
    if not settings.keeps_directory:
        raise NotKeeper(keeper=directory.keeper())
    secret = secrets.token_bytes(32)
    expires_at = datetime.now(UTC) + timedelta(days=days)
    with transaction.atomic():
        digest = hashlib.sha256(secret).hexdigest()
        Invitation.objects.create(jurisdiction=jurisdiction, secret_digest=digest, expires_at=expires_at)
        detail = {"jurisdiction": jurisdiction, "expires_at": rfc3339(expires_at)}
        record_in_ledger("member.invited", f"member:{jurisdiction}", f"node:{settings.jurisdiction}", detail)
    key = ring().signing_key()
    content = {
        "jurisdiction": jurisdiction,
        "url": settings.base_url,
        "keyid": key.keyid,
        "public": key.public_text,
        "secret": _b64(secret),
        "expires_at": rfc3339(expires_at),
    }
    return PREFIX + base64.urlsafe_b64encode(canonical_bytes(content)).decode("ascii").rstrip("=")


async def ask_to_join(settings: Settings, invitation: str) -> tuple[SignedAnswer, PublicKey]:
    """Send our record to the keeper that invited us. Changes nothing here.

    raises   BadInvitation, NoAnswer, UnsignedAnswer
    """
    content = _read_invitation(invitation)
    if content["jurisdiction"] != settings.jurisdiction:
        raise BadInvitation(
            reason=f"it is for {content['jurisdiction']}, this node is {settings.jurisdiction}",
            reason_zh=f"邀请发给 {content['jurisdiction']}，本节点是 {settings.jurisdiction}",
        )
    keeper = content["keyid"].partition("#")[0]
    entry = _entry(content["keyid"], content["public"], valid_from=rfc3339(datetime.fromtimestamp(0, UTC)))
    try:
        pinned = public_key(keeper, entry)
        secret = base64.b64decode(content["secret"], validate=True)
    except ValueError as error:
        raise BadInvitation(reason="it is damaged", reason_zh="已损坏") from error
    member = own_record(settings)
    body = {"member": member, "proof": _proof(hashlib.sha256(secret).hexdigest(), member)}
    keys = _OneKey(pinned, load_node_keys(settings)[0])
    from hutong.node.client import NodeClient

    async with NodeClient(keys) as client:
        answer = await client.call("POST", content["url"] + "/hutong/join", orjson.dumps(body), peer=keeper)
    return answer, pinned


def finish_joining(settings: Settings, answer: SignedAnswer, pinned: PublicKey) -> int:
    """Take the keeper's answer: keep the directory, and note the keeper in the settings file.

    returns   the directory's version
    raises    JoinRefused, BadDirectory
    """
    given = answer.object()
    if answer.status != 200 or not answer.signed:
        title = str(given.get("title", f"status {answer.status}"))
        raise JoinRefused(reason=title, reason_zh=str(given.get("title_zh", f"状态 {answer.status}")))
    with transaction.atomic():
        take_copy(given, pinned=pinned)
        detail = {"region": pinned.jurisdiction, "keyid": pinned.keyid}
        record_in_ledger("member.joined", f"member:{settings.jurisdiction}", f"node:{settings.jurisdiction}", detail)
    change(settings.home / FILE_NAME, region=pinned.jurisdiction)
    copy = directory.copy()
    return copy.version if copy else 0


def _applicant(body: dict[str, Any]) -> KeyLookup:
    """The key an applicant offers in its own record: its signature must prove that it holds it."""
    member = directory.read_record(body.get("member"), version=0)
    return _OneKey(public_key(member.jurisdiction, member.keys[0]))


@receiver(keys=_applicant)
def admit(_request: HttpRequest, peer: Peer, body: dict[str, Any]) -> Answer:
    """The keeper's side of joining: POST /hutong/join."""
    settings = current()
    if not settings.keeps_directory:
        raise NotKeeper(keeper=directory.keeper())
    given = body["member"]
    if peer.jurisdiction == settings.jurisdiction:
        raise BadInvitation(reason="it names the keeper itself", reason_zh="邀请对象是名录管理节点自身")
    invitation = _open_invitation(peer.jurisdiction, given, str(body.get("proof", "")))
    if invitation.used_at is None:
        now = datetime.now(UTC)
        invitation.used_at = now
        invitation.save(update_fields=["used_at"])
        fresh = given | {"valid_from": rfc3339(now), "valid_to": None}
        fresh["keys"] = [given["keys"][0] | {"valid_from": rfc3339(now), "valid_to": None}]
        member = directory.read_record(fresh, version=0)
        _end_former_keys(member, now)
        member.save()
        detail = {"jurisdiction": member.jurisdiction, "keyid": fresh["keys"][0]["id"], "base_url": member.base_url}
        record_in_ledger("member.admitted", f"member:{member.jurisdiction}", f"node:{peer.jurisdiction}", detail)
        publish()
    return 200, signed_copy()


@receiver
def take_directory(_request: HttpRequest, peer: Peer, body: dict[str, Any]) -> Answer:
    """A pushed directory: POST /hutong/directory."""
    if peer.jurisdiction != directory.keeper():
        raise BadDirectory(
            reason=f"{peer.jurisdiction} does not keep our directory",
            reason_zh=f"{peer.jurisdiction} 不管理我们的成员名录",
        )
    newer = take_copy(body)
    return 200, {"accepted": newer}


def _open_invitation(jurisdiction: str, member: dict[str, Any], proof: str) -> Invitation:
    """The invitation whose secret made this proof: unused and in time, or used by this very key."""
    candidates = Invitation.objects.select_for_update().filter(jurisdiction=jurisdiction).order_by("-id")[:20]
    for one in candidates:
        if not hmac.compare_digest(_proof(one.secret_digest, member), proof):
            continue
        if one.used_at is None and one.expires_at <= datetime.now(UTC):
            raise BadInvitation(reason="it has expired", reason_zh="已过期")
        if one.used_at is not None and not _same_key(jurisdiction, member):
            raise BadInvitation(reason="it was already used", reason_zh="已使用过")
        return one
    raise BadInvitation(
        reason=f"there is no invitation for {jurisdiction} with this secret",
        reason_zh=f"没有发给 {jurisdiction} 且口令相符的邀请",
    )


def _same_key(jurisdiction: str, member: dict[str, Any]) -> bool:
    known = Member.objects.filter(jurisdiction=jurisdiction).first()
    return known is not None and any(key["id"] == member["keys"][0]["id"] for key in known.keys)


def _end_former_keys(member: Member, now: datetime) -> None:
    """A node that joins anew has lost its keys: they end now, and stay listed so that old signatures can be read."""
    former = Member.objects.filter(jurisdiction=member.jurisdiction).first()
    if former is None:
        return
    listed = {key["id"] for key in member.keys}
    ended = [key | {"valid_to": _sooner(key["valid_to"], now)} for key in former.keys if key["id"] not in listed]
    member.keys = ended + member.keys


def _sooner(valid_to: str | None, moment: datetime) -> str | None:
    if valid_to is not None and datetime.fromisoformat(valid_to) <= moment:
        return valid_to
    return rfc3339(moment)


def _read_invitation(text: str) -> dict[str, str]:
    if not text.startswith(PREFIX):
        raise BadInvitation(reason=f"it does not begin with {PREFIX}", reason_zh=f"开头不是 {PREFIX}")
    encoded = text.removeprefix(PREFIX).strip()
    try:
        raw = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
        content = decode_object(raw)
    except (ValueError, BadInput) as error:
        raise BadInvitation(reason="it is damaged", reason_zh="已损坏") from error
    for name in ("jurisdiction", "url", "keyid", "public", "secret", "expires_at"):
        if not isinstance(content.get(name), str):
            raise BadInvitation(reason=f"it has no {name}", reason_zh=f"缺少 {name}")
    return content


def _proof(secret_digest: str, member: dict[str, Any]) -> str:
    return hmac.new(bytes.fromhex(secret_digest), canonical_bytes(member), "sha256").hexdigest()


def _entry(keyid: str, public: str, *, valid_from: str | None) -> dict[str, Any]:
    return {"id": keyid, "alg": "ed25519", "public": public, "valid_from": valid_from, "valid_to": None}


def _b64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")
