"""Codes as people read them: one table per kind of code, in the page's language.

An unknown code (a newer peer, an older record) is shown as it is, never hidden.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Literal

from django.utils import formats, timezone
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from hutong.portal.components.parts import Badge, Tone
from hutong.vocabulary import codes
from hutong.vocabulary.codes import CodeList

Words = Mapping[str, Promise | str]

ROLES: Words = {
    "officer": lazy("data officer"),
    "head": lazy("head of the sharing body"),
    "steward": lazy("data steward"),
    "supervisor": lazy("supervisor"),
    "auditor": lazy("auditor"),
}
PLACES: Words = {
    "nation": lazy("nation"),
    "region": lazy("region"),
    "province": lazy("province"),
    "city": lazy("city"),
    "district": lazy("district"),
}
MASKS: Words = {
    "keep": lazy("shown in full"),
    "null": lazy("left out"),
    "first": lazy("keeps the first {n}"),
    "last": lazy("keeps the last {n}"),
    "name": lazy("family name only"),
    "identity_number": lazy("identity number, middle hidden"),
    "phone": lazy("phone number, middle hidden"),
    "year": lazy("year only"),
    "month": lazy("year and month"),
    "fixed": lazy("one fixed value for all"),
    "alphanum": lazy("letters and digits hidden, form kept"),
    "show_first": lazy("keeps the first {n}, then the form alone"),
    "show_last": lazy("keeps the last {n}, before them the form alone"),
    "sha256": lazy("SHA-256, which can be guessed back"),
    "sha256_query": lazy("hash of this one answer"),
    "pseudonym": lazy("pseudonym of this agreement"),
    "encrypt_identity_number": lazy("another valid identity number"),
    "encrypt_credit_code": lazy("another valid credit code"),
}
CANARY_KINDS: Words = {
    "identity_number": lazy("identity number"),
    "credit_code": lazy("unified social credit code"),
    "phone": lazy("telephone number"),
}
MASK_PARTS: Words = {
    "area": lazy("area code kept"),
    "province": lazy("province kept"),
    "nothing": lazy("area hidden too"),
    "sm": lazy("by SM3 and SM4"),
}
TYPES: Words = {
    "string": lazy("text"),
    "int64": lazy("whole number"),
    "int32": lazy("whole number"),
    "double": lazy("number"),
    "float": lazy("number"),
    "decimal": lazy("decimal number"),
    "date": lazy("date"),
    "date32": lazy("date"),
    "date32[day]": lazy("date"),
    "timestamp": lazy("date and time"),
    "bool": lazy("yes or no"),
}
SOURCE_KINDS: Words = {
    "csv": lazy("CSV file (also .xz, .gz)"),
    "parquet": lazy("Parquet file"),
    "excel": lazy("Excel workbook"),
    "sqlite": lazy("SQLite file"),
    "postgresql": lazy("PostgreSQL table"),
    "mysql": lazy("MySQL or MariaDB table"),
    "csv_folder": lazy("Folder of CSV files, here or on S3"),
    "parquet_folder": lazy("Folder of Parquet files, here or on S3"),
    "iceberg": lazy("Iceberg table"),
    "openapi": lazy("HTTP interface described by OpenAPI"),
}
FORMS: Words = {"json": "JSON", "csv": "CSV", "arrow": "Arrow", "parquet": "Parquet"}
SIDES: Words = {"provider": lazy("we provide"), "consumer": lazy("we use")}

Stated = Mapping[str, tuple[Promise | str, Tone]]

ATTRIBUTE_TONES: Mapping[str, Tone] = {"unconditional": "good", "conditional": "wait", "refused": "bad"}
RESOURCE_STATES: Stated = {
    "draft": (lazy("draft"), "calm"),
    "published": (lazy("published"), "good"),
    "withdrawn": (lazy("withdrawn"), "bad"),
}
SUBMISSION_STATES: Stated = {
    "open": (lazy("before the supervisor"), "wait"),
    "published": (lazy("published"), "good"),
    "returned": (lazy("sent back"), "bad"),
    "taken_back": (lazy("taken back"), "calm"),
}
IMPORT_STATES: Stated = {
    "drafted": (lazy("new draft"), "good"),
    "changed": (lazy("changed"), "accent"),
    "unchanged": (lazy("unchanged"), "calm"),
    "refused": (lazy("refused"), "bad"),
}
REQUEST_STATES: Stated = {
    "draft": (lazy("draft"), "calm"),
    "filed": (lazy("awaiting sign-off"), "wait"),
    "signed_off": (lazy("with the provider"), "accent"),
    "agreed": (lazy("agreed"), "good"),
    "refused": (lazy("refused"), "bad"),
    "withdrawn": (lazy("withdrawn"), "calm"),
}
NEGOTIATION_STATES: Stated = {
    "REQUESTED": (lazy("awaiting our answer"), "wait"),
    "OFFERED": (lazy("material asked for"), "wait"),
    "ACCEPTED": (lazy("offer accepted"), "accent"),
    "AGREED": (lazy("we signed"), "accent"),
    "VERIFIED": (lazy("both signed"), "good"),
    "FINALIZED": (lazy("concluded"), "good"),
    "TERMINATED": (lazy("ended without agreement"), "bad"),
}
OFFERING_STATES: Stated = {
    "proposed": (lazy("awaiting sign-off"), "wait"),
    "in_force": (lazy("in force"), "good"),
    "withdrawn": (lazy("withdrawn"), "calm"),
    "refused": (lazy("refused"), "bad"),
}
DISPUTE_STATES: Stated = {
    "open": (lazy("under way"), "wait"),
    "settled": (lazy("settled, being carried out"), "accent"),
    "decided": (lazy("decided, being carried out"), "accent"),
    "executed": (lazy("carried out"), "good"),
    "closed": (lazy("closed"), "good"),
    "withdrawn": (lazy("withdrawn"), "calm"),
}
RETURN_STATES: Stated = {
    "asked": (lazy("asked for"), "wait"),
    "active": (lazy("running"), "good"),
    "refused": (lazy("refused"), "bad"),
    "ended": (lazy("ended"), "calm"),
}
CORRECTION_STATES: Stated = {
    "reported": (lazy("being verified"), "wait"),
    "corrected": (lazy("corrected"), "good"),
    "not_wrong": (lazy("not wrong"), "calm"),
    "forwarded": (lazy("forwarded to the true source"), "accent"),
    "undelivered": (lazy("not taken by the other node"), "bad"),
}
AGREEMENT_STATES: Stated = {
    "agreed": (lazy("agreed, not yet started"), "accent"),
    "active": (lazy("active"), "good"),
    "suspended": (lazy("suspended"), "wait"),
    "ended": (lazy("ended"), "bad"),
}
RECONCILIATIONS: Stated = {
    "holds": (lazy("both tell the same"), "good"),
    "differs": (lazy("they differ"), "bad"),
    "unreachable": (lazy("not compared"), "wait"),
}
METERS: Stated = {
    "agrees": (lazy("both tell the same"), "good"),
    "differs": (lazy("they differ"), "bad"),
    "waiting": (lazy("the other side's file has not come"), "wait"),
}
METERED: Words = {"calls": lazy("calls"), "rows": lazy("rows"), "bytes": lazy("bytes")}
OUTCOMES: Stated = {
    "served": (lazy("served"), "good"),
    "refused": (lazy("refused"), "bad"),
    "open": (lazy("under way"), "accent"),
    "cut": (lazy("cut off"), "bad"),
    "recovered": (lazy("recovered"), "wait"),
}


def word(words: Words, code: str) -> str:
    return str(words.get(code, code))


def state(states: Stated, code: str) -> Badge:
    found = states.get(code)
    return Badge(str(found[0]), found[1]) if found else Badge(code)


def attribute(code: str) -> Badge:
    return Badge(code_name(codes.ATTRIBUTES, code), ATTRIBUTE_TONES.get(code, "calm")) if code else Badge(_("not set"))


def mask(document: Mapping[str, Any] | None) -> str:
    """A mask document in words."""
    if not document:
        return word(MASKS, "keep")
    said = word(MASKS, str(document.get("action", ""))).format_map({"n": document.get("n", "?")})
    parts = [word(MASK_PARTS, str(document[name])) for name in ("keeps", "suite") if document.get(name)]
    return " · ".join([said, *parts])


def tracing(document: Mapping[str, Any] | None, titles: Mapping[str, str]) -> str:
    """Terms on tracing in words; "" where there are none."""
    given, said = document or {}, []
    if items := given.get("watermark"):
        named = ("、" if in_chinese() else ", ").join(titles.get(one, one) for one in items)
        said.append(_("these bear the recipient's mark: {items}").format(items=named))
    if canaries := given.get("canaries"):
        item = titles.get(canaries["item"], canaries["item"])
        said.append(_("{count} canaries, by {item}").format(count=canaries["count"], item=item))
    return ("；" if in_chinese() else "; ").join(said)


def mask_action(action: str) -> str:
    """A published mask, of which only the action is told."""
    if action in ("first", "last", "show_first", "show_last"):
        return _("first characters only") if action.endswith("first") else _("last characters only")
    return word(MASKS, action)


def number(value: int) -> str:
    """A number with the locale's grouping."""
    return formats.number_format(value, use_l10n=True, force_grouping=True)


def moment(at: datetime) -> str:
    """A day and time in Beijing time, in the locale's order."""
    return formats.date_format(timezone.localtime(at), "DATETIME_FORMAT")


def day(at: datetime) -> str:
    """The day alone, in Beijing time."""
    return formats.date_format(timezone.localtime(at), "DATE_FORMAT")


def date_word(on: date) -> str:
    """A day that has no time, in the locale's order."""
    return formats.date_format(on, "DATE_FORMAT")


def of_language(zh: str, en: str) -> str:
    """The text in the page's language, or in the other where this one is missing."""
    return (zh or en) if in_chinese() else (en or zh)


def in_chinese() -> bool:
    return (get_language() or "zh-hans").startswith("zh")


def language() -> Literal["zh", "en"]:
    return "zh" if in_chinese() else "en"


def code_name(table: CodeList, code: str) -> str:
    """The name of a code of the vocabulary, or the code itself where it is not in the list."""
    return table.name(code, language())


def code_choices(table: CodeList) -> list[tuple[str, str]]:
    return [(one.code, one.name(language())) for one in table]
