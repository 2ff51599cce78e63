"""Who may put working days in force, and what people are told about the calendar. Decides and touches nothing."""

from __future__ import annotations

from datetime import date

from hutong.vocabulary.errors import Refused
from hutong.vocabulary.rulebook import Rule
from hutong.vocabulary.sentences import Sentence


class OwnCalendar(Rule):
    """You proposed these working days, so another person must put them in force."""

    zh = "该工作日历由您提出，须由他人批准。"
    code = "own_calendar"
    rule = "C-4"
    since = date(2026, 1, 1)
    next_en = "Ask a supervisor who did not propose them."
    next_zh = "请由未参与提出的主管部门人员批准。"


class SameCalendar(Refused):
    """The same days of {years} from the same file are {reason} already."""

    zh = "同一文件中 {years} 年的日期已{reason}。"
    code = "same_calendar"
    status = 409
    next_en = "Nothing needs to be loaded again."
    next_zh = "无需重复载入。"


class CalendarYearSoon(Sentence):
    """The holidays of {year} are not loaded: terms that reach {year} have no last day until the State Council's notice
    is loaded in the room Working days and approved."""

    zh = (
        "尚未载入 {year} 年的节假日安排：跨入 {year} 年的期限在“工作日历”中载入国务院办公厅通知并获批准之前没有到期日。"
    )
    code = "calendar_year_soon"


class CalendarProposed(Sentence):
    """{by} proposes the working days of {years}; they wait for your approval."""

    zh = "{by} 提出 {years} 年工作日历，待您批准。"
    code = "calendar_proposed"


class CalendarSentBack(Sentence):
    """{by} sends your working days of {years} back: {reason}"""

    zh = "{by} 退回您提出的 {years} 年工作日历：{reason}"
    code = "calendar_sent_back"


def check_four_eyes(proposed_by: str, username: str) -> None:
    """C-4. Whoever proposed working days may not put them in force."""
    if proposed_by == username:
        raise OwnCalendar()
