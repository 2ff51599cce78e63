"""Telling people, and noting what they have read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from django.db import transaction
from django.db.models import Q

from hutong.control.identity.models import Account
from hutong.control.notices.models import Notice, Told
from hutong.vocabulary.errors import Refused
from hutong.vocabulary.ids import new_id
from hutong.vocabulary.sentences import Sentence


@transaction.atomic
def tell(
    sentence: Sentence | Refused,
    *,
    role: str = "",
    department: str = "",
    account: str = "",
    subject: str = "",
    page: Sequence[str] = (),
) -> Notice | None:
    """Tell the accounts of a role (in one department, where it is given), or one account by its user name.

    MUST be called in the transaction that makes the sentence true.

    page      name of the page's address and its arguments, for example ("agreement", agreement.id)
    returns   None where there is nobody to tell
    """
    whom = Account.objects.filter(Q(username=account) if account else Q(role=role), is_active=True)
    if department and not account:
        whom = whom.filter(department_id=department)
    people = list(whom.order_by("id"))
    if not people:
        return None
    now = datetime.now(UTC)
    notice = Notice.objects.create(
        id=new_id(),
        at=now,
        code=sentence.code,
        rule=getattr(sentence, "rule", None) or "",
        said_zh=sentence.say("zh"),
        said_en=sentence.say("en"),
        subject=subject,
        page=list(page),
    )
    Told.objects.bulk_create(
        Told(notice=notice, account=one, at=now, mail_due_at=now if one.email else None) for one in people
    )
    return notice


def read(account: Account, notice_id: str = "") -> int:
    """Note a notice as read by its reader, or all of them; returns how many were unread."""
    unread = Told.objects.filter(account=account, read_at=None)
    if notice_id:
        unread = unread.filter(notice_id=notice_id)
    return unread.update(read_at=datetime.now(UTC))
