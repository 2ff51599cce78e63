"""What a description said under each version, and what differs between two. Decides and touches nothing.

A description is a document as description_file writes it: the fields of the resource, and under "items" one object for
each item.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from hutong.control.catalogue.fields import ITEM_FIELDS, RESOURCE_FIELDS, WrongValue
from hutong.control.catalogue.rules import ReturnWithoutPoints
from hutong.vocabulary.text import checked

Kind = Literal["added", "removed", "changed"]
WHOLE = ("", "items", "source", "sign_off")  # what a point can be about beside the fields
MOST_POINTS = 200
LONGEST_POINT = 1000


@dataclass(frozen=True)
class Difference:
    """One thing that differs. `field` is a field of the resource, an item's name, or item.field."""

    field: str
    kind: Kind
    before: Any
    after: Any

    @property
    def item(self) -> str:
        """The item it is about; empty for a field of the resource."""
        name, dot, _ = self.field.rpartition(".")
        return name if dot else ("" if self.field in RESOURCE_FIELDS else self.field)


def differences(before: dict[str, Any] | None, after: dict[str, Any]) -> list[Difference]:
    """What differs, in the order of the form, then item by item. Against nothing, what is said at all."""
    before = before or {}
    found = [
        Difference(name, kind_of_change(before.get(name), after.get(name)), before.get(name), after.get(name))
        for name in RESOURCE_FIELDS
        if (before.get(name) or None) != (after.get(name) or None)
    ]
    return found + list(_of_items(before.get("items", []), after.get("items", [])))


def differing(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    """The names of what differs, as points name them: a changed field of an item also names the item and "items"."""
    found = differences(before, after)
    items = {one.item for one in found if one.item}
    return {one.field for one in found} | items | ({"items"} if items else set())


def read_points(given: Sequence[dict[str, Any]], content: dict[str, Any]) -> list[dict[str, Any]]:
    """The points of a return, checked against the description they are about.

    raises   ReturnWithoutPoints, WrongValue, WrongText
    """
    if not given or len(given) > MOST_POINTS:
        raise ReturnWithoutPoints(most=MOST_POINTS)
    items = {one["name"] for one in content["items"]}
    points: list[dict[str, Any]] = []
    for position, one in enumerate(given):
        name = one.get("field", "")
        item, _, field = name.rpartition(".")
        of_item = name in items or (item in items and field in ITEM_FIELDS)
        if name not in WHOLE and name not in RESOURCE_FIELDS and not of_item:
            raise WrongValue(
                field=f"points[{position}].field",
                reason="a field of the description, or of one of its items",
                reason_zh="应为目录描述或其信息项的字段",
            )
        text = checked(f"points[{position}].text", one.get("text", ""), limit=LONGEST_POINT, lines=True, required=True)
        points.append({"field": name, "text": text})
    return points


def kind_of_change(before: Any, after: Any) -> Kind:
    if not before:
        return "added"
    return "changed" if after else "removed"


def _of_items(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> Iterator[Difference]:
    old, new = ({one["name"]: one for one in items} for items in (before, after))
    for name, item in new.items():
        if name not in old:
            yield Difference(name, "added", None, item)
            continue
        for field in ("type", *ITEM_FIELDS):
            if old[name].get(field) != item.get(field):
                yield Difference(f"{name}.{field}", "changed", old[name].get(field), item.get(field))
    for name, item in old.items():
        if name not in new:
            yield Difference(name, "removed", item, None)
    shared = [name for name in old if name in new]
    if shared != [name for name in new if name in old]:
        yield Difference("items", "changed", list(old), list(new))
