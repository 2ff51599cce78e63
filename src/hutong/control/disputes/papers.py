"""The papers of a dispute: what is said, by whom, in which place; signed by the node where it was made.

    {"v": 1, "dispute": id, "kind": "statement", "by": "310000", "as": "claimant", "height": 3, "at": time, "text": ...}

The signature is detached Ed25519 over one line and the canonical JSON, as under an agreement. `height` is one more
than that of every paper its maker knew, so that all nodes put the same papers in the same order.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from cryptography.exceptions import InvalidSignature

from hutong.control.agreements.fields import Fields, Malformed
from hutong.control.disputes.rules import BadPaper, BeyondTheDispute
from hutong.node.keys import SigningKey
from hutong.node.signatures import KeyLookup
from hutong.vocabulary.canonical import canonical_bytes, digest
from hutong.vocabulary.moments import rfc3339

SIGNED_PREFIX: Final = b"hutong dispute v1\n"  # a signature over a paper can stand for nothing else
ALGORITHM: Final = "ed25519"
CLOCK_SKEW_S: Final = 300  # between a maker's clock and the directory's
LONGEST_TEXT: Final = 4_000  # characters of one statement, minutes or decision
MOST_PAPERS: Final = 60  # of one dispute: all of them fit into one message
SIDES: Final = ("claimant", "respondent", "mediator", "forum")
KINDS: Final = (
    *("opened", "statement", "minutes", "proposed", "settled", "escalated", "decided", "executed", "closed"),
    "withdrawn",
)
ORIGINS: Final = ("request", "suspension", "correction", "free")
# What a decision or a settlement may bring about, and what the dispute must then be about.
EFFECTS: Final[Mapping[str, str]] = {
    "agree": "provider_pid",  # the provider agrees to the request, within the decision's limits
    "suspend": "agreement",
    "resume": "agreement",
    "end": "agreement",
    "correct": "ticket",  # the provider corrects the record
    "none": "",
}
ABOUT: Final = (
    *("origin", "provider", "consumer", "resource", "provider_pid", "consumer_pid", "agreement", "suspended_by"),
    "ticket",
)


@dataclass(frozen=True)
class Effect:
    """One thing that follows from a decision."""

    do: str  # one of EFFECTS
    binds: str  # the jurisdiction that must do it; "" where nothing follows
    limits: Mapping[str, Any]

    def document(self) -> dict[str, Any]:
        return {"do": self.do, "binds": self.binds, "limits": dict(self.limits)}


@dataclass(frozen=True)
class Paper:
    """One paper, checked."""

    dispute: str
    kind: str
    by: str  # jurisdiction
    side: str
    height: int
    at: str  # RFC 3339
    document: dict[str, Any]
    signature: dict[str, str]

    @property
    def digest(self) -> str:
        return digest(canonical_bytes(self.document))

    @property
    def text(self) -> str:
        return str(self.document.get("text", ""))

    @property
    def effects(self) -> tuple[Effect, ...]:
        return tuple(Effect(one["do"], one["binds"], one["limits"]) for one in self.document.get("effects", ()))

    @property
    def place(self) -> tuple[int, str, str]:
        """Its place among the papers of the dispute, the same at every node."""
        return (self.height, self.at, self.digest)

    def envelope(self) -> dict[str, Any]:
        """As it travels."""
        return {"document": self.document, "signature": self.signature}


def make(dispute: str, kind: str, side: str, height: int, *, key: SigningKey, **more: Any) -> Paper:
    """A paper of the key's own node, signed."""
    by = key.jurisdiction
    at = rfc3339(datetime.now(UTC))
    document = {"v": 1, "dispute": dispute, "kind": kind, "by": by, "as": side, "height": height, "at": at, **more}
    value = key.sign(SIGNED_PREFIX + canonical_bytes(document))
    signature = {"keyid": key.keyid, "alg": ALGORITHM, "value": base64.b64encode(value).decode("ascii")}
    return Paper(dispute, kind, by, side, height, at, document, signature)


def read(envelope: Any, keys: KeyLookup) -> Paper:
    """A paper from the wire: its form and its signature, by a key the directory gives its maker for that time.

    raises   BadPaper
    """
    try:
        fields = Fields(envelope, "paper")
        paper = stored(_checked(fields.inner("document")), dict(fields.inner("signature").document))
        canonical_bytes(paper.document)
    except (Malformed, ValueError) as error:
        raise _bad(str(error), "格式有误") from error
    _check_signature(paper, keys)
    return paper


def stored(document: dict[str, Any], signature: dict[str, str]) -> Paper:
    """A paper from our own table, checked when it came in."""
    return Paper(
        dispute=document["dispute"],
        kind=document["kind"],
        by=document["by"],
        side=document["as"],
        height=document["height"],
        at=document["at"],
        document=document,
        signature=signature,
    )


