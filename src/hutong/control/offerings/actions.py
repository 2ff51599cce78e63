"""What people do with offerings: an officer proposes one, the head signs it, and it is withdrawn as a whole.

What each member is told follows by duty (spreading.py): one act here, one agreement with its own grant, receipts and
meter for each of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from django.db import transaction

from hutong.control.agreements.consent import Asked, asked_of, default_mask
from hutong.control.agreements.offered import CENTRAL
from hutong.control.identity.rules import Action, Actor, check
from hutong.control.notices.actions import tell
from hutong.control.offerings import area as areas
from hutong.control.offerings.models import Offering
from hutong.control.offerings.rules import (
    ANSWER_DAYS,
    MOST_ANSWER_DAYS,
    OfferingProposed,
    check_signer,
    check_within_catalogue,
)
from hutong.control.requests.rules import LONGEST_TERM_DAYS, MOST_CALLS_PER_DAY
from hutong.exchange.shaping.masks import Mask
from hutong.ledger.record import record
from hutong.node import work
from hutong.vocabulary.canonical import canonical_digest
from hutong.vocabulary.codes import PURPOSES, SHARING_MODES
from hutong.vocabulary.errors import BadInput, NotFound, WrongState
from hutong.vocabulary.ids import is_id, new_id
from hutong.vocabulary.text import checked

DUTY: Final = "offerings"
MOST: Final = {
    "term_days": LONGEST_TERM_DAYS,
    "quota_calls_per_day": MOST_CALLS_PER_DAY,
    "answer_days": MOST_ANSWER_DAYS,
}


@transaction.atomic
def propose(
    by: Actor,
    resource_id: str,
    *,
    area: str,
    target: str = "",
    items: Sequence[str] = (),
    purposes: Sequence[str] = (),
    mode: str = "",
    term_days: int = 365,
    quota_calls_per_day: int = 100_000,
    answer_days: int = ANSWER_DAYS,
) -> Offering:
    """Propose to offer a published resource to an area. Nobody is told anything before the head signs.

    area      a code of AREAS; target: the zone's id, or for central the superior's jurisdiction
    items     every item that may be shared where none is named; each leaves under the catalogue's mask, as for a
              local department
    purposes  every published purpose where none is named
    mode      the first published mode where none is named; central always exchanges batches
    raises    NotAllowed, OtherDepartment, NotFound, WrongState, NoSuchArea, BeyondCatalogue, BadInput
    """
    asked = asked_of(resource_id if is_id(resource_id) else "-")
    resource = asked.resource
    check(by, Action.ANSWER_REQUEST, resource.department_id)
    if resource.state != "published":
        raise WrongState(what="resource", what_zh="数据资源", state=resource.state, possible=["published"])
    areas.check(area, target)
    numbers = {"term_days": term_days, "quota_calls_per_day": quota_calls_per_day, "answer_days": answer_days}
    _check_numbers(**numbers)
    how = "batch" if area == CENTRAL else mode
    offering = Offering.objects.create(
        id=new_id(),
        resource_id=resource.id,
        department=resource.department_id,
        title_zh=resource.title_zh,
        title_en=resource.title_en,
        area=area,
        target=target,
        content=_content(asked, items, purposes, how) | numbers,
        state="proposed",
        proposed_by=by.username,
    )
    record("offering.proposed", subject_of(offering), by.username, _said(offering))
    _tell_head(offering)
    return offering


@transaction.atomic
def sign(by: Actor, offering_id: str) -> Offering:
    """Put a proposed offering in force, as the head of the sharing body: this is the one act, for every member.

    raises   NotAllowed, OtherDepartment, NotFound, WrongState, OwnOffering, NoSuchArea, UnknownDataset
    """
    offering = _held(by, offering_id, Action.SIGN_REPLY, "proposed")
    check_signer(by.username, offering.proposed_by)
    areas.check(offering.area, offering.target)
    _decide(offering, by, "in_force", "")
    commitment = {"offering": offering.id, "offering_digest": canonical_digest(_said(offering))}
    record("offering.in_force", subject_of(offering), by.username, _said(offering), commitment=commitment)
    work.wake_on_commit(DUTY)
    return offering


@transaction.atomic
def refuse(by: Actor, offering_id: str, reason: str) -> Offering:
    """Turn a proposed offering down, as the head.

    raises   NotAllowed, OtherDepartment, NotFound, WrongState, TextMissing
    """
    offering = _held(by, offering_id, Action.SIGN_REPLY, "proposed")
    _decide(offering, by, "refused", checked("reason", reason, limit=2000, lines=True, required=True))
    record("offering.refused", subject_of(offering), by.username, {"reason": offering.reason})
    return offering


@transaction.atomic
def withdraw(by: Actor, offering_id: str, reason: str) -> Offering:
    """Withdraw an offering from its whole area, as the head: open offers end at once, agreements after their notice.

    raises   NotAllowed, OtherDepartment, NotFound, WrongState, TextMissing
    """
    offering = _held(by, offering_id, Action.SIGN_REPLY, "in_force")
    _decide(offering, by, "withdrawn", checked("reason", reason, limit=2000, lines=True, required=True))
    commitment = {"offering": offering.id, "state": "withdrawn"}
    detail = {"reason": offering.reason}
    record("offering.withdrawn", subject_of(offering), by.username, detail, commitment=commitment)
    work.wake_on_commit(DUTY)
    return offering


def subject_of(offering: Offering) -> str:
    return f"offering:{offering.id}"


def _content(asked: Asked, items: Sequence[str], purposes: Sequence[str], mode: str) -> dict[str, Any]:
    """What is offered, under the catalogue's masks. raises   BeyondCatalogue, BadInput"""
    resource = asked.resource
    named, modes = list(dict.fromkeys(items)) or list(asked.shareable), list(resource.sharing_modes)
    aims = list(dict.fromkeys(purposes)) or list(resource.permitted_purposes) or list(PURPOSES.codes)
    how = mode or (modes or ["interface"])[0]
    _check_codes(how, aims)
    check_within_catalogue(
        items=named,
        shareable=asked.shareable,
        purposes=aims,
        permitted=resource.permitted_purposes,
        mode=how,
        modes=modes,
    )
    masks = {name: Mask.from_document(default_mask(asked.shareable[name]), name).to_document() for name in named}
    return {"items": named, "masks": masks, "mode": how, "purposes": aims}


