"""The three lists as they are published: versions with what changed, one line per entry, no person's name in them.

A published list of duties goes to every member, so that a department anywhere finds what is owed and by whom.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import Q

from hutong.control.clocks import actions as clocks
from hutong.control.demands import duties, queries
from hutong.control.demands.document import BadDemand
from hutong.control.demands.models import Barred, Demand, Duty, DutyList, ListSent, ListVersion
from hutong.control.demands.rules import MOST_ITEMS, ListOverdue
from hutong.control.identity.rules import Action, Actor, check
from hutong.ledger.record import record
from hutong.node.directory import others
from hutong.node.events import Event, on_event, post_event
from hutong.node.receiving import Peer
from hutong.node.settings import current
from hutong.vocabulary.canonical import canonical_digest
from hutong.vocabulary.codes import CodeList
from hutong.vocabulary.errors import NotFound, Refused
from hutong.vocabulary.ids import is_id
from hutong.vocabulary.text import checked, shown

KINDS: Final = CodeList([
    ("demand", "需求清单", "Demands"),
    ("duty", "责任清单", "Duties"),
    ("barred", "负面清单", "Negative list"),
])  # fmt: skip
DUTIES_EVENT = "duty.list"
LINES_A_MESSAGE = 400
NEWCOMERS_EVERY_S = 60.0
Line = dict[str, Any]


@transaction.atomic
def publish(by: Actor, kind: str) -> ListVersion:
    """Publish a list as it stands now, as its next version; the clock of its next update starts.

    raises   NotAllowed, NotFound for no such list
    """
    check(by, Action.PUBLISH_LISTS)
    before = ListVersion.objects.select_for_update().filter(kind=known(kind)).order_by("-version").first()
    found = lines(kind)
    added, gone, changed = _compared(before.lines if before else [], found)
    made = ListVersion.objects.create(
        kind=kind,
        version=(before.version if before else 0) + 1,
        lines=found,
        added=added,
        gone=gone,
        changed=changed,
        digest=canonical_digest(found),
        published_at=datetime.now(UTC).replace(microsecond=0),
        published_by=by.username,
    )
    subject = f"list:{kind}"
    detail = {"version": made.version, "lines": len(found), "added": added, "gone": gone, "changed": changed}
    record("list.published", subject, by.username, detail, commitment={"list": kind, "digest": made.digest})
    clocks.meet(ListOverdue, subject)
    name = KINDS[kind]
    clocks.start(ListOverdue, subject, title_zh=name.zh, title_en=name.en, page=("list", kind))
    if kind == "duty":
        _send(made, [one.jurisdiction for one in others()])
    return made


def lines(kind: str) -> list[Line]:
    """A list as it stands now, in the order of its ids."""
    if known(kind) == "demand":
        here = current().jurisdiction
        # The node that keeps the directory has the region's list; another node what was wished by or of it.
        rows = Demand.objects.exclude(state__in=("filed", "joined")).order_by("id")
        if not current().keeps_directory:
            rows = rows.filter(Q(home=here) | Q(holder=here))
        joined = Counter(Demand.objects.filter(state="joined").values_list("joined_to", flat=True))
        return [_demand_line(one, joined[one.id]) for one in rows.iterator(chunk_size=500)]
    if kind == "duty":
        return [_duty_line(one) for one in queries.duties().order_by("id").iterator(chunk_size=500)]
    return [_barred_line(one) for one in queries.barred("listed").order_by("id").iterator(chunk_size=500)]


def version(kind: str, number: int | None = None) -> ListVersion:
    """A published version; the last one where no number is given.

    raises   NotFound
    """
    rows = ListVersion.objects.filter(kind=known(kind)).order_by("-version")
    found = rows.first() if number is None else rows.filter(version=number).first()
    if found is None:
        raise NotFound(what="published list", what_zh="已发布的清单", name=f"{kind} {number or ''}".strip())
    return found


@on_event(DUTIES_EVENT)
def take_duties(peer: Peer, event: Event) -> None:
    """A part of another node's list of duties arrives: in order, each part once or more."""
    number, part, parts, digest = (event.data.get(name) for name in ("version", "part", "parts", "digest"))
    numbers = [one for one in (number, part, parts) if isinstance(one, int) and 0 < one < 10**6]
    given = event.data.get("lines")
    if len(numbers) != 3 or not isinstance(digest, str) or not isinstance(given, list) or len(given) > LINES_A_MESSAGE:
        raise BadDemand(reason="it is no part of a list of duties", reason_zh="不是责任清单的一部分")
    version, part, parts = numbers
    held = DutyList.objects.select_for_update().filter(origin=peer.jurisdiction).first()
    if held is not None and held.version >= version:
        return
    for line in given:
        _keep(line, peer.jurisdiction, version)
    if part == parts:
        Duty.objects.filter(origin=peer.jurisdiction, list_version__lt=version).delete()
        values = {"version": version, "digest": digest[:80]}
        DutyList.objects.update_or_create(origin=peer.jurisdiction, defaults=values)
        detail = {"version": version, "digest": digest[:80], "parts": parts}
        record("list.received", "list:duty", f"node:{peer.jurisdiction}", detail)


