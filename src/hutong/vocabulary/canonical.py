"""Canonical JSON: the one byte string that is signed, hashed and logged for a value.

Keys sorted by code point, no white space, UTF-8, integers only as numbers that both sides print
alike. Equal to RFC 8785 for the values we sign: floats are refused, because their printing is
where implementations disagree, and object keys stay within the Basic Multilingual Plane.
"""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

MAX_INTEGER = 2**53 - 1  # RFC 8785: what every JSON reader keeps exactly


def canonical_bytes(value: Any) -> bytes:
    """The canonical JSON of a value made of dict, list, tuple, str, int, bool and None.

    raises   ValueError for floats, integers beyond 2**53 - 1, lone surrogates, and keys that are not BMP strings
    """
    _check(value)
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError as error:  # a lone surrogate, or nesting beyond 254
        raise ValueError(str(error)) from error


def digest(data: bytes) -> str:
    """`sha256:` and 64 hex digits."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def canonical_digest(value: Any) -> str:
    return digest(canonical_bytes(value))


def _check(value: Any) -> None:
    if value is None or isinstance(value, (str, bool)):
        return
    if isinstance(value, int):
        if abs(value) > MAX_INTEGER:
            raise ValueError("an integer beyond 2**53 - 1 has no canonical JSON; send it as a string")
        return
    if isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str) or any(ord(character) > 0xFFFF for character in key):
                raise ValueError("object keys must be strings within the Basic Multilingual Plane")
            _check(inner)
        return
    if isinstance(value, (list, tuple)):
        for inner in value:
            _check(inner)
        return
    raise ValueError(f"{type(value).__name__} has no canonical JSON here")
