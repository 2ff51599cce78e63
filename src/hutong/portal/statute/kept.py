"""What a decision was made from and what it gave, in words: a label for each fact, a name for each code."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from hutong.control.standards.dictionary import dictionary
from hutong.portal.components import words
from hutong.portal.components.parts import Fact
from hutong.portal.components.peers import Names
from hutong.portal.providers.reasons import ANSWERS, KINDS, WHY
from hutong.vocabulary import codes
from hutong.vocabulary.ids import uuid_of

DECIDERS: Mapping[str, Promise] = {
    "clock.due": lazy("The last day of a term"),
    "reply.by_rule": lazy("Whether a rule answers a request"),
    "supplement.clock": lazy("Whether the term stops for missing material"),
    "supplement.resumed": lazy("From which day the term goes on"),
    "service.stop": lazy("The first day a service may stop"),
    "use.retention": lazy("How long records of use are kept"),
    "catalogue.freshness": lazy("Until when data count as fresh"),
    "offering.answer": lazy("Whether an offering answers a request"),
    "return.grant": lazy("Whether an area's rows return to it"),
    "dispute.route": lazy("Who decides a dispute"),
    "demand.fulfils": lazy("Whether a resource has what was demanded"),
    "demand.collects": lazy("Whether data are collected a second time"),
}
SUBJECTS: Mapping[str, Promise] = {
    "agreement": lazy("Agreement"),
    "correction": lazy("Correction"),
    "demand": lazy("Demand"),
    "dispute": lazy("Dispute"),
    "list": lazy("Three lists"),
    "negotiation": lazy("Request"),
    "offering": lazy("Offer to an area"),
    "resource": lazy("Data set"),
    "return": lazy("Return flow"),
    "suspension": lazy("Suspension"),
    "use": lazy("Use of data"),
}
FACTS: Mapping[str, Promise] = {
    "above": lazy("Who stands above"),
    "again": lazy("Collected a second time"),
    "agreed": lazy("Agreed at once"),
    "answer": lazy("Answer"),
    "area": lazy("Area code"),
    "area_item": lazy("Item with the area code"),
    "asked": lazy("Material asked for on"),
    "asker": lazy("Who asks"),
    "attribute": lazy("Sharing"),
    "barred_items": lazy("Items that are not shared"),
    "beyond": lazy("Goes beyond the offer in"),
    "changed": lazy("Items described anew since"),
    "changed_on": lazy("Source last changed on"),
    "claimant": lazy("Claimant"),
    "code": lazy("Refused as"),
    "condition_is_the_area": lazy("Just the rows of the area"),
    "covered": lazy("The area is the asker's"),
    "cycle": lazy("Update cycle"),
    "days": lazy("Days of the term"),
    "department": lazy("Department"),
    "due": lazy("Last day"),
    "duties": lazy("Lead sources that share enough of it"),
    "duty": lazy("Duty"),
    "elements": lazy("Data elements"),
    "earliest": lazy("First day it may stop"),
    "extended": lazy("Extended"),
    "extension": lazy("Days of the extension"),
    "filed_on": lazy("Filed on"),
    "forum": lazy("Who decides"),
    "fresh_until": lazy("Fresh until"),
    "granted": lazy("Granted"),
    "has": lazy("Shares"),
    "head": lazy("The head signs as well"),
    "in_area": lazy("Belongs to the area"),
    "lacking": lazy("Data elements it lacks"),
    "members": lazy("Of these, with a node"),
    "mode": lazy("Mode asked for"),
    "months": lazy("Months kept"),
    "offered": lazy("Data elements it has"),
    "offering": lazy("Offer to an area"),
    "permitted_purposes": lazy("Purposes published"),
    "purpose": lazy("Purpose asked for"),
    "received": lazy("Received on"),
    "received_as": lazy("Counts as received on"),
    "requester": lazy("Who asks"),
    "resource": lazy("Data set"),
    "respondent": lazy("Respondent"),
    "resumed": lazy("Completed on"),
    "rule": lazy("Rule"),
    "sharing_modes": lazy("Modes published"),
    "sources": lazy("Lead sources that share some of it"),
    "states_terms": lazy("States what article 20 wants"),
    "stopped": lazy("Stopped on"),
    "stops": lazy("The term stops"),
    "theme": lazy("Theme"),
    "us": lazy("Who is asked"),
    "why": lazy("Because"),
    "wished": lazy("Data elements demanded"),
    "year_missing": lazy("No calendar yet for"),
    "zone": lazy("Zone"),
}
PARAMETERS: Mapping[str, Promise] = {
    "by_rule_without_head": lazy("A rule's own reply needs no signature"),
    "conditional_by_rule": lazy("Conditional data by rule as well"),
    "days": lazy("Days of the term"),
    "extension_days": lazy("Days of the extension"),
    "fewest": lazy("Fewest cases shown"),
    "grace_days": lazy("Days until a month is closed"),
    "months": lazy("Months kept"),
    "share": lazy("Share of the data elements, in percent"),
    "stops_clock": lazy("The term stops"),
}
CYCLES: Mapping[str, str] = {
    "real_time": "2",
    "daily": "3",
    "weekly": "4",
    "monthly": "5",
    "quarterly": "6",
    "half_yearly": "7",
    "yearly": "8",
}
JURISDICTIONS = ("above", "asker", "claimant", "forum", "members", "respondent", "us")


def facts(document: Mapping[str, Any]) -> tuple[Fact, ...]:
    """Each as a line; what is empty says so. An unknown one, of another version of the program, as it was kept."""
    names = Names() if any(name in JURISDICTIONS for name in document) else str
    lines = []
    for name, value in document.items():
        label = str(FACTS[name]) if name in FACTS else name
        said = [_said(name, one, names) for one in (value if isinstance(value, list) else [value])]
        lines.append(Fact(label, many=tuple(said)) if len(said) > 1 else Fact(label, said[0] if said else _("none")))
    return tuple(lines)


def parameter(name: str) -> str:
    """What a parameter of a rule is called; those of the update cycles by the cycle."""
    return words.code_name(codes.UPDATE_CYCLES, CYCLES[name]) if name in CYCLES else words.word(PARAMETERS, name)


def subject(kept: str) -> str:
    """What a decision is about, with its number: "Request · 0192f0c1-..."."""
    kind, _colon, key = kept.partition(":")
    return f"{SUBJECTS[kind]} · {uuid_of(key)}" if kind in SUBJECTS else kept


def _said(name: str, value: Any, names: Callable[[str], str]) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if value is None or value == "":
        return _("none")
    if name == "wished" and isinstance(value, Mapping):
        element = _element(str(value.get("element", "")))
        return _("{element}, version {version}").format(element=element, version=value.get("version", ""))
    if isinstance(value, str) and (on := _date(value)) is not None:
        return words.date_word(on)
    if name in JURISDICTIONS:
        return names(str(value))
    if isinstance(value, str) and name in CODES:
        return CODES[name](value)
    if isinstance(value, list):
        return _(", ").join(_said(name, one, names) for one in value)
    if isinstance(value, dict):
        return " · ".join(f"{FACTS.get(key, key)}: {_said(key, one, names)}" for key, one in value.items())
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == len("2026-11-23") else None
    except ValueError:
        return None


def _listed(table: codes.CodeList) -> Callable[[str], str]:
    return lambda code: words.code_name(table, code) or code


def _element(name: str) -> str:
    return words.code_name(dictionary().known, name)


CODES: Mapping[str, Callable[[str], str]] = {
    "answer": lambda code: str(ANSWERS[code][0]) if code in ANSWERS else code,
    "attribute": lambda code: words.attribute(code).word,
    "elements": _element,
    "has": _element,
    "cycle": lambda code: words.code_name(codes.UPDATE_CYCLES, CYCLES[code]) if code in CYCLES else code,
    "lacking": _element,
    "mode": _listed(codes.SHARING_MODES),
    "offered": _element,
    "permitted_purposes": _listed(codes.PURPOSES),
    "purpose": _listed(codes.PURPOSES),
    "requester": lambda code: words.word(KINDS, code),
    "sharing_modes": _listed(codes.SHARING_MODES),
    "theme": _listed(codes.THEMES),
    "why": lambda code: words.word(WHY, code),
}
