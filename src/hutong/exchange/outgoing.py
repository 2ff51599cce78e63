"""One application's read on its way to the provider: its id, its document, its digest."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

import orjson

from hutong.exchange.asking import Ask
from hutong.exchange.entitlements import Entitled
from hutong.exchange.repeats import exchange_id
from hutong.vocabulary.canonical import digest

ROWS_OF_A_LOOKUP = 10  # what one key without a limit is reckoned at


@dataclass(slots=True, eq=False)
class Outgoing:
    """What travels for one read, and whose it is."""

    ask: Ask
    entitled: Entitled
    exchange: str
    case: str  # hmac-sha256:<hex>; the case number itself stays here
    document: bytes  # canonical JSON
    request_digest: str
    traceparent: str = ""

    @property
    def likely_rows(self) -> int:
        """What its answer is reckoned at."""
        keys = self.ask.wanted.get("keys")
        count = len(keys["values"]) if isinstance(keys, dict) and isinstance(keys.get("values"), list) else 1
        return self.ask.wanted["limit"] or ROWS_OF_A_LOOKUP * count


def outgoing(ask: Ask, entitled: Entitled) -> Outgoing:
    exchange = exchange_id(ask, entitled.case_key)
    case = "hmac-sha256:" + hmac.digest(entitled.case_key, ask.case_number.encode(), "sha256").hex()
    document = orjson.dumps(
        {"exchange": exchange, "agreement": ask.agreement, "purpose": ask.purpose, "case": case, **ask.wanted},
        option=orjson.OPT_SORT_KEYS,
    )
    return Outgoing(ask, entitled, exchange, case, document, digest(document))


def message(batch: list[Outgoing]) -> bytes:
    """The body of one signed message."""
    return b'{"queries":[' + b",".join(one.document for one in batch) + b"]}"
