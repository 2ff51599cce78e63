"""Identifiers to other identifiers of the same form, keyed: what encrypt_identity_number and encrypt_credit_code do.

An identity number (GB 11643) becomes another valid one: the birth date another day from 1850 to 2049, the sequence
another, the check digit computed anew. `keeps` says what of the area code stays: all six digits ("area"), the province
("province"), or nothing, and then the province is another of the list. Neither age nor sex can be told from the result.

A credit code (GB 32100) keeps its first eight characters (who registered it, what kind of body, area); the organisation
code behind them becomes another, with both check characters computed anew.

What is not such an identifier (length, characters, province, day, check digit) is hidden: a * for each character.
The agreement's provider can turn them back (`decrypted`); nobody else can.
"""

from __future__ import annotations

import hmac
from functools import lru_cache
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute

from hutong.exchange.shaping.ff1 import Permutation
from hutong.exchange.shaping.masks import Mask
from hutong.vocabulary.identifiers import (
    CREDIT_ALPHABET,
    CREDIT_WEIGHTS,
    IDENTITY_CHECKS,
    IDENTITY_WEIGHTS,
    ORGANISATION_ALPHABET,
    ORGANISATION_CHECKS,
    ORGANISATION_WEIGHTS,
)

pc: Any = pyarrow.compute  # its stubs know only some of the types it takes

LENGTH: Final = 18  # of both identifiers
FIRST_DAY: Final = "1850-01-01"  # of birth dates
BEYOND: Final = "2050-01-01"
SEQUENCES: Final = 1_000
KEY_BYTES: Final = {"aes": 32, "sm4": 16}
# GB/T 2260 provinces as they stand. Part of the wire: another list would decrypt to other numbers.
PROVINCES: Final = (
    11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52, 53, 54, 61, 62, 63,
    64, 65, 71, 81, 82,
)  # fmt: skip

Array = Any  # numpy.ndarray


def encrypted(text: Any, mask: Mask, key: bytes) -> Any:
    """A text column under the mask; missing stays missing."""
    return _turned(text, mask, key, back=False)


def decrypted(text: Any, mask: Mask, key: bytes) -> Any:
    """The identifiers that encrypted() made these of; what it did not make is hidden."""
    return _turned(text, mask, key, back=True)


def _turned(text: Any, mask: Mask, key: bytes, *, back: bool) -> Any:
    if isinstance(text, pa.ChunkedArray):
        return pa.chunked_array([_turned(chunk, mask, key, back=back) for chunk in text.chunks], pa.string())
    text = text.cast(pa.string())
    fits = pc.fill_null(pc.equal(pc.binary_length(text), LENGTH), False)
    characters = _characters(text.filter(fits))
    turn = _identity_numbers if mask.action == "encrypt_identity_number" else _credit_codes
    made, valid = turn(characters, mask, key, back)
    places = np.flatnonzero(_as_numpy(fits))[valid]
    chosen = np.zeros(len(text), bool)
    chosen[places] = True
    hidden = pc.binary_repeat(pa.scalar("*", pa.string()), pc.utf8_length(text))
    return pc.replace_with_mask(hidden, pa.array(chosen), _texts(made[valid]))


def _identity_numbers(characters: Array, mask: Mask, key: bytes, back: bool) -> tuple[Array, Array]:
    """The numbers turned, as characters, and which of them are identity numbers."""
    digits = characters.astype(np.int64) - ord("0")
    body, days = digits[:, :17], _calendar()
    is_digits = ((body >= 0) & (body <= 9)).all(axis=1)
    body = np.where(is_digits[:, None], body, 0)
    check = np.frombuffer(IDENTITY_CHECKS.encode("ascii"), np.uint8)
    last = np.where(characters[:, 17] == ord("x"), ord("X"), characters[:, 17])
    province = _number(body[:, :2])
    year, month, day = _number(body[:, 6:10]), _number(body[:, 10:12]), _number(body[:, 12:14])
    known = (year >= 1850) & (year < 2050) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
    ordinal = days[np.where(known, ((year - 1850) * 12 + month - 1) * 31 + day - 1, 1 * 31 + 29)]  # 30 February
    valid = is_digits & (ordinal >= 0) & np.isin(province, PROVINCES)
    valid &= check[(body @ np.array(IDENTITY_WEIGHTS)) % 11] == last
    place = np.searchsorted(PROVINCES, province).clip(0, len(PROVINCES) - 1)
    free = {"area": 0, "province": 4, "nothing": 6}[mask.keeps]
    areas = {0: np.zeros(len(body), np.int64), 4: _number(body[:, 2:6]), 6: place * 10_000 + _number(body[:, 2:6])}
    number = (areas[free] * _DAYS + ordinal.clip(0)) * SEQUENCES + _number(body[:, 14:17])
    size = {0: 1, 4: 10_000, 6: 10_000 * len(PROVINCES)}[free] * _DAYS * SEQUENCES
    turned = _permuted(number, size, mask, key, back)
    made = characters.copy()
    area, rest = np.divmod(turned, _DAYS * SEQUENCES)
    ordinal, sequence = np.divmod(rest, SEQUENCES)
    if free == 6:
        place, area = np.divmod(area, 10_000)
        _write(made, 0, 2, np.array(PROVINCES)[place])
    if free:
        _write(made, 2, 4, area)
    _write(made, 6, 8, _dates()[ordinal])
    _write(made, 14, 3, sequence)
    made[:, 17] = check[((made[:, :17].astype(np.int64) - ord("0")) @ np.array(IDENTITY_WEIGHTS)) % 11]
    return made, valid