@transaction.atomic
def send_to_newcomers() -> None:
    """Who has joined since the list of duties was published gets it as it was published."""
    made = ListVersion.objects.filter(kind="duty").order_by("-version").first()
    if made is None:
        return
    present = [one.jurisdiction for one in others()]
    ListSent.objects.exclude(jurisdiction__in=present).delete()
    sent = set(ListSent.objects.filter(version=made.version).values_list("jurisdiction", flat=True))
    _send(made, [one for one in present if one not in sent])


def _send(made: ListVersion, to: Sequence[str]) -> None:
    """In messages that a node takes; their order holds, because they have one subject."""
    parts = [made.lines[at : at + LINES_A_MESSAGE] for at in range(0, len(made.lines), LINES_A_MESSAGE)] or [[]]
    for jurisdiction in to:
        for number, part in enumerate(parts, 1):
            said = {"version": made.version, "part": number, "parts": len(parts), "digest": made.digest}
            post_event(jurisdiction, DUTIES_EVENT, "list:duty", said | {"lines": part})
        ListSent.objects.update_or_create(jurisdiction=jurisdiction, defaults={"version": made.version})


def _keep(line: Line, origin: str, version: int) -> None:
    """Another node's duty, under its id; one of our own ids is never taken over."""
    try:
        present = Duty.objects.filter(id=line["id"]).first() if is_id(line["id"]) else None
        if not is_id(line["id"]) or (present is not None and present.origin != origin):
            raise BadDemand(reason="a line's id is none, or another node's", reason_zh="编号无效或属于其他节点")
        if len(line["elements"]) > MOST_ITEMS:
            raise BadDemand(reason="a line has too many data elements", reason_zh="数据元过多")
        texts = {name: checked(name, line[name], limit=limit) for name, limit in _DUTY_TEXTS.items()}
        elements = [checked("elements", one, limit=60) for one in line["elements"]]
        duty = Duty(id=line["id"], origin=origin, elements=elements, lead=line["lead"] is True, **texts)
    except (KeyError, TypeError) as error:
        raise BadDemand(reason="a line of the list cannot be read", reason_zh="清单中有无法读取的行") from error
    except Refused as refusal:
        if isinstance(refusal, BadDemand):
            raise
        raise BadDemand(reason=refusal.say("en").rstrip("."), reason_zh=refusal.say("zh").rstrip("。")) from refusal
    duty.list_version = version
    if present is not None:
        duty.created_at = present.created_at
    duties.keep(duty)


_DUTY_TEXTS = {
    "department_code": 18,
    "department_name": 200,
    "department_name_en": 200,
    "title_zh": 200,
    "title_en": 200,
    "words": 500,
    "area_code": 12,
    "update_cycle": 2,
    "basis": 300,
    "resource_id": 36,
}


def _compared(before: Sequence[Line], now: Sequence[Line]) -> tuple[int, int, int]:
    """How many lines are new, gone and changed."""
    old, new = {one["id"]: one for one in before}, {one["id"]: one for one in now}
    changed = sum(1 for key, line in new.items() if key in old and old[key] != line)
    return len(new.keys() - old.keys()), len(old.keys() - new.keys()), changed


def _duty_line(duty: Duty) -> Line:
    texts = {name: getattr(duty, name) for name in _DUTY_TEXTS}
    return {"id": duty.id, "elements": duty.elements, "lead": duty.lead, **texts}


def _demand_line(demand: Demand, joined: int) -> Line:
    names = ("id", "home", "department_code", "department_name", "department_name_en", "title", "purpose", "area_code")
    more = ("update_cycle", "holder", "state", "lead_code", "lead_name", "lead_name_en", "resource_id")
    return {name: getattr(demand, name) for name in (*names, *more)} | {
        "elements": demand.elements,
        "words": [one["words"] for one in demand.items if one["words"]],
        "due_on": demand.due_on.isoformat() if demand.due_on else "",
        "refusal_code": demand.refusal_code,
        "refusal_citation": demand.refusal_citation,
        "co_demanders": joined,
    }


def _barred_line(entry: Barred) -> Line:
    return {
        "id": entry.id,
        "department_code": entry.department_id,
        "department_name": entry.department.name_zh,
        "department_name_en": entry.department.name_en,
        "title_zh": entry.title_zh,
        "title_en": entry.title_en,
        "resource_id": entry.resource_id,
        "items": entry.items,
        "elements": entry.elements,
        "kind": entry.kind,
        "citation": entry.citation,
        "reason": entry.reason,
        "reviewed_on": entry.reviewed_at.date().isoformat() if entry.reviewed_at else "",
    }


def known(kind: str) -> str:
    """The kind of a list.

    raises   NotFound
    """
    if kind not in KINDS:
        raise NotFound(what="list", what_zh="清单", name=shown(kind, 20))
    return kind
