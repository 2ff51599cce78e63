"""How often signing in may fail: counted for each user name and each address, in the node's database.

An attempt is counted before its password is looked at, so guesses sent side by side are counted too, and what is
refused is refused alike for a right password, a wrong one and a name that nobody has.
"""

from __future__ import annotations

import ipaddress
import math
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import F
from django.utils.crypto import salted_hmac

from hutong.control.identity.models import Account, SignInCount
from hutong.ledger.record import record
from hutong.vocabulary.errors import Refused

WINDOW: Final = timedelta(minutes=15)  # from the first failure on; then counting begins anew; owner: identity
FAILURES_OF_NAME: Final = 5  # failed sign-ins of one user name in a window; owner: identity
FAILURES_OF_ADDRESS: Final = 20  # failed sign-ins from one address in a window; owner: identity
IPV6_NETWORK_BITS: Final = 64  # one subscriber has a whole /64 to choose addresses from; owner: identity
FORGOTTEN_AT_ONCE: Final = 100  # counts that are over, dropped with each failure, so that the table stays small


class TooManySignIns(Refused):
    """Signing in failed too often with this user name or from this address: it is refused for another {minutes}
    min, with any password."""

    zh = "该用户名或该地址登录失败次数过多：{minutes} 分钟内无论密码是否正确均不能登录。"
    code = "too_many_sign_ins"
    status = 429
    next_en = "Wait {minutes} min and sign in again. If you forgot the password, ask your node's operator."
    next_zh = "请等待 {minutes} 分钟后再登录。如忘记密码，请联系本节点运维人员。"


@dataclass(frozen=True)
class Attempt:
    """One attempt to sign in, counted already. `by_name`, `by_address`: which of its window it is, from 1."""

    username: str
    name_key: str
    address_key: str
    by_name: int
    by_address: int


@transaction.atomic
def begin(username: str, address: str, now: datetime) -> Attempt:
    """Count an attempt as failed, before anybody looks at its password. `succeeded` takes it back.

    address  of the person's machine; "" where it is not known, and then it is not counted
    raises   TooManySignIns, and counts nothing then
    """
    username = unicodedata.normalize("NFKC", username).strip()
    name_key, address_key = _name_key(username), _key("address", _network(address)) if address else ""
    by_name = _count(name_key, FAILURES_OF_NAME, now)
    by_address = _count(address_key, FAILURES_OF_ADDRESS, now) if address_key else 0
    return Attempt(username, name_key, address_key, by_name, by_address)


@transaction.atomic
def failed(attempt: Attempt, now: datetime) -> None:
    """The attempt stays counted. Whichever reaches a limit locks, and its lock-out is recorded."""
    if attempt.by_name == FAILURES_OF_NAME:
        _record_lock_out("user name", attempt)
    if attempt.by_address == FAILURES_OF_ADDRESS:
        _record_lock_out("address", attempt)
    # Rows another sign-in holds are left for the next time: waiting for them here could wait in a circle.
    over = SignInCount.objects.select_for_update(skip_locked=True).filter(began_at__lte=now - WINDOW)
    SignInCount.objects.filter(key__in=list(over.values_list("key", flat=True)[:FORGOTTEN_AT_ONCE])).delete()


@transaction.atomic
def succeeded(attempt: Attempt) -> None:
    """Nothing is held against the name any more; the address keeps what failed from it before."""
    SignInCount.objects.filter(key=attempt.name_key).delete()
    if attempt.address_key:
        SignInCount.objects.filter(key=attempt.address_key, failed__gt=0).update(failed=F("failed") - 1)


def forget(username: str) -> None:
    """End a lock-out of this user name, as with a new password given by the operator."""
    SignInCount.objects.filter(key=_name_key(username)).delete()


def _name_key(username: str) -> str:
    return _key("name", username.casefold())


def _count(key: str, limit: int, now: datetime) -> int:
    """Add one to what failed in the window that runs, or begin one. returns the sum"""
    count, _made = SignInCount.objects.select_for_update().get_or_create(key=key, defaults={"began_at": now})
    if count.began_at + WINDOW <= now:
        count.began_at, count.failed = now, 0
    if count.failed >= limit:
        raise TooManySignIns(minutes=math.ceil((count.began_at + WINDOW - now) / timedelta(minutes=1)))
    count.failed += 1
    count.save()
    return count.failed


def _record_lock_out(locked: str, attempt: Attempt) -> None:
    """A name that nobody has is not written down: people type their password into the wrong field."""
    known = Account.objects.filter(username=attempt.username).exists()
    subject = f"account:{attempt.username}" if known else "account:unknown"
    detail = {
        "locked": locked,
        "username": attempt.username if known else "",
        "minutes": WINDOW // timedelta(minutes=1),
        "address": attempt.address_key and _digest_shown(attempt.address_key),
    }
    record("sign_in.locked", subject if locked == "user name" else "address", "rule:sign-in", detail)


def _digest_shown(key: str) -> str:
    return key.rsplit(":", 1)[1][:16]


def _key(kind: str, value: str) -> str:
    """Names and addresses are kept as a keyed digest: enough to count, nothing to read."""
    return f"{kind}:{salted_hmac('hutong.sign-in.' + kind, value, algorithm='sha256').hexdigest()}"


def _network(address: str) -> str:
    try:
        read = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "unreadable"
    if isinstance(read, ipaddress.IPv6Address):
        mapped = read.ipv4_mapped
        return str(mapped or ipaddress.ip_network((int(read), IPV6_NETWORK_BITS), strict=False))
    return str(read)
