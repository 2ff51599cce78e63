"""The one kind of form the portal has, labels without a colon as both languages want them, and its fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as lazy


class DayField(forms.DateField):
    """A day, asked for with the browser's calendar, which takes and sends 2026-11-30 in every language."""

    def __init__(self, **said: Any) -> None:
        super().__init__(widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), **said)


class Form(forms.Form):
    """data is what was sent (a QueryDict, or a plain mapping); None for a form not filled in yet."""

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        prefix: str | None = None,
        initial: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data, prefix=prefix, initial=initial, label_suffix="")
        self.given_initial = initial or {}

    def choose(self, name: str, choices: list[tuple[str, Any]]) -> None:
        """Set the choices of a field, in the language of this request."""
        self.fields[name].choices = choices  # type: ignore[attr-defined]


class SendBackForm(Form):
    """Why what somebody proposed is not put in force."""

    reason = forms.CharField(
        label=lazy("Reason"),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=lazy("Who proposed it reads this."),
    )
