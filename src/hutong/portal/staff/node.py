"""The node's state, for stewards, supervisors and auditors: members, ledger, messages, sources."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from django.db.models import Count
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from hutong.control.calendar import queries as calendars
from hutong.control.calendar.rules import CalendarYearSoon
from hutong.control.identity.models import Account
from hutong.control.organisations.models import Department
from hutong.control.statute import day as law_day
from hutong.exchange.models import ExchangeRecord, Source
from hutong.ledger import checkpoint as checkpoints
from hutong.ledger.models import AuditRecord, ForkEvidence, WitnessedCheckpoint
from hutong.ledger.note import Note
from hutong.ledger.shelf import Shelf
from hutong.node import directory
from hutong.node import settings as node_settings
from hutong.node.models import Member, OutboxMessage
from hutong.portal.components import charts, words
from hutong.portal.components.page import Page, shell_for
from hutong.portal.components.parts import Badge, Fact, Figure
from hutong.portal.components.peers import Names, department_name, member_name

SHOWN_MESSAGES = 50  # the oldest undelivered ones; the rest stand behind them
DAYS = 14


@dataclass(frozen=True)
class MemberRow:
    name: str
    jurisdiction: str
    us: bool
    place: str
    address: str
    keys: int
    since: datetime


@dataclass(frozen=True)
class MessageRow:
    peer: str
    process: str
    at: datetime
    attempts: int
    state: Badge
    error: str


@dataclass(frozen=True)
class SourceRow:
    name: str
    department: str
    kind: str
    row_count: int | None
    quarantined: int
    answer: Badge
    checked_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class NodePage(Page):
    lead: str
    figures: tuple[Figure, ...]
    ledger_lead: str
    ledger: tuple[Fact, ...]
    growth: charts.Curve
    directory_lead: str
    members: tuple[MemberRow, ...]
    outbox_lead: str
    outbox: tuple[MessageRow, ...]
    sources: tuple[SourceRow, ...]
    calendar: tuple[Fact, ...]
    calendar_missing: tuple[str, ...]


def node_page(account: Account) -> NodePage:
    node = node_settings.current()
    members = [_member(one, node.jurisdiction) for one in Member.objects.order_by("jurisdiction")]
    waiting = OutboxMessage.objects.filter(delivered_at=None)
    names = Names()
    note = Shelf(node.ledger_folder).checkpoint()
    size = checkpoints.parse(note.text).size if note else 0
    sources = _sources()
    return NodePage(
        shell=shell_for(account, "node"),
        lead=" · ".join([node.jurisdiction, words.word(words.PLACES, node.place), node.base_url]),
        figures=(
            Figure(len(members), _("members"), "#members"),
            Figure(size, _("entries in the ledger"), "#ledger"),
            Figure(waiting.count(), _("messages not delivered yet"), "#outbox"),
            Figure(sum(1 for one in sources if one.answer.tone != "good"), _("sources without an answer"), "#sources"),
        ),
        ledger_lead=f"hutong/{node.jurisdiction}",
        ledger=_ledger(note, Shelf(node.ledger_folder).witnessed()),
        growth=growth(timezone.localdate()),
        directory_lead=_directory_lead(),
        members=tuple(members),
        outbox_lead=_("Delivered in order to each node; kept until it answers."),
        outbox=tuple(_message(one, names) for one in waiting.order_by("id")[:SHOWN_MESSAGES]),
        sources=tuple(sources),
        calendar=_calendar(),
        calendar_missing=tuple(
            CalendarYearSoon(year=year).say(words.language()) for year in calendars.missing_years(law_day.today())
        ),
    )


def growth(today: date) -> charts.Curve:
    """How many decisions and exchanges had been recorded by the end of each of the last days."""
    days = charts.last_days(today, DAYS)
    since = timezone.make_aware(datetime.combine(days[0], datetime.min.time()))
    total = 0
    per_day: dict[date, int] = dict.fromkeys(days, 0)
    for model in (AuditRecord, ExchangeRecord):
        records: Any = model._default_manager
        total += records.filter(at__lt=since).count()
        counted = records.filter(at__gte=since).annotate(day=TruncDate("at")).values("day").annotate(many=Count("pk"))
        for row in counted:
            per_day[row["day"]] = per_day.get(row["day"], 0) + row["many"]
    values = []
    for day in days:
        total += per_day[day]
        values.append((day, total))
    return charts.curve(values)


def _member(one: Member, us: str) -> MemberRow:
    now = datetime.now(UTC).isoformat()
    in_force = [key for key in one.keys if not key.get("valid_to") or str(key["valid_to"]) > now]
    return MemberRow(
        name=member_name(one),
        jurisdiction=one.jurisdiction,
        us=one.jurisdiction == us,
        place=words.word(words.PLACES, one.place),
        address=one.base_url,
        keys=len(in_force),
        since=one.valid_from,
    )


def _ledger(note: Note | None, witnessed: Note | None) -> tuple[Fact, ...]:
    if note is None:
        return (Fact(_("Checkpoint"), _("None yet: nothing has been recorded.")),)
    newest = checkpoints.parse(note.text)
    facts = [
        Fact(_("Origin"), newest.origin, mono=True),
        Fact(_("Tree size"), str(newest.size)),
        Fact(_("Root"), newest.root.hex(), mono=True),
        Fact(_("Signed by"), ", ".join(one.name for one in note.signatures), mono=True),
    ]
    facts.append(_cosigned(witnessed, newest.size))
    others = [f"{one.origin} · {one.size}" for one in WitnessedCheckpoint.objects.order_by("origin")]
    facts.append(Fact(_("We witness"), _("no other log yet") if not others else "", many=tuple(others)))
    if forks := ForkEvidence.objects.values_list("origin", flat=True):
        facts.append(Fact(_("Forks found"), many=tuple(sorted(set(forks)))))
    return tuple(facts)


def _cosigned(witnessed: Note | None, size: int) -> Fact:
    if witnessed is None:
        return Fact(_("Cosigned by"), _("no witness yet"))
    seen = checkpoints.parse(witnessed.text)
    lines = []
    for one in witnessed.signatures:
        if one.name != seen.origin:
            at = timezone.localtime(datetime.fromtimestamp(one.time, UTC))
            lines.append(f"{one.name} · {at:%Y-%m-%d %H:%M:%S}")
    behind = size - seen.size
    term = _("Cosigned by")
    if behind:
        lines.append(
            ngettext(
                "{many} newer entry awaits its witnesses", "{many} newer entries await their witnesses", behind
            ).format(many=behind)
        )
    return Fact(term, "" if lines else _("no witness yet"), many=tuple(lines))


def _calendar() -> tuple[Fact, ...]:
    """Which years the statutory clocks can count in, and what was loaded for them."""
    years = calendars.in_force().years
    loaded = tuple(
        f"{one.year} · {one.file_name} · {words.moment(one.loaded_at)} · {one.loaded_by}"
        for one in calendars.standing(calendars.loads())
    )
    return (
        Fact(_("Working days known"), f"{min(years)}–{max(years)}"),
        Fact(_("Loaded here"), "" if loaded else _("nothing: the published years alone"), many=loaded),
    )


def _directory_lead() -> str:
    held = directory.copy()
    if held is None:
        return _("This node keeps no directory yet.")
    return _("Directory version {version}, kept by {keeper}, read {at}").format(
        version=held.version, keeper=directory.keeper(), at=f"{timezone.localtime(held.fetched_at):%Y-%m-%d %H:%M}"
    )


def _message(one: OutboxMessage, names: Names) -> MessageRow:
    state = Badge(_("given up"), "bad") if one.failed_at else Badge(_("waiting"), "wait" if one.attempts else "calm")
    return MessageRow(
        peer=names(one.peer) or one.url,
        process=one.process,
        at=one.created_at,
        attempts=one.attempts,
        state=state,
        error=one.last_error,
    )


def _sources() -> list[SourceRow]:
    departments = {one.code: department_name(one) for one in Department.objects.all()}
    return [
        SourceRow(
            name=one.name,
            department=departments.get(one.department, one.department),
            kind=words.word(words.SOURCE_KINDS, one.kind),
            row_count=one.row_count,
            quarantined=one.quarantined,
            answer=source_answer(one),
            checked_at=one.checked_at,
        )
        for one in Source.objects.order_by("name")
    ]


def source_answer(source: Source) -> Badge:
    if source.checked_at is None:
        return Badge(_("never checked"))
    if source.check_ok and source.drift:
        return Badge(_("changed"), "bad")
    return Badge(_("answers"), "good") if source.check_ok else Badge(_("does not answer"), "bad")
