"""Forms of the supervisor: a description is sent back with every point at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from hutong.control.catalogue.fields import RESOURCE_FIELDS
from hutong.control.catalogue.publication import LONGEST_REASON
from hutong.control.catalogue.versions import LONGEST_POINT
from hutong.portal.components.differences import field_label
from hutong.portal.components.form import Form

POINT = "point-"


class ReturnForm(Form):
    """One remark for each field of the description, one for its items, one for the whole, and the reason."""

    reason = forms.CharField(
        label=lazy("Reason"),
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=lazy("What the department reads first."),
    )

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, prefix="return")
        for name, label in self.about().items():
            self.fields[POINT + name] = forms.CharField(
                label=_("Point about: {field}").format(field=label),
                required=False,
                max_length=LONGEST_POINT,
            )

    @staticmethod
    def about() -> dict[str, str]:
        """What a point can be about, and its name for people."""
        fields = {name: field_label(field) for name, field in RESOURCE_FIELDS.items()}
        return fields | {"items": _("Items"), "sign_off": _("Secrecy assessment"), "": _("The whole description")}

    def points(self) -> list[dict[str, str]]:
        said = {name: self.cleaned_data[POINT + name] for name in self.about()}
        return [{"field": name, "text": text} for name, text in said.items() if text.strip()]
