"""What a file says of working days: the State Council's notice, or a table. Decides and touches nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from hutong.vocabulary.calendar import is_whole, read_days
from hutong.vocabulary.canonical import digest
from hutong.vocabulary.errors import BadInput
from hutong.vocabulary.holiday_notice import looks_like_notice, read_notice
from hutong.vocabulary.text import checked

LARGEST_FILE_BYTES = 1_000_000  # a notice has about 2 kB, a table of one year 6 kB; owner: calendar
Days = Mapping[date, bool]  # true where worked, false where off


@dataclass(frozen=True)
class Reading:
    """One file as it was understood."""

    kind: str  # notice: arranges its year; table: lies over what is known
    file_name: str
    text: str
    digest: str  # of the file's bytes
    years: Mapping[int, Days]  # of a notice the days may be of a neighbouring year

    def is_whole(self, year: int) -> bool:
        """True when it arranges the whole of the year, so that what was loaded before no longer counts."""
        return self.kind == "notice" or is_whole(year, self.years[year])


def read(content: bytes, *, file_name: str, year: int | None = None) -> Reading:
    """Read a notice's text, or a table of days.

    year     of a notice without its title
    raises   BadInput, NoticeYearUnknown, NoticePartial, NoticeNotUnderstood, NoticeContradicts, each with its line
    """
    if len(content) > LARGEST_FILE_BYTES:
        raise BadInput(reason="the file is larger than any notice", reason_zh="文件过大，不是节假日通知")
    name = checked("file_name", file_name, limit=200, required=True)
    text = _decoded(content)
    if looks_like_notice(text):
        notice = read_notice(text, year=year)
        return Reading("notice", name, text, digest(content), {notice.year: notice.days})
    return Reading("table", name, text, digest(content), _by_year(read_days(text.splitlines())))


def _by_year(days: Days) -> dict[int, Days]:
    if not days:
        raise BadInput(
            reason="the file is neither a notice of holidays nor a table with the columns date, kind",
            reason_zh="文件既不是节假日安排通知，也不是含 date、kind 两列的表格",
        )
    found: dict[int, dict[date, bool]] = defaultdict(dict)
    for day, works in sorted(days.items()):
        found[day.year][day] = works
    return dict(sorted(found.items()))


def _decoded(content: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise BadInput(reason="the file is not text in UTF-8 or GB 18030", reason_zh="文件不是 UTF-8 或 GB 18030 文本")
