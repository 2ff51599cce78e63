"""The start: what waits for me, and how much is going on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from hutong.control.agreements.queries import rows
from hutong.control.catalogue.models import Entry, Resource
from hutong.control.clocks.queries import DaysLeft, visible
from hutong.control.identity import rules
from hutong.control.identity.models import Account
from hutong.control.identity.rules import Action
from hutong.control.statute import day as law_day
from hutong.exchange.models import Source
from hutong.ledger.models import ForkEvidence
from hutong.node.models import OutboxMessage
from hutong.portal import waiting
from hutong.portal.auditors.exchanges import per_day
from hutong.portal.components import charts, scope, words
from hutong.portal.components.page import Page, shell_for
from hutong.portal.components.parts import Badge, Due, Figure
from hutong.portal.components.peers import Names
from hutong.portal.components.titles import title_of_entry
from hutong.vocabulary.ids import uuid_of

DAYS = 14
MOST_TASKS = 12  # of one kind; the room itself has them all
ENDING_SOON = timedelta(days=30)


@dataclass(frozen=True)
class Task:
    """Something this account is expected to do."""

    title: str
    why: str
    url: str
    due: Due | None = None
    badge: Badge | None = None


@dataclass(frozen=True, kw_only=True)
class HomePage(Page):
    tasks: tuple[Task, ...]
    nothing_next: str
    figures: tuple[Figure, ...]
    chart: charts.Bars


def home_page(account: Account) -> HomePage:
    tasks = [
        *_late(account),
        *_sign_offs(account),
        *_answers(account),
        *_drafts(account),
        *_ending(account),
        *_node(account),
    ]
    chart = per_day(account, timezone.localdate(), DAYS)
    return HomePage(
        shell=shell_for(account, "home"),
        tasks=tuple(tasks),
        nothing_next=_("New matters appear here by themselves, the most urgent first."),
        figures=(
            Figure(
                Entry.objects.filter(state="published").count(), _("data sets in the catalogue"), reverse("catalogue")
            ),
            Figure(
                scope.agreements(account).filter(state="active").count(),
                _("agreements in force"),
                reverse("agreements"),
            ),
            Figure(chart.total_served, _("exchanges served in 14 days"), reverse("exchanges") + "?outcome=served"),
            Figure(chart.total_refused, _("refused or cut off in 14 days"), reverse("exchanges") + "?outcome=refused"),
        ),
        chart=chart,
    )


def _late(account: Account) -> Iterator[Task]:
    """Terms overdue, and extensions that wait for the supervisor's consent."""
    running, left = visible(account).filter(state="running"), DaysLeft()
    for one in running.filter(due_on__lt=law_day.today()).order_by("due_on", "id")[:MOST_TASKS]:
        why = _("This is overdue ({rule}).").format(rule=one.rule.partition("/")[0])
        due = Due(one.due_on, left(one)) if one.due_on else None
        yield Task(words.of_language(one.title_zh, one.title_en), why, reverse("clock", args=[one.id]), due=due)
    if not rules.may(account, Action.CONSENT_EXTENSION):
        return
    for one in running.filter(extension_state="asked").order_by("due_on", "id")[:MOST_TASKS]:
        due = Due(one.due_on, left(one)) if one.due_on else None
        why = _("An extension is asked for; your consent is needed.")
        yield Task(words.of_language(one.title_zh, one.title_en), why, reverse("clock", args=[one.id]), due=due)


def _sign_offs(account: Account) -> Iterator[Task]:
    for one in waiting.to_sign_off(account)[:MOST_TASKS]:
        yield Task(
            title_of_entry(one.resource_id),
            _("{name} filed this request; your signature sends it.").format(name=one.filed_by),
            reverse("request", args=[one.id]),
            badge=words.state(words.REQUEST_STATES, one.state),
        )


def _answers(account: Account) -> Iterator[Task]:
    names = Names()
    may = rules.may(account, Action.ANSWER_REQUEST)
    why = _("{peer} asks for this data; answer by the statutory day.") if may else _("{peer} awaits an answer.")
    for one in rows(waiting.to_answer(account)[:MOST_TASKS]):
        yield Task(
            words.of_language(one.title.zh, one.title.en),
            why.format(peer=names(one.peer)),
            reverse("negotiation", args=[uuid_of(one.pid)]),
            due=Due(one.due_at, one.working_days_left) if one.due_at else None,
        )


def _drafts(account: Account) -> Iterator[Task]:
    if not rules.may(account, Action.SUBMIT_RESOURCE):
        return
    drafts = Resource.objects.filter(department=account.department, state="draft").order_by("-updated_at")
    for one in drafts[:MOST_TASKS]:
        why = _("Drafted, not submitted yet.")
        if rules.may(account, Action.SIGN_OFF_RESOURCE) and not one.secrecy_checked_by:
            why = _("Drafted; the secrecy assessment needs your sign-off.")
        title = words.of_language(one.title_zh, one.title_en) or _("A new resource")
        yield Task(
            title, why, reverse("resource_edit", args=[one.id]), badge=words.state(words.RESOURCE_STATES, one.state)
        )


def _ending(account: Account) -> Iterator[Task]:
    """Agreements we use that run out soon, for those who could ask for them again."""
    if not rules.may(account, Action.FILE_REQUEST):
        return
    now = timezone.now()
    soon = scope.agreements(account).filter(
        role="consumer", state="active", ends_at__gt=now, ends_at__lt=now + ENDING_SOON
    )
    for one in soon.order_by("ends_at")[:MOST_TASKS]:
        ends = Badge(_("until {day}").format(day=words.day(one.ends_at)), "wait") if one.ends_at else None
        why = _("This agreement runs out; request the data again if you still need it.")
        url = reverse("agreement", args=[uuid_of(one.id)])
        yield Task(one.title or one.id, why, url, badge=ends)


def _node(account: Account) -> Iterator[Task]:
    """What is wrong with the node, for those who oversee it."""
    if not rules.may(account, Action.SEE_NODE):
        return
    url = reverse("node")
    if forks := ForkEvidence.objects.count():
        yield Task(
            _("A log shows two histories"),
            _("The evidence is kept; tell its node and the region."),
            url + "#ledger",
            badge=Badge(str(forks), "bad"),
        )
    if given_up := OutboxMessage.objects.filter(delivered_at=None).exclude(failed_at=None).count():
        why = ngettext("{many} message was given up.", "{many} messages were given up.", given_up).format(many=given_up)
        yield Task(_("Messages did not reach their node"), why, url + "#outbox", badge=Badge(_("given up"), "bad"))
    for one in Source.objects.filter(check_ok=False).exclude(checked_at=None)[:MOST_TASKS]:
        yield Task(
            one.name, _("This source does not answer."), url + "#sources", badge=Badge(_("does not answer"), "bad")
        )
