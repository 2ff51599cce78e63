"""Asking for an area's rows, and offering a resource down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from hutong.portal.components import words
from hutong.portal.components.form import Form
from hutong.vocabulary.codes import PURPOSES


class AskForm(Form):
    """Nothing but the area and what it serves: the law sets the rest."""

    area = forms.CharField(
        label=lazy("Area code"),
        max_length=12,
        help_text=lazy("Ours, or a part of ours: 6, 9 or 12 digits of GB/T 2260."),
    )
    purpose = forms.ChoiceField(label=lazy("Purpose"))
    changed_item = forms.ChoiceField(
        label=lazy("When a row last changed"),
        required=False,
        help_text=lazy("With it, later batches fetch changed rows only; every tenth is whole."),
    )

    def __init__(self, area: str, times: list[tuple[str, str]], data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, prefix="ask", initial={"area": area, "purpose": "government_service"})
        self.choose("purpose", words.code_choices(PURPOSES))
        self.choose("changed_item", [("", _("not told by an item")), *times])


class OfferForm(Form):
    """A resource of ours is offered to every node below."""

    resource = forms.ChoiceField(
        label=lazy("Resource"), help_text=lazy("Published, with an item that holds the area code.")
    )

    def __init__(self, resources: list[tuple[str, str]], data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, prefix="offer")
        self.choose("resource", resources)
