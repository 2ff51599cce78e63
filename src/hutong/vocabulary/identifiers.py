"""Identifiers that others mint: people, organisations, areas.

A wrong length, character, check character or birth date is an error. An area code nobody knows and
a wrong inner check are doubts: real, valid identifiers have them, because area tables age and some
registries numbered freely.

No refusal here carries the identifier itself: identity numbers are personal data.
Source: GB 11643-1999 (ISO 7064 MOD 11-2), GB 32100-2015, GB 11714-1997, GB/T 2260.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from hutong.vocabulary.areas import PROVINCES, AreaTable
from hutong.vocabulary.errors import Refused

IDENTITY_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # 2 ** (18 - i) mod 11
IDENTITY_CHECKS = "10X98765432"  # by the weighted sum mod 11
CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # without I O S V Z, which read like 1 0 5 U 2
CREDIT_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)  # 3 ** (i - 1) mod 31
ORGANISATION_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
ORGANISATION_CHECKS = "0X987654321"  # by the weighted sum mod 11: 11 - sum, 10 is X, 11 is 0


class Doubt(StrEnum):
    """Something unusual about an identifier that is still valid."""

    UNKNOWN_AREA = "unknown_area"  # the area code is in no table we have
    INNER_CHECK = "inner_check"  # the organisation code inside fails its own check


class WrongIdentifier(Refused):
    """This is not a valid {kind}."""

    zh = "不是有效的{kind_zh}。"
    code = "wrong_identifier"
    status = 400
    next_en = "Compare it with the document it was copied from."
    next_zh = "请与原始证件核对。"


class WrongLength(WrongIdentifier):
    """A {kind} has {expected} characters; this one has {found}."""

    zh = "{kind_zh}应为 {expected} 位，实际为 {found} 位。"
    code = "wrong_length"


class WrongCharacter(WrongIdentifier):
    """Character {position} cannot stand there in a {kind}."""

    zh = "{kind_zh}第 {position} 位的字符不允许。"
    code = "wrong_character"


class WrongCheckCharacter(WrongIdentifier):
    """The check character of this {kind} does not match the rest of it."""

    zh = "{kind_zh}的校验码与其余各位不符。"
    code = "wrong_check_character"


class ImpossibleBirthDate(WrongIdentifier):
    """The birth date inside this {kind} is not a day of the calendar."""

    zh = "{kind_zh}中的出生日期不存在。"
    code = "impossible_birth_date"


_IDENTITY = {"kind": "identity number", "kind_zh": "公民身份号码"}
_CREDIT = {"kind": "unified social credit code", "kind_zh": "统一社会信用代码"}
_ORGANISATION = {"kind": "organisation code", "kind_zh": "组织机构代码"}


@dataclass(frozen=True)
class IdentityNumber:
    """A citizen's identity number, 18 characters, upper case. Its repr never shows it."""

    text: str
    birth: date
    sex: int  # GB/T 2261.1: 1 male, 2 female
    doubts: tuple[Doubt, ...] = ()

    @property
    def area(self) -> str:
        return self.text[:6]

    def __repr__(self) -> str:
        return "IdentityNumber(...)"


@dataclass(frozen=True)
class CreditCode:
    """A unified social credit code, 18 characters, upper case."""

    text: str
    doubts: tuple[Doubt, ...] = ()

    @property
    def area(self) -> str:
        return self.text[2:8]

    @property
    def organisation_code(self) -> str:
        """The nine characters of GB 11714 inside."""
        return self.text[8:17]


def normalise(text: str) -> str:
    """Full-width letters made narrow, surrounding space removed, lower case raised (x becomes X)."""
    return unicodedata.normalize("NFKC", text).strip().upper()


