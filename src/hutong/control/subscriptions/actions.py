"""What people set for subscriptions."""

from __future__ import annotations

from django.db import transaction

from hutong.exchange.models import Source
from hutong.ledger.record import record
from hutong.vocabulary.errors import BadInput, NotFound


@transaction.atomic
def tell_by(source_id: str, item: str, actor: str) -> None:
    """Name the column that says when a row last changed; "" for none.

    raises   NotFound, BadInput for a column the source does not have
    """
    source = Source.objects.select_for_update().filter(id=source_id).first()
    if source is None:
        raise NotFound(what="source", what_zh="数据源", name=source_id[:60])
    names = [one["name"] for one in source.schema]
    if item and names and item not in names:
        raise BadInput(reason=f"the source has no column {item[:80]}", reason_zh=f"数据源没有列 {item[:80]}")
    source.changed_item = item
    source.save(update_fields=["changed_item"])
    record("source.told_by", f"source:{source.id}", actor, {"item": item})
