"""Days of exchanges, counted once: the use register grows by millions of rows, and a page reads none of them.

Rows are taken in the order of the register up to the first that is still open, because an open one changes its outcome
yet. They are read and counted before the transaction that keeps the counts, a few at a time: the register's writer
waits for a handful of rows, however many there are to count.

Whoever needs the newest adds what lies beyond the mark (`days`), at most NEWEST rows of it: more are beyond it only
where thousands come each second, and while a node that was brought up to date counts its register for the first time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from itertools import takewhile
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import F, QuerySet, Sum

from hutong.control.agreements.models import Agreement
from hutong.control.oversight.models import ExchangeDay, TallyMark
from hutong.control.statute.day import CHINA, china_date
from hutong.exchange.models import ExchangeRecord

SLICE = 2_000  # rows of the register in one transaction
NEWEST = 20_000
OPEN = "open"
# Among several writers a row may become visible after one with a higher number: so long none is taken for complete.
SETTLED_AFTER = timedelta(seconds=10)

Key = tuple[date, str, str, str, str, bool]  # day, role, department, outcome, code, unnamed


class Row(NamedTuple):
    """What is counted of an exchange."""

    id: int
    at: datetime
    role: str
    agreement_id: str
    outcome: str
    code: str
    case_number: str
    rows: int


def tally() -> None:
    """Count what came since; repeatable, and killed at any line it loses and doubles nothing."""
    TallyMark.objects.get_or_create(id=1, defaults={"at": datetime.now(UTC)})
    while _once() == SLICE:
        pass


def _once() -> int:
    now = datetime.now(UTC)
    settled = now - SETTLED_AFTER if connection.vendor == "postgresql" else datetime.max.replace(tzinfo=UTC)
    after = TallyMark.objects.get(id=1).after
    newer = _rows(ExchangeRecord.objects.filter(id__gt=after).order_by("id")[:SLICE])
    taken = list(takewhile(lambda one: one.outcome != OPEN and one.at < settled, newer))
    exchanges, rows = _counted(taken)
    with transaction.atomic():
        mark = TallyMark.objects.filter(id=1, after=after)
        if mark.update(after=taken[-1].id if taken else after, at=now):  # or somebody else has counted them meanwhile
            _add(exchanges, rows)
    return len(taken)


def _add(exchanges: Counter[Key], rows: Counter[Key]) -> None:
    for key, many in exchanges.items():
        day, role, department, outcome, code, unnamed = key
        one, _ = ExchangeDay.objects.get_or_create(
            day=day, role=role, department=department, outcome=outcome, code=code, unnamed=unnamed
        )
        ExchangeDay.objects.filter(pk=one.pk).update(exchanges=F("exchanges") + many, rows=F("rows") + rows[key])


def days(since: date, departments: tuple[str, ...] | None) -> Mapping[date, tuple[int, int]]:
    """Day -> exchanges that went through, and those refused or cut off; of these departments, or of all with None."""
    found: Counter[tuple[date, bool]] = Counter()
    kept = ExchangeDay.objects.filter(day__gte=since)
    if departments is not None:
        kept = kept.filter(department__in=departments)
    for day, outcome, many in kept.values_list("day", "outcome").annotate(many=Sum("exchanges")):
        found[day, outcome in ("refused", "cut")] += many
    newest = beyond().filter(at__gte=datetime.combine(since, time.min, CHINA)).order_by("-id")[:NEWEST]
    counts, _ = _counted(list(_rows(newest)))
    for (day, _role, department, outcome, _code, _unnamed), many in counts.items():
        if departments is None or department in departments:
            found[day, outcome in ("refused", "cut")] += many
    return {day: (found[day, False], found[day, True]) for day, _ in found}


def refusals(on: date) -> Mapping[str, int]:
    """What was refused on one day: code -> exchanges, on either side."""
    kept = ExchangeDay.objects.filter(day=on, outcome="refused").values_list("code").annotate(Sum("exchanges"))
    found = Counter[str](dict(kept))
    for code, at in beyond().filter(outcome="refused").values_list("code", "at"):
        found[code] += china_date(at) == on
    return found


def beyond() -> QuerySet[ExchangeRecord]:
    """What the days do not hold yet."""
    mark = TallyMark.objects.filter(id=1).first()
    return ExchangeRecord.objects.filter(id__gt=mark.after if mark else 0)


def _rows(found: QuerySet[ExchangeRecord]) -> Iterator[Row]:
    return map(Row._make, found.values_list(*Row._fields))


def _counted(taken: list[Row]) -> tuple[Counter[Key], Counter[Key]]:
    """Exchanges and rows by key."""
    exchanges, rows = Counter[Key](), Counter[Key]()
    wanted = {one.agreement_id for one in taken}
    whose = dict(Agreement.objects.filter(id__in=wanted).values_list("id", "department")) if wanted else {}
    for one in taken:
        unnamed = one.role == "consumer" and not one.case_number
        key = (china_date(one.at), one.role, whose.get(one.agreement_id, ""), one.outcome, one.code, unnamed)
        exchanges[key] += 1
        rows[key] += one.rows
    return exchanges, rows
