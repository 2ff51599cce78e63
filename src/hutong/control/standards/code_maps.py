"""Code maps at work: what they cover of a source, what they would need, and what a new version does to agreements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from hutong.control.agreements.models import Agreement
from hutong.control.agreements.transitions import Party
from hutong.control.catalogue.models import Item, Resource
from hutong.control.catalogue.sources import spec_of
from hutong.control.standards import queries
from hutong.control.standards.following import follows
from hutong.control.standards.models import Definition, ItemCodes
from hutong.control.standards.rules import BadDefinition
from hutong.exchange import grants
from hutong.exchange.grants.store import load, put_code_map
from hutong.exchange.models import WithheldRows
from hutong.exchange.shaping.codes import CONVERTIBLE, CodeMap, as_text, check_convertible
from hutong.exchange.sources.opening import open_source
from hutong.exchange.withheld import Kept
from hutong.ledger.record import record
from hutong.node import outside
from hutong.node.events import post_event
from hutong.vocabulary.errors import NotFound

REPLAY_EVENT = "standards.replay"
EXCHANGES_PER_EVENT = 500
KEEP_VALUES = timedelta(days=180)  # how long a map may take to be extended; owner: the steward
REPEATS_END = timedelta(days=2)  # a replay is repeated within the hour, by whoever lost its answer
FORGET_EVERY_S = 24 * 3600.0
STILL_UNDER_WAY = timedelta(hours=2)  # how long an exchange may go on by the map it began with
LOOK_EVERY_S = 60.0
MOST_VALUES = 5_000  # different local values an editor shows; a column with more has no codes


@dataclass(frozen=True)
class LocalValue:
    """One value of a source's column. For the provider's own steward alone."""

    code: str
    rows: int
    regional: str  # "" where the map does not hold it
    suggested: str  # a regional code of the same name, or ""


@dataclass(frozen=True)
class Coverage:
    """How far a map covers what really occurs in one item's column."""

    rows: int  # with a value
    rows_covered: int
    values: tuple[LocalValue, ...]  # the uncovered first, then by how often they occur
    more: bool  # the column has more different values than are shown

    @property
    def covered(self) -> int:
        return sum(1 for one in self.values if one.regional)


def coverage(resource: Resource, item: str, pairs: Mapping[str, str], table: str) -> Coverage:
    """Read one column whole, in constant memory but for its different values.

    raises   NotFound, SourceRefused and what is below it, BadConversion
    """
    if resource.source is None or not resource.items.filter(name=item).exists():
        raise NotFound(what="item", what_zh="信息项", name=item[:60])
    source = open_source(spec_of(resource.source))
    try:
        check_convertible(item, source.fields([item]).field(0).type)
        counts: Counter[str] = Counter()
        more = False
        for batch in source.read([item]):
            found: Any = as_text(batch.column(0)).drop_null().value_counts()
            counts.update(dict(zip(found.field(0).to_pylist(), found.field(1).to_pylist(), strict=True)))
            if len(counts) > MOST_VALUES:
                more = True
                break
    finally:
        source.close()
    names = suggestions(counts, table)
    values = [LocalValue(code, rows, pairs.get(code, ""), names.get(code, "")) for code, rows in counts.items()]
    values.sort(key=lambda one: (bool(one.regional), -one.rows, one.code))
    covered = sum(one.rows for one in values if one.regional)
    return Coverage(sum(counts.values()), covered, tuple(values[:MOST_VALUES]), more)


def suggestions(local: Sequence[str] | Mapping[str, int], table: str) -> dict[str, str]:
    """Regional codes for local values that are a code, or the name of one: equal but for blanks and case.

    A name that two codes have suggests nothing.
    """
    found = queries.in_force("table", table)
    if found is None:
        return {}
    rows = queries.codes_of(found)
    named: dict[str, set[str]] = {}
    for row in rows:
        for name in {row.code, row.title_zh, row.title_en, *_short_names(row.title_zh)} - {""}:
            named.setdefault(_plain(name), set()).add(row.code)
    clear = {name: next(iter(codes)) for name, codes in named.items() if len(codes) == 1}
    return {value: clear[_plain(value)] for value in local if _plain(value) in clear}


def items_for(table: str) -> list[Item]:
    """Our resources' items that a map to this table could be for: those mapped to an element with it."""
    elements = [one.name for one in queries.all_in_force("element") if one.document.get("table") == table]
    types = [kind.value for kind in CONVERTIBLE]
    rows = Item.objects.filter(element__in=elements, type__in=types).exclude(resource__state="withdrawn")
    return list(rows.select_related("resource").order_by("resource_id", "position"))


@follows("map")
def take_effect(version: Definition, actor: str) -> None:
    """In the approval's own transaction: the data plane gets the map, its items are bound, agreements convert by it,
    and consumers learn which withheld rows they can have."""
    pairs = queries.pairs_of(version)
    put_code_map(queries.map_id(version), pairs)
    _bind(version)
    for agreement in _converting(version):
        _convert_by(agreement, version)
        _offer_replays(agreement, version, pairs, actor)


