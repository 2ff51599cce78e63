from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms

from hutong.control.agreements.supplement import FIELDS, Point
from hutong.control.requests.answering import present_answer
from hutong.control.requests.models import ShareRequest
from hutong.portal.components import words
from hutong.portal.components.form import Form

LONGEST_TEXT = 2000  # characters of one answer


class CompleteForm(Form):
    """The provider's points, each with a field for its answer; it begins from what the request says now."""

    def __init__(self, request: ShareRequest, points: Sequence[Point], data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, prefix="complete")
        self.count = len(points)
        for place, point in enumerate(points):
            self.fields[f"answer_{place}"] = forms.CharField(
                label=f"{words.code_name(FIELDS, point.field)} \u00b7 {point.wanted}",
                max_length=LONGEST_TEXT,
                initial=present_answer(request, point.field),
                widget=forms.Textarea(attrs={"rows": 3}),
            )

    def answers(self) -> list[str]:
        return [self.cleaned_data[f"answer_{place}"] for place in range(self.count)]
