from __future__ import annotations

from dataclasses import dataclass

from hutong.portal.components.page import Page
from hutong.portal.visitors.forms import SignInForm


@dataclass(frozen=True, kw_only=True)
class SignInPage(Page):
    form: SignInForm
    next_url: str
