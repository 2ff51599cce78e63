"""What a policy lets through, in plain Python, a value at a time: written for reading, shares no code with the product.

Conditions are `truth` of tests/spec/five_sources.py. A policy is a condition, the items in order and a mask document
for each; marked items are written in one width.
"""

from __future__ import annotations

import datetime
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES, SM4

from tests.spec.five_sources import truth

KEY = bytes(range(32))
HIDDEN_BY_ANSWER = "sha256_query"  # whose values cannot be foreseen, only that equal ones stay equal
Row = dict[str, Any]


@dataclass(frozen=True)
class Policy:
    """masks: item -> mask document, in the order the items are answered."""

    name: str
    masks: Mapping[str, Mapping[str, Any]]
    where: Mapping[str, Any] | None = None
    marked: frozenset[str] = frozenset()


def leaving(rows: Sequence[Row], policy: Policy) -> list[Row]:
    """First the condition, on original values; then each value under its mask."""
    kept = [row for row in rows if policy.where is None or truth(policy.where, _without_nan(row)) is True]
    return [
        {item: value_of(row[item], mask, marked=item in policy.marked) for item, mask in policy.masks.items()}
        for row in kept
    ]


def value_of(value: Any, mask: Mapping[str, Any], *, marked: bool = False) -> Any:
    if value is None:
        return None
    shown = _masked(value, mask)
    return _in_one_width(shown) if marked and shown is not None else shown


def _without_nan(row: Row) -> Row:
    return {item: None if value != value else value for item, value in row.items()}  # NaN alone differs from itself


def _masked(value: Any, mask: Mapping[str, Any]) -> Any:
    action = mask["action"]
    if action == "keep":
        return value
    if action == "null":
        return None
    if action == "fixed":
        return _fixed(value)
    if action in ("year", "month") and not isinstance(value, str):
        first = value.replace(day=1) if action == "month" else value.replace(month=1, day=1)
        return first.replace(hour=0, minute=0, second=0, microsecond=0) if hasattr(first, "hour") else first
    text = value if isinstance(value, str) else str(value)
    return TEXT_MASKS[action](text, mask)


def _fixed(value: Any) -> Any:
    kinds: list[tuple[type, Any]] = [
        (str, "XXXXXXXX"),
        (bool, False),
        (int, 999_999_999),
        (float, 0.0),
        (Decimal, Decimal("0.00")),
        (datetime.datetime, datetime.datetime(9999, 12, 31)),
        (datetime.date, datetime.date(9999, 12, 31)),
    ]
    fixed = next(fixed for kind, fixed in kinds if isinstance(value, kind))
    return fixed.replace(tzinfo=value.tzinfo) if isinstance(value, datetime.datetime) else fixed


def _alphanum(text: str) -> str:
    return "".join("n" if one in "0123456789" else one if one in "(),.-@" else "x" for one in text)


def _name(text: str, _: Any) -> str:
    return "*" * len(text) if len(text) < 2 else text[0] + "*" * (len(text) - 1)


def _identity(text: str, _: Any) -> str:
    shown = re.fullmatch(r"[0-9A-Za-z]{15,}", text)
    return text[:3] + "*" * (len(text) - 7) + text[-4:] if shown else "*" * len(text)


def _phone(text: str, _: Any) -> str:
    return f"{text[:3]}****{text[-4:]}" if re.fullmatch(r"[0-9+() -]{11,}", text) else "****"


def _year(text: str, _: Any) -> str | None:
    return text[:4] if re.match(r"[0-9]{4}([-/.年]|[0-9]{4}\Z|\Z)", text) else None


def _month(text: str, _: Any) -> str | None:
    return text[:7] if re.match(r"[0-9]{4}[-/.][0-9]{2}(?![0-9])", text) else None


def _pseudonym(text: str, mask: Mapping[str, Any]) -> str:
    return hmac.new(KEY, text.encode(), "sm3" if mask.get("suite") else "sha256").hexdigest()[:32]


TEXT_MASKS: dict[str, Any] = {
    "first": lambda text, mask: text[: mask["n"]] + "*" * max(len(text) - mask["n"], 0),
    "last": lambda text, mask: "*" * max(len(text) - mask["n"], 0) + text[-mask["n"] :],
    "alphanum": lambda text, _: _alphanum(text),
    "show_first": lambda text, mask: text[: mask["n"]] + _alphanum(text[mask["n"] :]),
    "show_last": lambda text, mask: _alphanum(text[: max(len(text) - mask["n"], 0)]) + text[-mask["n"] :],
    "name": _name,
    "identity_number": _identity,
    "phone": _phone,
    "year": _year,
    "month": _month,
    "sha256": lambda text, _: hashlib.sha256(text.encode()).hexdigest(),
    HIDDEN_BY_ANSWER: lambda text, _: ("of this answer", text),
    "pseudonym": _pseudonym,
    "encrypt_identity_number": lambda text, mask: _identity_number(text, mask["keeps"], mask.get("suite", "")),
    "encrypt_credit_code": lambda text, mask: _credit_code(text, mask.get("suite", "")),
}


# Encrypted identifiers: FF1 (NIST SP 800-38G, algorithm 7) with Python's whole numbers, a value at a time.

