"""The room of disputes: each with its level, its signed papers, and what one may do next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import QueryDict
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from hutong.control.clocks import queries as clocks
from hutong.control.corrections.reopening import reported_to_us
from hutong.control.disputes import queries
from hutong.control.disputes.models import Dispute, Mandate
from hutong.control.disputes.papers import Paper
from hutong.control.disputes.standing import LEVELS
from hutong.control.identity.models import Account
from hutong.control.identity.rules import Action
from hutong.node.settings import current
from hutong.portal.components import access, words
from hutong.portal.components.asked import titles_of_items
from hutong.portal.components.page import Page, Refusal, shell_for
from hutong.portal.components.paging import Pager, page_number, pager
from hutong.portal.components.parts import Badge, Due, Fact, May, Step, no
from hutong.portal.components.peers import Names
from hutong.portal.components.refusing import NothingHere
from hutong.portal.components.titles import title_of_entry
from hutong.portal.disputes.forms import EFFECT_WORDS, DoneForm, OpenForm, OutcomeForm, SayForm
from hutong.vocabulary.errors import NotFound
from hutong.vocabulary.ids import urn, uuid_of

PAGE_SIZE = 30
KINDS: Mapping[str, Promise] = {
    "opened": lazy("Dispute opened"),
    "statement": lazy("Statement"),
    "minutes": lazy("Minutes"),
    "proposed": lazy("Settlement proposed"),
    "settled": lazy("Settlement accepted"),
    "escalated": lazy("Brought one level up"),
    "decided": lazy("Decision"),
    "executed": lazy("Carried out"),
    "closed": lazy("Execution confirmed"),
    "withdrawn": lazy("Withdrawn"),
}
SIDES: Mapping[str, Promise] = {
    "claimant": lazy("claimant"),
    "respondent": lazy("respondent"),
    "mediator": lazy("mediator"),
    "forum": lazy("common superior"),
}
DUTY_STATES: words.Stated = {
    "waiting": (lazy("to be done"), "wait"),
    "failed": (lazy("could not be done by itself"), "bad"),
    "done": (lazy("done"), "good"),
}


@dataclass(frozen=True)
class Row:
    url: str
    title: str
    parties: str
    level: str
    state: Badge
    updated_at: datetime


@dataclass(frozen=True, kw_only=True)
class DisputesPage(Page):
    rows: tuple[Row, ...]
    pager: Pager
    new_url: str
    may_open: May


@dataclass(frozen=True)
class Said:
    """One paper as people read it."""

    what: str
    who: str
    at: datetime
    text: str
    facts: tuple[Fact, ...]
    digest: str
    keyid: str


@dataclass(frozen=True)
class Duty:
    position: int
    what: str
    state: Badge
    note: str
    report_url: str  # of the correction it waits for
    form: DoneForm | None


@dataclass(frozen=True, kw_only=True)
class DisputePage(Page):
    title: str
    state: Badge
    parties: str
    due: Due | None
    levels: tuple[Step, ...]
    papers: tuple[Said, ...]
    facts: tuple[Fact, ...]
    duties: tuple[Duty, ...]
    act_url: str
    say_form: SayForm
    outcome_form: OutcomeForm
    open: bool
    proposal: str
    may_state: May
    may_minutes: May
    may_escalate: May
    may_withdraw: May
    may_propose: May
    may_accept: May
    may_decide: May
    may_close: May
    may_retry: May
    retry: bool


@dataclass(frozen=True, kw_only=True)
class OpenPage(Page):
    about: str
    form: OpenForm
    url: str


def disputes_page(account: Account, query: QueryDict) -> DisputesPage:
    found = queries.disputes(account)
    number = page_number(query.get("page"))
    pages = pager(reverse("disputes"), {}, page=number, size=PAGE_SIZE, total=found.count())
    first, names = (pages.page - 1) * PAGE_SIZE, Names()
    rows = tuple(_row(one, names) for one in found[first : first + PAGE_SIZE])
    may = access.may(account, Action.TAKE_PART_IN_DISPUTE)
    return DisputesPage(
        shell=shell_for(account, "disputes"), rows=rows, pager=pages, new_url=reverse("dispute_new"), may_open=may
    )


def dispute_of(account: Account, bare_id: str) -> queries.Docket:
    """raises   NothingHere, also for another department's"""
    try:
        return queries.docket(account, urn(bare_id))
    except NotFound:
        raise NothingHere from None


