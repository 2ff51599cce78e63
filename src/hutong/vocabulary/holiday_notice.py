"""The State Council's notice of a year's holidays (国务院办公厅关于某年部分节假日安排的通知), read from its text.

The notice is strict prose: one numbered item per holiday, "1月1日（周四）至3日（周六）放假调休，共3天。1月4日上班。".
Whatever names a day and is not understood is refused with its sentence: a day that is passed over would shift clocks.
Every weekday and every count of days that the notice says is checked against the days it names.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate

from hutong.vocabulary.errors import Refused

LONGEST_HOLIDAY = 15  # days in one range; the longest announced so far has 9
LONGEST_NOTICE = 100_000  # characters; a notice has about 600
HOLIDAYS = {
    "元旦": ("元旦", "新年"),
    "春节": ("春节",),
    "清明节": ("清明",),
    "劳动节": ("劳动节", "五一"),
    "端午节": ("端午",),
    "中秋节": ("中秋",),
    "国庆节": ("国庆", "十一"),
}
WEEKDAYS = "一二三四五六日"

_TITLE = re.compile(r"关于(\d{4})年部分节假日安排的通知")
_ITEM = re.compile(r"[一二三四五六七八九十]{1,2}、([^。：:，\d（(]{2,30})[：:]")
_SENTENCE = re.compile("[^。]+")
_AFTER = re.compile(r"(?:节假日|假日|放假)期间|国务院办公厅|各地区、?各部门")
_DAY = r"(?:\d{4}年)?(?:\d{1,2}月)?\d{1,2}日(?:[（(][^（）()]*[）)])?"
_RANGE = rf"{_DAY}(?:(?:至|到|[-－—–~～]){_DAY})?"
_DAYS = rf"{_RANGE}(?:[、，,和及]{_RANGE})*"
_ONE_DAY = re.compile(r"(?:(\d{4})年)?(?:(\d{1,2})月)?(\d{1,2})日(?:[（(]([^（）()]*)[）)])?")
_RANGES = re.compile(_RANGE)
_REST = re.compile(rf"({_DAYS})(?:放假|休息)(?:调休|公休)?(?:，?共?(\d{{1,2}})天)?|({_DAYS})补休")
_WORK = re.compile(rf"({_DAYS})(?:照常|正常)?上班")
_COUNT = re.compile(r"共(?:放假)?(\d{1,2})天")
_JOINS_WEEKEND = re.compile(r"与周末(?:公休日?)?连休|连休")
_PASSED_OVER = re.compile(rf"不调休|其中|(?:其中)?{_DAYS}(?:、新年)?为(?:法定节假日|公休日)|{_DAYS}(?:照常)?公休")
_MOVED = re.compile(rf"{_DAYS}(?:[两三]个)?公休日?(?:分别)?调至{_DAYS}")
_ADVICE = re.compile(r"鼓励|建议|倡导")
_SAYS_A_DAY = re.compile(r"\d日|放假|上班|调休|补休")
_COMMA_OUTSIDE_BRACKETS = re.compile(r"[，,；;](?![^（(]*[）)])")
_WEEKDAY = re.compile(r"(?:星期|周|礼拜)([一二三四五六日天])")


class NoticeNotUnderstood(Refused):
    """Line {line} of the notice says something about days that is not understood: “{sentence}”."""

    zh = "通知第 {line} 行有关日期的语句无法识别：“{sentence}”。"
    code = "notice_not_understood"
    status = 400
    next_en = "Compare the file with the notice as published, or load the year as a table with the columns date, kind."
    next_zh = "请与发布的通知原文核对，或改用含 date、kind 两列的表格载入该年。"


class NoticeContradicts(Refused):
    """Line {line} of the notice contradicts the calendar or itself: {reason}, in “{sentence}”."""

    zh = "通知第 {line} 行与日历或自身矛盾：{reason}，见“{sentence}”。"
    code = "notice_contradicts"
    status = 400
    next_en = "Compare this sentence with the notice as published, and check that the year is the right one."
    next_zh = "请将该句与发布的通知原文核对，并确认年份无误。"


class NoticePartial(Refused):
    """The notice does not arrange a whole year; it says nothing of: {holidays}."""

    zh = "通知没有安排全年，缺少：{holidays}。"
    code = "notice_partial"
    status = 400
    next_en = "Load the whole notice. A later change of single days is loaded as a table with the columns date, kind."
    next_zh = "请载入完整的通知。此后对个别日期的调整，请以含 date、kind 两列的表格载入。"


class NoticeYearUnknown(Refused):
    """The year of the notice is {reason}."""

    zh = "通知的年份{reason}。"
    code = "notice_year_unknown"
    status = 400
    next_en = "Load the notice with its title, or name its year (at the command line with --year)."
    next_zh = "请连同标题一并载入，或指明年份（命令行用 --year）。"


@dataclass(frozen=True)
class HolidayNotice:
    """One year's arrangement. `days` also holds days of the neighbouring years that the notice names."""

    year: int
    days: dict[date, bool]  # True: worked; False: off
    holidays: tuple[str, ...]  # as the notice names them, in its order


