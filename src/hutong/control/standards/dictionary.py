"""The region's data elements as they are called on a day: those approved here, and below them those of the product.

What comes with the product holds, as version 0, until a version of the same name is approved here. An element ends with
a version of the same days that has a last one, or with one that names its successor (`replaced_by`). An ended element
keeps its title and is found by its successor's name, but nothing new is called by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache

from hutong.control.standards import queries
from hutong.control.standards.models import Definition
from hutong.control.standards.rules import ElementEnded, UnknownElement
from hutong.control.standards.shipped import shipped_elements
from hutong.control.statute import day
from hutong.vocabulary.codes import CodeList
from hutong.vocabulary.text import shown

MOST_STEPS = 20  # from an element to the last of its successors


@dataclass(frozen=True)
class Element:
    name: str
    version: int  # 0: as it comes with the product
    title_zh: str
    title_en: str
    successor: str = ""
    ended: bool = False  # nothing new may be called by it


class Dictionary:
    """The data elements of a day."""

    def __init__(self, elements: Iterable[Element]) -> None:
        self._elements: Mapping[str, Element] = {one.name: one for one in elements}
        self.known = _codes(self._elements.values())  # with the ended ones: to show what somebody wrote once
        self.usable = _codes(one for one in self._elements.values() if not one.ended)

    def element(self, name: str) -> Element:
        """One that may be used today.

        raises   UnknownElement, ElementEnded
        """
        one = self._elements.get(name)
        if one is None:
            raise UnknownElement(element=shown(name))
        if one.ended:
            raise ElementEnded(element=name, successor=self.current(name) if one.successor else "–")
        return one

    def current(self, name: str) -> str:
        """What an element is called today: the last of its successors, else itself, known here or not."""
        for _ in range(MOST_STEPS):
            one = self._elements.get(name)
            if one is None or not one.successor:
                break
            name = one.successor
        return name

    def names(self, name: str) -> frozenset[str]:
        """Every name that means the same today: its own, and those of the elements it took the place of."""
        now = self.current(name)
        return frozenset(one for one in self._elements if self.current(one) == now) | {name, now}

    def version(self, name: str) -> int:
        """The version in force; 0 for one that is not known here."""
        one = self._elements.get(name)
        return one.version if one else 0


def dictionary(on: date | None = None) -> Dictionary:
    """The elements of a day; today's where none is given. One query: a page or a command asks once."""
    when = on or day.today()
    approved = list(Definition.objects.filter(kind="element", state=queries.APPROVED))
    holding = {one.name: one for one in queries.holding(approved, when)}
    begun = {one.name: one for one in approved if one.valid_from is None or one.valid_from <= when}
    elements = {one.name: one for one in _of_the_product()}
    elements |= {name: _element(one, ended=True) for name, one in begun.items()}
    elements |= {name: _element(one, ended=bool(one.document.get("replaced_by"))) for name, one in holding.items()}
    return Dictionary(elements[name] for name in sorted(elements))


def _element(one: Definition, *, ended: bool) -> Element:
    successor = str(one.document.get("replaced_by", ""))
    return Element(one.name, one.version, one.title_zh, one.title_en or one.title_zh, successor, ended)


@cache
def _of_the_product() -> tuple[Element, ...]:
    return tuple(Element(one.name, 0, one.title_zh, one.title_en) for one in shipped_elements())


def _codes(elements: Iterable[Element]) -> CodeList:
    return CodeList((one.name, one.title_zh, one.title_en) for one in elements)
