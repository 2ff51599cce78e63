"""Identifiers we mint: time-ordered, unguessable, safe in paths and logs."""

from __future__ import annotations

import os
import re
import time

UUID_TEXT = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")


def new_id() -> str:
    """A UUID version 7 (RFC 9562): 48 bits of milliseconds, then 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    number = (milliseconds << 80) | int.from_bytes(os.urandom(10), "big")
    number = (number & ~(0xF << 76)) | (0x7 << 76)
    number = (number & ~(0x3 << 62)) | (0x2 << 62)
    digits = f"{number:032x}"  # uuid.UUID says the same four times slower
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def urn(identifier: str) -> str:
    return "urn:uuid:" + identifier


def as_urn(text: str) -> str:
    """An id as people type it, bare or as a URN, as the URN."""
    return text if ":" in text else urn(text)


def is_id(text: str) -> bool:
    return UUID_TEXT.match(text) is not None
