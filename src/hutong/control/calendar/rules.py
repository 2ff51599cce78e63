"""What people are told about the calendar. Decides and touches nothing."""

from __future__ import annotations

from hutong.vocabulary.sentences import Sentence


class CalendarYearSoon(Sentence):
    """The holidays of {year} are not loaded: terms that reach {year} have no last day until the operator loads the
    State Council's notice."""

    zh = "尚未载入 {year} 年的节假日安排：跨入 {year} 年的期限在运维人员载入国务院办公厅通知之前没有到期日。"
    code = "calendar_year_soon"
