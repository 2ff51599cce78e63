from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as lazy

from hutong.control.requests.models import ShareRequest
from hutong.portal.components.form import Form

LONGEST_TEXT = 2000  # characters of one answer


def _answer(label: Any) -> forms.CharField:
    return forms.CharField(label=label, max_length=LONGEST_TEXT, widget=forms.Textarea(attrs={"rows": 3}))


class CompleteForm(Form):
    """What the provider said is missing, supplied: the same words as filed, to be completed."""

    basis = _answer(lazy("Legal basis"))
    scenario = _answer(lazy("Scenario"))
    scope = _answer(lazy("Scope"))

    def __init__(self, request: ShareRequest, data: Mapping[str, Any] | None = None) -> None:
        filed = {name: getattr(request, name) for name in ("basis", "scenario", "scope")}
        super().__init__(data, prefix="complete", initial=filed)
