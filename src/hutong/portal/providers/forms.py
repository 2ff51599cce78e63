"""Forms of those who answer requests: a mask for each item, a refusal, a list of what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from hutong.control.agreements.drafting import PLAIN_TERM_DAYS
from hutong.control.requests.rules import REFUSALS
from hutong.portal.components import masks, words
from hutong.portal.components.form import Form


class AgreeForm(Form):
    """How each item leaves; an item without the tick stays here.

    A request without our terms names neither items nor a term: the form then asks for the term alone.
    """

    def __init__(
        self,
        defaults: Mapping[str, Mapping[str, Any]],
        types: Mapping[str, str],
        titles: Mapping[str, str],
        data: Mapping[str, Any] | None = None,
        *,
        plain: bool = False,
    ) -> None:
        super().__init__(data, prefix="agree")
        if plain:
            self.fields["term_days"] = forms.IntegerField(
                label=_("Term in days"),
                min_value=1,
                max_value=PLAIN_TERM_DAYS,
                initial=PLAIN_TERM_DAYS,
                help_text=_("The agreement ends by itself after so many days; at most {days}.").format(
                    days=PLAIN_TERM_DAYS
                ),
            )
        self.names = list(defaults)
        for place, name in enumerate(self.names):
            present = masks.code_of(defaults[name])
            title = titles.get(name, name)
            self.fields[f"mask_{place}"] = forms.ChoiceField(
                label=title, choices=masks.choices(types.get(name, ""), present), initial=present
            )
            self.fields[f"give_{place}"] = forms.BooleanField(
                required=False,
                initial=True,
                widget=forms.CheckboxInput(attrs={"aria-label": _("Share {item}").format(item=title)}),
            )

    def items(self) -> list[str]:
        return [name for place, name in enumerate(self.names) if self.cleaned_data[f"give_{place}"]]

    def masks(self) -> dict[str, dict[str, Any]]:
        given = set(self.items())
        return {
            name: masks.document_of(self.cleaned_data[f"mask_{place}"])
            for place, name in enumerate(self.names)
            if name in given
        }

    def decided(self) -> dict[str, Any]:
        """What `actions.agree` is given."""
        if self.names:
            return {"items": self.items(), "masks": self.masks()}
        return {"term_days": self.cleaned_data["term_days"]} if "term_days" in self.fields else {}

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if self.names and not any(said.get(f"give_{place}") for place in range(len(self.names))):
            raise forms.ValidationError(_("Share at least one item, or refuse with a reason."))
        return said


class RefusalForm(Form):
    """Why a request is refused, and under which law."""

    code = forms.ChoiceField(label=lazy("Reason, from the list"))
    reason = forms.CharField(
        label=lazy("Reason, in words"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=lazy("The other side reads this."),
    )
    citation = forms.CharField(
        label=lazy("Citation"),
        max_length=200,
        help_text=lazy("The law, regulation or decision and its article, for example: Data Security Law, article 38."),
    )

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, prefix="refuse")
        self.choose("code", [("", _("choose")), *words.code_choices(REFUSALS)])


class SupplementForm(Form):
    """What is missing, told once and completely (article 21)."""

    missing = forms.CharField(
        label=lazy("Missing material"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=lazy("One thing a line. It can be asked for once only, so name everything."),
    )

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, prefix="supplement")

    def named(self) -> list[str]:
        return [line.strip() for line in self.cleaned_data["missing"].splitlines() if line.strip()]
