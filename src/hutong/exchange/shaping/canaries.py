"""Rows of nobody, keyed by the agreement, among the rows of a stream: where one turns up, its agreement is known.

A canary has an identifier that is valid in form and belongs to nobody: an identity number of somebody born from 1860 to
1889, a credit code registered in area 99, a telephone number that begins with 12. It goes through the item's own mask.
Each other value is that of another row of the same batch, as it leaves; so types, masks and the agreed condition hold.

One in each of the first batches of a stream, at a keyed place. Which numbers they are, only the provider can tell.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from hutong.exchange.shaping.encrypt import PROVINCES
from hutong.exchange.shaping.mask_vector import masked
from hutong.exchange.shaping.masks import Keys, MaskedItem
from hutong.exchange.shaping.values import Kind, kind_of
from hutong.vocabulary.identifiers import CREDIT_ALPHABET, credit_check, identity_check, organisation_check

KINDS: Final = ("identity_number", "credit_code", "phone")
MOST: Final = 1_000  # of one agreement; owner: the wire
FIRST_BIRTH: Final = 1860
BIRTH_YEARS: Final = 30
# How many canaries of a kind there could be: what an unrelated number would have to hit.
POSSIBLE: Final = {
    "identity_number": 34 * 13 * 29 * 30 * 12 * 28 * 1000,
    "credit_code": 10_000 * 31**8,
    "phone": 10**9,
}
# Masks under which a canary is still one of a kind.
RECOGNISABLE: Final = ("keep", "pseudonym", "encrypt_identity_number", "encrypt_credit_code", "sha256")


@dataclass(frozen=True)
class Canaries:
    """item   whose values are identifiers of the kind; count   how many there are in all, from 1 to MOST"""

    item: str
    kind: str
    count: int


def originals(kind: str, grant_key: bytes, count: int) -> list[str]:
    """The identifiers of an agreement's canaries, before masks."""
    key = hmac.digest(grant_key, b"hutong canaries v1 " + kind.encode("ascii"), "sha256")
    return [_MAKERS[kind](hmac.digest(key, b"%d" % number, "sha512")) for number in range(count)]


def as_they_leave(canaries: Canaries, item: MaskedItem, type_: pa.DataType, grant_key: bytes) -> Any:
    """The canaries' identifiers under the item's mask. `type_` is the item's own, in the source."""
    texts = originals(canaries.kind, grant_key, canaries.count)
    values = [int(text) for text in texts] if kind_of(type_) is Kind.INTEGER else texts
    return masked(pa.array(values, type_), item.mask, Keys(grant_key))


def sown(
    batches: Iterator[pa.RecordBatch], canaries: Canaries, identifiers: Any, grant_key: bytes
) -> Iterator[pa.RecordBatch]:
    """The batches, a canary in each of the first ones.

    identifiers   as_they_leave
    """
    key = hmac.digest(grant_key, b"hutong canary places v1", "sha256")
    number = 0
    for batch in batches:
        if number < len(identifiers) and batch.num_rows:
            yield _with_one(
                batch, canaries.item, identifiers.slice(number, 1), hmac.digest(key, b"%d" % number, "sha256")
            )
            number += 1
        else:
            yield batch


def _with_one(batch: pa.RecordBatch, item: str, identifier: Any, drawn: bytes) -> pa.RecordBatch:
    place = int.from_bytes(drawn[:8], "big") % (batch.num_rows + 1)
    columns = []
    for number, (name, values) in enumerate(zip(batch.schema.names, batch.columns, strict=True)):
        other = int.from_bytes(hmac.digest(drawn, b"%d" % number, "sha256")[:8], "big") % batch.num_rows
        own = identifier if name == item else values.slice(other, 1)
        columns.append(pa.concat_arrays([values.slice(0, place), own.cast(values.type), values.slice(place)]))
    return pa.RecordBatch.from_arrays(columns, schema=batch.schema)


def _identity_number(drawn: bytes) -> str:
    """Never one that ends in X, which columns of whole numbers could not hold."""
    numbers = [int.from_bytes(drawn[place : place + 4], "big") for place in range(0, 24, 4)]
    area = f"{PROVINCES[numbers[0] % len(PROVINCES)]}{numbers[1] % 13 + 1:02d}{numbers[2] % 29 + 1:02d}"
    year, month, day = FIRST_BIRTH + numbers[3] % BIRTH_YEARS, numbers[4] // 64 % 12 + 1, numbers[4] % 28 + 1
    for step in range(1_000):
        body = f"{area}{year}{month:02d}{day:02d}{(numbers[5] + step) % 1_000:03d}"
        if identity_check(body) != "X":
            return body + identity_check(body)
    raise AssertionError("one sequence in eleven ends in X")


def _credit_code(drawn: bytes) -> str:
    inner = "".join(CREDIT_ALPHABET[byte % len(CREDIT_ALPHABET)] for byte in drawn[:8])
    body = f"9199{int.from_bytes(drawn[8:12], 'big') % 10_000:04d}{inner}{organisation_check(inner)}"
    return body + credit_check(body)


def _phone(drawn: bytes) -> str:
    return f"12{int.from_bytes(drawn[:8], 'big') % 10**9:09d}"


_MAKERS = {"identity_number": _identity_number, "credit_code": _credit_code, "phone": _phone}
