"""Loading a year. One verb, one transaction, one audit record."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime

from django.db import transaction

from hutong.control.calendar.models import CalendarLoad
from hutong.control.calendar.queries import in_force
from hutong.control.identity.rules import Action, Actor, check
from hutong.ledger.record import record
from hutong.vocabulary.calendar import WorkCalendar, is_whole, read_days
from hutong.vocabulary.canonical import digest
from hutong.vocabulary.errors import BadInput
from hutong.vocabulary.holiday_notice import looks_like_notice, read_notice
from hutong.vocabulary.text import checked

LARGEST_FILE_BYTES = 1_000_000  # a notice has about 2 kB, a table of one year 6 kB; owner: calendar


@dataclass(frozen=True)
class Loaded:
    """What one load did to one year."""

    year: int
    off: int  # days off that it names
    made_up: int  # Saturdays and Sundays that it makes working days
    changed: tuple[date, ...]  # days that were thought otherwise before, where the year was known
    again: bool = False  # the very same was loaded last already: nothing was added


@transaction.atomic
def load(by: Actor, content: bytes, *, file_name: str, year: int | None = None) -> list[Loaded]:
    """Load a notice's text, or a table of days, over what is known. Nothing is loaded when anything is wrong with it.

    year     of a notice without its title
    returns  one per year, the earliest first
    raises   NotAllowed, BadInput, NoticeYearUnknown, NoticePartial, NoticeNotUnderstood, NoticeContradicts
    """
    check(by, Action.LOAD_CALENDAR)
    if len(content) > LARGEST_FILE_BYTES:
        raise BadInput(reason="the file is larger than any notice", reason_zh="文件过大，不是节假日通知")
    name = checked("file_name", file_name, limit=200, required=True)
    text = _decoded(content)
    if looks_like_notice(text):
        notice = read_notice(text, year=year)
        by_year, kind = {notice.year: notice.days}, "notice"
    else:
        by_year, kind = _by_year(read_days(text.splitlines())), "table"
    before = in_force()
    after = _with(before, by_year, kind)
    loaded = []
    for one, days in sorted(by_year.items()):
        made = CalendarLoad(year=one, whole=kind == "notice" or is_whole(one, days), kind=kind, file_name=name)
        made.days = {day.isoformat(): works for day, works in sorted(days.items())}
        loaded.append(_keep(by, made, content, _changes(days, before, after)))
    return loaded


def _with(before: WorkCalendar, by_year: dict[int, dict[date, bool]], kind: str) -> WorkCalendar:
    days = {day: works for of_year in by_year.values() for day, works in of_year.items()}
    return before.over(days, by_year) if kind == "notice" else before.with_days(days)


def _changes(days: dict[date, bool], before: WorkCalendar, after: WorkCalendar) -> tuple[date, ...]:
    known = (day for day in sorted(days) if day.year in before.years)
    return tuple(day for day in known if before.works(day) != after.works(day))


def _keep(by: Actor, made: CalendarLoad, content: bytes, changed: tuple[date, ...]) -> Loaded:
    off = sum(not works for works in made.days.values())
    made_up = sum(works and date.fromisoformat(day).weekday() >= 5 for day, works in made.days.items())
    made.digest, made.loaded_at, made.loaded_by = digest(content), datetime.now(UTC), by.username
    newest = CalendarLoad.objects.filter(year=made.year).order_by("-id").first()
    if newest is not None and (newest.digest, newest.days) == (made.digest, made.days):
        return Loaded(made.year, off, made_up, (), again=True)
    made.save()
    detail = {"year": made.year, "kind": made.kind, "file": made.file_name, "off": off, "made_up": made_up}
    detail["changed"] = [day.isoformat() for day in changed]
    commitment = {"file": made.digest, "load": made.pk}
    record("calendar.loaded", f"calendar:{made.year}", by.username, detail, commitment=commitment)
    return Loaded(made.year, off, made_up, changed)


def _by_year(days: dict[date, bool]) -> dict[int, dict[date, bool]]:
    if not days:
        raise BadInput(
            reason="the file is neither a notice of holidays nor a table with the columns date, kind",
            reason_zh="文件既不是节假日安排通知，也不是含 date、kind 两列的表格",
        )
    found: dict[int, dict[date, bool]] = defaultdict(dict)
    for day, works in days.items():
        found[day.year][day] = works
    return found


def _decoded(content: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise BadInput(reason="the file is not text in UTF-8 or GB 18030", reason_zh="文件不是 UTF-8 或 GB 18030 文本")
