from __future__ import annotations

from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.utils.translation import gettext_lazy as lazy


class SignInForm(AuthenticationForm):
    """User name and password of an account of this node."""

    error_messages = {
        "invalid_login": lazy("User name or password is wrong. Check both; capitals count."),
        "inactive": lazy("This account is closed. Ask the data steward to open it again."),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        self.fields["username"].label = lazy("User name")
        self.fields["password"].label = lazy("Password")
