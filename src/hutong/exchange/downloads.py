"""Files that an exchange has opened: kept in the database, so that any process serves any piece, also after a restart.

An exchange of files is on record once, as a whole, when its first piece leaves: every further piece is a part of what
the record already states, however often and in whatever order the pieces are fetched.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Self
from uuid import UUID

import orjson

from hutong.exchange.database import json_value, moment, reading
from hutong.ledger.receipt import Receipt
from hutong.vocabulary.canonical import digest
from hutong.vocabulary.ids import is_id
from hutong.vocabulary.moments import rfc3339

OPEN_FOR = timedelta(hours=24)  # how long the files of one exchange may be fetched; owner: the wire
PIECE_BYTES = 2 << 20  # of a file, fetched from the provider at once; the last one is shorter; owner: the wire
FILES = "/exchange/files"  # between nodes
FETCHED = "/exchange/v1/files/"  # by applications
KINDS = ("rows", "add", "cdf")

Role = Literal["provider", "consumer"]

_INSERT = (
    "INSERT INTO exchange_download"
    " (exchange_id, role, agreement_id, peer, request_digest, document, key_digest, expires_at)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (exchange_id, role) DO NOTHING"
)
_SELECT = (
    "SELECT agreement_id, peer, request_digest, document, key_digest, expires_at FROM exchange_download"
    " WHERE exchange_id = %s AND role = %s"
)
_ON_RECORD = (
    "SELECT entry_digest FROM exchange_record WHERE exchange_id = %s AND role = %s"
    " AND outcome IN ('served', 'recovered')"
)
_FORGET = "DELETE FROM exchange_download WHERE expires_at < %s"


@dataclass(frozen=True)
class OpenedFile:
    """One file. `kind`: rows; or of changes, add (all rows came) or cdf (rows with what became of them)."""

    rows: int
    bytes: int
    digest: str
    version: int
    made_at: int  # milliseconds since 1970
    kind: str = "rows"
    terms: str = ""  # of the edition it is; provider's side
    agreed: int = 0  # rows without canaries: what must be left of a quota; provider's side

    @property
    def pieces(self) -> int:
        return -(-self.bytes // PIECE_BYTES)


@dataclass(frozen=True)
class Download:
    """The files of one exchange, as one side keeps them.

    asked        provider's side: the query as it came, to be decided on again
    base         provider's side: the terms of the edition the files are of or from
    sealed       provider's side: values that had no regional code, under the node's key
    application, case_number, key_digest   consumer's side
    """

    exchange: str
    role: Role
    agreement: str
    peer: str
    request: str
    purpose: str
    case: str
    form: str
    files: tuple[OpenedFile, ...]
    expires_at: datetime
    withheld: Mapping[str, int] = field(default_factory=dict)
    asked: Mapping[str, Any] = field(default_factory=dict)
    base: str = ""
    sealed: str = field(default="", repr=False)
    application: str = ""
    case_number: str = ""
    key_digest: str = ""

    @property
    def rows(self) -> int:
        return sum(one.rows for one in self.files)

    @property
    def agreed(self) -> int:
        return sum(one.agreed for one in self.files)

    @property
    def bytes(self) -> int:
        return sum(one.bytes for one in self.files)

    @property
    def digest(self) -> str:
        """Of the one file's bytes; of several, of the canonical JSON list of their digests."""
        if len(self.files) == 1:
            return self.files[0].digest
        return digest(orjson.dumps([one.digest for one in self.files]))

    def refusal(self, code: str) -> str:
        """The exchange under which refused pieces are on record: one for each reason, the same id on both sides.

        The files' own exchange stays as it is: what was served was served.
        """
        known = digest(f"hutong refused piece\n{self.exchange}\n{code}\n".encode()).removeprefix("sha256:")
        number = int(known[:32], 16) & ~(0xF << 76 | 0x3 << 62)
        return str(UUID(int=number | 0x8 << 76 | 0x2 << 62))  # version 8 (RFC 9562)

    def refused(self, code: str, jurisdiction: str, peer_receipt: str = "") -> Receipt:
        """Our receipt of refused pieces.

        jurisdiction   ours
        peer_receipt   consumer's side: the provider's receipt of the same
        """
        ours_first = (jurisdiction, self.peer)
        provider, consumer = ours_first if self.role == "provider" else reversed(ours_first)
        return Receipt(
            role=self.role,
            exchange=self.refusal(code),
            at=rfc3339(datetime.now(UTC)),
            agreement=self.agreement,
            provider=provider,
            consumer=consumer,
            purpose=self.purpose,
            case=self.case,
            request=self.request,
            response="",
            rows=0,
            bytes=0,
            outcome="refused",
            code=code,
            form=self.form,
            peer_receipt=peer_receipt,
        )

    def keep(self) -> None:
        """From a worker thread. Kept once: what the same exchange opened before stays. raises   Unavailable"""
        with reading("the node's database") as cursor:
            document = {name: getattr(self, name) for name in _DOCUMENT} | {
                "files": [asdict(one) for one in self.files]
            }
            expires_at = cursor.db.ops.adapt_datetimefield_value(self.expires_at)
            text = orjson.dumps(document).decode()
            columns = (self.exchange, self.role, self.agreement, self.peer, self.request, text, self.key_digest)
            cursor.execute(_INSERT, (*columns, expires_at))

    @classmethod
    def find(cls, exchange: str, role: Role) -> Self | None:
        """From a worker thread; None for one that nobody opened, or that may be fetched no more."""
        with reading("the node's database") as cursor:
            cursor.execute(_SELECT, (exchange if is_id(exchange) else "", role))
            row = cursor.fetchone()
        if row is None or moment(row[5]) <= datetime.now(UTC):
            return None
        agreement, peer, request, document, key_digest, expires_at = row
        known = json_value(document)
        known["files"] = tuple(OpenedFile(**one) for one in known["files"])
        return cls(
            exchange=exchange,
            role=role,
            agreement=agreement,
            peer=peer,
            request=request,
            key_digest=key_digest,
            expires_at=moment(expires_at),
            **known,
        )

    def receipt(self) -> str:
        """The digest of our ledger entry for it; "" while it is not on record. From a worker thread."""
        with reading("the use register") as cursor:
            cursor.execute(_ON_RECORD, (self.exchange, self.role))
            row = cursor.fetchone()
        return str(row[0]) if row else ""


_DOCUMENT = ("purpose", "case", "form", "withheld", "asked", "base", "sealed", "application", "case_number")


def until() -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + OPEN_FOR


def forget_old() -> None:
    """From a worker thread. Downloads that are over; the register keeps what happened."""
    with reading("the node's database") as cursor:
        cursor.execute(_FORGET, (cursor.db.ops.adapt_datetimefield_value(datetime.now(UTC)),))
