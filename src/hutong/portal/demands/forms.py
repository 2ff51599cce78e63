"""Forms about demands: the wish itself, and what whoever acts on one decides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from hutong.control.demands import barring, duties
from hutong.control.demands.models import Demand
from hutong.control.demands.rules import REFUSALS
from hutong.control.standards.dictionary import dictionary
from hutong.node.directory import others
from hutong.node.settings import current
from hutong.portal.components import words
from hutong.portal.components.form import Form
from hutong.portal.components.peers import member_name
from hutong.vocabulary import codes
from hutong.vocabulary.errors import Refused

ROWS = 6  # lines for items; more than six wishes are better two demands
LONGEST_TEXT = 2000  # characters of one answer


def _text(label: Any, hint: Any = "", *, rows: int = 3, required: bool = True) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": rows})
    return forms.CharField(label=label, max_length=LONGEST_TEXT, widget=widget, required=required, help_text=hint)


@dataclass(frozen=True)
class ItemRow:
    words: forms.BoundField
    element: forms.BoundField


class DemandForm(Form):
    """A department's wish."""

    title = forms.CharField(
        label=lazy("What data you need"),
        max_length=200,
        help_text=lazy("As people call it, for example: food production permits."),
    )
    purpose = forms.ChoiceField(label=lazy("Purpose"))
    what_for = _text(lazy("What it is for"), lazy("The work in which it is used."))
    basis = _text(lazy("Legal basis"), lazy("The law or duty, with its article."), rows=2)
    scope = _text(lazy("Scope"), lazy("Who uses it."), rows=2)
    area_code = forms.CharField(
        label=lazy("Area"), max_length=12, required=False, help_text=lazy("Area code, for example 320500. Empty: any.")
    )
    update_cycle = forms.ChoiceField(label=lazy("How often it must be updated"), required=False)
    target = forms.ChoiceField(
        label=lazy("Who should hold it"),
        required=False,
        help_text=lazy("Where you do not know, the area decides, and else the common superior."),
    )
    why_not = _text(
        lazy("Why what exists does not do"),
        lazy("Only where the catalogue has it all and it is still not enough."),
        rows=2,
        required=False,
    )

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data)
        self.choose("purpose", [("", _("choose")), *words.code_choices(codes.PURPOSES)])
        self.choose("update_cycle", [("", _("any")), *words.code_choices(codes.UPDATE_CYCLES)])
        own = current()
        members = [(one.jurisdiction, member_name(one)) for one in others() if one.place != "region"]
        here = (own.jurisdiction, words.of_language(own.name_zh, own.name_en))
        self.choose("target", [("", _("not known")), here, *members])
        elements = [("", _("no data element")), *words.code_choices(dictionary().usable)]
        for row in range(ROWS):
            said = {"aria-label": _("Item {number} in words").format(number=row + 1), "placeholder": _("in words")}
            self.fields[f"words_{row}"] = forms.CharField(
                required=False, max_length=200, widget=forms.TextInput(attrs=said)
            )
            chosen = {"aria-label": _("Data element of item {number}").format(number=row + 1)}
            self.fields[f"element_{row}"] = forms.ChoiceField(
                required=False, choices=elements, widget=forms.Select(attrs=chosen)
            )

    @property
    def item_rows(self) -> Iterator[ItemRow]:
        for row in range(ROWS):
            yield ItemRow(self[f"words_{row}"], self[f"element_{row}"])

    def items(self) -> list[dict[str, str]]:
        """The lines as they were sent, whether or not the rest of the form holds."""
        lines = [
            {name: str(self.data.get(f"{name}_{row}") or "").strip()[:200] for name in ("words", "element")}
            for row in range(ROWS)
        ]
        return [one for one in lines if one["words"] or one["element"]]

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if not self.items():
            self.add_error("words_0", _("Name at least one item, in words or by its data element."))
        try:
            duties.read_area(str(said.get("area_code") or ""))
        except Refused as refused:
            self.add_error("area_code", refused.say(words.language()))
        return said


class WithdrawForm(Form):
    reason = _text(lazy("Why it is withdrawn"), rows=2)


class LeadForm(Form):
    department = forms.ChoiceField(
        label=lazy("Lead source"), help_text=lazy("The one department that provides these data from now on.")
    )

    def __init__(self, departments: Iterable[tuple[str, str]], data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, prefix="lead")
        self.choose("department", [("", _("choose")), *departments])


class NoteForm(Form):
    note = _text(lazy("Why you cannot name it"), lazy("The common superior reads it."), rows=2)

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, prefix="up")


class AssignForm(Form):
    jurisdiction = forms.ChoiceField(label=lazy("Who holds the data"))
    note = _text(lazy("Note"), rows=2, required=False)

    def __init__(self, members: Iterable[tuple[str, str]], data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, prefix="assign")
        self.choose("jurisdiction", [("", _("choose")), *members])


class JoinForm(Form):
    main_id = forms.ChoiceField(label=lazy("The same wish in other words"))

    def __init__(self, demands: Iterable[tuple[str, str]], data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, prefix="join")
        self.choose("main_id", [("", _("choose")), *demands])


class FulfilForm(Form):
    resource_id = forms.ChoiceField(label=lazy("The published resource"))

    def __init__(self, resources: Iterable[tuple[str, str]], data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, prefix="fulfil")
        self.choose("resource_id", [("", _("choose")), *resources])


class RefuseForm(Form):
    """A refusal by express provision rests on an entry of the negative list, which is chosen, not typed."""

    code = forms.ChoiceField(label=lazy("Reason"))
    barred = forms.ChoiceField(
        label=lazy("Entry of the negative list"), required=False, help_text=lazy("Where law expressly forbids sharing.")
    )
    citation = forms.CharField(
        label=lazy("Provision"),
        max_length=300,
        required=False,
        help_text=lazy("With its article, for example: Food Safety Law, article 6."),
    )
    reason = _text(lazy("The reason in words"))

    def __init__(self, demand: Demand, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, prefix="refuse")
        entries = {one.id: one for one in barring.listed(demand.lead_code)}
        self.citations = {key: one.citation for key, one in entries.items()}
        named = [
            (key, f"{words.of_language(one.title_zh, one.title_en)} · {one.citation}") for key, one in entries.items()
        ]
        self.choose("code", [("", _("choose")), *words.code_choices(REFUSALS)])
        self.choose("barred", [("", _("none")), *named])

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if entry := said.pop("barred", ""):
            said["citation"] = self.citations[entry]
        if not said.get("citation"):
            self.add_error("citation", _("Cite the provision, or choose an entry of the negative list."))
        return said
