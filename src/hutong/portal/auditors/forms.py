from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as lazy

from hutong.portal.components import words
from hutong.portal.components.form import DayField, Form


class RegisterFilter(Form):
    """Which exchanges to show. Everything is optional; what cannot be read is not applied."""

    since = DayField(label=lazy("From"), required=False)
    until = DayField(label=lazy("To"), required=False)
    outcome = forms.ChoiceField(label=lazy("Outcome"), required=False)
    role = forms.ChoiceField(label=lazy("Our side"), required=False)
    agreement = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data)
        every = ("", lazy("all"))
        outcomes = [(code, said[0]) for code, said in words.OUTCOMES.items()]
        self.choose("outcome", [every, *outcomes])
        self.choose("role", [every, *words.SIDES.items()])
