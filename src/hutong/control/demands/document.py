"""A demand as it travels: the whole of it each time, with the number of its step. No person's name is in it.

    {"v": 1, "id", "home", "department": {"code", "name_zh", "name_en"}, "title", "what_for", "basis", "scope",
     "purpose", "items": [{"words", "element", "version"}], "area_code", "update_cycle", "why_not", "target",
     "holder", "parties": [jurisdiction], "state", "step", "joined_to", "lead": {"code", "name_zh", "name_en"},
     "due_on": date or null,
     "resource": id, "refusal": {"code", "reason", "citation"}, "note", "filed_at": time, "sent_at": time}

An item's version is that of the data element in which it was wished; 0 is the product's own, or not said.
What the demander wrote never changes; what the holder decided does. `same_wish` holds the one against the other.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from hutong.control.demands.models import Demand
from hutong.control.demands.rules import MOST_ITEMS, twins_of
from hutong.control.demands.states import STATES
from hutong.control.standards.dictionary import dictionary
from hutong.vocabulary.errors import Refused
from hutong.vocabulary.ids import is_id
from hutong.vocabulary.moments import rfc3339
from hutong.vocabulary.text import checked

LONGEST_TEXT = 4_000  # characters of what_for, basis, scope, why_not, reason and note each
_PLACED = ("id", "home", "target", "holder", "parties", "state", "step")
MOST_PARTIES = 20
_WISHED = ("title", "what_for", "basis", "scope", "purpose", "items", "area_code", "update_cycle", "why_not")
_WRITTEN = {  # field: characters
    "title": 200,
    "what_for": LONGEST_TEXT,
    "basis": LONGEST_TEXT,
    "scope": LONGEST_TEXT,
    "purpose": 64,
    "area_code": 12,
    "update_cycle": 2,
    "why_not": LONGEST_TEXT,
    "target": 40,
    "holder": 40,
    "note": LONGEST_TEXT,
}


class BadDemand(Refused):
    """This demand cannot be accepted: {reason}."""

    zh = "该需求无法接受：{reason}。"
    code = "bad_demand"
    status = 422
    next_en = "Ask the node that sent it to look at its version."
    next_zh = "请发送节点核对其版本。"


def build(demand: Demand) -> dict[str, Any]:
    return {
        name: getattr(demand, name) for name in (*_WISHED, "id", "home", "target", "holder", "parties", "state", "step")
    } | {
        "v": 1,
        "department": _party(demand.department_code, demand.department_name, demand.department_name_en),
        "joined_to": demand.joined_to,
        "lead": _party(demand.lead_code, demand.lead_name, demand.lead_name_en),
        "due_on": demand.due_on.isoformat() if demand.due_on else None,
        "resource": demand.resource_id,
        "refusal": {
            "code": demand.refusal_code,
            "reason": demand.refusal_reason,
            "citation": demand.refusal_citation,
        },
        "note": demand.note,
        "filed_at": rfc3339(demand.filed_at),
        "sent_at": rfc3339(demand.sent_at),
        "ended_at": rfc3339(demand.ended_at),
    }


def read(given: dict[str, Any]) -> Demand:
    """A demand from the wire, unsaved; every field checked.

    raises   BadDemand
    """
    try:
        return _read(given)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise BadDemand(
            reason="a field is missing, or is not of its type", reason_zh="缺少字段，或字段类型不对"
        ) from error
    except Refused as refusal:
        if isinstance(refusal, BadDemand):
            raise
        raise BadDemand(reason=refusal.say("en").rstrip("."), reason_zh=refusal.say("zh").rstrip("。")) from refusal


def same_wish(one: Demand, other: Demand) -> bool:
    """Whether what the demander wrote is the same in both."""
    names = (*_WISHED, "home", "department_code")
    return all(getattr(one, name) == getattr(other, name) for name in names)


def _read(given: dict[str, Any]) -> Demand:
    _require(given["v"] == 1, "its version is not known here", "其版本此处未知")
    _require(given["state"] in STATES, "its state is unknown", "状态未知")
    for name in ("id", "joined_to", "resource"):
        _require(is_id(given[name]) or (name != "id" and given[name] == ""), f"its {name} is no id", f"{name} 不是编号")
    step = given["step"]
    _require(isinstance(step, int) and not isinstance(step, bool) and 0 < step < 10**6, "its step is none", "步数无效")
    texts = {name: checked(name, given[name], limit=n, lines=n == LONGEST_TEXT) for name, n in _WRITTEN.items()}
    home = checked("home", given["home"], limit=40, required=True)
    department, lead, refusal = given["department"], given["lead"], given["refusal"]
    items = _items(given["items"])
    made = Demand(
        id=given["id"],
        home=home,
        state=given["state"],
        step=step,
        items=items,
        parties=_parties(given["parties"]),
        joined_to=given["joined_to"],
        resource_id=given["resource"],
        due_on=date.fromisoformat(given["due_on"]) if given["due_on"] else None,
        refusal_code=checked("refusal.code", refusal["code"], limit=40),
        refusal_reason=checked("refusal.reason", refusal["reason"], limit=LONGEST_TEXT, lines=True),
        refusal_citation=checked("refusal.citation", refusal["citation"], limit=300),
        filed_at=_moment(given["filed_at"]),
        sent_at=_moment(given["sent_at"]) if given["sent_at"] else None,
        ended_at=_moment(given["ended_at"]) if given["ended_at"] else None,
        **texts,
    )
    made.department_code, made.department_name, made.department_name_en = _read_party(department, required=True)
    made.lead_code, made.lead_name, made.lead_name_en = _read_party(lead)
    known = dictionary()
    made.twins = twins_of([known.current(one) for one in made.elements], made.purpose, made.area_code)
    return made


def _items(given: Any) -> list[dict[str, Any]]:
    _require(isinstance(given, list) and 0 < len(given) <= MOST_ITEMS, "its items are too many", "信息项数量不对")
    return [
        {
            "words": checked("items.words", one["words"], limit=200),
            "element": checked("items.element", one["element"], limit=60),
            "version": _version(one.get("version", 0)),
        }
        for one in given
    ]


def _version(given: Any) -> int:
    number = isinstance(given, int) and not isinstance(given, bool) and 0 <= given < 10**6
    _require(number, "the version of a data element is none", "数据元版本无效")
    return int(given)


def _parties(given: Any) -> list[str]:
    _require(isinstance(given, list) and len(given) <= MOST_PARTIES, "its parties are too many", "参与节点过多")
    return [checked("parties", one, limit=40, required=True) for one in given]


def _party(code: str, name_zh: str, name_en: str) -> dict[str, str]:
    return {"code": code, "name_zh": name_zh, "name_en": name_en}


def _read_party(given: Any, *, required: bool = False) -> tuple[str, str, str]:
    return (
        checked("code", given["code"], limit=18, required=required),
        checked("name_zh", given["name_zh"], limit=200, required=required),
        checked("name_en", given["name_en"], limit=200),
    )


def _moment(given: Any) -> datetime:
    moment = datetime.fromisoformat(given)
    _require(moment.tzinfo is not None, "a time has no time zone", "时间没有时区")
    return moment


def _require(holds: bool, reason: str, reason_zh: str) -> None:
    if not holds:
        raise BadDemand(reason=reason, reason_zh=reason_zh)