def looks_like_notice(text: str) -> bool:
    """True for a notice's prose, False for a table."""
    return _ITEM.search(_plain(text)) is not None


def read_notice(text: str, *, year: int | None = None) -> HolidayNotice:
    """The days that a notice arranges.

    text     the notice as published; line breaks and spaces do not matter
    year     needed where the text has no title
    raises   NoticeYearUnknown, NoticePartial, NoticeNotUnderstood, NoticeContradicts
    """
    lines = [_plain(line) for line in text[:LONGEST_NOTICE].splitlines()]
    plain = "".join(lines)
    reading = _Reading(_year(plain, year), lines)
    for start, name, sentences in _items(plain):
        reading.item(start, name, sentences)
    reading.check_whole()
    return HolidayNotice(reading.year, dict(sorted(reading.days.items())), reading.names)


def _plain(text: str) -> str:
    """Without spaces and with one way to write digits: published texts mix full-width and half-width."""
    wide = str.maketrans("０１２３４５６７８９．", "0123456789.")
    return re.sub(r"\s+", "", text.translate(wide)).replace("\u200b", "")


def _year(plain: str, given: int | None) -> int:
    titles = {int(found) for found in _TITLE.findall(plain)}
    if len(titles) > 1:
        raise NoticeYearUnknown(reason="said twice, differently", reason_zh="前后不一致")
    said = min(titles, default=given)
    if said is None:
        raise NoticeYearUnknown(reason="not said in it", reason_zh="未在文中写明")
    if given not in (None, said):
        raise NoticeYearUnknown(reason=f"{said} by its title, not {given}", reason_zh=f"依标题为 {said}，而非 {given}")
    return said


def _items(plain: str) -> Iterator[tuple[int, str, list[tuple[int, str]]]]:
    """Each numbered item: where it stands, the holidays it names, and its sentences, each with where it stands."""
    starts = list(_ITEM.finditer(plain))
    for at, found in enumerate(starts):
        end = starts[at + 1].start() if at + 1 < len(starts) else len(plain)
        sentences = [(one.start(), one[0]) for one in _SENTENCE.finditer(plain, found.end(), end)]
        ends = next((number for number, (_, one) in enumerate(sentences) if _AFTER.match(one)), len(sentences))
        yield found.start(), found[1], sentences[:ends]