def read_identity_number(text: str, *, areas: AreaTable = PROVINCES) -> IdentityNumber:
    """An identity number of 18 characters, or of 15 digits, which is upgraded.

    areas    what area codes are known; an unknown one is a doubt, not an error
    raises   WrongLength, WrongCharacter, WrongCheckCharacter, ImpossibleBirthDate
    """
    number = normalise(text)
    if len(number) == 15:
        number = upgrade(number)
    if len(number) != 18:
        raise WrongLength(expected=18, found=len(number), **_IDENTITY)
    _characters(number[:17], "0123456789", _IDENTITY)
    if number[17] not in "0123456789X":
        raise WrongCharacter(position=18, **_IDENTITY)
    if identity_check(number[:17]) != number[17]:
        raise WrongCheckCharacter(**_IDENTITY)
    birth = _birth(number)
    doubts = () if areas.knows(number[:6]) else (Doubt.UNKNOWN_AREA,)
    return IdentityNumber(number, birth, 1 if int(number[16]) % 2 else 2, doubts)


def read_credit_code(text: str, *, areas: AreaTable = PROVINCES) -> CreditCode:
    """A unified social credit code.

    raises   WrongLength, WrongCharacter, WrongCheckCharacter
    """
    code = normalise(text)
    if len(code) != 18:
        raise WrongLength(expected=18, found=len(code), **_CREDIT)
    _characters(code, CREDIT_ALPHABET, _CREDIT)
    if credit_check(code[:17]) != code[17]:
        raise WrongCheckCharacter(**_CREDIT)
    doubts: list[Doubt] = []
    if organisation_check(code[8:16]) != code[16]:
        doubts.append(Doubt.INNER_CHECK)
    if not areas.knows(code[2:8]):
        doubts.append(Doubt.UNKNOWN_AREA)
    return CreditCode(code, tuple(doubts))


def read_organisation_code(text: str) -> str:
    """An organisation code of GB 11714 without its hyphen, 9 characters.

    raises   WrongLength, WrongCharacter, WrongCheckCharacter
    """
    code = normalise(text)
    if len(code) == 10 and code[8] == "-":
        code = code[:8] + code[9]
    if len(code) != 9:
        raise WrongLength(expected=9, found=len(code), **_ORGANISATION)
    _characters(code, ORGANISATION_ALPHABET, _ORGANISATION)
    if organisation_check(code[:8]) != code[8]:
        raise WrongCheckCharacter(**_ORGANISATION)
    return code


def upgrade(number: str) -> str:
    """The 18 characters of a 15-digit identity number (issued until 1999): the century is 19.

    raises   WrongLength, WrongCharacter
    """
    if len(number) != 15:
        raise WrongLength(expected=15, found=len(number), **_IDENTITY)
    _characters(number, "0123456789", _IDENTITY)
    body = number[:6] + "19" + number[6:]
    return body + identity_check(body)


def identity_check(body: str) -> str:
    """The check character of 17 digits."""
    total = sum(weight * int(digit) for weight, digit in zip(IDENTITY_WEIGHTS, body, strict=True))
    return IDENTITY_CHECKS[total % 11]


def credit_check(body: str) -> str:
    """The check character of the first 17 characters of a credit code."""
    total = sum(weight * CREDIT_ALPHABET.index(one) for weight, one in zip(CREDIT_WEIGHTS, body, strict=True))
    return CREDIT_ALPHABET[-total % 31]


def organisation_check(body: str) -> str:
    """The check character of the first 8 characters of an organisation code."""
    total = sum(
        weight * ORGANISATION_ALPHABET.index(one) for weight, one in zip(ORGANISATION_WEIGHTS, body, strict=True)
    )
    return ORGANISATION_CHECKS[total % 11]


def _characters(text: str, allowed: str, kind: dict[str, str]) -> None:
    for position, character in enumerate(text, 1):
        if character not in allowed:
            raise WrongCharacter(position=position, **kind)


def _birth(number: str) -> date:
    try:
        return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        raise ImpossibleBirthDate(**_IDENTITY) from None
