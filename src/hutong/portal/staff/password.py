"""One's own password: the old one, and the new one twice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib.auth.password_validation import password_validators_help_texts, validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from hutong.control.identity import sign_in
from hutong.control.identity.actions import LONGEST_PASSWORD, WrongPassword, change_password
from hutong.control.identity.models import Account
from hutong.portal.components.form import Form
from hutong.portal.components.page import Page, Refusal, refusal_of, shell_for


def _password(label: Any, autocomplete: str) -> forms.CharField:
    widget = forms.PasswordInput(attrs={"autocomplete": autocomplete})
    return forms.CharField(label=label, max_length=LONGEST_PASSWORD, strip=False, widget=widget)


class PasswordForm(Form):
    """Changes one's own password."""

    old = _password(lazy("Present password"), "current-password")
    new = _password(lazy("New password"), "new-password")
    again = _password(lazy("New password, again"), "new-password")

    def __init__(self, account: Account, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data)
        self.account = account
        self.fields["new"].help_text = " ".join(password_validators_help_texts())

    def clean_new(self) -> str:
        new = str(self.cleaned_data["new"])
        validate_password(new, self.account)
        if new == self.cleaned_data.get("old"):
            raise ValidationError(_("This is the present password: choose another one."))
        return new

    def clean_again(self) -> str:
        again = str(self.cleaned_data["again"])
        if "new" in self.cleaned_data and again != self.cleaned_data["new"]:
            raise ValidationError(_("The two new passwords differ: type the same one twice."))
        return again

    def change(self, address: str, now: datetime) -> Account | None:
        """Change it; None where the present password was wrong, which the form then says.

        A guess at the present password counts as a failed sign-in: an open screen is no way round that limit.

        raises   TooManySignIns
        """
        attempt = sign_in.begin(self.account.username, address, now)
        try:
            changed = change_password(self.account, old=self.cleaned_data["old"], new=self.cleaned_data["new"])
        except WrongPassword as wrong:
            sign_in.failed(attempt, now)
            self.add_error("old", refusal_of(wrong).what)
            return None
        sign_in.succeeded(attempt)
        return changed


@dataclass(frozen=True, kw_only=True)
class PasswordPage(Page):
    form: PasswordForm
    username: str


def password_page(account: Account, form: PasswordForm, refusal: Refusal | None = None) -> PasswordPage:
    return PasswordPage(shell=shell_for(account, ""), form=form, username=account.username, refusal=refusal)
