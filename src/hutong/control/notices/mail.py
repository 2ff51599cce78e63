"""Notices by e-mail over SMTP: sent from the notices' own table, so that none is lost between the deed and the mail.

A mail is sent again after a crash between sending and noting it, under the same Message-ID: mail programs show it once.
What cannot be sent waits longer each time, at most a day, and is never given up while the account is open.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from smtplib import SMTPException
from typing import Any

from django.core.mail import EmailMessage, get_connection
from django.db.models import QuerySet

from hutong.control.notices.models import Told
from hutong.node.checkup import Finding
from hutong.node.settings import Settings, current

log = logging.getLogger("hutong.mail")
AT_ONCE = 200  # mails in one round
ANSWER_WITHIN_S = 20
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(days=1)
OLD = timedelta(days=7)  # what was told before SMTP was set is not mailed any more


def send_due() -> None:
    """Send every mail that is due. Safe to run again after any crash."""
    settings = current()
    if not settings.smtp_host:
        return
    now = datetime.now(UTC)
    _forget_old(now)
    waiting = list(_due(now).select_related("notice", "account")[:AT_ONCE])
    if not waiting:
        return
    connection = _connection(settings)
    try:
        connection.open()
    except (OSError, SMTPException) as error:
        log.warning("%s does not take mail: %s", settings.smtp_host, type(error).__name__)
        for one in waiting:
            _later(one, now)
        return
    try:
        for one in waiting:
            _send(one, settings, connection)
    finally:
        connection.close()


def check(settings: Settings) -> Iterator[Finding]:
    """`hutong doctor`: open a real connection and say what waits."""
    if not settings.smtp_host:
        yield Finding("mail", "ok", "no smtp_host is set: notices are shown in the portal alone")
        return
    connection = _connection(settings)
    try:
        connection.open()
        connection.close()
    except (OSError, SMTPException) as error:
        yield Finding("mail", "fail", f"{settings.smtp_host} does not take mail: {type(error).__name__}")
        return
    waiting = Told.objects.filter(mail_due_at__isnull=False, mail_attempts__gt=0).count()
    yield Finding("mail", "warn" if waiting else "ok", f"{settings.smtp_host} answers; {waiting} mails are tried again")


def _due(now: datetime) -> QuerySet[Told]:
    return Told.objects.filter(mail_due_at__lte=now, account__is_active=True).order_by("mail_due_at", "id")


def _forget_old(now: datetime) -> None:
    Told.objects.filter(mail_due_at__lte=now - OLD, mail_attempts=0).update(mail_due_at=None)


def _send(one: Told, settings: Settings, connection: Any) -> None:
    if not one.account.email:
        Told.objects.filter(pk=one.pk).update(mail_due_at=None)
        return
    try:
        connection.send_messages([_message(one, settings)])
    except (OSError, SMTPException) as error:
        log.warning("notice %s was not taken: %s", one.notice_id, type(error).__name__)
        _later(one, datetime.now(UTC))
        return
    Told.objects.filter(pk=one.pk).update(mailed_at=datetime.now(UTC), mail_due_at=None)


def _later(one: Told, now: datetime) -> None:
    attempts = one.mail_attempts + 1
    pause = min(FIRST_PAUSE * 2 ** min(attempts - 1, 20), LONGEST_PAUSE)
    Told.objects.filter(pk=one.pk).update(mail_attempts=attempts, mail_due_at=now + pause)


def _message(one: Told, settings: Settings) -> EmailMessage:
    """The notice's own sentence in both languages and where to read it; nothing else about anybody."""
    chinese, english = settings.name_zh or settings.jurisdiction, settings.name_en or settings.jurisdiction
    said = f"{one.notice.said_zh}\n\n{one.notice.said_en}\n\n{settings.portal_url}/notices/{one.notice_id}/\n"
    return EmailMessage(
        subject=f"互通 · {chinese}：新通知 / Hutong · {english}: a notice",
        body=said,
        from_email=settings.mail_from,
        to=[one.account.email],
        headers={
            "Message-ID": f"<{one.pk}.{one.notice_id}@{settings.jurisdiction}.hutong>",
            "Auto-Submitted": "auto-generated",
        },
    )


def _connection(settings: Settings) -> Any:
    return get_connection(
        "django.core.mail.backends.smtp.EmailBackend",
        host=settings.smtp_host,
        port=int(settings.smtp_port),
        username=settings.smtp_user,
        password=settings.smtp_password,
        use_tls=settings.smtp_security == "starttls",
        use_ssl=settings.smtp_security == "tls",
        timeout=ANSWER_WITHIN_S,
    )
