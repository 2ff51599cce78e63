"""Terms: what is due, the latest first; and one term with its extension."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db.models import QuerySet
from django.http import QueryDict
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from hutong.control.clocks import queries
from hutong.control.clocks.actions import lateness
from hutong.control.clocks.models import Clock
from hutong.control.clocks.rules import clock_rule
from hutong.control.identity import rules as roles
from hutong.control.identity.models import Account
from hutong.control.identity.rules import Action
from hutong.control.organisations.models import Department
from hutong.control.statute import day
from hutong.ledger.models import AuditRecord
from hutong.portal.components import access, words
from hutong.portal.components.page import Page, Refusal, shell_for
from hutong.portal.components.paging import COUNT_UP_TO, Pager, Sheet, page_number, pager, sheet
from hutong.portal.components.parts import Badge, Choice, Due, Fact, Figure, Happening, May, no
from hutong.portal.components.peers import department_name
from hutong.portal.components.refusing import NothingHere
from hutong.portal.components.timelines import story
from hutong.portal.duties.forms import ExtensionForm

PAGE_SIZE = 30
STATES: words.Stated = {
    "running": (lazy("running"), "accent"),
    "met": (lazy("done in time"), "good"),
    "late": (lazy("done late"), "bad"),
    "dropped": (lazy("fell away"), "calm"),
}
EXTENSIONS: words.Stated = {
    "asked": (lazy("extension asked for"), "wait"),
    "consented": (lazy("extended"), "accent"),
    "refused": (lazy("extension refused"), "calm"),
}


@dataclass(frozen=True)
class ClockRow:
    url: str
    title: str
    rule: str
    rule_url: str
    department: str
    received_on: date
    due: Due | None
    state: Badge
    extension: Badge | None


@dataclass(frozen=True, kw_only=True)
class ClocksPage(Page):
    figures: tuple[Figure, ...]
    shown: tuple[Choice, ...]
    rows: tuple[ClockRow, ...]
    pager: Pager | None  # of those that run, the earliest day first
    sheet: Sheet[Clock] | None  # of those that ended, the newest first


@dataclass(frozen=True, kw_only=True)
class ClockPage(Page):
    title: str
    rule: str
    rule_url: str
    says: str
    due: Due | None
    running: bool
    state: Badge
    extension: Badge | None
    matter_url: str
    decisions_url: str
    facts: tuple[Fact, ...]
    asked: bool
    asked_because: str
    form: ExtensionForm
    may_ask: May
    ask_url: str
    may_consent: May
    decide_url: str
    timeline: tuple[Happening, ...]


def clocks_page(account: Account, query: QueryDict) -> ClocksPage:
    chosen = query.get("show", "")
    mine = queries.visible(account)
    running = mine.filter(state="running")
    late = running.filter(due_on__lt=day.today())
    asked = running.filter(extension_state="asked")
    ended = _ended(mine, query) if chosen == "ended" else None
    rows, pages = (list(ended.rows), None) if ended else _running(_chosen(chosen, running), chosen, query)
    return ClocksPage(
        shell=shell_for(account, "clocks"),
        figures=(
            Figure(_counted(running), _("running"), "?show="),
            Figure(_counted(late), _("overdue"), "?show=overdue"),
            Figure(_counted(asked), _("extensions to decide on"), "?show=asked"),
        ),
        shown=tuple(
            Choice(value, word, chosen == value)
            for value, word in (
                ("", _("running")),
                ("overdue", _("overdue")),
                ("asked", _("extension asked for")),
                ("ended", _("ended")),
            )
        ),
        rows=_rows(rows),
        pager=pages,
        sheet=ended,
    )


def clock_of(account: Account, clock_id: str) -> Clock:
    """raises   NothingHere, also for another department's"""
    found = queries.visible(account).filter(id=clock_id).first()
    if found is None:
        raise NothingHere
    return found


