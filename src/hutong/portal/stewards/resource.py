"""One resource against the region's standards: its items' elements, what is proposed for the rest, and its score."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from hutong.control.catalogue import queries as catalogue
from hutong.control.catalogue.models import Item, Resource
from hutong.control.identity.models import Account
from hutong.control.identity.rules import Action
from hutong.control.standards.dictionary import dictionary
from hutong.control.standards.elements import Reason, Suggestion, suggest
from hutong.control.standards.models import Finding, ScoreRun
from hutong.control.standards.scoring import newest_score
from hutong.portal.components import access, words
from hutong.portal.components.page import Page, Refusal, refusal_of, shell_for
from hutong.portal.components.parts import Badge, Figure, May, Tone, no
from hutong.vocabulary.codes import CodeList
from hutong.vocabulary.errors import Refused

HELD_TO: words.Words = {
    "type": lazy("of type {what}"),
    "length": lazy("at most {what} characters"),
    "check": lazy("check digits: {what}"),
    "table": lazy("codes of {what}"),
    "map": lazy("codes the map {what} holds"),
}
REASONS: words.Words = {
    "check": lazy("{share} of the values pass its check ({what})"),
    "codes": lazy("{share} of the values are codes of {what}"),
    "code_names": lazy("{share} of the values are names in {what}"),
    "same_name": lazy("the name is one of its names: {what}"),
    "like_name": lazy("the name is like one of its names: {what}"),
    "name_pattern": lazy("the name {what} reads so"),
}
GOOD, FAIR = 0.99, 0.9  # of the values; below, the score is bad


@dataclass(frozen=True)
class Proposed:
    element: str
    title: str
    score: str
    why: tuple[str, ...]


@dataclass(frozen=True)
class ItemRow:
    name: str
    title: str
    type: str
    element: str
    proposed: tuple[Proposed, ...]


@dataclass(frozen=True)
class FindingRow:
    item: str
    element: str
    held_to: str
    present: int
    wrong: int
    share: Badge
    width: int  # of 100


@dataclass(frozen=True)
class Score:
    """A finished run in figures."""

    figures: tuple[Figure, ...]
    at: datetime | None
    rows: int
    findings: tuple[FindingRow, ...]


@dataclass(frozen=True, kw_only=True)
class ResourceStandardsPage(Page):
    title: str
    edit_url: str
    entry_url: str
    score: Score | None
    running: str  # how far a run is, in words
    failed: str
    items: tuple[ItemRow, ...]
    may_map: May
    may_measure: May
    map_url: str
    measure_url: str


def resource_standards_page(
    account: Account, resource: Resource, *, look: bool = False, refusal: Refusal | None = None
) -> ResourceStandardsPage:
    """look   read the source for suggestions"""
    proposed: dict[str, tuple[Suggestion, ...]] = {}
    if look:
        try:
            proposed = suggest(resource)
        except Refused as refused:
            refusal = refusal or refusal_of(refused)
    run = ScoreRun.objects.filter(resource=resource).order_by("-asked_at").first()
    items = catalogue.items_of(resource)
    elements = dictionary().known
    return ResourceStandardsPage(
        shell=shell_for(account, "publish" if access.may(account, Action.DESCRIBE_RESOURCE) else "standards"),
        refusal=refusal,
        title=words.of_language(resource.title_zh, resource.title_en) or _("A new resource"),
        edit_url=reverse("resource_edit", args=[resource.id]) if access.may(account, Action.DESCRIBE_RESOURCE) else "",
        entry_url=reverse("resource", args=[resource.id]) if resource.state == "published" else "",
        score=_score(resource, elements),
        running=_progress(run) if run and run.state in ("waiting", "running") else "",
        failed=run.refusal if run and run.state == "failed" else "",
        items=tuple(_item(one, elements, proposed.get(one.name, ())) for one in items),
        may_map=_may_map(account, resource),
        may_measure=access.may(account, Action.MEASURE_RESOURCE, resource.department_id),
        map_url=reverse("resource_map_item", args=[resource.id]),
        measure_url=reverse("resource_measure", args=[resource.id]),
    )


def score_badge(run: ScoreRun) -> Badge:
    """A run in a word: the share of the values that conform."""
    if not run.checked:
        return Badge(_("not measurable"), "calm")
    share = run.conforming / run.checked
    return Badge(_("{percent} conform").format(percent=percent(share)), _tone(share))


def percent(share: float) -> str:
    """Rounded down, so that nothing short of all is shown as all."""
    return f"{int(share * 1000) / 10:g} %"


def _tone(share: float) -> Tone:
    return "good" if share >= GOOD else "wait" if share >= FAIR else "bad"


def _may_map(account: Account, resource: Resource) -> May:
    allowed = access.may(account, Action.DESCRIBE_RESOURCE, resource.department_id)
    if allowed and catalogue.open_submission(resource) is not None:
        return no(_("It is before the supervisor; take it back to change it."))
    return allowed


def _progress(run: ScoreRun) -> str:
    if run.state == "waiting" or not run.rows_total:
        return _("The measuring begins in a moment.")
    return _("{rows} of {total} rows are read.").format(
        rows=words.number(run.rows_read), total=words.number(run.rows_total)
    )


def _score(resource: Resource, elements: CodeList) -> Score | None:
    run = newest_score(resource.id)
    if run is None:
        return None
    here = reverse("resource_standards", args=[resource.id])
    return Score(
        figures=(
            Figure(run.items_mapped, _("of {many} items mapped").format(many=run.items), f"{here}#items"),
            Figure(
                run.conforming, _("of {many} values conform").format(many=words.number(run.checked)), f"{here}#found"
            ),
        ),
        at=run.finished_at,
        rows=run.rows_read,
        findings=tuple(_finding(one, elements) for one in run.findings.all()),
    )


def _finding(one: Finding, elements: CodeList) -> FindingRow:
    kind, _colon, what = one.held_to.partition(":")
    share = one.conforming / one.present if one.present else 1.0
    word = Badge(percent(share), _tone(share)) if kind else Badge(_("no element"), "calm")
    what = words.word(words.TYPES, what) if kind == "type" else words.code_name(elements, what)
    return FindingRow(
        item=one.item,
        element=words.code_name(elements, one.element),
        held_to=words.word(HELD_TO, kind).format(what=what) if kind else "",
        present=one.present,
        wrong=one.present - one.conforming if kind else 0,
        share=word,
        width=round(100 * share) if kind else 0,
    )


def _item(one: Item, elements: CodeList, proposed: tuple[Suggestion, ...]) -> ItemRow:
    return ItemRow(
        name=one.name,
        title=words.of_language(one.title_zh, one.title_en) or one.name,
        type=words.word(words.TYPES, one.type),
        element=words.code_name(elements, one.element),
        proposed=tuple(
            Proposed(
                suggestion.element.name,
                words.of_language(suggestion.element.title_zh, suggestion.element.title_en),
                percent(suggestion.score),
                tuple(_why(reason, elements) for reason in suggestion.reasons),
            )
            for suggestion in proposed
        ),
    )


def _why(reason: Reason, elements: CodeList) -> str:
    what = words.code_name(elements, reason.what) if reason.kind == "check" else reason.what
    return words.word(REASONS, reason.kind).format(share=percent(reason.share), what=what)
