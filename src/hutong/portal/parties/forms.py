from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext_lazy as lazy

from hutong.portal.components import words
from hutong.portal.components.form import DayField, Form
from hutong.vocabulary import codes

LONGEST = 2_000
SUSPENDING = {"provider": ("misuse", "incident", "secrecy"), "consumer": ("own_pause", "misuse", "incident")}
ENDING = {"provider": ("announced_stop",), "consumer": ("purpose_met", "impossible", "not_needed")}


def _text(label: Any, hint: Any = "", rows: int = 2) -> forms.CharField:
    area = forms.Textarea(attrs={"rows": rows})
    return forms.CharField(label=label, max_length=LONGEST, widget=area, help_text=hint)


class ReasonForm(Form):
    """Why an agreement is suspended, resumed or ended (decree 809, article 27)."""

    cause = forms.ChoiceField(label=lazy("Cause"))
    reason = _text(lazy("Reason"), lazy("The other side reads this (decree 809, article 27)."), rows=3)

    def __init__(self, role: str, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, initial={"cause": SUSPENDING[role][0]})
        language = words.language()
        named = {one.code: one.name(language) for one in (*codes.ENDING_CAUSES, *codes.SUSPENSION_CAUSES)}
        self.choose("cause", [(code, named[code]) for code in (*SUSPENDING[role], *ENDING[role])])


class PaperForm(Form):
    """One paper under an agreement; its evidence stays with its author, and travels as a digest."""

    def content(self) -> dict[str, str]:
        """What is filed: texts, days as 2026-11-30, and files as their digests."""
        return {name: _plain(value) for name, value in self.cleaned_data.items()}


class EvidenceForm(PaperForm):
    evidence = forms.FileField(
        label=lazy("Evidence"), help_text=lazy("The file is not kept here: only its SHA-256 digest is filed.")
    )

    def __init__(self, data: Mapping[str, Any] | None = None, files: Any = None) -> None:
        super().__init__(data)
        self.files = MultiValueDict() if files is None else files


class RectificationForm(EvidenceForm):
    done = _text(lazy("What was put right"), rows=4)
    by = forms.CharField(label=lazy("By whom"), max_length=200, help_text=lazy("Name and post."))
    field_order = ("done", "by", "evidence")


class DisposalForm(EvidenceForm):
    copies = _text(lazy("Which copies there were"), lazy("Databases, backups, exports; where and how many."))
    how = _text(lazy("How they were destroyed"))
    on = DayField(label=lazy("On which day"))
    by = forms.CharField(label=lazy("By whom"), max_length=200, help_text=lazy("Name and post."))
    field_order = ("copies", "how", "on", "by", "evidence")


class IncidentForm(PaperForm):
    what = _text(
        lazy("What happened"), lazy("No personal data: the other side and both supervisors read this."), rows=4
    )
    found_on = DayField(label=lazy("Found on"))
    affected = _text(lazy("What is affected"), lazy("Items, and how many records and people."))
    measures = _text(lazy("What was done at once"))


class UseForm(PaperForm):
    year = forms.RegexField(r"^20\d\d$", label=lazy("Year"))
    scenario = _text(lazy("Scenario"))
    process = _text(lazy("Process"), lazy("How the data was used, by whom, how often."))
    effect = _text(lazy("Effect"), lazy("What it spared or made possible; figures where you have them."))
    storage = _text(lazy("Storage"), lazy("Where copies are kept, and for how long."))
    destruction = _text(lazy("Destruction"), lazy("What was destroyed, when and how; “not yet” is an answer."))


class AnswerForm(Form):
    reason = forms.CharField(label=lazy("What is missing"), max_length=LONGEST, required=False)


class StopForm(Form):
    """A service that will stop or change."""

    resource = forms.ChoiceField(label=lazy("Resource"))
    change = forms.ChoiceField(label=lazy("What will happen"))
    starts_on = DayField(label=lazy("From which day on"))
    reason = _text(lazy("Reason"), lazy("Every consumer and the supervisor read this."), rows=3)

    def __init__(self, resources: list[tuple[str, str]], data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data)
        self.choose("resource", list(resources))
        self.choose("change", words.code_choices(codes.SERVICE_CHANGES))


class CorrectionForm(Form):
    """What is wrong with which record."""

    items = forms.MultipleChoiceField(
        label=lazy("What is wrong"), widget=forms.CheckboxSelectMultiple, help_text=lazy("Every item that is wrong.")
    )
    key_item = forms.ChoiceField(label=lazy("Which item tells records apart"))
    value = forms.CharField(
        label=lazy("Its value"),
        max_length=300,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=lazy("Sealed: only the provider can open it. It stands in no log and no record."),
    )
    fault = forms.ChoiceField(label=lazy("In which way"))
    evidence = _text(lazy("Evidence"), lazy("What it rests on, for example a document and its number. Sealed."), rows=3)

    def __init__(
        self, items: list[tuple[str, str]], keys: list[tuple[str, str]], data: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(data)
        self.choose("items", list(items))
        self.choose("key_item", list(keys))
        self.choose("fault", words.code_choices(codes.FAULTS))


class FindingForm(Form):
    """A provider's answer that the record was not corrected here."""

    source = forms.CharField(
        label=lazy("True source"),
        max_length=200,
        required=False,
        help_text=lazy("Only when you forward it: the department that holds the true source."),
    )
    reason = _text(lazy("Reason"), lazy("What was verified and how. Sealed for whoever reported it."), rows=3)


def _plain(value: Any) -> str:
    if isinstance(value, UploadedFile):
        held = hashlib.sha256()
        for chunk in value.chunks():
            held.update(chunk)
        return "sha256:" + held.hexdigest()
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


PAPER_FORMS: dict[str, type[PaperForm]] = {
    "rectification": RectificationForm,
    "disposal": DisposalForm,
    "incident": IncidentForm,
    "use": UseForm,
}
