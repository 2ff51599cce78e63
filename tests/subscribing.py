"""A subscription between the two nodes of a pair, begun as delivery begins it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from tests.pair import PURPOSE, Pair

_FEED = """
from django.db import transaction
from hutong.exchange.subscriptions.feeds import feed
with transaction.atomic():
    feed({agreement!r}, "340000", {keys!r})
"""
_SUBSCRIBE = """
from django.db import transaction
from hutong.exchange.subscriptions.feeds import subscribe
with transaction.atomic():
    subscribe({agreement!r}, {purpose!r})
"""


def begin(nodes: Pair, agreement: str, keys: Sequence[str]) -> None:
    """The provider feeds, the consumer's node subscribes."""
    nodes.provider.python(_FEED.format(agreement=agreement, keys=list(keys)))
    nodes.consumer.python(_SUBSCRIBE.format(agreement=agreement, purpose=PURPOSE))


def take(nodes: Pair, agreement: str, after: int, *, wait: int = 0, limit: int = 10_000) -> dict[str, Any]:
    """What an application is given after a position; with `status` where it is refused."""
    import urllib.error
    import urllib.request

    url = f"{nodes.consumer.base_url}/exchange/v1/agreements/{agreement}/events?after={after}&limit={limit}&wait={wait}"
    asked = urllib.request.Request(url, headers={"Authorization": f"Bearer {nodes.key}"})
    try:
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return dict(orjson.loads(answer.read()))
    except urllib.error.HTTPError as error:
        with error:
            return {"status": error.code, **orjson.loads(error.read())}
