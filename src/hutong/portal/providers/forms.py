"""Forms of those who answer requests: a mask for each item, a refusal, a list of what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from hutong.control.agreements.drafting import PLAIN_TERM_DAYS
from hutong.control.agreements.supplement import FIELDS
from hutong.control.replies import laws
from hutong.control.requests.rules import REFUSALS
from hutong.exchange.shaping.canaries import KINDS, MOST
from hutong.portal.components import masks, words
from hutong.portal.components.form import Form
from hutong.vocabulary.errors import Refused

TRACING = ("watermark", "canary_item", "canary_kind", "canary_count")
POINTS = 6  # lines of the form; the command line takes more


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

        if self.names:
            self._ask_about_tracing(titles)

    def _ask_about_tracing(self, titles: Mapping[str, str]) -> None:
        """How a leak would be traced. What fits which mask, the data plane decides."""
        items = [(name, titles.get(name, name)) for name in self.names]
        self.fields["watermark"] = forms.MultipleChoiceField(
            label=_("Items that bear the recipient's mark"),
            required=False,
            choices=items,
            widget=forms.CheckboxSelectMultiple,
            help_text=_(
                "The width of * ( ) , - # in these texts says whose copy it is; no value changes. Not for keys."
            ),
        )
        self.fields["canary_item"] = forms.ChoiceField(
            label=_("Canaries: the item with identifiers"), required=False, choices=[("", _("no canaries")), *items]
        )
        self.fields["canary_kind"] = forms.ChoiceField(
            label=_("Canaries: kind of identifier"),
            required=False,
            choices=[(kind, words.word(words.CANARY_KINDS, kind)) for kind in KINDS],
        )
        self.fields["canary_count"] = forms.IntegerField(
            label=_("Canaries: how many"),
            required=False,
            min_value=1,
            max_value=MOST,
            initial=20,
            help_text=_("Rows of nobody, one in each batch of a stream. They are never counted as rows."),
        )

    @property
    def about_tracing(self) -> list[forms.BoundField]:
        return [self[name] for name in TRACING if name in self.fields]

    @property
    def traces(self) -> bool:
        """Whether anything was said about it, right or wrong."""
        chosen = self.is_bound and any(self[name].data for name in TRACING[:2] if name in self.fields)
        return chosen or any(field.errors for field in self.about_tracing)

    def tracing(self) -> dict[str, Any]:
        said = self.cleaned_data
        document: dict[str, Any] = {"watermark": said["watermark"]} if said["watermark"] else {}
        if said["canary_item"]:
            count = said["canary_count"] or 1
            document["canaries"] = {"item": said["canary_item"], "kind": said["canary_kind"], "count": count}
        return document

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
        """What `propose_agreement` is given."""
        if self.names:
            return {"items": self.items(), "masks": self.masks(), "tracing": self.tracing() or None}
        return {"term_days": self.cleaned_data["term_days"]} if "term_days" in self.fields else {}

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if self.names and not any(said.get(f"give_{place}") for place in range(len(self.names))):
            raise forms.ValidationError(_("Share at least one item, or refuse with a reason."))
        return said


class RefusalForm(Form):
    """Why a request is refused, and under which law: one of the list with its article, or written in its form."""

    code = forms.ChoiceField(label=lazy("Reason, from the list"))
    reason = forms.CharField(
        label=lazy("Reason, in words"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=lazy("The other side reads this."),
    )
    law = forms.ChoiceField(label=lazy("Law it rests on"), required=False)
    article = forms.IntegerField(
        label=lazy("Article"), required=False, min_value=1, max_value=laws.MOST_ARTICLES, help_text=lazy("A number.")
    )
    citation = forms.CharField(
        label=lazy("Another citation"),
        required=False,
        max_length=laws.LONGEST_CITATION,
        help_text=lazy("Only where the law is not in the list, in this form: 《保守国家秘密法》第十三条."),
    )

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, prefix="refuse")
        self.choose("code", [("", _("choose")), *words.code_choices(REFUSALS)])
        listed = [(one.code, words.of_language(one.title_zh, one.title_en)) for one in laws.laws()]
        self.choose("law", [("", _("choose, or write it below")), *listed])

    def clean(self) -> dict[str, Any]:
        """`cited` is the citation as both sides will read it."""
        said = super().clean() or {}
        chosen, article = laws.law(str(said.get("law") or "")), said.get("article")
        try:
            if chosen is None:
                said["cited"] = laws.checked_citation(str(said.get("citation") or ""))
            elif article is None:
                self.add_error("article", _("Give the article."))
            else:
                said["cited"] = chosen.cite(article)
        except Refused as refused:
            self.add_error("citation" if chosen is None else "article", refused.say(words.language()))
        return said


class SupplementForm(Form):
    """What is missing, told once and completely (article 21): a line for each point."""

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, prefix="supplement")
        fields = [("", _("choose")), *words.code_choices(FIELDS)]
        for place in range(POINTS):
            number = place + 1
            aria = {"aria-label": _("Field of point {number}").format(number=number)}
            self.fields[f"field_{place}"] = forms.ChoiceField(
                label=_("Point {number}").format(number=number),
                required=False,
                choices=fields,
                widget=forms.Select(attrs=aria),
            )
            aria = {"aria-label": _("What is wanted of point {number}").format(number=number)}
            self.fields[f"wanted_{place}"] = forms.CharField(
                label=_("What is wanted"),
                required=False,
                max_length=500,
                widget=forms.TextInput(attrs=aria | {"placeholder": _("what is wanted")}),
            )

    @property
    def lines(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        return [(self[f"field_{place}"], self[f"wanted_{place}"]) for place in range(POINTS)]

    def points(self) -> list[tuple[str, str]]:
        said = self.cleaned_data
        lines = [(said[f"field_{place}"], said[f"wanted_{place}"].strip()) for place in range(POINTS)]
        return [line for line in lines if line != ("", "")]

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        for place in range(POINTS):
            field, wanted = said.get(f"field_{place}", ""), str(said.get(f"wanted_{place}", "")).strip()
            if bool(field) != bool(wanted):
                self.add_error(f"field_{place}", _("Choose the field and say what is wanted of it."))
        if not self.errors and not self.points():
            raise forms.ValidationError(_("Name at least one point."))
        return said


class NoteForm(Form):
    """Why a proposed reply goes back to its officer."""

    note = forms.CharField(
        label=lazy("Why it goes back"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=lazy("The officer reads this; nothing leaves the node."),
    )

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, prefix="back")


class ExtensionForm(Form):
    """Why ten working days are not enough."""

    reason = forms.CharField(
        label=lazy("Why more time is needed"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=lazy("The supervisor decides; the applicant reads it with the new day."),
    )

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, prefix="extend")
