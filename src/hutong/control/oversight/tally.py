"""Days of exchanges, counted once: the use register grows by millions of rows, and a page reads none of them.

Rows are taken in the order of the register up to the first that is still open, because an open one changes its outcome
yet. Whoever needs the newest adds what lies beyond the mark (`days`), at most AT_ONCE rows of it: that many are beyond
only while a node that was brought up to date counts its register for the first time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time

from django.db import transaction
from django.db.models import F, QuerySet, Sum

from hutong.control.agreements.models import Agreement
from hutong.control.oversight.models import ExchangeDay, TallyMark
from hutong.control.statute.day import CHINA, china_date
from hutong.exchange.models import ExchangeRecord

AT_ONCE = 20_000  # rows of the register in one transaction
OPEN = "open"

Key = tuple[date, str, str, str, str, bool]  # day, role, department, outcome, code, unnamed


def tally() -> None:
    """Count what came since; repeatable, and killed at any line it loses and doubles nothing."""
    while _once() == AT_ONCE:
        pass


@transaction.atomic
def _once() -> int:
    mark, _ = TallyMark.objects.select_for_update().get_or_create(id=1, defaults={"at": datetime.now(UTC)})
    new = ExchangeRecord.objects.filter(id__gt=mark.after)
    first_open = new.filter(outcome=OPEN).order_by("id").values_list("id", flat=True).first()
    taken = list((new.filter(id__lt=first_open) if first_open else new).order_by("id")[:AT_ONCE])
    counts, rows = _counted(taken)
    for key, many in counts.items():
        day, role, department, outcome, code, unnamed = key
        one, _ = ExchangeDay.objects.get_or_create(
            day=day, role=role, department=department, outcome=outcome, code=code, unnamed=unnamed
        )
        ExchangeDay.objects.filter(pk=one.pk).update(exchanges=F("exchanges") + many, rows=F("rows") + rows[key])
    TallyMark.objects.filter(id=1).update(after=taken[-1].id if taken else mark.after, at=datetime.now(UTC))
    return len(taken)


def days(since: date, departments: tuple[str, ...] | None) -> Mapping[date, tuple[int, int]]:
    """Day -> exchanges that went through, and those refused or cut off; of these departments, or of all with None."""
    found: Counter[tuple[date, bool]] = Counter()
    kept = ExchangeDay.objects.filter(day__gte=since)
    if departments is not None:
        kept = kept.filter(department__in=departments)
    for day, outcome, many in kept.values_list("day", "outcome").annotate(many=Sum("exchanges")):
        found[day, outcome in ("refused", "cut")] += many
    newest = beyond().filter(at__gte=datetime.combine(since, time.min, CHINA)).order_by("-id")[:AT_ONCE]
    counts, _ = _counted(newest)
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


def _counted(records: Iterable[ExchangeRecord]) -> tuple[Counter[Key], Counter[Key]]:
    """Exchanges and rows by key."""
    exchanges, rows = Counter[Key](), Counter[Key]()
    seen = list(records)
    wanted = {one.agreement_id for one in seen}
    whose = dict(Agreement.objects.filter(id__in=wanted).values_list("id", "department")) if wanted else {}
    for one in seen:
        unnamed = one.role == "consumer" and not one.case_number
        key = (china_date(one.at), one.role, whose.get(one.agreement_id, ""), one.outcome, one.code, unnamed)
        exchanges[key] += 1
        rows[key] += one.rows
    return exchanges, rows
