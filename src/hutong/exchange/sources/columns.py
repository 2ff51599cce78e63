"""What type a column of text holds. Careful: a code that looks like a number stays text.

A type is chosen only if every value present is of it, over the whole file. Text stays text when
- any value has a leading zero, a plus sign or more than 18 digits,
- the values are digits of one and the same length of 5 or more (area codes, phones, postal codes),
- the column's name says it is a code or number of something (代码, 编号, phone, id),
- a decimal has more than 17 significant digits, which a double would round.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute

# What registers write for "no value". Owner: the source's department, which may give its own list.
MISSING_MARKERS = ("", "NA", "N/A", "n/a", "NULL", "null", "None", "NaN", "nan", "—", "——", "-", "--", "-;", "\\N")
CODE_WIDTH = 5  # digits; columns of one width from here on are codes
CODE_NAMES = re.compile(
    r"代码|编码|编号|号码|证号|证件|电话|手机|邮编|账号|卡号|身份证|信用码"
    r"|code|phone|mobile|fax|zip|postal|postcode|uscc|identifier|(^|_|-|\s)(id|no|nr|tel)$",
    re.IGNORECASE,
)
CAMEL_ID = re.compile(r"[a-z]I[dD]$|^I[dD]$")
INTEGER = r"^-?(0|[1-9][0-9]{0,17})$"
DECIMAL = r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]{1,3})?$"
BOOLEAN = r"^(true|false|TRUE|FALSE|True|False)$"
DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
TIMESTAMP = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?$"
# In order of preference where several fit.
CANDIDATES: tuple[tuple[str, str, pa.DataType], ...] = (
    ("bool", BOOLEAN, pa.bool_()),
    ("int64", INTEGER, pa.int64()),
    ("double", DECIMAL, pa.float64()),
    ("date", DATE, pa.date32()),
    ("timestamp", TIMESTAMP, pa.timestamp("us")),
)

pc: Any = pyarrow.compute  # its stubs know only some of the types it takes


class ColumnType:
    """Looks at every batch of one column, then says its type."""

    def __init__(self, name: str) -> None:
        self._open = {label for label, _, _ in CANDIDATES}
        self._widths: set[int] = set()
        self._seen = False
        if CODE_NAMES.search(name) or CAMEL_ID.search(name):
            self._open -= {"int64", "double"}

    def see(self, values: Any) -> None:
        """values   a string array; null where missing"""
        if not self._open or values.null_count == len(values):
            return
        self._seen = True
        present = values.drop_null()
        for label, pattern, type_ in CANDIDATES:
            if label in self._open and not _all_fit(present, label, pattern, type_):
                self._open.discard(label)
        if "int64" in self._open and len(self._widths) < 2:
            extremes = pc.min_max(pc.utf8_length(present)).as_py()
            self._widths |= set(extremes.values())

    def decide(self, before: str = "") -> pa.DataType:
        """before   the type it had, which it keeps where every value fits; "" for one that is new"""
        if before == "string":
            return pa.string()
        kept = next((label for label, _, type_ in CANDIDATES if str(type_) == before), "")
        if kept and (not self._seen or kept in self._open):
            return next(type_ for label, _, type_ in CANDIDATES if label == kept)
        if not self._seen or ("int64" in self._open and self._is_code()):
            return pa.string()
        return next((type_ for label, _, type_ in CANDIDATES if label in self._open), pa.string())

    def _is_code(self) -> bool:
        return len(self._widths) == 1 and min(self._widths) >= CODE_WIDTH


def _all_fit(present: Any, label: str, pattern: str, type_: pa.DataType) -> bool:
    # The first value decides most columns, so look at it before the whole batch.
    if not re.search(pattern, present[0].as_py()):
        return False
    if not pc.all(pc.match_substring_regex(present, pattern)).as_py():
        return False
    if label == "double":
        digits = pc.replace_substring_regex(present, r"^-?[0.]*|[eE].*$", "")
        digits = pc.replace_substring(digits, ".", "")
        return bool(pc.max(pc.utf8_length(digits)).as_py() <= 17) and _casts(present, type_)
    return label in ("bool", "int64") or _casts(present, type_)


def _casts(present: Any, type_: pa.DataType) -> bool:
    try:
        cast = pc.cast(present, type_)
    except pa.ArrowInvalid:
        return False
    return not pa.types.is_floating(type_) or bool(pc.all(pc.is_finite(cast)).as_py())


class MissingValues:
    """Turns a column's missing markers into nulls and counts each."""

    def __init__(self, markers: Sequence[str] = MISSING_MARKERS) -> None:
        self._markers = pa.array(list(markers), pa.string())
        self.counts: dict[str, int] = {}

    def blank(self, values: Any) -> Any:
        hits = pc.is_in(values, value_set=self._markers)
        if not pc.any(hits).as_py():
            return values
        for found in pc.value_counts(values.filter(hits)).to_pylist():
            self.counts[found["values"]] = self.counts.get(found["values"], 0) + found["counts"]
        return pc.if_else(hits, pa.scalar(None, pa.string()), values)
