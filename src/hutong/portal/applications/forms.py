from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from hutong.portal.components import words
from hutong.portal.components.form import Form
from hutong.vocabulary import codes


class KeyForm(Form):
    """A key for one application of the department."""

    application = forms.CharField(
        label=lazy("Application"),
        max_length=200,
        help_text=lazy("The system that will read. It is named in the use register."),
    )
    days = forms.IntegerField(
        label=lazy("Valid for days"),
        min_value=1,
        max_value=730,
        initial=365,
        help_text=lazy("Make a new one before it runs out; both work meanwhile."),
    )
    purpose = forms.ChoiceField(
        label=lazy("For a Delta Sharing profile: purpose"),
        required=False,
        help_text=lazy(
            "With it you get a profile file, for pandas and other readers of Delta Sharing, instead of a bare key."
        ),
    )
    case_number = forms.CharField(
        label=lazy("For a Delta Sharing profile: case number"),
        required=False,
        max_length=120,
        help_text=lazy("The profile reads for this purpose and this case alone; the provider sees a keyed digest."),
    )

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data)
        self.choose("purpose", [("", _("no profile, a bare key")), *words.code_choices(codes.PURPOSES)])

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        for one, other in (("purpose", "case_number"), ("case_number", "purpose")):
            if given.get(one) and not given.get(other) and other not in self.errors:
                self.add_error(other, _("A profile needs both a purpose and a case number."))
        return given
