"""What a request asks for, as facts: the same on the request, in the inbox and on the agreement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from hutong.control.catalogue import queries
from hutong.control.catalogue.dataset import EntryDocument
from hutong.portal.components import conditions, words
from hutong.portal.components.parts import Fact
from hutong.vocabulary import codes
from hutong.vocabulary.errors import Refused
from hutong.vocabulary.ids import uuid_of


def facts(terms: Mapping[str, Any], titles: Mapping[str, str], *, items: bool = True) -> tuple[Fact, ...]:
    """terms    the members of `hutong:terms`; items are names, or objects with a name
    titles   item name -> title
    items    False where the page lists the items by themselves
    """
    if not terms:  # a connector that does not know ours: its policy stands in the document
        return ()
    language = words.language()
    rows = conditions.sentences(terms.get("where"), titles)
    days = int(terms.get("term_days", 0))
    said = [
        Fact(_("Purpose"), codes.PURPOSES.name(str(terms.get("purpose", "")), language)),
        Fact(_("Legal basis"), str(terms.get("basis", ""))),
        Fact(_("Scenario"), str(terms.get("scenario", ""))),
        Fact(_("Scope"), str(terms.get("scope", ""))),
        Fact(_("Items"), many=tuple(titles.get(one, one) for one in names_of(terms.get("items", ())))),
        Fact(_("Which rows"), "" if rows else _("every row"), many=rows),
        Fact(_("Mode"), codes.SHARING_MODES.name(str(terms.get("mode", "")), language)),
        Fact(_("Term"), ngettext("{days} day", "{days} days", days).format(days=words.number(days))),
        Fact(_("Calls a day"), words.number(int(terms.get("quota_calls_per_day", 0)))),
    ]
    return tuple(fact for fact in said if (fact.value or fact.many) and (items or fact.term != _("Items")))


def names_of(items: Sequence[Any]) -> list[str]:
    return [str(one.get("name", "")) if isinstance(one, dict) else str(one) for one in items]


def titles_of_items(resource_id: str) -> dict[str, str]:
    """Item name -> title, from the catalogue; nothing for an entry we do not (or no longer) have."""
    try:
        return item_titles(queries.document(uuid_of(resource_id)))
    except Refused:
        return {}


def item_titles(document: EntryDocument) -> dict[str, str]:
    """Item name -> title, in the reader's language."""
    return {one.name: words.of_language(one.title_zh, one.title_en) or one.name for one in document.items}
