from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as lazy

from hutong.portal.components.form import Form


class ReasonForm(Form):
    """Why an agreement is suspended, resumed or ended (decree 809, article 27)."""

    reason = forms.CharField(
        label=lazy("Reason"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=lazy("The other side reads this (decree 809, article 27)."),
    )
