from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as lazy

from hutong.portal.components.form import Form


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
