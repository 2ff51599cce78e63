"""One edition: a file of agreed, masked rows and what is known of it, in a folder that is complete or absent."""

from __future__ import annotations

import base64
import builtins
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import orjson
import pyarrow as pa

MANIFEST = "edition.json"
DATA = "rows"


@dataclass(frozen=True)
class Edition:
    """Rows as they leave, for every read with the same terms until the source changes.

    terms     names what it is an edition of: agreement, policy, selection, form; see terms.py
    version   0 at first; grows by one each time the rows differ from the edition before
    schema    of the rows, as they leave
    rows      in the file, canaries among them
    agreed    those of the source: what a quota of rows counts when the file is opened
    withheld  rows that stayed behind for want of a regional code, by item
    sealed    the values they had, under the node's key; "" where none stayed behind
    """

    folder: Path = field(repr=False)
    agreement: str
    terms: str
    version: int
    form: str
    made_at: datetime
    rows: int
    agreed: int
    bytes: int
    digest: str
    schema: pa.Schema
    first: bool = False  # no edition of these terms was before it
    withheld: Mapping[str, int] = field(default_factory=dict)
    sealed: str = field(default="", repr=False)

    @property
    def file(self) -> Path:
        return self.folder / DATA

    @property
    def made_at_ms(self) -> int:
        return int(self.made_at.timestamp() * 1000)

    def manifest(self) -> builtins.bytes:
        return orjson.dumps(
            {
                "agreement": self.agreement,
                "terms": self.terms,
                "version": self.version,
                "form": self.form,
                "made_at": self.made_at.isoformat(),
                "rows": self.rows,
                "agreed": self.agreed,
                "bytes": self.bytes,
                "digest": self.digest,
                "schema": schema_text(self.schema),
                "first": self.first,
                "withheld": dict(self.withheld),
                "sealed": self.sealed,
            }
        )

    @classmethod
    def of(cls, folder: Path) -> Self | None:
        """The edition in a folder; None where there is none."""
        try:
            known: dict[str, Any] = orjson.loads((folder / MANIFEST).read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            return None
        known["made_at"] = datetime.fromisoformat(known["made_at"]).astimezone(UTC)
        return cls(folder=folder, **known | {"schema": schema_of(known["schema"])})


def schema_text(schema: pa.Schema) -> str:
    """An Arrow schema as base64 of its IPC message."""
    return base64.b64encode(schema.remove_metadata().serialize().to_pybytes()).decode("ascii")


def schema_of(text: str) -> pa.Schema:
    """raises   ValueError, pa.ArrowInvalid for what schema_text did not write"""
    return pa.ipc.read_schema(pa.py_buffer(base64.b64decode(text, validate=True)))
