"""Masks as one choice of a list: the code of a choice is the mask as one word, see hutong.exchange.shaping.masks."""

from __future__ import annotations

from hutong.exchange.shaping.masks import code_of, document_of
from hutong.portal.components import words

__all__ = ["choices", "code_of", "document_of"]

_KEYED = ("pseudonym", "pseudonym:sm")
_IDENTITY = tuple(
    f"encrypt_identity_number:{keeps}{suite}" for suite in ("", ":sm") for keeps in ("area", "province", "nothing")
)
_TEXT = (
    "keep", "null", "fixed", "name", "identity_number", "phone", "first:1", "first:3", "first:6", "last:4", "alphanum",
    "show_first:4", "show_last:4", "year", "month", *_KEYED, *_IDENTITY, "encrypt_credit_code",
    "encrypt_credit_code:sm", "sha256_query", "sha256",
)  # fmt: skip
_WHOLE = ("keep", "null", "fixed", "identity_number", "phone", "first:3", "first:6", "last:4", *_KEYED, *_IDENTITY)
_BY_TYPE = {
    "string": _TEXT,
    "int64": _WHOLE,
    "int32": _WHOLE,
    "date": ("keep", "null", "fixed", "year", "month", *_KEYED),
    "timestamp": ("keep", "null", "fixed", "year", "month"),
}
_OTHERS = ("keep", "null", "fixed")


def choices(type_name: str, present: str = "keep") -> list[tuple[str, str]]:
    """The masks that fit a type, and the present one whatever it is."""
    fitting = _BY_TYPE.get(type_name, _OTHERS)
    codes = fitting if present in fitting else (*fitting, present)
    return [(code, words.mask(document_of(code))) for code in codes]
