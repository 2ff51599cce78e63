"""What the provider may consent to: within what was asked, within what may be shared, each item with its mask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from hutong.control.agreements.rules import ItemNotShareable, UnknownDataset, WiderThanAsked
from hutong.control.agreements.terms import AgreedTerms, Terms
from hutong.control.catalogue import queries as catalogue
from hutong.control.catalogue.models import Attribute, Item, Resource
from hutong.control.catalogue.rules import effective_attribute, item_attribute
from hutong.control.requests.rules import RequestIncomplete, check_items
from hutong.exchange.grants.tracing import Tracing
from hutong.exchange.shaping.masks import Mask
from hutong.exchange.shaping.predicate import Predicate
from hutong.vocabulary.errors import NotFound
from hutong.vocabulary.ids import uuid_of
from hutong.vocabulary.moments import to_the_millisecond

KEEP: Final[dict[str, Any]] = {"action": "keep"}


@dataclass(frozen=True)
class Asked:
    """Our resource as a request meets it."""

    resource: Resource
    items: tuple[Item, ...]

    @property
    def attribute(self) -> str:
        return effective_attribute(self.resource.attribute, self.items)

    @property
    def shareable(self) -> dict[str, Item]:
        """Items that may leave at all, by name, in their order."""
        return {
            item.name: item
            for item in self.items
            if item_attribute(item, self.resource) != Attribute.REFUSED and not item.secret
        }


@dataclass(frozen=True)
class Choice:
    """What the provider's officer decides on a conditional request. None means: as asked, or the catalogue's mask."""

    items: tuple[str, ...] | None = None
    masks: Mapping[str, Mapping[str, Any]] | None = None
    term_days: int | None = None
    quota_calls_per_day: int | None = None
    tracing: Tracing | None = None


def published(target: str) -> tuple[dict[str, Any], Asked]:
    """One of our published data sets and what is behind it.

    raises   UnknownDataset
    """
    dataset_id = uuid_of(target)
    try:
        dataset = catalogue.dataset(dataset_id)
        return dataset, asked_of(dataset_id)
    except NotFound:
        raise UnknownDataset(dataset=target[:80]) from None


def asked_of(resource_id: str) -> Asked:
    """raises   NotFound"""
    resource = catalogue.resource(resource_id)
    return Asked(resource, tuple(catalogue.items_of(resource)))


def check_asked(asked: Asked, terms: Terms) -> None:
    """D809-20, on receipt: everything is said, and every item named exists.

    raises   RequestIncomplete, UnknownItems, BadPredicate
    """
    if missing := [name for name in ("basis", "scenario", "scope", "department") if not getattr(terms, name).strip()]:
        raise RequestIncomplete(missing=missing)
    known = {item.name for item in asked.items}
    check_items(terms.items, known)
    if terms.where is not None:
        check_items(sorted(Predicate.from_document(terms.where).items()), known)


def agreed_terms(asked: Asked, terms: Terms, choice: Choice, now: datetime) -> AgreedTerms:
    """What the agreement will say.

    raises   WiderThanAsked, ItemNotShareable, BadMask, BadTracing
    """
    items = terms.items if choice.items is None else choice.items
    term_days = terms.term_days if choice.term_days is None else choice.term_days
    quota = terms.quota_calls_per_day if choice.quota_calls_per_day is None else choice.quota_calls_per_day
    masks = choice.masks or {}
    _check_not_wider(terms, items, term_days, quota, masks)
    if barred := [name for name in items if name not in asked.shareable]:
        raise ItemNotShareable(items=barred)
    agreed = replace(terms, items=tuple(items), term_days=term_days, quota_calls_per_day=quota)
    chosen = tuple(_mask(name, masks, asked) for name in items)
    starts_at = to_the_millisecond(now)  # the wire has milliseconds
    whole = AgreedTerms(agreed, chosen, starts_at, starts_at + timedelta(days=term_days), choice.tracing)
    whole.check_tracing({name: item.type for name, item in asked.shareable.items()})
    return whole


def default_mask(item: Item) -> dict[str, Any]:
    return dict(item.mask) if item.mask else dict(KEEP)


def _check_not_wider(
    terms: Terms, items: Sequence[str], term_days: int, quota: int, masks: Mapping[str, Mapping[str, Any]]
) -> None:
    if not items or len(set(items)) != len(items) or not set(items) <= set(terms.items):
        raise WiderThanAsked(what="items")
    if not set(masks) <= set(items):
        raise WiderThanAsked(what="masks")
    if not 1 <= term_days <= terms.term_days:
        raise WiderThanAsked(what="term_days")
    if not 1 <= quota <= terms.quota_calls_per_day:
        raise WiderThanAsked(what="quota_calls_per_day")


def _mask(name: str, masks: Mapping[str, Mapping[str, Any]], asked: Asked) -> dict[str, Any]:
    given = dict(masks[name]) if name in masks else default_mask(asked.shareable[name])
    return Mask.from_document(given, name).to_document()
