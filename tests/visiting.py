"""Somebody at the portal, without a browser."""

from __future__ import annotations

import re
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.test import Client


def visitor(account: AbstractBaseUser, language: str = "en") -> Client:
    client = Client(headers={"accept-language": language})
    client.force_login(account)
    return client


def text(answer: Any) -> str:
    """A page with its white space as a reader sees it."""
    return re.sub(r"\s+", " ", answer.content.decode())
