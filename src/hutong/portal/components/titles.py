"""Titles of resources by their id, whoever published them."""

from __future__ import annotations

from hutong.control.catalogue.models import Entry
from hutong.portal.components import words
from hutong.vocabulary.ids import uuid_of


def title_of_entry(resource_id: str) -> str:
    """The catalogue's title, or the id where the catalogue has no such entry (any more)."""
    entry_id = uuid_of(resource_id)
    entry = Entry.objects.filter(id=entry_id).only("title_zh", "title_en").first()
    return words.of_language(entry.title_zh, entry.title_en) if entry else entry_id


def titles_of_entries(resource_ids: set[str]) -> dict[str, str]:
    """The same for many at once, by the id as given."""
    bare = {one: uuid_of(one) for one in resource_ids}
    found = {one.id: one for one in Entry.objects.filter(id__in=bare.values()).only("title_zh", "title_en")}
    return {
        given: words.of_language(found[entry_id].title_zh, found[entry_id].title_en) if entry_id in found else entry_id
        for given, entry_id in bare.items()
    }
