"""Forms of the steward: a data element, and what a code map is for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from hutong.control.standards import queries
from hutong.control.standards.code_maps import items_for
from hutong.control.standards.dictionary import dictionary
from hutong.control.standards.files import map_rows
from hutong.control.standards.models import Definition
from hutong.control.standards.proposals import CHECKS, LONGEST_VALUE, TYPES, Proposal, Row, element_document
from hutong.portal.components import words
from hutong.portal.components.form import DayField, Form

MOST_SHOWN = 300  # local values with a field of their own; a longer map is edited as CSV
CODE, TARGET = "code-", "target-"
CHECK_WORDS: words.Words = {
    "": lazy("none"),
    "person_id": lazy("check digit of an identity number"),
    "uscc": lazy("check character of a credit code"),
    "organisation_code": lazy("check character of an organisation code"),
    "phone": lazy("form of a telephone number"),
    "area_code": lazy("form of a division code"),
    "email": lazy("form of an e-mail address"),
}


class MapForm(Form):
    """A code map: its name, where it leads, which items it is for, and its pairs as fields or as CSV."""

    name = forms.SlugField(
        label=lazy("Name"),
        max_length=60,
        help_text=lazy("Small letters, digits and hyphens, for example js-sex. It stays over all versions."),
    )
    title_zh = forms.CharField(label=lazy("Title in Chinese"), max_length=200)
    title_en = forms.CharField(label=lazy("Title in English"), max_length=200, required=False)
    local = forms.CharField(
        label=lazy("Local table"), max_length=200, help_text=lazy("What the codes on your side are called.")
    )
    items = forms.MultipleChoiceField(
        label=lazy("Items it converts"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=lazy("Agreements made after the next publication give these items in the region's codes."),
    )
    csv = forms.CharField(
        label=lazy("Pairs as CSV"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        help_text=lazy("local,zh,regional. What is pasted here replaces all pairs below."),
    )

    def __init__(self, table: str, known: Definition | None, data: Mapping[str, Any] | None = None) -> None:
        self.table, self.known = table, known
        chosen = [f"{resource}/{item}" for resource, item in known.document["items"]] if known else []
        initial = {
            "name": known.name if known else "",
            "title_zh": known.title_zh if known else "",
            "title_en": known.title_en if known else "",
            "local": known.document["local"] if known else "",
            "items": chosen,
        }
        super().__init__(data, initial=initial)
        if known is not None:
            self.fields["name"].disabled = True
        self.item_choices = [(f"{one.resource_id}/{one.name}", _item_name(one)) for one in items_for(table)]
        self.choose("items", self.item_choices)

    def proposal(self, shown: Mapping[str, str]) -> Proposal:
        """What was filled in.

        shown    by local code, the regional one chosen beside it; a blank one takes the pair out
        raises   BadDefinition, WrongText
        """
        given = self.cleaned_data
        if given["csv"].strip():
            rows: Sequence[Row] = map_rows(given["csv"])
        else:
            names = dict(self.known.rows.values_list("code", "title_zh")) if self.known else {}
            pairs = {**(queries.pairs_of(self.known) if self.known else {}), **shown}
            rows = [Row(code, names.get(code, ""), "", target) for code, target in pairs.items() if target]
        return Proposal(
            "map",
            given["name"],
            given["title_zh"],
            given["title_en"],
            {"table": self.table, "local": given["local"], "items": [one.split("/", 1) for one in given["items"]]},
            rows,
        )


class ElementForm(Form):
    """A data element: a new one, or one that goes on from a version."""

    name = forms.CharField(
        label=lazy("Name"),
        max_length=60,
        help_text=lazy("Small letters, digits, dots, hyphens, for example birth_date. It stays over all versions."),
    )
    title_zh = forms.CharField(label=lazy("Title in Chinese"), max_length=200)
    title_en = forms.CharField(label=lazy("Title in English"), max_length=200, required=False)
    standard = forms.CharField(
        label=lazy("Standard"), max_length=200, required=False, help_text=lazy("For example GB/T 2261.1-2003.")
    )
    type = forms.ChoiceField(label=lazy("Type"))
    length = forms.IntegerField(
        label=lazy("Length"),
        required=False,
        min_value=1,
        max_value=LONGEST_VALUE,
        help_text=lazy("The most characters of a value; only for text."),
    )
    unit = forms.CharField(label=lazy("Unit"), max_length=200, required=False)
    table = forms.ChoiceField(
        label=lazy("Code table"), required=False, help_text=lazy("Values are held to its codes of the day.")
    )
    check = forms.ChoiceField(
        label=lazy("Check of values"), required=False, help_text=lazy("What a value proves itself by.")
    )
    aliases = forms.CharField(
        label=lazy("Also called"),
        max_length=2000,
        required=False,
        help_text=lazy("Other names, with commas between. Items are recognised by them."),
    )
    definition = forms.CharField(
        label=lazy("Definition"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=lazy("What a value says, and what it does not."),
    )
    valid_from = DayField(label=lazy("First day"), required=False, help_text=lazy("Empty for always."))
    valid_to = DayField(label=lazy("Last day"), required=False, help_text=lazy("Empty where there is no end."))
    replaced_by = forms.ChoiceField(
        label=lazy("Replaced by"),
        required=False,
        help_text=lazy("A replaced element names nothing new."),
    )

    def __init__(self, begun: Definition | None, data: Mapping[str, Any] | None = None) -> None:
        said = dict(begun.document) if begun else {}
        said["aliases"] = "，".join(said.get("aliases", ()))
        if begun is not None:
            said |= {name: getattr(begun, name) for name in _OF_A_VERSION}
        super().__init__(data, initial={"type": "string", **said})
        if begun is not None:
            self.fields["name"].disabled = True
        tables = {one.name: words.of_language(one.title_zh, one.title_en) for one in queries.all_in_force("table")}
        named = str(said.get("table") or "")
        self.choose("type", [(one, words.word(words.TYPES, one)) for one in TYPES])
        self.choose("table", [("", _("none")), *({named: named} | tables if named else tables).items()])
        others = [one for one in words.code_choices(dictionary().usable) if one[0] != said.get("name")]
        successor = str(said.get("replaced_by") or "")
        kept = [(successor, successor)] if successor and successor not in dict(others) else []
        self.choose("replaced_by", [("", _("none")), *kept, *others])
        self.choose("check", [(one, words.word(CHECK_WORDS, one)) for one in CHECKS])

    def proposal(self) -> Proposal:
        """What was filled in.

        raises   BadDefinition, WrongText
        """
        said = self.cleaned_data
        return Proposal(
            "element",
            said["name"],
            said["title_zh"],
            said["title_en"],
            element_document(said, [one.strip() for one in re.split("[,，、;；|]", said["aliases"])]),
            valid_from=said["valid_from"],
            valid_to=said["valid_to"],
        )


_OF_A_VERSION = ("name", "title_zh", "title_en", "valid_from", "valid_to")


def shown_pairs(data: Mapping[str, Any]) -> dict[str, str]:
    """The pairs of the fields, by local code."""
    pairs = {}
    for number in range(MOST_SHOWN):
        code = data.get(f"{CODE}{number}")
        if code is not None:
            pairs[str(code)] = str(data.get(f"{TARGET}{number}", "")).strip()
    return pairs


def _item_name(item: Any) -> str:
    resource = words.of_language(item.resource.title_zh, item.resource.title_en) or _("A new resource")
    return f"{resource} · {words.of_language(item.title_zh, item.title_en) or item.name} ({item.name})"
