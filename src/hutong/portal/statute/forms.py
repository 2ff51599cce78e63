from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from hutong.portal.components.form import DayField, Form
from hutong.portal.statute import kept
from hutong.vocabulary.rulebook import Rule


class VersionForm(Form):
    """Proposes a version of a parameter."""

    parameter = forms.ChoiceField(label=lazy("Parameter"))
    value = forms.IntegerField(label=lazy("New value"), min_value=0, max_value=1_000_000)
    level = forms.ChoiceField(
        label=lazy("Who says so"),
        help_text=lazy("A local rule holds only where the law allows it to differ; the stricter one applies."),
    )
    since = DayField(
        label=lazy("In force from"), help_text=lazy("Today or later. What was decided before stays decided.")
    )
    source = forms.CharField(
        label=lazy("Document and article"), max_length=300, help_text=lazy("The text that says so.")
    )

    def __init__(self, rule: type[Rule], data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, prefix="version")
        self.choose("parameter", [(one.name, kept.parameter(one.name)) for one in rule.declares])
        self.choose("level", [("local", _("a local rule")), ("national", _("the law itself"))])
