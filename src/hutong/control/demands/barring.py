"""The negative list (负面清单): what may not be shared, by express provision, reviewed by the supervisor.

The publish gate and the refusals hold to it in both directions: what is listed cannot be published as shared, and what
is not listed cannot be withheld.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from django.db import transaction
from django.db.models import Q

from hutong.control.catalogue import secrecy
from hutong.control.catalogue.models import Attribute, Item, Resource
from hutong.control.catalogue.queries import items_of
from hutong.control.catalogue.queries import resource as resource_of
from hutong.control.catalogue.rules import effective_attribute, item_attribute
from hutong.control.demands import told
from hutong.control.demands.duties import read_elements
from hutong.control.demands.models import Barred
from hutong.control.demands.rules import (
    BarredIsShared,
    ForbiddenNotListed,
    NotListed,
    OwnReview,
    check_citation,
)
from hutong.control.identity.rules import Action, Actor, check
from hutong.control.notices.actions import tell
from hutong.control.organisations.queries import department as department_of
from hutong.control.standards.dictionary import dictionary
from hutong.ledger.record import record
from hutong.vocabulary.errors import BadInput, NotFound, Refused, WrongState
from hutong.vocabulary.ids import is_id, new_id
from hutong.vocabulary.text import checked, shown

_MARKS = re.compile(r"[\s《》〈〉“”\"',，、。；;:：()（）]+")


@transaction.atomic
def propose(
    by: Actor,
    *,
    department: str,
    title_zh: str,
    title_en: str = "",
    resource_id: str = "",
    items: Sequence[str] = (),
    elements: Sequence[str] = (),
    kind: str,
    instrument: str,
    article: str,
    reason: str = "",
) -> Barred:
    """Propose an entry; it bars nothing before the supervisor has reviewed it.

    resource_id   one of the department's resources; `items` of it, or none for the whole
    elements      without a resource: these data elements, in whatever the department publishes
    raises        NotAllowed, OtherDepartment, CitationNotExpress, NotFound, BadInput, WrongText
    """
    owner = department_of(department)
    check(by, Action.PROPOSE_BARRED, owner.code)
    check_citation(kind, instrument, article)
    secrecy.check([("title_zh", title_zh), ("title_en", title_en), ("reason", reason)])
    named, barred_elements = _subject(owner.code, resource_id, items, elements)
    entry = Barred.objects.create(
        id=new_id(),
        department=owner,
        title_zh=checked("title_zh", title_zh, limit=200, required=True),
        title_en=checked("title_en", title_en, limit=200),
        resource_id=resource_id,
        items=named,
        elements=barred_elements,
        kind=kind,
        instrument=checked("instrument", instrument, limit=200),
        article=checked("article", article, limit=60),
        reason=checked("reason", reason, limit=2000, lines=True),
        proposed_by=by.username,
    )
    record("barred.proposed", f"barred:{entry.id}", by.username, _detail(entry))
    waiting = told.BarredToReview(title=entry.title_zh, citation=entry.citation)
    tell(waiting, role="supervisor", subject=f"barred:{entry.id}", page=("list", "barred"))
    return entry


@transaction.atomic
def review(by: Actor, entry_id: str, *, accept: bool, note: str = "") -> Barred:
    """The supervisor takes a proposed entry into the list, or rejects it with a word why.

    raises   NotAllowed, NotFound, WrongState, OwnReview, WrongText
    """
    check(by, Action.REVIEW_BARRED)
    entry = _held(entry_id, "proposed")
    if entry.proposed_by == by.username:
        raise OwnReview
    entry.review_note = checked("note", note, limit=500, lines=True, required=not accept)
    entry.state, entry.reviewed_by = "listed" if accept else "rejected", by.username
    entry.reviewed_at = datetime.now(UTC)
    entry.save()
    record(f"barred.{entry.state}", f"barred:{entry.id}", by.username, _detail(entry) | {"note": entry.review_note})
    words = ("taken into the list", "已列入") if accept else ("not taken into the list", "未列入")
    decided = told.BarredReviewed(title=entry.title_zh, decided=words[0], decided_zh=words[1])
    tell(decided, account=entry.proposed_by, subject=f"barred:{entry.id}", page=("list", "barred"))
    return entry


@transaction.atomic
def end(by: Actor, entry_id: str, reason: str) -> Barred:
    """The supervisor takes an entry off the list. What it barred can be published as shared from now on.

    raises   NotAllowed, NotFound, WrongState, WrongText
    """
    check(by, Action.REVIEW_BARRED)
    entry = _held(entry_id, "listed")
    entry.review_note = checked("reason", reason, limit=500, lines=True, required=True)
    entry.state, entry.reviewed_by, entry.reviewed_at = "ended", by.username, datetime.now(UTC)
    entry.save()
    record("barred.ended", f"barred:{entry.id}", by.username, _detail(entry) | {"reason": entry.review_note})
    return entry


def findings(resource: Resource, items: Sequence[Item]) -> list[Refused]:
    """Where a description and the list disagree, for the publish gate.

    The finding names the field `attribute`.
    """
    entries = listed(resource.department_id, resource.id)
    found: list[Refused] = []
    covered: set[str] = set()
    for entry in entries:
        names = _barred_items(entry, resource.id, items)
        covered |= names
        open_ones = [one.name for one in items if one.name in names and _shared(one, resource)]
        if open_ones:
            whole = entry.resource_id == resource.id and not entry.items
            found.append(
                BarredIsShared(
                    field="attribute",
                    citation=entry.citation,
                    what=resource.title_en or resource.title_zh if whole else open_ones,
                    what_zh=resource.title_zh if whole else open_ones,
                )
            )
    withheld = [one.name for one in items if not _shared(one, resource) and one.name not in covered]
    if withheld:
        whole = effective_attribute(resource.attribute, items) == Attribute.REFUSED and not covered
        found.append(
            NotListed(
                field="attribute",
                what=resource.title_en or resource.title_zh if whole else withheld,
                what_zh=resource.title_zh if whole else withheld,
            )
        )
    return found


def listed(department: str = "", resource_id: str = "") -> list[Barred]:
    """The entries in force; of a department, and of these the ones that can concern a resource, where named."""
    rows = Barred.objects.filter(state="listed").order_by("id")
    if department:
        rows = rows.filter(department_id=department)
    if resource_id:
        rows = rows.filter(Q(resource_id=resource_id) | Q(resource_id=""))
    return list(rows)


def check_refused(citation: str, resource_id: str) -> Barred:
    """The entry that the refusal of a request for one of our resources rests on; see check_forbidden.

    raises   ForbiddenNotListed, NotFound
    """
    asked = resource_of(resource_id)
    elements = [item.element for item in items_of(asked) if item.element]
    what = asked.title_zh or asked.title_en
    return check_forbidden(citation, what=what, department=asked.department_id, resource_id=asked.id, elements=elements)


def check_forbidden(
    citation: str, *, what: str, department: str = "", resource_id: str = "", elements: Sequence[str] = ()
) -> Barred:
    """D809-15. The entry of the list that a refusal by express provision rests on: it covers what was asked for, and
    the refusal cites it.

    department    that refuses, where one does; entries of others do not count for it
    resource_id   asked for, where there is one; else the data elements say whether an entry covers it
    returns       the entry
    raises        ForbiddenNotListed
    """
    known = dictionary()
    wanted = {known.current(one) for one in elements}
    for entry in listed(department, resource_id):
        if entry.resource_id:
            covers = entry.resource_id == resource_id
        else:  # a demand in words alone names no element; a resource without one is covered by its own entry only
            covers = bool(wanted & {known.current(one) for one in entry.elements}) or not (wanted or resource_id)
        if covers and _plain(entry.citation) in _plain(citation):
            return entry
    raise ForbiddenNotListed(what=shown(what, 200))


def _subject(
    department: str, resource_id: str, items: Sequence[str], elements: Sequence[str]
) -> tuple[list[str], list[str]]:
    """The items and data elements of an entry, checked.

    raises   NotFound, BadInput
    """
    if not resource_id:
        if not (found := read_elements(elements)):
            raise BadInput(reason="name a resource, or data elements", reason_zh="请指定数据资源或数据元")
        return [], found
    ours = Resource.objects.filter(id=resource_id, department_id=department) if is_id(resource_id) else None
    if ours is None or not ours.exists():
        raise NotFound(what="resource", what_zh="数据资源", name=shown(resource_id))
    known = set(Item.objects.filter(resource_id=resource_id).values_list("name", flat=True))
    named = list(dict.fromkeys(items))
    if unknown := [one for one in named if one not in known]:
        said = ", ".join(shown(one) for one in unknown[:5])
        raise BadInput(reason=f"the resource has no item {said}", reason_zh=f"该资源没有信息项 {said}")
    return named, []


def _barred_items(entry: Barred, resource_id: str, items: Sequence[Item]) -> set[str]:
    if entry.resource_id:
        return set(entry.items) or {one.name for one in items} if entry.resource_id == resource_id else set()
    known = dictionary()
    barred = frozenset().union(*(known.names(one) for one in entry.elements))
    return {one.name for one in items if one.element in barred}


def _shared(item: Item, resource: Resource) -> bool:
    return item_attribute(item, resource) != Attribute.REFUSED


def _plain(citation: str) -> str:
    """A citation without its marks: 《统计法》第九条 and 统计法 第九条 are one."""
    return _MARKS.sub("", citation).lower()


def _held(entry_id: str, state: str) -> Barred:
    found = Barred.objects.select_for_update().filter(id=entry_id).first() if is_id(entry_id) else None
    if found is None:
        raise NotFound(what="entry of the negative list", what_zh="负面清单条目", name=shown(entry_id))
    if found.state != state:
        raise WrongState(what="entry", what_zh="负面清单条目", state=found.state, possible=[state])
    return found


def _detail(entry: Barred) -> dict[str, object]:
    return {
        "department": entry.department_id,
        "resource": entry.resource_id,
        "items": entry.items,
        "elements": entry.elements,
        "citation": entry.citation,
    }
