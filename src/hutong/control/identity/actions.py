"""Accounts: made here, closed here. One verb, one transaction, one audit record."""

from __future__ import annotations

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from hutong.control.identity import sign_in
from hutong.control.identity.models import Account
from hutong.control.identity.queries import account
from hutong.control.identity.rules import (
    AccountClosed,
    Action,
    Actor,
    UsernameTaken,
    WeakPassword,
    check,
    check_new_account,
)
from hutong.control.organisations.queries import department
from hutong.ledger.record import record
from hutong.vocabulary.errors import Refused
from hutong.vocabulary.text import checked

LONGEST_PASSWORD = 256  # a longer one only costs time to hash; owner: identity


class WrongPassword(Refused):
    """This is not your present password."""

    zh = "当前密码不正确。"
    code = "wrong_password"
    next_en = "Type the password you signed in with; capitals count."
    next_zh = "请输入您登录时使用的密码，注意区分大小写。"


class BadAddress(Refused):
    """This is no e-mail address."""

    zh = "这不是有效的电子邮件地址。"
    code = "bad_address"
    status = 400
    next_en = "Type it as name@example.gov.cn, or leave it empty to receive none."
    next_zh = "请按 name@example.gov.cn 的格式填写；留空则不接收邮件。"


@transaction.atomic
def create_account(
    by: Actor, *, username: str, password: str, role: str, department_code: str | None = None, display_name: str = ""
) -> Account:
    """A new account that may sign in at once.

    raises   NotAllowed, BadUsername, UsernameTaken, UnknownRole, DepartmentNeeded, NoDepartmentHere, WeakPassword,
             NotFound
    """
    check(by, Action.ADD_ACCOUNT)
    check_new_account(username, role, department_code)
    display_name = checked("display_name", display_name, limit=100)
    belongs_to = department(department_code) if department_code else None
    if Account.objects.filter(username=username).exists():
        raise UsernameTaken(username=username)
    account = Account(username=username, role=role, display_name=display_name, department=belongs_to)
    _set_password(account, password)
    account.save()
    detail = {"username": username, "role": role, "department": department_code or ""}
    record("account.created", f"account:{username}", by.username, detail)
    return account


@transaction.atomic
def close_account(by: Actor, username: str) -> None:
    """The account signs in no more and acts no more. It is kept: records name it."""
    check(by, Action.ADD_ACCOUNT)
    if Account.objects.filter(username=username, is_active=True).update(is_active=False):
        record("account.closed", f"account:{username}", by.username, {"username": username})


@transaction.atomic
def change_password(account: Account, *, old: str, new: str) -> Account:
    """A new password for oneself. Whoever else is signed in with the account is signed out by it.

    returns  the account as it is now: a session that goes on needs its new hash
    raises   AccountClosed, WrongPassword, WeakPassword
    """
    own = Account.objects.select_for_update().get(pk=account.pk)
    if not own.is_active:
        raise AccountClosed()
    if not own.check_password(old):
        raise WrongPassword()
    _set_password(own, new)
    own.save(update_fields=["password"])
    record("account.password_changed", f"account:{own.username}", own.username, {"username": own.username})
    return own


@transaction.atomic
def reset_password(by: Actor, username: str, new: str) -> None:
    """A new password for somebody who forgot theirs. Ends their sessions, and a lock-out of their name.

    raises   NotAllowed, AccountClosed, WeakPassword, NotFound
    """
    check(by, Action.ADD_ACCOUNT)
    found = account(username)
    if not found.is_active:
        raise AccountClosed()
    _set_password(found, new)
    found.save(update_fields=["password"])
    sign_in.forget(username)
    record("account.password_reset", f"account:{username}", by.username, {"username": username})


@transaction.atomic
def set_email(by: Actor, username: str, address: str) -> Account:
    """Where an account's notices are mailed; "" for nowhere. Oneself, or whoever makes accounts.

    raises   NotAllowed, AccountClosed, BadAddress, NotFound
    """
    found = account(username)
    if by.username != username:
        check(by, Action.ADD_ACCOUNT)
    try:
        found.email = address.strip()
        if found.email:
            validate_email(found.email)
    except ValidationError:
        raise BadAddress() from None
    found.save(update_fields=["email"])
    detail = {"username": username, "mailed": bool(found.email)}  # the address itself is nobody else's business
    record("account.email_changed", f"account:{username}", by.username, detail)
    return found


def _set_password(account: Account, password: str) -> None:
    try:
        validate_password(password, account)
    except ValidationError:
        raise WeakPassword() from None
    if len(password) > LONGEST_PASSWORD:
        raise WeakPassword()
    account.set_password(password)
