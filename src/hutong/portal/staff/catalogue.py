"""Search, and the page of one resource."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from hutong.control.catalogue import coverage, finding, queries
from hutong.control.catalogue import dataset as datasets
from hutong.control.catalogue.dataset import EntryDocument, EntryItem
from hutong.control.catalogue.drift import drifted_among
from hutong.control.catalogue.models import Attribute, Entry
from hutong.control.identity.models import Account
from hutong.control.identity.rules import Action
from hutong.control.standards.dictionary import dictionary
from hutong.control.standards.scoring import newest_score, scores_of
from hutong.node import settings as node_settings
from hutong.portal.components import access, concerning, words
from hutong.portal.components.concerning import Concerning
from hutong.portal.components.page import Page, shell_for
from hutong.portal.components.paging import Pager, page_number, pager
from hutong.portal.components.parts import Badge, Choice, Fact, Filter, May, no
from hutong.portal.components.peers import Names
from hutong.portal.staff.versions import versions_url
from hutong.portal.stewards.resource import score_badge
from hutong.vocabulary import codes
from hutong.vocabulary.codes import CodeList

FILTERS = {"attribute": lazy("Sharing"), "origin": lazy("Published by"), "theme": lazy("Theme")}
LONGEST_TEXT = finding.LONGEST_QUERY
MOST_CHOICES = 12  # of one filter; more would be a list to search in itself


@dataclass(frozen=True)
class Result:
    url: str
    title: str
    other_title: str
    other_language: str
    summary: str
    attribute: Badge
    provider: str
    department: str
    items: int
    cycle: str
    stale: Badge | None
    score: Badge | None


@dataclass(frozen=True, kw_only=True)
class CataloguePage(Page):
    text: str
    filters: tuple[Filter, ...]
    results: tuple[Result, ...]
    every_word: bool
    pager: Pager


@dataclass(frozen=True)
class ItemRow:
    name: str
    title: str
    type: str
    element: str
    attribute: Badge
    grade: int
    sensitive: bool
    key: bool
    note: str
    mask: str


@dataclass(frozen=True, kw_only=True)
class ResourcePage(Page):
    title: str
    other_title: str
    other_language: str
    summary: str
    provider: str
    attribute: Badge
    state: Badge
    stale: Badge | None  # of what this node published itself
    keywords: tuple[str, ...]
    may_request: May
    request_url: str
    versions_url: str  # of what this node published itself
    score: Badge | None  # how far its values keep to the region's standards, where this node has measured it
    score_url: str
    items: tuple[ItemRow, ...]
    offer: tuple[str, ...]
    facts: tuple[Fact, ...]
    signature: tuple[Fact, ...]
    concerning: Concerning
    document: str


def catalogue_page(account: Account, query: QueryDict) -> CataloguePage:
    text = query.get("q", "")[:LONGEST_TEXT].strip()
    chosen = {name: values for name in FILTERS if (values := query.getlist(name))}
    names = Names()
    found = finding.search(text, chosen, page_number(query.get("page")), facets=True)
    documents = _documents(found.entries)
    stale = stale_badges([one.id for one in found.entries])
    scores = {key: score_badge(run) for key, run in scores_of([one.id for one in found.entries]).items()}
    return CataloguePage(
        shell=shell_for(account, "catalogue"),
        text=text,
        filters=tuple(_filter(name, found.facets.get(name, {}), chosen.get(name, []), names) for name in FILTERS),
        results=tuple(
            _result(one, documents[one.id], names, stale.get(one.id), scores.get(one.id)) for one in found.entries
        ),
        every_word=found.every_word,
        pager=pager(
            reverse("catalogue"),
            {"q": text, **chosen},
            page=found.page,
            size=found.size,
            total=found.total,
            more=found.more,
        ),
    )


def resource_page(account: Account, entry_id: str) -> ResourcePage:
    entry = queries.entry(entry_id)
    document = datasets.read(entry.dataset)
    names = Names()
    elements = dictionary().known
    other, language = _other(document.title_zh, document.title_en)
    return ResourcePage(
        shell=shell_for(account, "catalogue"),
        title=words.of_language(document.title_zh, document.title_en),
        other_title=other,
        other_language=language,
        summary=words.of_language(document.summary_zh, document.summary_en),
        provider=names(document.origin),
        attribute=words.attribute(document.attribute),
        state=words.state(words.RESOURCE_STATES, document.state),
        stale=stale_badges([document.id]).get(document.id),
        keywords=document.keywords,
        may_request=may_request(account, document),
        request_url=reverse("request_new", args=[document.id]),
        versions_url=versions_url(document.id) if document.origin == node_settings.current().jurisdiction else "",
        score=_score(document.id),
        score_url=reverse("resource_standards", args=[document.id]),
        items=tuple(_item(one, elements) for one in document.items),
        offer=offer_sentences(document),
        facts=_facts(document, names),
        signature=(
            Fact(_("Version"), str(document.version)),
            Fact(_("Key"), entry.keyid, mono=True),
            Fact(_("Signature"), entry.signature, mono=True),
        ),
        concerning=concerning.with_entry(account, document),
        document=json.dumps(entry.dataset, ensure_ascii=False, indent=2),
    )


def stale_badges(resources: Sequence[str]) -> dict[str, Badge]:
    """A badge for each resource of this node whose source changed under it, or that is behind its update cycle; of
    other nodes' nothing is known here."""
    stale = {one: Badge(_("stale"), "bad") for one in coverage.stale_among(resources)}
    return stale | {one: Badge(_("source changed"), "bad") for one in drifted_among(resources)}


