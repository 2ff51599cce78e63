"""How long the register of use is kept, and purging what is older: the longest rule that applies wins, and every purge
leaves its proof in the ledger."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from django.db import transaction
from django.db.models import Max, Min, QuerySet

from hutong.control.agreements.models import Agreement
from hutong.control.catalogue.models import Entry
from hutong.control.conduct.rules import CreditQueriesKept, LogsKept, UseRecordsKept
from hutong.control.identity.rules import Action, Actor, check
from hutong.control.statute import day
from hutong.control.statute.book import rule_named
from hutong.control.statute.decisions import Facts, Law, Outcome, decide, decider
from hutong.exchange.models import ExchangeRecord
from hutong.ledger.record import record
from hutong.ledger.tree import EMPTY_ROOT, leaf_hash, root_over
from hutong.vocabulary.ids import uuid_of
from hutong.vocabulary.rulebook import Rule

ROWS_AT_ONCE = 10_000  # of one transaction and one proof
BY_THEME: dict[str, type[Rule]] = {"credit": CreditQueriesKept}


@dataclass(frozen=True)
class Purged:
    """What one purge removed, and the roots of its proofs."""

    rows: int
    proofs: tuple[str, ...]


@decider("use.retention")
def retention(facts: Facts, law: Law) -> Outcome:
    """How many months the records of use of a theme are kept, and by which rule."""
    applying: list[type[Rule]] = [
        LogsKept,
        UseRecordsKept,
        *([BY_THEME[facts["theme"]]] if facts["theme"] in BY_THEME else []),
    ]
    months = {rule.name(): law.parameter(rule, "months") for rule in applying}
    longest = max(months, key=lambda name: months[name])
    return {"months": months[longest], "rule": longest}


def purge(by: Actor, before: date, *, agreement_id: str = "") -> Purged:
    """Delete records of use from before a day (in China), of one agreement or of all, in steps that each leave a proof.

    A purge that is interrupted has removed whole steps; run again, it goes on.

    raises   NotAllowed, UseRecordsKept, LogsKept, CreditQueriesKept; then nothing was deleted
    """
    check(by, Action.PURGE_RECORDS)
    moment = datetime.combine(before, time(), day.CHINA).astimezone(UTC)
    rows = ExchangeRecord.objects.filter(at__lt=moment)
    if agreement_id:
        rows = rows.filter(agreement_id=agreement_id)
    removed = 0
    proofs: list[str] = []
    with transaction.atomic():
        _check_old_enough(rows, before, agreement_id)
        step = _purge_step(by, rows)
    while step:
        removed, proofs = removed + step[0], [*proofs, step[1]]
        step = _purge_step(by, rows)
    return Purged(removed, tuple(proofs))


def _check_old_enough(rows: QuerySet[ExchangeRecord], before: date, agreement_id: str) -> None:
    """Every theme with a record in the range has its own time; the first that is not over refuses the whole purge."""
    for theme in sorted(_themes(rows)):
        outcome = decide("use.retention", f"use:{agreement_id or theme or 'all'}", {"theme": theme})
        since = months_before(day.today(), outcome["months"])
        if before > since:
            raise rule_named(outcome["rule"])(months=outcome["months"], since=since.isoformat())


def _themes(rows: QuerySet[ExchangeRecord]) -> set[str]:
    """Themes of the resources whose use is recorded; "" where an agreement or its entry is not known here."""
    agreements = set(rows.order_by().values_list("agreement_id", flat=True).distinct())
    resources = dict(Agreement.objects.filter(id__in=agreements).values_list("id", "resource_id"))
    bare = {one: uuid_of(resources[one]) for one in agreements if one in resources}
    themes = dict(Entry.objects.filter(id__in=set(bare.values())).values_list("id", "theme"))
    return {themes.get(bare.get(one, ""), "") for one in agreements}


@transaction.atomic
def _purge_step(by: Actor, rows: QuerySet[ExchangeRecord]) -> tuple[int, str] | None:
    """Delete the oldest rows and record their number, range and Merkle root."""
    held = list(rows.order_by("id").values_list("id", "entry_digest")[:ROWS_AT_ONCE])
    if not held:
        return None
    step = rows.filter(id__lte=held[-1][0])
    span = step.aggregate(first=Min("at"), last=Max("at"))
    root = root_of(entry_digest for _, entry_digest in held)
    proof = {"count": len(held), "first": span["first"].isoformat(), "last": span["last"].isoformat(), "root": root}
    record("use.purged", "register:use", by.username, proof, commitment=proof)
    deleted, _ = step.delete()
    if deleted != len(held):
        raise RuntimeError("the register changed while it was purged")  # undoes the step; it is made again
    return len(held), root


def root_of(entry_digests: Iterable[str]) -> str:
    """The Merkle root (RFC 9162) over the digests of the purged records' ledger entries, in the register's order."""
    leaves = b"".join(leaf_hash(one.encode("ascii")) for one in entry_digests)
    return "sha256:" + (root_over(leaves) if leaves else EMPTY_ROOT).hex()


def months_before(today: date, months: int) -> date:
    """The same day so many months before; the month's last day where it has no such day."""
    count = today.year * 12 + today.month - 1 - months
    year, month = count // 12, count % 12 + 1
    for last in (today.day, 30, 29, 28):
        try:
            return date(year, month, min(today.day, last))
        except ValueError:
            continue
    raise ValueError("no such month")
