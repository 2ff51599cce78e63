"""Forms of the lists: a duty, an entry of the negative list, and the reasons for ending them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from hutong.control.catalogue.models import Resource
from hutong.control.demands.rules import INSTRUMENTS
from hutong.control.identity import rules
from hutong.control.identity.models import Account
from hutong.control.identity.rules import Action
from hutong.control.organisations.models import Department
from hutong.control.standards.dictionary import dictionary
from hutong.portal.components import words
from hutong.portal.components.form import Form
from hutong.portal.components.peers import department_name
from hutong.vocabulary import codes

MOST_CHOICES = 500


def _departments(account: Account) -> list[tuple[str, str]]:
    """Its own for who acts for a department, every one for who stands above them."""
    if account.department is not None:
        return [(account.department.code, department_name(account.department))]
    return [(one.code, department_name(one)) for one in Department.objects.order_by("code")[:MOST_CHOICES]]


class DutyForm(Form):
    """What a department is to provide."""

    department = forms.ChoiceField(label=lazy("Department"))
    title_zh = forms.CharField(label=lazy("Data (Chinese)"), max_length=200)
    title_en = forms.CharField(label=lazy("Data (English)"), max_length=200, required=False)
    elements = forms.MultipleChoiceField(
        label=lazy("Data elements"), required=False, widget=forms.CheckboxSelectMultiple
    )
    words = forms.CharField(
        label=lazy("Further words"), max_length=500, required=False, help_text=lazy("What else people call it.")
    )
    area_code = forms.CharField(
        label=lazy("Area"), max_length=12, required=False, help_text=lazy("This node's where it is empty.")
    )
    update_cycle = forms.ChoiceField(label=lazy("Update cycle"), required=False)
    basis = forms.CharField(label=lazy("Legal basis"), max_length=300, required=False)
    lead = forms.BooleanField(
        label=lazy("As the lead source"),
        required=False,
        help_text=lazy("One kind of data has one source (article 19)."),
    )

    def __init__(self, account: Account, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, prefix="duty")
        self.choose("department", _departments(account))
        self.choose("elements", words.code_choices(dictionary().usable))
        self.choose("update_cycle", [("", _("not set")), *words.code_choices(codes.UPDATE_CYCLES)])
        if not rules.may(account, Action.NAME_LEAD):
            del self.fields["lead"]


class BarredForm(Form):
    """What may not be shared, and the provision that says so."""

    department = forms.ChoiceField(label=lazy("Department"))
    title_zh = forms.CharField(label=lazy("What (Chinese)"), max_length=200)
    title_en = forms.CharField(label=lazy("What (English)"), max_length=200, required=False)
    resource_id = forms.ChoiceField(
        label=lazy("Resource"),
        required=False,
        help_text=lazy("One of the department's, or none: then the data elements below, in whatever it publishes."),
    )
    items = forms.CharField(
        label=lazy("Items of it"),
        max_length=1000,
        required=False,
        help_text=lazy("Their names, separated by commas; empty: the whole resource."),
    )
    elements = forms.MultipleChoiceField(
        label=lazy("Data elements"), required=False, widget=forms.CheckboxSelectMultiple
    )
    kind = forms.ChoiceField(
        label=lazy("Kind of provision"), help_text=lazy("Nothing below these may keep data from being shared.")
    )
    instrument = forms.CharField(label=lazy("Its name"), max_length=200, help_text=lazy("For example: Statistics Law."))
    article = forms.CharField(label=lazy("Article"), max_length=60)
    reason = forms.CharField(
        label=lazy("In words"), max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )

    def __init__(self, account: Account, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, prefix="barred")
        departments = _departments(account)
        self.choose("department", departments)
        self.choose("elements", words.code_choices(dictionary().usable))
        self.choose("kind", words.code_choices(INSTRUMENTS))
        self.choose("resource_id", [("", _("none")), *_resources(code for code, _name in departments)])

    def clean_items(self) -> list[str]:
        return [one.strip() for one in self.cleaned_data["items"].replace("，", ",").split(",") if one.strip()]


class ReasonForm(Form):
    """Why an entry ends, or is not taken into the list."""

    reason = forms.CharField(label=lazy("Reason"), max_length=300, required=False)


def _resources(departments: Iterable[str]) -> list[tuple[str, str]]:
    rows = Resource.objects.filter(department_id__in=list(departments)).exclude(state="withdrawn")
    return [
        (one.id, words.of_language(one.title_zh, one.title_en) or one.id)
        for one in rows.order_by("-updated_at")[:MOST_CHOICES]
    ]