def offer_late() -> None:
    """The duty: offer also what exchanges left behind that were under way, by the map before, when one was approved."""
    approved = Definition.objects.filter(
        kind="map", state="approved", decided_at__gt=datetime.now(UTC) - STILL_UNDER_WAY
    )
    for name in set(approved.values_list("name", flat=True)):
        with transaction.atomic():
            version = queries.newest_map(name)
            if version is None or version.decided_at is None:
                continue
            pairs, since = queries.pairs_of(version), version.decided_at - STILL_UNDER_WAY
            for agreement in _converting(version):
                _offer_replays(agreement, version, pairs, "rule:code_map", since)


def forget_old() -> int:
    """The duty: what was asked for and the unmapped values are kept no longer than they serve. Counts stay.

    returns   how many were emptied
    """
    now = datetime.now(UTC)
    kept = WithheldRows.objects.filter(role="provider").exclude(sealed=b"")
    ended = Agreement.objects.filter(role=Party.PROVIDER, state="ended").values("id")
    served = Q(state="replayed", at__lt=now - REPEATS_END)
    return kept.filter(served | Q(at__lt=now - KEEP_VALUES) | Q(agreement_id__in=ended)).update(sealed=b"")


def _bind(version: Definition) -> None:
    """Bind the items the version names to the map."""
    now = datetime.now(UTC)
    for resource_id, name in version.document["items"]:
        item = Item.objects.filter(resource_id=resource_id, name=name).first()
        if item is None or item.type not in {kind.value for kind in CONVERTIBLE}:
            raise BadDefinition(
                reason=f"item {name[:60]} is not there, or has no codes",
                reason_zh=f"信息项 {name[:60]} 不存在或不含代码",
            )
        defaults = {"map_name": version.name, "since": now}
        known, made = ItemCodes.objects.get_or_create(resource_id=resource_id, item=name, defaults=defaults)
        if not made and known.map_name != version.name:
            raise BadDefinition(
                reason=f"item {name[:60]} has the map {known.map_name} already",
                reason_zh=f"信息项 {name[:60]} 已使用映射 {known.map_name}",
            )
        if made:  # the catalogue must say it: a change under article 17
            Resource.objects.filter(id=resource_id, state="published", changed_at=None).update(changed_at=now)


def _converting(version: Definition) -> list[Agreement]:
    """The agreements over what has an item bound to the map, but for those whose data never passes our exchange."""
    bound = ItemCodes.objects.filter(map_name=version.name).values("resource_id")
    rows = Agreement.objects.filter(resource_id__in=bound, role=Party.PROVIDER).exclude(state="ended")
    return [one for one in rows.order_by("id") if not outside.is_outside(one.peer)]


def _convert_by(agreement: Agreement, version: Definition) -> None:
    """An agreement that converts by this map goes on with its newest version."""
    try:
        grant, state = load(agreement.id)
    except NotFound:
        return  # not delivered yet; its grant will be compiled with the newest
    mine = version.name + "@"
    items = tuple(
        replace(one, codes=queries.map_id(version)) if one.codes.startswith(mine) else one for one in grant.items
    )
    if items != grant.items:
        grants.put(replace(grant, items=items), state)


def _offer_replays(
    agreement: Agreement, version: Definition, pairs: Mapping[str, str], actor: str, since: datetime | None = None
) -> None:
    """Tell the consumer which exchanges (since then) have rows that can leave now."""
    items = ItemCodes.objects.filter(map_name=version.name, resource_id=agreement.resource_id)
    maps = {one.item: CodeMap(queries.map_id(version), pairs) for one in items}
    waiting = WithheldRows.objects.filter(agreement_id=agreement.id, role="provider", state="waiting")
    if since is not None:
        waiting = waiting.filter(at__gte=since)
    ready = [
        one.exchange_id
        for one in waiting.order_by("id").iterator()
        if bytes(one.sealed) and Kept.unsealed(one.exchange_id, bytes(one.sealed)).held_now(maps)
    ]
    if not ready:
        return
    for at in range(0, len(ready), EXCHANGES_PER_EVENT):
        part = ready[at : at + EXCHANGES_PER_EVENT]
        WithheldRows.objects.filter(exchange_id__in=part, role="provider").update(state="ready")
        post_event(agreement.peer, REPLAY_EVENT, agreement.id, {"agreement": agreement.id, "exchanges": part})
    detail = {"map": version.name, "version": version.version, "exchanges": len(ready)}
    record("standard.replay_offered", f"agreement:{agreement.id}", actor, detail)


def _plain(text: str) -> str:
    return "".join(text.split()).casefold()


def _short_names(title: str) -> list[str]:
    """男性 is also said 男; 汉族 is also said 汉."""
    return [title[: -len(end)] for end in ("性", "族") if title.endswith(end) and len(title) > len(end)]
