"""Exchange receipts: the leaf each side writes about one exchange. Digests, counts and codes only."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

import orjson

from hutong.vocabulary.canonical import MAX_INTEGER, digest
from hutong.vocabulary.errors import Refused

VERSION = 1
KIND = "exchange"

Role = Literal["provider", "consumer"]
Outcome = Literal["served", "refused", "open", "cut", "recovered"]
ROLES = frozenset(get_args(Role))
OUTCOMES = frozenset(get_args(Outcome))


class BadReceipt(Refused):
    """This ledger entry is not an exchange receipt: {reason}."""

    zh = "该账本条目不是有效的交换回执：{reason}。"
    code = "bad_receipt"
    status = 400
    next_en = "Ask the other node which version it runs."
    next_zh = "请确认对方节点的软件版本。"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What one side states about one exchange. Every member stands in the leaf under its own name."""

    role: Role
    exchange: str  # UUID, the same on both sides
    at: str  # RFC 3339 UTC with milliseconds
    agreement: str  # urn:uuid:...
    provider: str  # jurisdictions
    consumer: str
    purpose: str  # code
    case: str  # "hmac-sha256:<hex>" under the consumer's own key
    request: str  # "sha256:<hex>" of the request as signed
    response: str  # "sha256:<hex>" of the answer's bytes; "" while open or refused
    rows: int
    bytes: int
    outcome: Outcome
    code: str = ""  # the refusal's code
    form: str = "json"
    peer_receipt: str = ""  # digest of the other side's entry, on the side that learns it
    # Rows that stayed behind because a code map did not hold a value of theirs, by item; no member where none did.
    withheld: Mapping[str, int] = field(default_factory=dict)
    # The first and last position of a batch of changes; no member elsewhere.
    positions: tuple[int, int] | None = None

    @property
    def peer(self) -> str:
        """The jurisdiction on the other side."""
        return self.consumer if self.role == "provider" else self.provider

    def to_entry(self) -> builtins.bytes:
        """The leaf: canonical JSON. The members are written in sorted order, as canonical JSON needs."""
        withheld = {"withheld": dict(sorted(self.withheld.items()))} if self.withheld else {}
        positions = {"positions": list(self.positions)} if self.positions else {}
        return orjson.dumps(
            {
                "agreement": self.agreement,
                "at": self.at,
                "bytes": self.bytes,
                "case": self.case,
                "code": self.code,
                "consumer": self.consumer,
                "exchange": self.exchange,
                "form": self.form,
                "kind": KIND,
                "outcome": self.outcome,
                "peer_receipt": self.peer_receipt,
                **positions,
                "provider": self.provider,
                "purpose": self.purpose,
                "request": self.request,
                "response": self.response,
                "role": self.role,
                "rows": self.rows,
                "v": VERSION,
                **withheld,
            }
        )

    def digest(self) -> str:
        """`sha256:` of the leaf: what the other side may quote as `peer_receipt`."""
        return digest(self.to_entry())

    @classmethod
    def from_entry(cls, entry: builtins.bytes) -> Receipt:
        """Read a leaf back. Only the one spelling is read: what `to_entry` would write.

        raises   BadReceipt
        """
        members = _object(entry)
        if members.pop("v", None) != VERSION or members.pop("kind", None) != KIND:
            raise BadReceipt(
                reason=f"it is not of kind {KIND}, version {VERSION}", reason_zh=f"不是版本 {VERSION} 的 {KIND} 条目"
            )
        members.setdefault("withheld", {})
        members.setdefault("positions", None)
        if set(members) != NAMES:
            odd = sorted(set(members) ^ NAMES)
            raise BadReceipt(reason=f"it lacks, or adds, {odd[0][:40]}", reason_zh=f"缺少或多出 {odd[0][:40]}")
        _check(members)
        if members["positions"] is not None:
            members["positions"] = tuple(members["positions"])
        receipt = cls(**members)
        if receipt.to_entry() != entry:
            raise BadReceipt(reason="it is not canonical JSON", reason_zh="不是规范化 JSON")
        return receipt


NAMES = frozenset(one.name for one in fields(Receipt))
COUNTS = frozenset({"rows", "bytes"})


def _object(entry: bytes) -> dict[str, Any]:
    try:
        members = orjson.loads(entry)
    except orjson.JSONDecodeError as error:
        raise BadReceipt(reason="it is not JSON", reason_zh="不是 JSON") from error
    if not isinstance(members, dict):
        raise BadReceipt(reason="it is not an object", reason_zh="不是对象")
    return members


def _check(members: dict[str, Any]) -> None:
    for name, value in members.items():
        if name == "withheld":
            _check_withheld(value)
        elif name == "positions":
            _check_positions(value)
        elif name in COUNTS:
            if type(value) is not int or not 0 <= value <= MAX_INTEGER:
                raise BadReceipt(reason=f"{name} is not a count", reason_zh=f"{name} 不是计数")
        elif not isinstance(value, str):
            raise BadReceipt(reason=f"{name} is not text", reason_zh=f"{name} 不是文本")
    if members["role"] not in ROLES or members["outcome"] not in OUTCOMES:
        raise BadReceipt(reason="its role or outcome is unknown", reason_zh="其角色或结果未知")


def _check_withheld(value: Any) -> None:
    counts = value.values() if isinstance(value, dict) else [None]
    if not all(type(count) is int and 0 < count <= MAX_INTEGER for count in counts):
        raise BadReceipt(reason="withheld is not a count of rows by item", reason_zh="withheld 不是按信息项的行数")


def _check_positions(value: Any) -> None:
    if value is None:
        return
    fits = isinstance(value, list) and len(value) == 2 and all(type(one) is int for one in value)
    if not fits or not 0 < value[0] <= value[1] <= MAX_INTEGER:
        raise BadReceipt(reason="positions are not a first and a last", reason_zh="positions 不是首尾位置")
