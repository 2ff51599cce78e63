"""What both sides have filed under an agreement, and the page to file one more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from hutong.control.agreements.models import Agreement
from hutong.control.clocks import queries as clocks
from hutong.control.clocks.models import Clock
from hutong.control.conduct import kinds, queries
from hutong.control.conduct.models import Filing
from hutong.control.conduct.rules import FIELDS, PAPERS, DisposalLate
from hutong.control.identity.models import Account
from hutong.control.identity.rules import Action
from hutong.portal.components import access, words
from hutong.portal.components.page import Page, Refusal, shell_for
from hutong.portal.components.parts import Badge, Due, Fact, May, no
from hutong.portal.components.titles import title_of_entry
from hutong.portal.parties.forms import PaperForm
from hutong.vocabulary import codes
from hutong.vocabulary.ids import uuid_of

STATES: words.Stated = {
    "open": (lazy("to be put right"), "wait"),
    "filed": (lazy("filed"), "accent"),
    "accepted": (lazy("accepted"), "good"),
    "objected": (lazy("objected to"), "bad"),
    "lifted": (lazy("lifted"), "good"),
    "ended": (lazy("ended with the agreement"), "calm"),
}
LABELS: dict[str, Promise] = {
    "rectification": lazy("File a rectification"),
    "disposal": lazy("File the proof of disposal"),
    "use": lazy("File a record of use"),
    "incident": lazy("Report an incident"),
}
LEADS: dict[str, Promise] = {
    "rectification": lazy("What was put right, by whom, with evidence; then the other side may resume (article 27)."),
    "disposal": lazy("Which copies there were and how they were destroyed, with evidence (article 27)."),
    "use": lazy("Kept three years at least; the provider and the supervisors read it (article 29)."),
    "incident": lazy("The other side and both supervisors are told at once (articles 34 and 35)."),
}


@dataclass(frozen=True)
class Paper:
    """One filing."""

    id: str
    name: str
    side: str
    at: datetime
    state: Badge
    due: Due | None
    facts: tuple[Fact, ...]
    answerable: bool
    answer_url: str
    may_answer: May


@dataclass(frozen=True)
class ToFile:
    """A paper that can be filed here, or why not."""

    kind: str
    label: str
    url: str
    may: May


@dataclass(frozen=True, kw_only=True)
class PaperPage(Page):
    title: str
    lead: str
    agreement: str
    agreement_url: str
    form: PaperForm
    may_file: May
    url: str


def papers_of(account: Account, agreement: Agreement) -> tuple[Paper, ...]:
    """Everything filed, the newest first."""
    return tuple(_paper(account, agreement, one) for one in reversed(queries.of(agreement)))


def to_file(account: Account, agreement: Agreement) -> tuple[ToFile, ...]:
    bare = uuid_of(agreement.id)
    return tuple(
        ToFile(kind, str(label), reverse("paper", args=[bare, kind]), may_file(account, agreement, kind))
        for kind, label in LABELS.items()
        if agreement.role in kinds.KINDS[kind].authors
    )


def may_file(account: Account, agreement: Agreement, kind: str) -> May:
    """The role's answer, unless the agreement's state already says no."""
    may = access.may(account, Action.FILE_CONDUCT, agreement.department or None)
    if kind == "rectification" and queries.suspension_to_rectify(agreement) is None:
        return no(_("Nothing waits for a rectification."))
    if kind == "disposal" and not queries.is_over(agreement):
        return no(_("The agreement is still in force."))
    return may


def disposal_due(agreement: Agreement) -> Due | None:
    """By when the proof of disposal is due here; None where nothing is."""
    found = clocks.of(f"agreement:{agreement.id}").filter(rule=DisposalLate.name(), state="running").first()
    if found is None or found.due_on is None:
        return None
    return Due(found.due_on, clocks.days_left(found))


def paper_page(
    account: Account, agreement: Agreement, kind: str, form: PaperForm, refusal: Refusal | None = None
) -> PaperPage:
    bare = uuid_of(agreement.id)
    return PaperPage(
        shell=shell_for(account, "agreements"),
        refusal=refusal,
        title=str(LABELS[kind]),
        lead=str(LEADS[kind]),
        agreement=title_of_entry(agreement.resource_id) or agreement.title,
        agreement_url=reverse("agreement", args=[bare]),
        form=form,
        may_file=may_file(account, agreement, kind),
        url=reverse("paper", args=[bare, kind]),
    )


def _paper(account: Account, agreement: Agreement, one: Filing) -> Paper:
    language = words.language()
    ours = one.author == agreement.role
    answerable = kinds.KINDS[one.kind].answered and one.state == "filed" and not ours
    facts = [Fact(_field(name), _value(name, value), mono=name == "evidence") for name, value in one.content.items()]
    if one.answer:
        facts.append(Fact(_("Answer"), one.answer))
    left = Due(one.due_on, clocks.days_left(Clock(due_on=one.due_on))) if one.due_on and one.state == "open" else None
    return Paper(
        id=one.id,
        name=PAPERS[one.kind][1 if language == "zh" else 0],
        side=_("ours") if ours else _("theirs"),
        at=one.filed_at,
        state=words.state(STATES, one.state),
        due=left,
        facts=tuple(fact for fact in facts if fact.value),
        answerable=answerable,
        answer_url=reverse("paper_answer", args=[one.id]),
        may_answer=access.may(account, Action.CHANGE_AGREEMENT, agreement.department or None),
    )


def _field(name: str) -> str:
    return FIELDS[name][1 if words.language() == "zh" else 0]


def _value(name: str, value: str) -> str:
    if name == "cause":
        return words.code_name(codes.SUSPENSION_CAUSES, value)
    return words.code_name(codes.SERVICE_CHANGES, value) if name == "change" else value