def dispute_page(
    account: Account,
    docket: queries.Docket,
    *,
    say: SayForm | None = None,
    outcome: OutcomeForm | None = None,
    refusal: Refusal | None = None,
) -> DisputePage:
    dispute, now, names = docket.dispute, docket.standing, Names()
    bare = uuid_of(dispute.id)
    titles = titles_of_items(dispute.about.get("resource", ""))
    proposal = now.proposal if now.state == "open" else None
    return DisputePage(
        shell=shell_for(account, "disputes"),
        refusal=refusal,
        title=dispute.title,
        state=words.state(words.DISPUTE_STATES, dispute.state),
        parties=_parties(dispute, names),
        due=_due(dispute),
        levels=_levels(docket, names),
        papers=tuple(_said(one, names, titles) for one in reversed(docket.papers)),
        facts=_facts(dispute, names),
        duties=tuple(_duty(one) for one in docket.mandates),
        act_url=reverse("dispute_act", args=[bare]),
        say_form=say or SayForm(),
        outcome_form=outcome or OutcomeForm(dispute),
        open=dispute.state == "open",
        proposal=proposal.text if proposal else "",
        retry=any(one.state == "failed" for one in docket.mandates),
        **_mays(account, docket),
    )


def _mays(account: Account, docket: queries.Docket) -> dict[str, May]:
    dispute, now = docket.dispute, docket.standing
    us = current().jurisdiction
    part, settle = (
        _as_party(account, dispute, Action.TAKE_PART_IN_DISPUTE),
        _as_party(account, dispute, Action.SETTLE_DISPUTE),
    )
    decide = access.may(account, Action.DECIDE_DISPUTE)
    forum = decide if dispute.forum == us else no(_("Only the common superior decides."))
    office = dispute.level == 1 and dispute.mediator == us
    up = forum if dispute.level == 2 and dispute.forum == us else settle
    if dispute.level >= 3:
        up = no(_("It is at the last level already."))
    claims = dispute.claimant == us
    return {
        "may_state": _while_open(dispute, part),
        "may_minutes": _while_open(dispute, decide if office else part if dispute.level == 1 else forum),
        "may_escalate": _while_open(dispute, up),
        "may_withdraw": _while_open(dispute, settle if claims else no(_("Only whoever opened it withdraws it."))),
        "may_propose": _while_open(dispute, settle),
        "may_accept": _while_open(dispute, settle if _theirs(now, us) else no(_("Your side made this proposal."))),
        "may_decide": _while_open(dispute, forum if dispute.level > 1 else no(_("The parties negotiate first."))),
        "may_close": forum if dispute.state == "executed" else no(_("Nothing awaits confirmation.")),
        "may_retry": settle,
    }


def _as_party(account: Account, dispute: Dispute, action: Action) -> May:
    us = current().jurisdiction
    if us not in (dispute.claimant, dispute.respondent):
        return no(_("This node is no party of it."))
    return access.may(account, action, dispute.department or None)


def _theirs(now: Any, us: str) -> bool:
    """Whether the proposal was made by the other side. Within one node both sides are ours."""
    return now.proposal is None or now.proposal.by != us or now.claimant == now.respondent


def _while_open(dispute: Dispute, may: May) -> May:
    if dispute.state == "open":
        return may
    return no(_("The dispute is “{state}”.").format(state=words.state(words.DISPUTE_STATES, dispute.state).word))


def _row(one: Dispute, names: Names) -> Row:
    return Row(
        url=reverse("dispute", args=[uuid_of(one.id)]),
        title=one.title,
        parties=_parties(one, names),
        level=_level(one.level),
        state=words.state(words.DISPUTE_STATES, one.state),
        updated_at=one.updated_at,
    )


def _parties(one: Dispute, names: Names) -> str:
    return _("{claimant} with {respondent}").format(claimant=names(one.claimant), respondent=names(one.respondent))


