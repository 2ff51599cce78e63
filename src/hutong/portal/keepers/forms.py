"""The forms of a zone, and of the working days of a year."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from hutong.control.calendar.reading import LARGEST_FILE_BYTES
from hutong.portal.components.form import DayField, Form

PASTED = "pasted.txt"  # the file name of a text without one


class ZoneForm(Form):
    """A zone as its members signed it."""

    name_zh = forms.CharField(label=lazy("Name in Chinese"), max_length=200)
    name_en = forms.CharField(label=lazy("Name in English"), max_length=200, required=False)
    members = forms.CharField(
        label=lazy("Members"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text=lazy("Jurisdictions as the directory names them, one a line, for example 330421."),
    )
    reference = forms.CharField(
        label=lazy("The agreement it rests on"), max_length=300, help_text=lazy("Title and day, as it was signed.")
    )
    valid_from = DayField(label=lazy("First day"))
    valid_to = DayField(label=lazy("Last day"), help_text=lazy("Empty where there is no end."), required=False)

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, prefix="zone")

    def given(self) -> dict[str, Any]:
        """What `zones.actions.propose` is given."""
        said = dict(self.cleaned_data)
        return said | {"members": [one for one in re.split(r"[\s,，、;；]+", said["members"]) if one]}


class EndForm(Form):
    """Why a zone ends, or is turned down."""

    reason = forms.CharField(label=lazy("Reason, in words"), max_length=2000, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, zone_id: str, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, prefix=zone_id)


class HolidaysForm(Form):
    """A notice or a table of days, as a file or as text."""

    notice = forms.FileField(
        label=lazy("Notice or table as a file"),
        required=False,
        widget=forms.FileInput(attrs={"accept": ".txt,.csv,text/plain,text/csv"}),
        help_text=lazy("The notice as published, saved as plain text, or a table with the columns date, kind (CSV)."),
    )
    text = forms.CharField(
        label=lazy("Or its text"),
        required=False,
        max_length=LARGEST_FILE_BYTES,
        widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false"}),
        help_text=lazy("Copied from the State Council's page, with its title."),
    )
    year = forms.IntegerField(
        label=lazy("Year"),
        required=False,
        min_value=2000,
        max_value=2100,
        help_text=lazy("Only for a notice without its title."),
    )

    def __init__(self, data: Mapping[str, Any] | None = None, files: Any = None) -> None:
        super().__init__(data)
        if files is not None:
            self.files = files

    def clean(self) -> dict[str, Any]:
        said = self.cleaned_data
        if not said.get("notice") and not said.get("text") and not self.errors:
            self.add_error("notice", _("Choose a file, or paste its text."))
        return said

    def given(self) -> dict[str, Any]:
        """What `calendar.reading.read` is given; of a file that is too large, enough to be refused."""
        said = self.cleaned_data
        if (file := said["notice"]) is not None:
            return {"content": file.read(LARGEST_FILE_BYTES + 1), "file_name": file.name, "year": said["year"]}
        text = said["text"].replace("\r\n", "\n")
        return {"content": text.encode(), "file_name": PASTED, "year": said["year"]}


class ReadForm(Form):
    """The file that was read and shown, sent once more to be proposed: nothing was kept of it."""

    content = forms.CharField(widget=forms.HiddenInput, max_length=2 * LARGEST_FILE_BYTES)  # base64: bytes as they were
    file_name = forms.CharField(widget=forms.HiddenInput, max_length=200)
    year = forms.IntegerField(widget=forms.HiddenInput, required=False)

    @classmethod
    def of(cls, content: bytes, *, file_name: str, year: int | None) -> ReadForm:
        return cls(initial={"content": base64.b64encode(content).decode(), "file_name": file_name, "year": year})

    def clean_content(self) -> bytes:
        try:
            return base64.b64decode(self.cleaned_data["content"], validate=True)
        except binascii.Error:
            raise forms.ValidationError(_("Read the file once more.")) from None
