"""What our register says, for the member on the other side: how an exchange ended, and which there were."""

from __future__ import annotations

from typing import Any

from hutong.exchange.database import json_value, reading
from hutong.vocabulary.errors import BadInput, NotFound
from hutong.vocabulary.ids import is_id

RECEIPTS_AT_ONCE = 1_000

_MEMBERS = (
    "exchange",
    "outcome",
    "code",
    "rows",
    "bytes",
    "digest",
    "receipt",
    "agreement",
    "purpose",
    "case",
    "request",
    "form",
)
_COLUMNS = (
    'exchange_id, outcome, code, "rows", "bytes", response_digest, entry_digest, agreement_id, purpose, case_digest,'
    " request_digest, form"
)
_ONE = f"SELECT {_COLUMNS} FROM exchange_record WHERE exchange_id = %s AND role = 'provider' AND peer = %s"  # noqa: S608
_WITHHELD = "SELECT items, state FROM exchange_withheld WHERE exchange_id = %s AND role = %s"
_AFTER = (
    f"SELECT {_COLUMNS}, id FROM exchange_record WHERE id > %s AND role = 'provider' AND peer = %s"  # noqa: S608
    " ORDER BY id LIMIT %s"
)


def place(query: str) -> int:
    """The number in `after=<number>`.

    raises   BadInput
    """
    name, _, number = query.partition("=")
    if name != "after" or not number.isascii() or not number.isdigit() or len(number) > 18:
        raise BadInput(
            reason="after is the place in the register to go on from", reason_zh="after 应为使用登记中接续的位置"
        )
    return int(number)


def receipt_of(exchange: str, consumer: str) -> dict[str, Any]:
    """raises NotFound, also for an exchange with somebody else"""
    if not is_id(exchange):
        raise NotFound(what="receipt", name="of that form", name_zh="（编号格式不符）")
    with reading("the use register") as cursor:
        cursor.execute(_ONE, (exchange, consumer))
        row = cursor.fetchone()
        if row is None:
            raise NotFound(what="receipt", name=exchange)
        withheld = withheld_in(cursor, exchange, "provider")
    return dict(zip(_MEMBERS, row, strict=True)) | withheld


def withheld_in(cursor: Any, exchange: str, role: str) -> dict[str, Any]:
    """What stayed behind in an exchange, as a member of what is said of it; nothing where nothing did."""
    cursor.execute(_WITHHELD, (exchange, role))
    row = cursor.fetchone()
    return {"withheld": json_value(row[0]), "replay": row[1]} if row else {}


def receipts_after(after: int, consumer: str) -> dict[str, Any]:
    """Up to RECEIPTS_AT_ONCE, oldest first, and the place to go on from.

    Stops before a stream that is still open, so that its end is not missed the next time.
    """
    with reading("the use register") as cursor:
        cursor.execute(_AFTER, (after, consumer, RECEIPTS_AT_ONCE))
        rows = cursor.fetchall()
    receipts: list[dict[str, Any]] = []
    for *members, identifier in rows:
        stated = dict(zip(_MEMBERS, members, strict=True))
        if stated["outcome"] == "open":
            break
        receipts.append(stated)
        after = identifier
    return {"receipts": receipts, "after": after}