def _credit_codes(characters: Array, mask: Mask, key: bytes, back: bool) -> tuple[Array, Array]:
    """The codes turned, as characters, and which of them are credit codes whose inner check holds too."""
    alphabet = np.frombuffer(CREDIT_ALPHABET.encode("ascii"), np.uint8)
    numerals = np.full(256, -1, np.int64)
    numerals[alphabet] = np.arange(len(alphabet))
    values = numerals[characters]
    valid = (values >= 0).all(axis=1)
    values = values.clip(0)
    valid &= values[:, 17] == _credit_check(values)
    valid &= characters[:, 16] == _organisation_check(characters)
    radix = len(alphabet)
    weights = radix ** np.arange(7, -1, -1, dtype=np.int64)
    turned = _permuted(values[:, 8:16] @ weights, radix**8, mask, key, back)
    made = characters.copy()
    made[:, 8:16] = alphabet[(turned[:, None] // weights) % radix]
    made[:, 16] = _organisation_check(made)
    made[:, 17] = alphabet[_credit_check(numerals[made])]
    return made, valid


def _permuted(numbers: Array, size: int, mask: Mask, key: bytes, back: bool) -> Array:
    permutation = _permutation(size, f"{mask.action}:{mask.keeps}", "sm4" if mask.suite == "sm" else "aes", key)
    turn = permutation.decrypt if back else permutation.encrypt
    return turn(numbers).astype(np.int64)


@lru_cache(maxsize=256)
def _permutation(size: int, tweak: str, cipher: str, key: bytes) -> Permutation:
    derived = hmac.digest(key, b"hutong ff1 " + cipher.encode("ascii"), "sha256")[: KEY_BYTES[cipher]]
    return Permutation(size, derived, tweak.encode("ascii"), cipher)


def _credit_check(values: Array) -> Array:
    return -(values[:, :17] @ np.array(CREDIT_WEIGHTS)) % 31


def _organisation_check(characters: Array) -> Array:
    worth = np.zeros(256, np.int64)
    worth[np.frombuffer(ORGANISATION_ALPHABET.encode("ascii"), np.uint8)] = np.arange(len(ORGANISATION_ALPHABET))
    checks = np.frombuffer(ORGANISATION_CHECKS.encode("ascii"), np.uint8)
    return checks[(worth[characters[:, 8:16]] @ np.array(ORGANISATION_WEIGHTS)) % 11]


@lru_cache(maxsize=1)
def _dates() -> Array:
    """Every day from 1850 to 2049 as the number yyyymmdd, in order."""
    days = np.arange(FIRST_DAY, BEYOND, dtype="datetime64[D]")
    texts = np.char.replace(np.datetime_as_string(days), "-", "")
    return texts.astype(np.int64)


_DAYS: Final = 73_049  # from 1850-01-01 to 2049-12-31


@lru_cache(maxsize=1)
def _calendar() -> Array:
    """The ordinal of each day by ((year - 1850) * 12 + month - 1) * 31 + day - 1; -1 for days there are none of."""
    dates = _dates()
    months = (dates // 10_000 - 1850) * 12 + dates // 100 % 100 - 1
    ordinals = np.full(200 * 12 * 31, -1, np.int64)
    ordinals[months * 31 + dates % 100 - 1] = np.arange(len(dates))
    return ordinals


def _number(digits: Array) -> Array:
    return digits @ (10 ** np.arange(digits.shape[1] - 1, -1, -1, dtype=np.int64))


def _write(characters: Array, start: int, width: int, numbers: Array) -> None:
    powers = 10 ** np.arange(width - 1, -1, -1, dtype=np.int64)
    characters[:, start : start + width] = (numbers[:, None] // powers) % 10 + ord("0")


def _characters(texts: Any) -> Array:
    """Texts of 18 bytes each as a table of bytes."""
    if not len(texts):
        return np.empty((0, LENGTH), np.uint8)
    start = int(np.frombuffer(texts.buffers()[1], np.int32)[texts.offset])
    return np.frombuffer(texts.buffers()[2], np.uint8, len(texts) * LENGTH, start).reshape(-1, LENGTH)


def _texts(characters: Array) -> Any:
    offsets: Any = np.arange(0, (len(characters) + 1) * LENGTH, LENGTH, dtype=np.int32)
    written: Any = np.ascontiguousarray(characters)
    return pa.Array.from_buffers(pa.string(), len(characters), [None, pa.py_buffer(offsets), pa.py_buffer(written)])


def _as_numpy(flags: Any) -> Array:
    return flags.to_numpy(zero_copy_only=False)
