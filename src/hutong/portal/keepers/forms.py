"""The form of a zone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as lazy

from hutong.portal.components.form import DayField, Form


class ZoneForm(Form):
    """A zone as its members signed it."""

    name_zh = forms.CharField(label=lazy("Name in Chinese"), max_length=200)
    name_en = forms.CharField(label=lazy("Name in English"), max_length=200, required=False)
    members = forms.CharField(
        label=lazy("Members"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text=lazy("Jurisdictions as the directory names them, one a line, for example 330421."),
    )
    reference = forms.CharField(
        label=lazy("The agreement it rests on"), max_length=300, help_text=lazy("Title and day, as it was signed.")
    )
    valid_from = DayField(label=lazy("First day"))
    valid_to = DayField(label=lazy("Last day"), help_text=lazy("Empty where there is no end."), required=False)

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, prefix="zone")

    def given(self) -> dict[str, Any]:
        """What `zones.actions.propose` is given."""
        said = dict(self.cleaned_data)
        return said | {"members": [one for one in re.split(r"[\s,，、;；]+", said["members"]) if one]}


class EndForm(Form):
    """Why a zone ends, or is turned down."""

    reason = forms.CharField(label=lazy("Reason, in words"), max_length=2000, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, zone_id: str, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, prefix=zone_id)