def may_request(account: Account, document: EntryDocument) -> May:
    """Whether this account may ask for this resource, or why not."""
    allowed = access.may(account, Action.FILE_REQUEST)
    if not allowed:
        return allowed
    if document.origin == node_settings.current().jurisdiction:
        return no(_("This node publishes it itself; agreements are between nodes."))
    if document.state != "published":
        return no(_("The provider has withdrawn this resource."))
    if document.attribute == Attribute.REFUSED:
        cited = _(" It cites: {law}").format(law=document.legal_citation) if document.legal_citation else ""
        return no(_("The provider does not share this resource.") + cited)
    return allowed


def offer_sentences(document: EntryDocument) -> tuple[str, ...]:
    """What the provider offers, in sentences."""
    language = words.language()
    if document.attribute == Attribute.REFUSED:
        return (_("Not shared."), document.legal_citation)
    modes = _(", ").join(codes.SHARING_MODES.name(mode, language) for mode in document.sharing_modes)
    if document.attribute == Attribute.UNCONDITIONAL:
        offered = [_("Shared with every department without conditions; a request is agreed by rule, at once.")]
    else:
        offered = [_("Shared on conditions; the provider answers within 10 working days.")]
        purposes = _(", ").join(codes.PURPOSES.name(one, language) for one in document.permitted_purposes)
        if purposes:
            offered.append(_("For these purposes: {purposes}.").format(purposes=purposes))
        if document.conditions:
            offered.append(_("Scope: {conditions}").format(conditions=document.conditions))
    withheld = [title_of(item) for item in document.items if not item.may_be_shared]
    if withheld:
        offered.append(_("Not shared: {items}.").format(items=_(", ").join(withheld)))
    if modes:
        offered.append(_("By {modes}.").format(modes=modes))
    return tuple(offered)


def title_of(item: EntryItem) -> str:
    return words.of_language(item.title_zh, item.title_en) or item.name


def titles(items: Sequence[EntryItem]) -> dict[str, str]:
    return {one.name: title_of(one) for one in items}


def department_of(document: EntryDocument) -> str:
    return words.of_language(document.department_name, document.department_name_en)


def _documents(entries: Sequence[Entry]) -> dict[str, EntryDocument]:
    rows = Entry.objects.filter(id__in=[one.id for one in entries]).values_list("id", "dataset")
    return {entry_id: datasets.read(dataset) for entry_id, dataset in rows}


def _filter(name: str, counts: Mapping[str, int], chosen: Sequence[str], names: Names) -> Filter:
    shown = list(counts.items())[:MOST_CHOICES]
    shown += [(value, 0) for value in chosen if value not in counts]
    choices = [
        Choice(value, _filter_word(name, value, names), value in chosen, count) for value, count in shown if value
    ]
    return Filter(name, str(FILTERS[name]), tuple(choices))


def _filter_word(name: str, value: str, names: Names) -> str:
    if name == "origin":
        return names(value)
    return words.code_name(codes.ATTRIBUTES if name == "attribute" else codes.THEMES, value)


def _result(entry: Entry, document: EntryDocument, names: Names, stale: Badge | None, score: Badge | None) -> Result:
    other, language = _other(document.title_zh, document.title_en)
    return Result(
        url=reverse("resource", args=[entry.id]),
        title=words.of_language(document.title_zh, document.title_en),
        other_title=other,
        other_language=language,
        summary=words.of_language(document.summary_zh, document.summary_en),
        attribute=words.attribute(document.attribute),
        provider=names(document.origin),
        department=department_of(document),
        items=len(document.items),
        cycle=words.code_name(codes.UPDATE_CYCLES, document.update_cycle),
        stale=stale,
        score=score,
    )


def _score(entry_id: str) -> Badge | None:
    run = newest_score(entry_id)
    return score_badge(run) if run is not None else None


def _other(zh: str, en: str) -> tuple[str, str]:
    """The title in the other language and that language's tag; nothing where it has only one."""
    if not zh or not en:
        return "", ""
    return (en, "en") if words.in_chinese() else (zh, "zh-Hans")


def _item(item: EntryItem, elements: CodeList) -> ItemRow:
    coded = _("in the codes of {table}").format(table=item.codes) if item.codes else ""
    return ItemRow(
        name=item.name,
        title=title_of(item),
        type=words.word(words.TYPES, item.type),
        element=_(", ").join(one for one in (words.code_name(elements, item.element), coded) if one),
        attribute=words.attribute(item.attribute),
        grade=item.grade,
        sensitive=item.sensitive,
        key=item.key,
        note=item.note,
        mask=words.mask_action(item.mask),
    )


def _facts(document: EntryDocument, names: Names) -> tuple[Fact, ...]:
    facts = [
        Fact(_("Department"), department_of(document)),
        Fact(_("Jurisdiction"), names(document.origin)),
        Fact(_("Catalogue code"), document.code),
        Fact(_("Theme"), words.code_name(codes.THEMES, document.theme)),
        Fact(_("Class"), words.code_name(codes.CATEGORIES, document.category)),
        Fact(_("Updated"), words.code_name(codes.UPDATE_CYCLES, document.update_cycle)),
        Fact(_("Rows"), "" if document.row_count is None else words.number(document.row_count)),
        Fact(_("Period"), document.time_range),
        Fact(_("Area"), document.area_code),
        Fact(_("Level"), words.code_name(codes.NATIONAL_LEVELS, document.national_level)),
        Fact(_("Source system"), document.source_system),
        Fact(_("Government matter"), document.business_matter),
    ]
    return tuple(fact for fact in facts if fact.value)
