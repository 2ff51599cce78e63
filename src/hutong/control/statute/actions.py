"""Changing a rule's parameter with four eyes, and counting refusals."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime

from django.db import transaction
from django.db.models import F

from hutong.control.identity.rules import Action, Actor, check
from hutong.control.statute import day, queries
from hutong.control.statute.book import rule_named
from hutong.control.statute.models import ParameterVersion, RefusalCount
from hutong.control.statute.rules import NoSuchParameter, check_other_person, check_version
from hutong.ledger.record import record
from hutong.vocabulary.errors import NotFound, Refused, WrongState
from hutong.vocabulary.ids import new_id
from hutong.vocabulary.rulebook import Rule
from hutong.vocabulary.text import checked

LEVELS = ("national", "local")


@transaction.atomic
def propose(by: Actor, rule: str, name: str, *, level: str, value: int, since: date, source: str) -> ParameterVersion:
    """Propose a version of a parameter. It has no effect until another person approves it.

    raises   NotAllowed, NoSuchParameter, BeyondLocalPower, SinceInThePast, ParameterSourceMissing
    """
    check(by, Action.PROPOSE_PARAMETER)
    found = _rule(rule, name)
    if level not in LEVELS:
        raise NoSuchParameter(name=f"{rule} {name} {level[:20]}")
    parameter, _ = queries.national_value(found, name, since)
    check_version(parameter, level, value, since=since, source=source, today=day.today())
    made = ParameterVersion.objects.create(
        id=new_id(),
        rule=rule,
        name=name,
        level=level,
        value=value,
        since=since,
        source=checked("source", source, limit=300),
        proposed_by=by.username,
        proposed_at=datetime.now(UTC),
    )
    record("parameter.proposed", f"rule:{rule}", by.username, _detail(made))
    return made


@transaction.atomic
def decide_version(by: Actor, version_id: str, *, approve: bool) -> ParameterVersion:
    """Approve or decline a proposed version, as somebody who did not propose it.

    raises   NotAllowed, NotFound, OwnProposal, WrongState, BeyondLocalPower, SinceInThePast
    """
    check(by, Action.APPROVE_PARAMETER)
    found = ParameterVersion.objects.select_for_update().filter(id=version_id).first()
    if found is None:
        raise NotFound(what="version", what_zh="参数版本", name=version_id[:60])
    check_other_person(found.proposed_by, by.username)
    if found.state != "proposed":
        raise WrongState(what="version", what_zh="参数版本", state=found.state, possible=["proposed"])
    if approve:
        parameter, _ = queries.national_value(_rule(found.rule, found.name), found.name, found.since)
        check_version(parameter, found.level, found.value, since=found.since, source=found.source, today=day.today())
    found.state = "approved" if approve else "declined"
    found.decided_by, found.decided_at = by.username, datetime.now(UTC)
    found.save()
    record(f"parameter.{found.state}", f"rule:{found.rule}", by.username, _detail(found))
    return found


def count_refusals(refused: Iterable[type[Rule]]) -> None:
    """Count rules that refused something today, in a transaction of its own: the refused one was undone."""
    on = day.today()
    for rule in refused:
        counted = RefusalCount.objects.filter(rule=rule.name(), day=on)
        if not counted.update(refused=F("refused") + 1):
            with transaction.atomic():
                RefusalCount.objects.get_or_create(rule=rule.name(), day=on)
            counted.update(refused=F("refused") + 1)


def count_refusal(refused: Refused) -> None:
    """Count a refusal that was said, where it says a rule."""
    if isinstance(refused, Rule) and refused.rule:
        count_refusals([type(refused)])


def _rule(rule: str, name: str) -> type[Rule]:
    try:
        found = rule_named(rule)
        found.declared(name)
    except KeyError:
        raise NoSuchParameter(name=f"{rule[:100]} {name[:40]}") from None
    return found


def _detail(version: ParameterVersion) -> dict[str, str | int]:
    return {
        "version": version.id,
        "name": version.name,
        "level": version.level,
        "value": version.value,
        "since": version.since.isoformat(),
        "source": version.source,
    }
