"""How much waits for an account: the numbers beside the rooms, and behind them the rows."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from hutong.control.agreements.models import Negotiation
from hutong.control.calendar import queries as calendar_queries
from hutong.control.catalogue import queries
from hutong.control.clocks.queries import visible
from hutong.control.corrections import queries as correcting
from hutong.control.demands import queries as lists
from hutong.control.demands.models import Demand
from hutong.control.disputes import queries as dispute_queries
from hutong.control.identity import rules
from hutong.control.identity.models import Account
from hutong.control.identity.rules import Action
from hutong.control.notices import queries as notices
from hutong.control.offerings import queries as offers
from hutong.control.replies import queries as replies
from hutong.control.replies.models import Reply
from hutong.control.requests.models import ShareRequest
from hutong.control.returns import queries as return_queries
from hutong.control.standards import queries as definitions
from hutong.control.statute import day
from hutong.node.settings import current
from hutong.portal.components import scope
from hutong.portal.components.paging import COUNT_UP_TO

DEPARTMENTS_OWN = ("officer", "head")
TO_ANSWER = ("REQUESTED", "ACCEPTED")  # states in which the provider acts next


def to_sign_off(account: Account) -> QuerySet[ShareRequest]:
    """Requests of my department that wait for the signature of its head, the oldest first."""
    if not rules.may(account, Action.SIGN_OFF_REQUEST) or not account.department_id:
        return ShareRequest.objects.none()
    return scope.requests(account).filter(state="filed").order_by("created_at", "id")


def to_sign(account: Account) -> QuerySet[Reply]:
    """Proposed replies of my department that wait for the signature of its head."""
    if not rules.may(account, Action.SIGN_REPLY):
        return Reply.objects.none()
    return replies.waiting(account)


def to_answer(account: Account) -> QuerySet[Negotiation]:
    """Requests of others that wait for an answer here, the earliest statutory day first."""
    return scope.negotiations(account).filter(state__in=TO_ANSWER).order_by("due_at", "created_at")


def reviews(account: Account) -> int:
    """Descriptions before the supervisor."""
    return queries.to_review().count() if rules.may(account, Action.REVIEW_RESOURCE) else 0


def to_act_on(account: Account) -> QuerySet[Demand]:
    """Demands this account must act on: sign off, name a lead source for, or meet."""
    here, mine = current().jurisdiction, account.department_id or "-"
    wanted = Q(pk="")
    if rules.may(account, Action.SIGN_OFF_DEMAND):
        wanted |= Q(home=here, department_code=mine, state="filed")
    if rules.may(account, Action.MEET_DEMAND):
        wanted |= Q(holder=here, lead_code=mine, state="led")
    if rules.may(account, Action.NAME_LEAD):
        wanted |= Q(holder=here, state__in=("open", "mediating"))
    return Demand.objects.filter(wanted).order_by("-filed_at")


def demands(account: Account) -> int:
    return to_act_on(account).count()


def offerings(account: Account) -> int:
    """Offers of others to us, and for a head our own that need a signature."""
    if not rules.may(account, Action.FILE_REQUEST):
        return 0
    signing = offers.to_sign(account).count() if rules.may(account, Action.SIGN_REPLY) else 0
    return offers.offered_to_us().count() + signing


def barred(account: Account) -> int:
    """Entries of the negative list before the supervisor."""
    return lists.barred("proposed").count() if rules.may(account, Action.REVIEW_BARRED) else 0


def corrections(account: Account) -> int:
    """Reports to answer, and corrections to acknowledge."""
    if not rules.may(account, Action.ANSWER_CORRECTION):
        return 0
    return correcting.to_answer(account).count() + correcting.to_acknowledge(account).count()


def returns(account: Account) -> int:
    """Differences that are not repaired, and offers not taken up."""
    if account.role not in DEPARTMENTS_OWN:
        return 0
    return return_queries.tickets(account).order_by().count() + return_queries.offers().order_by().count()


def disputes(account: Account) -> int:
    """Disputes that this account may move on."""
    found = dispute_queries.disputes(account).order_by()
    if account.role in DEPARTMENTS_OWN:
        return found.filter(state__in=("open", "settled", "decided")).count()
    return found.filter(state="open", forum=current().jurisdiction).count() if account.role == "supervisor" else 0


def standards(account: Account) -> int:
    """Versions of standards before the supervisor."""
    return definitions.waiting().count() if rules.may(account, Action.APPROVE_STANDARD) else 0


def calendars(account: Account) -> int:
    """Working days before the supervisor."""
    return calendar_queries.proposals().count() if rules.may(account, Action.APPROVE_CALENDAR) else 0


def replays(account: Account) -> int:
    """Exchanges of the department whose withheld rows can be read."""
    if not account.department_id:
        return 0
    return scope.withheld(account).filter(role="consumer", state="ready")[:COUNT_UP_TO].count()


def sign_offs(account: Account) -> int:
    return to_sign_off(account).count() + to_sign(account).count()


def answers(account: Account) -> int:
    return to_answer(account).count()


def terms(account: Account) -> int:
    """Terms overdue; for the supervisor also extensions to decide on."""
    running = visible(account).filter(state="running").order_by()
    late = running.filter(due_on__lt=day.today())[:COUNT_UP_TO].count()
    if not rules.may(account, Action.CONSENT_EXTENSION):
        return late
    return late + running.filter(extension_state="asked")[:COUNT_UP_TO].count()


def unread(account: Account) -> int:
    return notices.unread(account, at_most=COUNT_UP_TO)
