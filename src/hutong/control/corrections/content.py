"""What of a report nobody but the two sides may read: the key's value, the evidence, the reason of the answer.

At rest it is sealed with the node's key, on the way with the receiver's.
"""

from __future__ import annotations

from typing import Any

import orjson

from hutong.control.corrections.models import Correction, Heard
from hutong.node.keys import seal, unseal
from hutong.node.sealing import Box, open_box, seal_for
from hutong.vocabulary.errors import BadInput
from hutong.vocabulary.text import checked

LONGEST_VALUE = 300  # characters of a key's value
LONGEST_TEXT = 2_000  # characters of evidence and of reasons
_LIMITS = {"value": LONGEST_VALUE}


def kept(content: dict[str, Any]) -> bytes:
    return seal(orjson.dumps(content))


def opened(sealed: bytes) -> dict[str, Any]:
    """raises   Unsealable"""
    return dict(orjson.loads(unseal(bytes(sealed)))) if sealed else {}


def key_value(one: Correction | Heard) -> str | int:
    """The value of the record's key. MUST not be logged, recorded or shown to another department."""
    value = opened(bytes(one.content))["value"]
    return value if isinstance(value, int) else str(value)


def sent(peer: str, content: dict[str, Any], about: str) -> Box:
    return seal_for(peer, orjson.dumps(content), about=about)


def received(box: Any, about: str, names: tuple[str, ...]) -> dict[str, Any]:
    """What a peer sealed for us, with exactly these members, each a text (a value may be a whole number).

    raises   BadInput, NotSealedForUs, TextRefused
    """
    try:
        content = orjson.loads(open_box(box, about=about))
    except orjson.JSONDecodeError:
        content = None
    if not isinstance(content, dict) or content.keys() != set(names):
        raise BadInput(reason="the sealed part has other members", reason_zh="密封内容的成员不符")
    return {
        name: value
        if name == "value" and type(value) is int
        else checked(name, value, limit=_LIMITS.get(name, LONGEST_TEXT), lines=True)
        for name, value in content.items()
    }
