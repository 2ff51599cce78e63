"""A provider may not stop or change a service without reason (D809-27): it announces, and the notice must have run."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from django.db import transaction

from hutong.control.catalogue.models import Resource
from hutong.control.conduct import kinds, papers, queries
from hutong.control.conduct.models import StopNotice
from hutong.control.conduct.rules import NoticeTooShort, StopWithoutNotice, check_paper
from hutong.control.conduct.sentences import StopAnnounced
from hutong.control.identity.rules import Action, Actor, check
from hutong.control.notices.actions import tell
from hutong.control.statute import day
from hutong.control.statute.decisions import Facts, Law, Outcome, decide, decider
from hutong.ledger.record import record
from hutong.vocabulary.errors import NotFound
from hutong.vocabulary.ids import new_id, uuid_of


@decider("service.stop")
def earliest_stop(facts: Facts, law: Law) -> Outcome:
    """The first day on which a service may stop, when its notice is filed on a day."""
    days = law.parameter(NoticeTooShort, "days")
    filed = date.fromisoformat(facts["filed_on"])
    return {"earliest": (filed + timedelta(days=days)).isoformat(), "days": days}


@transaction.atomic
def announce(by: Actor, resource_id: str, *, change: str, starts_on: date, reason: str) -> StopNotice:
    """Announce that a resource's service stops or changes: filed with our supervisor, told to every consumer.

    change   a code of SERVICE_CHANGES
    raises   NotFound, NotAllowed, OtherDepartment, PaperIncomplete, BadInput, NoticeTooShort
    """
    resource = Resource.objects.filter(id=uuid_of(resource_id)).first()
    if resource is None:
        raise NotFound(what="resource", what_zh="数据资源", name=resource_id[:60])
    check(by, Action.ANNOUNCE_STOP, resource.department_id)
    notice = StopNotice(id=new_id(), resource_id=resource.id, department=resource.department_id, change=change)
    notice.starts_on, notice.reason, notice.filed_by, notice.filed_at = starts_on, reason, by.username, _now()
    given = {"notice": notice.id, "change": change, "starts_on": starts_on.isoformat(), "reason": reason.strip()}
    content = kinds.read("stop", given)
    check_paper("stop", kinds.missing("stop", content))
    outcome = decide("service.stop", f"resource:{resource.id}", {"filed_on": day.today().isoformat()})
    if starts_on < date.fromisoformat(outcome["earliest"]):
        raise NoticeTooShort(**outcome)
    resting = list(queries.resting_agreements(resource.id))
    notice.told = len(resting)
    notice.save(force_insert=True)
    for agreement in resting:
        papers.file(agreement, "stop", content, by.username)
    detail = {"notice": notice.id, "change": change, "starts_on": starts_on.isoformat(), "told": notice.told}
    record("service.stop_announced", f"resource:{resource.id}", by.username, {**detail, "reason": content["reason"]})
    said = StopAnnounced(title=resource.title_en, title_zh=resource.title_zh, starts=starts_on.isoformat())
    tell(said, role="supervisor", subject=f"resource:{resource.id}", page=("stops",))
    return notice


def check_may_withdraw(resource: Resource, emergency: str) -> None:
    """A resource with consumers in force is withdrawn after a notice that has run, or in a secrecy emergency.

    emergency   the reason, where it is one; recorded
    raises      StopWithoutNotice
    """
    count = queries.resting_on(resource.id)
    if emergency.strip():
        detail = {"reason": emergency.strip()[: kinds.LONGEST], "agreements": count}
        record("service.emergency_stop", f"resource:{resource.id}", "rule:D809-27", detail)
        return
    if count and not queries.stop_has_run(resource.id, day.today()):
        raise StopWithoutNotice(count=count)


def _now() -> datetime:
    return datetime.now(UTC)