def _tell_head(offering: Offering) -> None:
    zh, en = areas.names(offering.area, offering.target)
    titles = {"title": offering.title_en or offering.title_zh, "title_zh": offering.title_zh}
    told, page = OfferingProposed(**titles, area=en, area_zh=zh), ("offering", offering.id)
    tell(told, role="head", department=offering.department, subject=subject_of(offering), page=page)


def _check_numbers(**numbers: int) -> None:
    for name, value in numbers.items():
        if not 1 <= value <= MOST[name]:
            raise BadInput(reason=f"{name} is 1 to {MOST[name]}", reason_zh=f"{name} 应为 1 至 {MOST[name]}")


def _check_codes(mode: str, purposes: Sequence[str]) -> None:
    unknown = [] if mode in SHARING_MODES else [mode]
    if unknown := [*unknown, *(one for one in purposes if one not in PURPOSES)]:
        raise BadInput(reason=f"unknown: {', '.join(unknown)[:80]}", reason_zh=f"未知代码：{'、'.join(unknown)[:80]}")


def _held(by: Actor, offering_id: str, action: Action, *possible: str) -> Offering:
    offering = Offering.objects.select_for_update().filter(id=offering_id if is_id(offering_id) else None).first()
    if offering is None:
        raise NotFound(what="offering", what_zh="面向区域的共享", name=offering_id[:60])
    check(by, action, offering.department)
    if offering.state not in possible:
        raise WrongState(what="offering", what_zh="面向区域的共享", state=offering.state, possible=list(possible))
    return offering


def _decide(offering: Offering, by: Actor, state: str, reason: str) -> None:
    offering.state, offering.reason = state, reason
    offering.decided_by, offering.decided_at = by.username, datetime.now(UTC)
    offering.save(update_fields=["state", "reason", "decided_by", "decided_at"])


def _said(offering: Offering) -> dict[str, Any]:
    about = {"resource": offering.resource_id, "area": offering.area, "target": offering.target}
    return {**about, **offering.content}
