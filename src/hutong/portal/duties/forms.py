from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as lazy

from hutong.portal.components.form import Form


class ExtensionForm(Form):
    """Why a term is not enough."""

    reason = forms.CharField(
        label=lazy("Reason"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=lazy("The supervisor decides on it, and the other side reads it."),
    )


class AddressForm(Form):
    """Where one's own notices are mailed."""

    address = forms.EmailField(
        label=lazy("E-mail address"),
        required=False,
        max_length=254,
        help_text=lazy("Each notice is mailed there too; leave it empty for none."),
    )