def check_effects(about: Mapping[str, str], effects: Iterable[Effect]) -> None:
    """D809-28. A decision does what the dispute is about, or nothing.

    raises   BeyondTheDispute
    """
    for one in effects:
        needed = EFFECTS.get(one.do)
        if needed is None or (needed and not about.get(needed)):
            raise BeyondTheDispute(effect=one.do)
        if one.binds != binds(about, one.do):
            raise BeyondTheDispute(effect=f"{one.do} {one.binds}")
        if not set(one.limits) <= {"items", "term_days", "quota_calls_per_day"} or (one.limits and one.do != "agree"):
            raise BeyondTheDispute(effect=one.do)


def binds(about: Mapping[str, str], do: str) -> str:
    """Whose duty an effect is: the provider's, and whoever suspended resumes."""
    if do == "none":
        return ""
    if do == "resume" and about.get("suspended_by") == "consumer":
        return about["consumer"]
    return about["provider"]


def _checked(fields: Fields) -> dict[str, Any]:
    """raises   Malformed"""
    fields.integer("v", least=1, most=1)
    fields.identifier("dispute")
    kind = fields.literal("kind", *KINDS)
    fields.identifier("by")
    fields.literal("as", *SIDES)
    fields.integer("height", least=0, most=100_000)
    _moment(fields)
    if len(fields.text("text")) > LONGEST_TEXT:
        raise fields.fail("text", f"at most {LONGEST_TEXT} characters", f"至多 {LONGEST_TEXT} 个字符")
    if kind == "opened":
        _check_opened(fields)
    if kind in ("decided", "proposed"):
        fields.many("effects", _check_effect, fewest=1)
        if len(fields.text("citation")) > 500:
            raise fields.fail("citation", "at most 500 characters", "至多 500 个字符")
    if kind == "settled":
        fields.identifier("proposal")
    if kind in ("escalated", "decided"):
        fields.integer("level", least=2, most=3)
    if kind == "escalated":
        fields.identifier("forum")
    return fields.document


def _check_opened(fields: Fields) -> None:
    if len(fields.text("title")) > 200:
        raise fields.fail("title", "at most 200 characters", "至多 200 个字符")
    for name in ("claimant", "respondent"):
        party = fields.inner(name)
        party.identifier("node")
        if len(party.text("department")) > 18:
            raise party.fail("department", "at most 18 characters", "至多 18 个字符")
    if len(fields.text("mediator")) > 40:
        raise fields.fail("mediator", "at most 40 characters", "至多 40 个字符")
    about = fields.inner("about")
    about.literal("origin", *ORIGINS)
    for name in ABOUT:
        if len(about.text(name)) > 80:
            raise about.fail(name, "at most 80 characters", "至多 80 个字符")
    parties = {fields.inner(name).text("node") for name in ("claimant", "respondent")}
    for name in ("provider", "consumer"):
        if about.text(name) and about.text(name) not in parties:
            raise about.fail(name, "one of the two parties is expected", "应为争议双方之一")


def _check_effect(value: Any, where: str) -> None:
    fields = Fields(value, where)
    fields.literal("do", *EFFECTS)
    fields.text("binds")
    limits = fields.inner("limits")
    if limits.has("items"):
        limits.many("items", lambda one, path: Fields({"item": one}, path).text("item"), fewest=1)
    for name, most in (("term_days", 3650), ("quota_calls_per_day", 100_000_000)):
        if limits.has(name):
            limits.integer(name, least=1, most=most)


def _moment(fields: Fields) -> datetime:
    try:
        moment = datetime.fromisoformat(fields.text("at"))
    except ValueError:
        raise fields.fail("at", "an RFC 3339 time is expected", "应为 RFC 3339 时间") from None
    if moment.tzinfo is None:
        raise fields.fail("at", "a time zone is expected", "应带时区")
    return moment


def _check_signature(paper: Paper, keys: KeyLookup) -> None:
    known = keys.lookup(str(paper.signature.get("keyid", "")))
    if known is None or known.jurisdiction != paper.by:
        raise _bad(f"its key is not listed for {paper.by}", f"签名密钥未列在 {paper.by} 名下")
    made_at = datetime.fromisoformat(paper.at).timestamp()
    if not known.valid_from - CLOCK_SKEW_S <= made_at < known.valid_to:
        raise _bad("its key was not valid when it was made", "制作时其密钥无效")
    try:
        value = binascii.a2b_base64(str(paper.signature.get("value", "")), strict_mode=True)
        known.key.verify(value, SIGNED_PREFIX + canonical_bytes(paper.document))
    except (InvalidSignature, binascii.Error, ValueError) as error:
        raise _bad("its signature does not hold", "签名不成立") from error


def _bad(reason: str, reason_zh: str) -> BadPaper:
    return BadPaper(reason=reason, reason_zh=reason_zh)
