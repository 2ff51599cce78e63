"""An area's rows: which item tells the area, and the condition that is true of just its rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute

from hutong.vocabulary.areas import prefix_of

pc: Any = pyarrow.compute  # its stubs know only some of the types it takes
ELEMENTS = ("area", "area_code")  # data elements whose values are GB/T 2260 codes, of 6, 9 or 12 digits
WIDTHS = (6, 9, 12)


class ItemLike(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def element(self) -> str: ...


def area_item(items: Iterable[ItemLike]) -> ItemLike | None:
    """The item that holds the area code, where the resource declares one."""
    return next((one for one in items if one.element in ELEMENTS), None)


def condition(item: str, type_: str, area: str) -> dict[str, Any]:
    """True of the rows of an area, of everything in it, and of nothing else.

    type_   the item's type: text begins with the area's digits; a number lies between its first and last code
    """
    prefix = prefix_of(area)
    if type_ == "string":
        return {"op": "starts_with", "item": item, "value": prefix}
    ranges = [
        {"op": "between", "item": item, "low": int(prefix.ljust(width, "0")), "high": int(prefix.ljust(width, "9"))}
        for width in WIDTHS
        if width >= len(prefix)
    ]
    return ranges[0] if len(ranges) == 1 else {"op": "or", "args": ranges}


def outside(column: Any, area: str) -> int:
    """How many values of a column are not codes of the area."""
    inside = pc.starts_with(pc.cast(column, pa.string()), pattern=prefix_of(area))
    return len(column) - int(pc.sum(pc.fill_null(inside, False)).as_py() or 0)