def _level(level: int) -> str:
    zh, en = LEVELS[level]
    return f"{level} · {words.of_language(zh, en)}"


def _levels(docket: queries.Docket, names: Names) -> tuple[Step, ...]:
    """The four levels, and where it stands; one that was not needed is left out once it is decided."""
    dispute = docket.dispute
    reached = {1, dispute.level, *(one.document["level"] for one in docket.papers if one.kind == "escalated")}
    forum = names(dispute.forum) if dispute.forum else _("the nearest common superior")
    mediator = _(", with {office} as mediator").format(office=names(dispute.mediator)) if dispute.mediator else ""
    details = {
        1: _("Between the parties{mediator}").format(mediator=mediator),
        2: _("The data authority of {forum}").format(forum=forum),
        3: _("The government at the level of {forum}").format(forum=forum),
        4: _("By the side that is bound; supervised by {forum}").format(forum=forum),
    }
    over = dispute.state in ("executed", "closed", "withdrawn")
    steps = []
    for level in (one for one in LEVELS if one in reached or (one > dispute.level and not over)):
        now = level == dispute.level and not over
        said = _("{level} (now)").format(level=_level(level)) if now else _level(level)
        steps.append(Step(said, details[level], "good" if level < dispute.level or over else "wait"))
    return tuple(steps)


def _said(paper: Paper, names: Names, titles: Mapping[str, str]) -> Said:
    """titles   of the items of the resource it is about"""
    facts = [Fact(_("Citation"), paper.document["citation"])] if paper.document.get("citation") else []
    for one in paper.effects:
        limits = [_("at most {days} days").format(days=one.limits["term_days"])] if "term_days" in one.limits else []
        if "items" in one.limits:
            wanted = _(", ").join(titles.get(name, name) for name in one.limits["items"])
            limits.append(_("only {items}").format(items=wanted))
        facts.append(Fact(_("What follows"), " · ".join([str(EFFECT_WORDS[one.do]), *limits])))
        if one.binds:
            facts.append(Fact(_("Who is bound"), names(one.binds)))
    if paper.kind == "escalated":
        facts.append(Fact(_("To"), names(paper.document["forum"])))
    return Said(
        what=str(KINDS[paper.kind]),
        who=f"{names(paper.by)} · {SIDES[paper.side]}",
        at=datetime.fromisoformat(paper.at),
        text=paper.text,
        facts=tuple(facts),
        digest=paper.digest,
        keyid=str(paper.signature.get("keyid", "")),
    )


def _facts(dispute: Dispute, names: Names) -> tuple[Fact, ...]:
    about = dispute.about
    facts = [Fact(_("Claimant"), names(dispute.claimant)), Fact(_("Respondent"), names(dispute.respondent))]
    facts += [Fact(_("Mediator"), names(dispute.mediator))] if dispute.mediator else []
    facts += [Fact(_("Decides"), names(dispute.forum))] if dispute.forum else []
    if about.get("resource"):
        facts.append(Fact(_("Data set"), title_of_entry(about["resource"])))
    named = ((_("Agreement id"), "agreement"), (_("Correction"), "ticket"))
    facts += [Fact(term, about[name], mono=True) for term, name in named if about.get(name)]
    return (*facts, Fact(_("Dispute id"), dispute.id, mono=True))


def _duty(one: Mandate) -> Duty:
    report = reported_to_us(one.dispute.about["ticket"]) if one.do == "correct" else None
    form = None if one.state == "done" or report else DoneForm(prefix=f"done{one.position}")
    note = one.note or one.code
    if report is not None and report.state == "reported" and report.due_on:
        note = _("the report is open and due on {day}").format(day=report.due_on)
    address = reverse("correction", args=[report.pk]) if report else ""
    return Duty(one.position, str(EFFECT_WORDS[one.do]), words.state(DUTY_STATES, one.state), note, address, form)


def _due(dispute: Dispute) -> Due | None:
    running = clocks.of(f"dispute:{dispute.id}").filter(state="running").exclude(due_on=None).first()
    if running is None or running.due_on is None:
        return None
    return Due(running.due_on, clocks.days_left(running))
