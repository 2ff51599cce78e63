"""Keeping the rows of a version, and since when the catalogue says that an item is converted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime

from hutong.control.standards.models import Definition, DefinitionRow, ItemCodes
from hutong.control.standards.proposals import Row

ROWS_AT_ONCE = 2_000
_MEMBERS = tuple(one.name for one in fields(Row))


def add_rows(one: Definition, rows: Sequence[Row], first: int = 0) -> None:
    """Keep rows under a version, counting their positions from `first`."""
    made = [
        DefinitionRow(definition=one, position=position, **{name: getattr(row, name) for name in _MEMBERS})
        for position, row in enumerate(rows, first)
    ]
    DefinitionRow.objects.bulk_create(made, batch_size=ROWS_AT_ONCE)


def mark_offered(resource_id: str, at: datetime) -> None:
    """The catalogue says from now on that these items leave in regional codes; in the publication's transaction."""
    ItemCodes.objects.filter(resource_id=resource_id, offered_at=None).update(offered_at=at)
