"""The request form: basis, scenario, scope, items, rows, mode, term, purpose (decree 809, article 20)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from hutong.control.agreements.offered import Offered
from hutong.control.catalogue.dataset import EntryDocument, EntryItem
from hutong.control.requests.rules import LONGEST_TERM_DAYS, MOST_CALLS_PER_DAY, UnknownItems
from hutong.exchange.shaping.predicate import Predicate, parse_text
from hutong.portal.components import conditions, words
from hutong.portal.components.form import Form
from hutong.vocabulary import codes
from hutong.vocabulary.errors import Refused

ARROW_TYPES: dict[str, pa.DataType] = {
    "string": pa.string(),
    "int64": pa.int64(),
    "double": pa.float64(),
    "decimal": pa.decimal128(38, 10),
    "date": pa.date32(),
    "bool": pa.bool_(),
}
CONDITION_ROWS = 3  # lines of the builder; more is written as text
LONGEST_TEXT = 2000  # characters of one answer


@dataclass(frozen=True)
class ConditionRow:
    item: forms.BoundField
    op: forms.BoundField
    value: forms.BoundField


def _answer(label: Any, hint: Any, rows: int = 3) -> forms.CharField:
    return forms.CharField(
        label=label, help_text=hint, max_length=LONGEST_TEXT, widget=forms.Textarea(attrs={"rows": rows})
    )


class RequestForm(Form):
    """A wish for data. `where` is the condition's document after `is_valid`."""

    purpose = forms.ChoiceField(label=lazy("Purpose"), help_text=lazy("Use is bound to it (decree 809, article 25)."))
    basis = _answer(lazy("Legal basis"), lazy("The law or duty that needs this data, with its article."), 2)
    scenario = _answer(lazy("Scenario"), lazy("In which procedure, at which step, it is used."))
    scope = _answer(lazy("Scope"), lazy("Who uses it, for whom, in which area."), 2)
    items = forms.MultipleChoiceField(
        label=lazy("Items"),
        help_text=lazy("Ask for the fewest items the purpose needs."),
        widget=forms.CheckboxSelectMultiple,
    )
    joint = forms.ChoiceField(required=False, widget=forms.RadioSelect, initial="and")
    condition_text = forms.CharField(
        label=lazy("Condition as text"),
        required=False,
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
        help_text=lazy("For example: city = '南京' and founded >= '2000-01-01'. It replaces the lines above."),
    )
    mode = forms.ChoiceField(label=lazy("Mode"), widget=forms.RadioSelect)
    term_days = forms.IntegerField(
        label=lazy("Term in days"),
        min_value=1,
        max_value=LONGEST_TERM_DAYS,
        initial=365,
        help_text=lazy("Counted from the day of the agreement."),
    )
    quota_calls_per_day = forms.IntegerField(
        label=lazy("Calls a day"),
        min_value=1,
        max_value=MOST_CALLS_PER_DAY,
        initial=100_000,
        help_text=lazy("How often applications may read, at most."),
    )

    def __init__(
        self, document: EntryDocument, data: Mapping[str, Any] | None = None, offered: Offered | None = None
    ) -> None:
        """offered   what its provider offers us: the form begins with all of it"""
        super().__init__(data, initial=begun(offered) if offered else None)
        self.takes_up = offered is not None
        self.document = document
        self.where: dict[str, Any] | None = None
        self.items_on_offer = [item for item in document.items if item.may_be_shared]
        purposes = words.code_choices(codes.PURPOSES)
        if document.permitted_purposes:
            purposes = [one for one in purposes if one[0] in document.permitted_purposes]
        self.choose("purpose", [("", _("choose")), *purposes])
        self.choose("items", [(item.name, item_label(item)) for item in self.items_on_offer])
        modes = words.code_choices(codes.SHARING_MODES)
        published = [one for one in modes if one[0] in document.sharing_modes] or modes
        self.choose("mode", published)
        self.fields["mode"].initial = published[0][0]
        self.choose("joint", [("and", _("all of these hold")), ("or", _("any of these holds"))])
        self._add_condition_rows()

    def _add_condition_rows(self) -> None:
        items = [("", _("item")), *[(item.name, title_of(item)) for item in self.items_on_offer]]
        for row in range(CONDITION_ROWS):
            aria = {"aria-label": _("Item of condition {number}").format(number=row + 1)}
            self.fields[f"condition_item_{row}"] = forms.ChoiceField(
                label=_("Rows"), required=False, choices=items, widget=forms.Select(attrs=aria)
            )
            aria = {"aria-label": _("Comparison of condition {number}").format(number=row + 1)}
            operators = list(conditions.OPERATORS.items())
            self.fields[f"condition_op_{row}"] = forms.ChoiceField(
                required=False, choices=operators, widget=forms.Select(attrs=aria)
            )
            aria = {"aria-label": _("Value of condition {number}").format(number=row + 1), "placeholder": _("value")}
            self.fields[f"condition_value_{row}"] = forms.CharField(
                required=False, max_length=500, widget=forms.TextInput(attrs=aria)
            )

    @property
    def condition_rows(self) -> Iterator[ConditionRow]:
        for row in range(CONDITION_ROWS):
            yield ConditionRow(*[self[f"condition_{part}_{row}"] for part in ("item", "op", "value")])

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        try:
            self.where = condition(said, self.items_on_offer)
        except Refused as refused:
            language = words.language()
            field = "condition_text" if said.get("condition_text") else "condition_item_0"
            self.add_error(field, f"{refused.say(language)} {refused.next_step(language)}")
        return said


def begun(offered: Offered) -> dict[str, Any]:
    """What a request for all that is offered says; the purpose where there is but one."""
    names = ("mode", "term_days", "quota_calls_per_day")
    purpose = offered.purposes[0] if len(offered.purposes) == 1 else ""
    return {name: getattr(offered, name) for name in names} | {"items": list(offered.items), "purpose": purpose}


def condition(said: dict[str, Any], items: list[EntryItem]) -> dict[str, Any] | None:
    """The row condition of the form, checked; the text where there is one, otherwise the builder's lines.

    raises   BadPredicate, UnknownItems
    """
    if text := str(said.get("condition_text") or "").strip():
        return _checked(parse_text(text), items)
    rows = [
        tuple(str(said.get(f"condition_{part}_{row}") or "") for part in ("item", "op", "value"))
        for row in range(CONDITION_ROWS)
    ]
    types = {item.name: item.type for item in items}
    document = conditions.build([(a, b, c) for a, b, c in rows], str(said.get("joint") or "and"), types)
    return _checked(Predicate.from_document(document), items) if document else None


def _checked(predicate: Predicate, items: list[EntryItem]) -> dict[str, Any]:
    """The condition's document, its items and values checked against the types the catalogue names.

    Times are left to the provider: the catalogue does not say whether they have a zone.
    """
    if unknown := predicate.items() - {item.name for item in items}:
        raise UnknownItems(items=sorted(unknown))
    types = {item.name: ARROW_TYPES.get(item.type) for item in items}
    known = {name: type_ for name, type_ in types.items() if type_ is not None}
    if predicate.items() <= set(known):
        predicate.check(known)
    return predicate.to_document()


def title_of(item: EntryItem) -> str:
    return words.of_language(item.title_zh, item.title_en) or item.name


def item_label(item: EntryItem) -> str:
    """An item as the form offers it: title, grade, and what usually happens to it."""
    said = [title_of(item), _("grade {grade}").format(grade=item.grade)]
    if item.sensitive:
        said.append(_("sensitive"))
    if item.mask not in ("", "keep"):
        said.append(words.mask_action(item.mask))
    return " · ".join(said)
