"""G-9: how fast an agreement may be queried. A bucket per agreement, in the memory of one worker process."""

from __future__ import annotations

from hutong.exchange.grants.grant import Grant
from hutong.exchange.grants.rules import RateExceeded


class Rates:
    """Token buckets: a second's worth of queries may come at once, then they come at the agreed rate.

    Not safe for two threads; the provider's door uses it under its own lock. With N workers a node allows up to
    N times the rate.
    """

    def __init__(self) -> None:
        self._buckets: dict[str, tuple[float, float]] = {}  # agreement: (tokens, as of)

    def take(self, grant: Grant, now_s: float) -> None:
        """raises RateExceeded when the agreement has no token left"""
        rate = grant.rate_per_s
        if rate is None:
            return
        tokens, then = self._buckets.get(grant.agreement, (float(rate), now_s))
        tokens = min(float(rate), tokens + (now_s - then) * rate)
        if tokens < 1.0:
            self._buckets[grant.agreement] = (tokens, now_s)
            raise RateExceeded(agreement=grant.agreement, rate=rate)
        self._buckets[grant.agreement] = (tokens - 1.0, now_s)