class _Reading:
    """What has been read so far."""

    def __init__(self, year: int, lines: list[str]) -> None:
        self.year = year
        self._ends = list(accumulate(len(line) for line in lines))  # where each line ends in the whole
        self.days: dict[date, bool] = {}
        self._item = ""
        self._sentence = ""
        self._at = 0  # where the sentence stands in the whole
        self._items: list[tuple[int, str]] = []
        self._month = 0  # of the day read last: "1月1日至3日" says it once
        self._rested: list[date] = []  # by the clause before: what a count of days counts

    def item(self, start: int, name: str, sentences: list[tuple[int, str]]) -> None:
        self._item = name
        self._items.append((start, name))
        known = len(self.days)
        for self._at, sentence in sentences:
            self._sentence = sentence
            if not _ADVICE.match(sentence):
                self._read(sentence)
        if len(self.days) == known:
            self._at, self._sentence = start, f"{name}：{'。'.join(sentence for _, sentence in sentences)}"
            raise self._not_understood()

    def _read(self, sentence: str) -> None:
        self._rested = []
        if found := _WORK.fullmatch(sentence):  # days separated by commas are one list
            self._work(found[1])
            return
        for clause in _COMMA_OUTSIDE_BRACKETS.split(sentence):
            self._clause(clause.removeprefix("其中"))

    def _clause(self, clause: str) -> None:
        if found := _REST.fullmatch(clause):
            self._rest(found[1] or found[3], found[2])
        elif found := _WORK.fullmatch(clause):
            self._work(found[1])
        elif found := _COUNT.fullmatch(clause):
            self._check_count(int(found[1]))
        elif _JOINS_WEEKEND.fullmatch(clause):
            self._check_beside_weekend()
        elif _PASSED_OVER.fullmatch(clause) or _MOVED.fullmatch(clause):
            self._dates(clause)  # says nothing new, and must still be true
        elif _SAYS_A_DAY.search(clause):
            raise self._not_understood()

    def _rest(self, days: str, count: str | None) -> None:
        self._rested = self._dates(days)
        for day in self._rested:
            self._note(day, works=False)
        if count:
            self._check_count(int(count))

    def _work(self, days: str) -> None:
        for day in self._dates(days):
            if day.weekday() < 5:
                raise self._contradicts(f"{day} is no Saturday or Sunday", f"{day} 不是周六或周日")
            self._note(day, works=True)

    def _note(self, day: date, *, works: bool) -> None:
        if self.days.setdefault(day, works) != works:
            raise self._contradicts(f"{day} is both off and worked", f"{day} 既放假又上班")

    def _check_count(self, said: int) -> None:
        if said != len(self._rested):
            counted = len(self._rested)
            raise self._contradicts(f"it says {said} days and names {counted}", f"写明 {said} 天，实为 {counted} 天")

    def _check_beside_weekend(self) -> None:
        around = [day + timedelta(days=step) for day in self._rested for step in (-1, 0, 1)]
        if not any(day.weekday() >= 5 for day in around):
            raise self._contradicts("the day does not adjoin a weekend", "该日不与周末相连")

    def _dates(self, text: str) -> list[date]:
        """The days of a list of days and ranges; weekdays in brackets are checked."""
        days: list[date] = []
        for found in _RANGES.finditer(text):
            ends = [self._date(one) for one in _ONE_DAY.finditer(found[0])]
            length = (ends[-1] - ends[0]).days + 1
            if not 1 <= length <= LONGEST_HOLIDAY:
                raise self._contradicts(
                    f"{ends[0]} to {ends[-1]} is no span of days", f"{ends[0]} 至 {ends[-1]} 不成区间"
                )
            days += [ends[0] + timedelta(days=step) for step in range(length)]
        return days

    def _date(self, found: re.Match[str]) -> date:
        month = int(found[2]) if found[2] else self._month
        # New Year's item may reach back: "12月31日" without a year is the December before.
        before = month == 12 and not found[1] and "元旦" in self._item
        year = int(found[1]) if found[1] else self.year - before
        try:
            day = date(year, month, int(found[3]))
        except ValueError:
            raise self._contradicts(f"there is no {found[0]}", f"没有{found[0]}这一天") from None
        if abs(day - date(self.year, 7, 1)) > timedelta(days=220):
            raise self._contradicts(f"{day} is not of {self.year}", f"{day} 不属于 {self.year} 年")
        self._month = month
        for said in _WEEKDAY.findall(found[4] or ""):
            is_one = WEEKDAYS[day.weekday()]
            if said.replace("天", "日") != is_one:
                raise self._contradicts(f"{day} is a {day:%A}, not 星期{said}", f"{day} 是星期{is_one}，而非星期{said}")
        return day

    def check_whole(self) -> None:
        named = "、".join(self.names)
        missing = [name for name, words in HOLIDAYS.items() if not any(word in named for word in words)]
        if missing:
            raise NoticePartial(holidays=missing)
        for month, day, name in ((1, 1, "元旦"), (5, 1, "劳动节"), (10, 1, "国庆节")):
            if self.days.get(date(self.year, month, day), True):
                self._at, self._sentence = next(
                    one for one in self._items if any(word in one[1] for word in HOLIDAYS[name])
                )
                fixed = date(self.year, month, day)
                raise self._contradicts(f"{fixed} is not off", f"{fixed} 没有放假")

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for _, name in self._items)

    def _line(self) -> int:
        return 1 + bisect_right(self._ends, self._at)

    def _not_understood(self) -> NoticeNotUnderstood:
        return NoticeNotUnderstood(line=self._line(), sentence=self._sentence[:120])

    def _contradicts(self, reason: str, reason_zh: str) -> NoticeContradicts:
        return NoticeContradicts(line=self._line(), reason=reason, reason_zh=reason_zh, sentence=self._sentence[:120])
