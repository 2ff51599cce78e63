"""What is said in a dispute, and what a settlement or a decision would do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as lazy

from hutong.control.disputes.models import Dispute
from hutong.control.disputes.papers import EFFECTS, LONGEST_TEXT
from hutong.portal.components.form import Form

EFFECT_WORDS: dict[str, Promise] = {
    "none": lazy("nothing further follows"),
    "agree": lazy("the provider agrees to the request"),
    "suspend": lazy("the agreement is suspended"),
    "resume": lazy("the agreement is resumed"),
    "end": lazy("the agreement is ended"),
    "correct": lazy("the provider corrects the record"),
}


def _text(hint: Any) -> forms.CharField:
    return forms.CharField(
        label=lazy("What you say"), max_length=LONGEST_TEXT, widget=forms.Textarea(attrs={"rows": 4}), help_text=hint
    )


class OpenForm(Form):
    """A dispute is opened."""

    respondent = forms.ChoiceField(label=lazy("With"))
    title = forms.CharField(label=lazy("What it is about, in one line"), max_length=200)
    text = _text(lazy("The other side reads this, and later whoever decides. Name no person and no record's values."))

    def __init__(self, peers: list[tuple[str, str]], data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, prefix="open")
        self.choose("respondent", peers)


class SayForm(Form):
    """A statement, minutes, or why one goes a level up."""

    text = _text(lazy("Signed by this node and sent to everybody who takes part."))

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, prefix="say")


class OutcomeForm(Form):
    """What a proposal or a decision says, and what the nodes then do by themselves."""

    text = _text(lazy("The reasons; they are signed together with what follows."))
    citation = forms.CharField(
        label=lazy("Citation"),
        max_length=500,
        required=False,
        help_text=lazy("A decision cites the provision it rests on, with its article. A proposal need not."),
    )
    do = forms.ChoiceField(
        label=lazy("What follows"), help_text=lazy("The node that is bound does it as it takes it in.")
    )
    term_days = forms.IntegerField(
        label=lazy("At most so many days"),
        min_value=1,
        max_value=3650,
        required=False,
        help_text=lazy("For a request that is agreed to; as asked when left empty."),
    )

    def __init__(self, dispute: Dispute, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, prefix="outcome")
        possible = [one for one, needed in EFFECTS.items() if not needed or dispute.about.get(needed)]
        self.choose("do", [(one, EFFECT_WORDS[one]) for one in reversed(possible)])


class DoneForm(Form):
    """How a duty of ours was carried out."""

    note = forms.CharField(label=lazy("How it was done"), max_length=1000, widget=forms.Textarea(attrs={"rows": 2}))
