"""Notices by e-mail: sent from their table to a real SMTP server, tried again, never lost and never doubled by rule."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import transaction
from django.db.models import F

from hutong.control.calendar.rules import CalendarYearSoon
from hutong.control.identity.actions import BadAddress, set_email
from hutong.control.identity.models import Account
from hutong.control.identity.rules import Operator
from hutong.control.notices import mail
from hutong.control.notices.actions import tell
from hutong.control.notices.models import Told
from hutong.node.settings import BadSetting, Settings, current
from hutong.vocabulary.errors import NotAllowed
from tests.mail import Post
from tests.region import ourselves

pytestmark = pytest.mark.django_db


@pytest.fixture
def post(monkeypatch: pytest.MonkeyPatch) -> Iterator[Post]:
    with Post() as opened:
        monkeypatch.setenv("HUTONG_SMTP_HOST", "127.0.0.1")
        monkeypatch.setenv("HUTONG_SMTP_PORT", str(opened.port))
        monkeypatch.setenv("HUTONG_MAIL_FROM", "hutong@example.org")
        from hutong.node import settings

        settings._loaded.cache_clear()
        yield opened
    monkeypatch.undo()
    settings._loaded.cache_clear()


@pytest.fixture
def steward() -> Account:
    ourselves()
    return Account.objects.create(username="sun", role="steward", email="sun@example.org")


def told() -> None:
    tell(CalendarYearSoon(year=2031), role="steward", subject="calendar:2031", page=("node",))


def later(**time: float) -> None:
    """Let the waiting mails be due now."""
    Told.objects.filter(mail_due_at__isnull=False).update(mail_due_at=F("mail_due_at") - timedelta(**time))


def test_a_notice_is_mailed_once_in_both_languages_with_the_address_of_its_page(post, steward):
    told()
    mail.send_due()
    mail.send_due()
    (letter,) = post.letters
    assert (letter.sender, letter.to) == ("hutong@example.org", "sun@example.org")
    assert "尚未载入 2031 年的节假日安排" in letter.text
    assert "The holidays of 2031 are not loaded" in letter.text
    one = Told.objects.get()
    assert f"{current().base_url}/notices/{one.notice_id}/" in letter.text
    assert letter.message["Message-ID"] == f"<{one.pk}.{one.notice_id}@320000.hutong>"
    assert letter.message["Auto-Submitted"] == "auto-generated"
    assert one.mailed_at is not None


def test_whoever_has_no_address_reads_in_the_portal_alone(post, steward):
    Account.objects.update(email="")
    told()
    mail.send_due()
    assert post.letters == []
    assert Told.objects.get().mail_due_at is None


def test_a_refused_mail_is_tried_again_under_the_same_id_while_the_others_go(post, steward):
    Account.objects.create(username="bao", role="steward", email="bao@example.org")
    post.takes = lambda to: to != "sun@example.org"
    told()
    mail.send_due()
    assert [one.to for one in post.letters] == ["bao@example.org"]
    waiting = Told.objects.get(account=steward)
    assert (waiting.mail_attempts, waiting.mailed_at) == (1, None)
    mail.send_due()
    assert len(post.letters) == 1, "not before its pause is over"
    post.takes = lambda _: True
    later(minutes=2)
    mail.send_due()
    assert [one.to for one in post.letters] == ["bao@example.org", "sun@example.org"]


def test_a_server_that_is_down_loses_nothing_however_long(post, steward):
    told()
    post.__exit__()
    for _ in range(12):
        mail.send_due()
        later(days=1)
    waiting = Told.objects.get()
    assert waiting.mail_attempts == 12
    assert waiting.mail_due_at is not None
    with post:
        later(days=30)
        mail.send_due()
    assert len(post.letters) == 1


def test_a_crash_between_sending_and_noting_repeats_the_mail_under_the_same_id(post, steward, monkeypatch):
    told()
    with monkeypatch.context() as killed:
        killed.setattr(mail.Told.objects, "filter", _dies_when_noting(mail.Told.objects.filter))
        with pytest.raises(KeyboardInterrupt):
            mail.send_due()
    mail.send_due()
    assert len({one.message["Message-ID"] for one in post.letters}) == 1
    assert len(post.letters) == 2


def _dies_when_noting(real):
    def filtered(*arguments, **conditions):
        if "pk" in conditions:
            raise KeyboardInterrupt
        return real(*arguments, **conditions)

    return filtered


def test_what_is_undone_is_not_mailed(post, steward):
    with transaction.atomic():
        told()
        transaction.set_rollback(True)
    mail.send_due()
    assert post.letters == []


def test_what_was_told_long_before_smtp_was_set_is_not_mailed(post, steward):
    told()
    later(days=8)
    mail.send_due()
    assert post.letters == []
    assert Told.objects.get().mail_due_at is None


def test_a_closed_account_gets_no_mail(post, steward):
    told()
    Account.objects.update(is_active=False)
    mail.send_due()
    assert post.letters == []


def test_the_doctor_opens_a_real_connection(post, steward):
    assert [one.state for one in mail.check(current())] == ["ok"]
    post.takes = lambda _: False
    told()
    mail.send_due()
    assert [(one.state, "1 mails are tried again" in one.said) for one in mail.check(current())] == [("warn", True)]
    post.__exit__()
    assert [one.state for one in mail.check(current())] == ["fail"]
    with post:
        pass


def test_without_smtp_nothing_is_sent_and_the_doctor_says_so(steward):
    told()
    mail.send_due()
    assert Told.objects.get().mail_attempts == 0
    (found,) = mail.check(current())
    assert (found.state, "portal alone" in found.said) == ("ok", True)


@pytest.mark.parametrize(
    "wrong",
    [{"smtp_host": "post"}, {"smtp_security": "ssl"}, {"smtp_port": "0"}, {"smtp_port": "mail"}],
)
def test_wrong_mail_settings_are_refused_at_the_start(wrong, tmp_path):
    with pytest.raises(BadSetting):
        Settings(home=tmp_path, jurisdiction="320000", **wrong)


def test_only_oneself_and_the_steward_set_an_address(steward):
    Account.objects.create(username="wang", role="officer")
    with pytest.raises(NotAllowed):
        set_email(Account.objects.get(username="wang"), "sun", "x@example.org")
    set_email(Operator("operator:root"), "wang", "wang@example.org")
    with pytest.raises(BadAddress):
        set_email(steward, "sun", "not an address")
    assert Account.objects.get(username="wang").email == "wang@example.org"