def clock_page(
    account: Account, clock: Clock, form: ExtensionForm | None = None, refusal: Refusal | None = None
) -> ClockPage:
    (row,) = _rows([clock])
    records = AuditRecord.objects.filter(subject=clock.subject, kind__startswith="clock.").order_by("at", "id")
    return ClockPage(
        shell=shell_for(account, "clocks"),
        refusal=refusal,
        title=row.title,
        rule=row.rule,
        rule_url=row.rule_url,
        says=lateness(clock).say(words.language()) if row.due and row.due.overdue else "",
        due=row.due,
        running=clock.state == "running",
        state=row.state,
        extension=row.extension,
        matter_url=_matter(clock),
        decisions_url=f"{reverse('decisions')}?subject={clock.subject}"
        if roles.may(account, Action.SEE_ALL_EXCHANGES)
        else "",
        facts=_facts(clock, row),
        asked=clock.extension_state == "asked" and clock.state == "running",
        asked_because=clock.extension_reason,
        form=form or ExtensionForm(),
        may_ask=_may_ask(account, clock),
        ask_url=reverse("clock_extend", args=[clock.id]),
        may_consent=_may_consent(account, clock),
        decide_url=reverse("clock_decide", args=[clock.id]),
        timeline=story(one for one in records if one.detail.get("clock") == clock.id),
    )


def _chosen(chosen: str, running: QuerySet[Clock]) -> QuerySet[Clock]:
    if chosen == "overdue":
        running = running.filter(due_on__lt=day.today())
    elif chosen == "asked":
        running = running.filter(extension_state="asked")
    return running.order_by("due_on", "id")


def _running(found: QuerySet[Clock], chosen: str, query: QueryDict) -> tuple[list[Clock], Pager]:
    total = _counted(found)
    pages = pager(
        reverse("clocks"),
        {"show": chosen},
        page=page_number(query.get("page")),
        size=PAGE_SIZE,
        total=total,
        more=total >= COUNT_UP_TO,
    )
    first = (pages.page - 1) * PAGE_SIZE
    return list(found[first : first + PAGE_SIZE]), pages


def _ended(mine: QuerySet[Clock], query: QueryDict) -> Sheet[Clock]:
    lists = [mine.filter(state=state) for state in ("met", "late", "dropped")]
    return sheet(lists, "changed_at", reverse("clocks"), query.dict(), size=PAGE_SIZE)


def _counted(found: QuerySet[Clock]) -> int:
    return found.order_by()[:COUNT_UP_TO].count()


def _rows(clocks: list[Clock]) -> tuple[ClockRow, ...]:
    left = queries.DaysLeft()
    names = {
        one.code: department_name(one) for one in Department.objects.filter(code__in={c.department for c in clocks})
    }
    return tuple(_row(one, left(one), names.get(one.department, "")) for one in clocks)


def _row(one: Clock, left: int | None, department: str) -> ClockRow:
    return ClockRow(
        url=reverse("clock", args=[one.id]),
        title=words.of_language(one.title_zh, one.title_en) or one.subject,
        rule=one.rule.partition("/")[0],
        rule_url=reverse("rule", args=one.rule.split("/")),
        department=department,
        received_on=one.received_on,
        due=Due(one.due_on, left) if one.due_on else None,
        state=words.state(STATES, one.state),
        extension=words.state(EXTENSIONS, one.extension_state) if one.extension_state else None,
    )


def _matter(clock: Clock) -> str:
    """The page where the duty is done, "" where there is none."""
    if not clock.page:
        return ""
    name, *arguments = clock.page
    try:
        return reverse(name, args=arguments)
    except NoReverseMatch:
        return ""


def _facts(clock: Clock, row: ClockRow) -> tuple[Fact, ...]:
    days = _("{days} working days").format(days=clock.days)
    if clock.extended_days:
        days = _("{days} working days, and {more} more with the supervisor's consent").format(
            days=clock.days, more=clock.extended_days
        )
    facts = [
        Fact(_("Who must act"), words.word(words.ROLES, clock.role)),
        Fact(_("Department"), row.department),
        Fact(_("Received"), words.date_word(clock.received_on)),
        Fact(_("Time allowed"), days),
        Fact(
            _("Due"), words.date_word(clock.due_on) if clock.due_on else _("not known: its year's holidays are missing")
        ),
        Fact(_("Done"), words.date_word(clock.met_on) if clock.met_on else ""),
        Fact(_("About"), clock.subject, mono=True),
    ]
    return tuple(one for one in facts if one.value)


def _may_ask(account: Account, clock: Clock) -> May:
    if clock.state != "running":
        return no(_("This term has ended."))
    if not any(one.name == "extension_days" for one in clock_rule(clock.rule).declares):
        return no(_("The law knows no extension of this term."))
    if clock.extension_state:
        return no(_("An extension is asked for once; this one was."))
    return access.may(account, Action.ASK_EXTENSION, clock.department or None)


def _may_consent(account: Account, clock: Clock) -> May:
    if clock.state != "running" or clock.extension_state != "asked":
        return no(_("No extension is asked for."))
    return access.may(account, Action.CONSENT_EXTENSION)
