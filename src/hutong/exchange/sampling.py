"""What somebody would read under a grant that does not exist yet: the real reading, kept nowhere.

The same check, condition, masks and encoding as an answer to another node (desk.py); no grant, no counter, no receipt.
Whoever calls MUST show the rows to the provider's own people alone, and MUST NOT store or log them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import orjson

from hutong.exchange.converted import conversion, read_converted
from hutong.exchange.grants import Grant
from hutong.exchange.grants.book import Book
from hutong.exchange.grants.rules import check
from hutong.exchange.query import Query
from hutong.exchange.records import json_rows_of, read_rows
from hutong.vocabulary.ids import new_id

MOST_ROWS: Final = 20  # of a sample; owner: the simulation


def sample(grant: Grant, *, most: int = MOST_ROWS) -> list[dict[str, Any]]:
    """The first rows the grant's consumer would get, each as it would get it, in the grant's items.

    raises   what an answer would be refused with: SourceRefused, Unavailable, BadGrant ...
    """
    opened = Book().open_unsaved(grant)
    query = Query(
        exchange=new_id(),
        agreement=grant.agreement,
        purpose=grant.purposes[0],
        case="",
        items=None,
        where=None,
        limit=None,
        key=None,
        digest="",
    )
    allowed = check(grant, opened.standing, query, grant.consumer, datetime.now(UTC))
    if opened.terms.codes:
        table, _withheld = read_converted(conversion(opened, allowed, query), query, most)
        return [orjson.loads(row) for row in json_rows_of(table)]
    return [orjson.loads(row) for row in read_rows(opened, allowed, query, most)]
