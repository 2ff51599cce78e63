"""Everybody changes their own password: the old one once, the new one twice, and other sessions end."""

from __future__ import annotations

import pytest
from django.test import Client

from hutong.control.identity.models import Account, Role, SignInCount
from hutong.control.identity.sign_in import FAILURES_OF_NAME
from hutong.ledger.models import AuditRecord
from tests.dsp_peer import department

pytestmark = pytest.mark.django_db

OLD, NEW = "Lang-genug-1", "Noch-laenger-22"


def signed_in(role: str = Role.AUDITOR) -> Client:
    if not Account.objects.filter(username="wang").exists():
        account = Account(username="wang", role=role, department=department() if role == Role.OFFICER else None)
        account.set_password(OLD)
        account.save()
    client = Client(headers={"accept-language": "en"})
    assert client.login(username="wang", password=OLD)
    return client


def change(client: Client, old: str = OLD, new: str = NEW, again: str = NEW):
    return client.post("/password/", {"old": old, "new": new, "again": again})


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.OFFICER])
def test_the_name_on_top_leads_to_the_password(role: str):
    client = signed_in(role)
    assert '<a href="/password/" title="Change your password">wang</a>' in client.get("/").content.decode()
    assert "at least 10 characters" in client.get("/password/").content.decode()


def test_a_changed_password_signs_in_keeps_this_session_and_ends_the_others():
    here, elsewhere = signed_in(), signed_in()
    assert change(here)["Location"] == "/"
    assert "Your password is changed." in here.get("/").content.decode()
    assert elsewhere.get("/").status_code == 302
    client = Client()
    assert not client.login(username="wang", password=OLD)
    assert client.login(username="wang", password=NEW)
    record = AuditRecord.objects.get(kind="account.password_changed")
    assert (record.subject, record.actor, record.detail) == ("account:wang", "wang", {"username": "wang"})


WRONG = """
old           | new             | again           | said
nonsense-12   | Noch-laenger-22 | Noch-laenger-22 | This is not your present password.
Lang-genug-1  | Noch-laenger-22 | Noch-laenger-23 | The two new passwords differ
Lang-genug-1  | short           | short           | This password is too short.
Lang-genug-1  | password123     | password123     | This password is too common.
Lang-genug-1  | Lang-genug-1    | Lang-genug-1    | This is the present password
Lang-genug-1  | Noch-laenger-22 |                 | This field is required.
"""


@pytest.mark.parametrize("row", WRONG.strip().splitlines()[1:])
def test_what_is_wrong_is_said_at_its_field_and_changes_nothing(row: str):
    old, new, again, said = (cell.strip() for cell in row.split("|"))
    client = signed_in()
    answer = change(client, old, new, again).content.decode()
    assert said in answer
    assert old not in answer, "no password comes back in a page"
    assert Account.objects.get(username="wang").check_password(OLD)
    assert not AuditRecord.objects.exists()


def test_guessing_the_present_password_on_an_open_screen_is_limited_like_signing_in():
    client = signed_in()
    for _ in range(FAILURES_OF_NAME):
        assert change(client, old="nonsense-12").status_code == 200
    assert change(client).status_code == 429
    assert Account.objects.get(username="wang").check_password(OLD)
    SignInCount.objects.all().delete()
    assert change(client).status_code == 302


def test_nobody_changes_a_password_before_signing_in():
    assert Client().get("/password/")["Location"] == "/sign-in/?next=/password/"
