"""Offering a resource to an area, and the reasons people give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as lazy

from hutong.control.offerings.rules import ANSWER_DAYS, MOST_ANSWER_DAYS
from hutong.control.requests.rules import LONGEST_TERM_DAYS, MOST_CALLS_PER_DAY
from hutong.portal.components import words
from hutong.portal.components.form import Form
from hutong.vocabulary import codes


class ChooseForm(Form):
    """Which of our published resources; sent with GET."""

    resource = forms.ChoiceField(label=lazy("Resource"))

    def __init__(self, resources: list[tuple[str, str]]) -> None:
        super().__init__()
        self.choose("resource", resources)


class OfferingForm(Form):
    """To whom, and what. Masks are the catalogue's: each member gets what a local department gets."""

    to = forms.ChoiceField(label=lazy("To whom"))
    items = forms.MultipleChoiceField(label=lazy("Items"), widget=forms.CheckboxSelectMultiple)
    purposes = forms.MultipleChoiceField(label=lazy("Purposes"), widget=forms.CheckboxSelectMultiple)
    mode = forms.ChoiceField(label=lazy("Mode"), help_text=lazy("Into a superior's node rows always go as batches."))
    term_days = forms.IntegerField(
        label=lazy("Term in days"),
        min_value=1,
        max_value=LONGEST_TERM_DAYS,
        initial=365,
        help_text=lazy("Of each agreement, counted from its own day."),
    )
    quota_calls_per_day = forms.IntegerField(
        label=lazy("Calls a day"), min_value=1, max_value=MOST_CALLS_PER_DAY, initial=100_000
    )
    answer_days = forms.IntegerField(
        label=lazy("Days to answer"),
        min_value=1,
        max_value=MOST_ANSWER_DAYS,
        initial=ANSWER_DAYS,
        help_text=lazy("After that a member asks by itself, on the same terms."),
    )

    def __init__(
        self,
        areas: list[tuple[str, str]],
        items: list[tuple[str, str]],
        purposes: list[str],
        modes: list[str],
        data: Mapping[str, Any] | None = None,
    ) -> None:
        named, aims = [name for name, _ in items], purposes or list(codes.PURPOSES.codes)
        super().__init__(data, initial={"items": named, "purposes": aims})
        self.choose("to", areas)
        self.choose("items", items)
        self.choose("purposes", [one for one in words.code_choices(codes.PURPOSES) if one[0] in aims])
        offered = modes or ["interface"]
        self.choose("mode", [one for one in words.code_choices(codes.SHARING_MODES) if one[0] in offered])

    def given(self) -> dict[str, Any]:
        """What `offerings.actions.propose` is given."""
        said = dict(self.cleaned_data)
        said["area"], _, said["target"] = said.pop("to").partition(":")
        return said


class ReasonForm(Form):
    """Why: an offering is refused or withdrawn, or an offer of others is declined."""

    reason = forms.CharField(label=lazy("Reason, in words"), max_length=2000, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, prefix: str, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, prefix=prefix)