PROVINCES = [
    *(11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52, 53, 54),
    *(61, 62, 63, 64, 65, 71, 81, 82),
]
CODE = "0123456789ABCDEFGHJKLMNPQRTUWXY"
DAY_0 = datetime.date(1850, 1, 1)
DAYS = (datetime.date(2050, 1, 1) - DAY_0).days


@cache
def _identity_number(text: str, keeps: str, suite: str) -> str:
    hidden = "*" * len(text)
    if (
        not re.fullmatch(r"[0-9]{17}[0-9Xx]", text)
        or int(text[:2]) not in PROVINCES
        or _check(text) != text[17].upper()
    ):
        return hidden
    try:
        day = (datetime.date(int(text[6:10]), int(text[10:12]), int(text[12:14])) - DAY_0).days
    except ValueError:
        return hidden
    if not 0 <= day < DAYS:
        return hidden
    areas = {
        "area": (1, 0),
        "province": (10_000, int(text[2:6])),
        "nothing": (10_000 * len(PROVINCES), PROVINCES.index(int(text[:2])) * 10_000 + int(text[2:6])),
    }
    count, area = areas[keeps]
    number = (area * DAYS + day) * 1_000 + int(text[14:17])
    turned = _permuted(number, count * DAYS * 1_000, f"encrypt_identity_number:{keeps}", suite)
    area, day, sequence = turned // 1_000 // DAYS, turned // 1_000 % DAYS, turned % 1_000
    head = {
        "area": text[:6],
        "province": f"{text[:2]}{area:04d}",
        "nothing": f"{PROVINCES[area // 10_000 % len(PROVINCES)]}{area % 10_000:04d}",
    }[keeps]
    body = f"{head}{DAY_0 + datetime.timedelta(days=day):%Y%m%d}{sequence:03d}"
    return body + _check(body)


def _check(text: str) -> str:
    return "10X98765432"[sum(int(one) * 2 ** (17 - place) for place, one in enumerate(text[:17])) % 11]


@cache
def _credit_code(text: str, suite: str) -> str:
    if not re.fullmatch(f"[{CODE}]{{18}}", text) or _inner(text[8:16]) != text[16] or _outer(text) != text[17]:
        return "*" * len(text)
    number = 0
    for one in text[8:16]:
        number = number * 31 + CODE.index(one)
    turned = _permuted(number, 31**8, "encrypt_credit_code:", suite)
    inner = "".join(CODE[turned // 31**place % 31] for place in range(7, -1, -1))
    body = text[:8] + inner + _inner(inner)
    return body + _outer(body)


def _inner(text: str) -> str:
    values = [int(one, 36) for one in text]
    total = sum(value * weight for value, weight in zip(values, (3, 7, 9, 10, 5, 8, 4, 2), strict=True))
    return "0X987654321"[total % 11]


def _outer(text: str) -> str:
    return CODE[-sum(CODE.index(one) * 3**place for place, one in enumerate(text[:17])) % 31]


def _permuted(number: int, size: int, about: str, suite: str) -> int:
    """Numbers of four digits of the smallest radix that holds the size, encrypted until one is below it."""
    radix = 2
    while radix**4 < size:
        radix += 1
    name = "sm4" if suite else "aes"
    key = hmac.new(KEY, b"hutong ff1 " + name.encode(), "sha256").digest()[: 16 if name == "sm4" else 32]
    while True:
        left, right = _ff1(*divmod(number, radix**2), radix, key, about.encode(), name)
        number = left * radix**2 + right
        if number < size:
            return number


def _ff1(left: int, right: int, radix: int, key: bytes, tweak: bytes, cipher: str) -> tuple[int, int]:
    size = ((radix**2 - 1).bit_length() + 7) // 8
    drawn = 4 * ((size + 3) // 4) + 4
    head = bytes([1, 2, 1]) + radix.to_bytes(3, "big") + bytes([10, 2]) + (4).to_bytes(4, "big")
    head += len(tweak).to_bytes(4, "big")
    for number in range(10):
        tail = tweak + bytes(-(len(tweak) + size + 1) % 16) + bytes([number]) + right.to_bytes(size, "big")
        stream = _cbc_mac(head + tail, key, cipher)[:drawn]
        left, right = right, (left + int.from_bytes(stream, "big")) % radix**2
    return left, right


def _cbc_mac(message: bytes, key: bytes, cipher: str) -> bytes:
    block: Any = AES(key) if cipher == "aes" else SM4(key)
    return Cipher(block, modes.CBC(bytes(16))).encryptor().update(message)[-16:]


def _in_one_width(text: str) -> str:
    """All half or all full width, by the highest bit of a keyed hash of the text in half width."""
    pairs = dict(zip("＊（），－＃", "*(),-#", strict=True))
    half = "".join(pairs.get(one, one) for one in text)
    key = hmac.new(KEY, b"hutong watermark v1", "sha256").digest()
    if hmac.new(key, half.encode(), "sha256").digest()[0] < 128:
        return half
    back = {narrow: wide for wide, narrow in pairs.items()}
    return "".join(back.get(one, one) for one in half)
