"""Nonces already used. The same signed bytes a second time are a replay, whoever sends them."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from django.db import IntegrityError, transaction

from hutong.node.models import SeenNonce
from hutong.node.signatures import WINDOW_S
from hutong.vocabulary.errors import Refused

# A signature may be dated up to WINDOW_S ahead and is accepted until WINDOW_S after: twice that, and some air.
KEPT_S = 3 * WINDOW_S


class Replayed(Refused):
    """This signed message was already received once."""

    zh = "此签名消息已经收到过一次。"
    code = "replayed"
    status = 409
    next_en = "Sign it again with a fresh nonce; the same message id gets the same answer and acts only once."
    next_zh = "请用新的随机数重新签名；相同的消息编号会得到相同的答复，且只执行一次。"


def remember(keyid: str, nonce: str, now: float | None = None) -> None:
    """Remember a verified signature's nonce, durably.

    raises   Replayed when it was there already
    """
    seen_at = datetime.fromtimestamp(time.time() if now is None else now, UTC)
    try:
        with transaction.atomic():
            SeenNonce.objects.create(keyid=keyid, nonce=nonce, seen_at=seen_at)
    except IntegrityError as error:
        raise Replayed from error


def forget_old(now: datetime) -> int:
    """Delete nonces whose signatures are refused by their date anyway. returns how many"""
    return SeenNonce.objects.filter(seen_at__lt=now - timedelta(seconds=KEPT_S)).delete()[0]
