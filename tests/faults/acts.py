"""The acts of the statute that a node is killed in: how each is made ready, and the act itself.

`steps` is how many transactions an act may take: a death between two of them may leave the first done.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from typing import Any
from unittest.mock import patch

from django.db import transaction

from hutong.control.calendar import actions as calendar
from hutong.control.calendar.duty import warn
from hutong.control.calendar.rules import SameCalendar
from hutong.control.catalogue import actions as catalogue
from hutong.control.catalogue.queries import submission_of
from hutong.control.catalogue.rules import AlreadyWithdrawn, UnderReview
from hutong.control.clocks import actions as clocks
from hutong.control.clocks.models import Clock
from hutong.control.demands import actions as demands
from hutong.control.demands import holding
from hutong.control.demands.document import build, read
from hutong.control.disputes import actions as disputes
from hutong.control.disputes import docket
from hutong.control.disputes.models import Dispute
from hutong.control.identity.models import Account
from hutong.control.identity.rules import Operator
from hutong.control.organisations.models import Succession
from hutong.control.organisations.succession import succeed
from hutong.control.requests import actions as requests
from hutong.control.returns import actions as returns
from hutong.control.statute import actions as statute
from hutong.control.statute import day
from hutong.node.directory import participant_id
from hutong.node.events import Event
from hutong.node.receiving import Peer
from hutong.node.settings import current
from hutong.vocabulary.errors import WrongState
from hutong.vocabulary.rulebook import ClockRule, working_days
from tests import demanding, disputing, dsp_peer
from tests.companies import COMPLETE, ITEMS, write_companies
from tests.publication import supervisor
from tests.region import an_item, neighbour, ourselves

Prepare = Callable[[], Any]
Act = Callable[[Any], None]
ACTS: dict[str, tuple[Prepare, Act, int]] = {}


class TenDays(ClockRule):
    """{title} was due on {due}, within {days} working days of {received}."""

    rule = "T-9"
    code = "ten_days_or_death"
    declares = (working_days(10, 21), working_days(10, 21, name="extension_days"))


def act(prepare: Prepare, *, steps: int = 1) -> Callable[[Act], Act]:
    def decorate(function: Act) -> Act:
        ACTS[function.__name__] = (prepare, function, steps)
        return function

    return decorate


def person(role: str, code: str = dsp_peer.HEALTH) -> Account:
    username = f"{role}-{code[-4:].lower()}" if code else role
    office = dsp_peer.department(code, "某局") if code else None
    return Account.objects.get_or_create(username=username, defaults={"role": role, "department": office})[0]


def region() -> dsp_peer.DspPeer:
    ourselves()
    neighbour("yrd", "region")
    for role in ("officer", "head"):
        person(role)
        person(role, dsp_peer.MARKET)
    supervisor()
    person("steward", "")
    return dsp_peer.peer("340000")


def _an_entry() -> str:
    return str(dsp_peer.heard_of(region().node).id)


FILING = {
    "basis": "某法第三条",
    "scenario": "窗口",
    "scope": "本市",
    "items": ["uscc", "name"],
    "purpose": "licensing",
    "term_days": 365,
}


@act(_an_entry)
def a_request_is_filed(entry: str) -> None:
    requests.file(person("officer"), resource_id=entry, **FILING)


def _filed() -> str:
    return requests.file(person("officer"), resource_id=_an_entry(), **FILING).id


@act(_filed)
def a_request_is_signed_off(request: str) -> None:
    with suppress(WrongState):
        requests.sign_off(person("head"), request)


@act(_filed)
def a_request_is_withdrawn(request: str) -> None:
    with suppress(WrongState):
        requests.withdraw(person("head"), request, "不再需要")


def _nothing() -> None:
    region()


@act(_nothing)
def a_clock_is_started(_: None) -> None:
    clocks.start(TenDays, "thing:1", department=dsp_peer.HEALTH)


def _clock() -> str:
    region()
    return clocks.start(TenDays, "thing:1", department=dsp_peer.HEALTH).id


@act(_clock)
def an_extension_is_asked_for(clock: str) -> None:
    clocks.ask_extension(person("officer"), clock, "需要核对")


def _asked() -> str:
    clock = _clock()
    clocks.ask_extension(person("officer"), clock, "需要核对")
    return clock


@act(_asked)
def an_extension_is_consented_to(clock: str) -> None:
    with suppress(WrongState):
        clocks.decide_extension(supervisor(), clock, consent=True)


def _late() -> None:
    region()
    for number in (1, 2):
        clocks.start(TenDays, f"thing:{number}", department=dsp_peer.HEALTH)
    Clock.objects.update(due_on=date.today() - timedelta(days=1))


@act(_late, steps=2)
def late_clocks_are_found(_: None) -> None:
    clocks.look()


def _proposed() -> str:
    region()
    made = statute.propose(
        person("steward", ""), TenDays.name(), "days", level="local", value=5, since=day.today(), source="省政府令"
    )
    return made.id


@act(_proposed)
def a_parameter_is_approved(version: str) -> None:
    with suppress(WrongState):
        statute.decide_version(supervisor(), version, approve=True)


def _days() -> bytes:
    days = [f"{year}-{month:02}-01,holiday" for year in (2033, 2034) for month in (1, 5, 10)]
    return "\n".join(["date,kind", *days]).encode()


def _supervised() -> None:
    region()
    supervisor()


def _days_proposed() -> str:
    _supervised()
    return calendar.propose(person("steward", ""), _days(), file_name="days.csv").id


@act(_supervised)
def working_days_are_proposed(_: None) -> None:
    with suppress(SameCalendar):
        calendar.propose(person("steward", ""), _days(), file_name="days.csv")


@act(_days_proposed)
def working_days_are_approved(proposal: str) -> None:
    with suppress(WrongState):
        calendar.approve(supervisor(), proposal)


@act(_days_proposed)
def working_days_are_sent_back(proposal: str) -> None:
    with suppress(WrongState):
        calendar.decline(supervisor(), proposal, "与原文不符")


def _somebody_to_tell() -> None:
    region()
    person("steward", "")
    supervisor()


@act(_somebody_to_tell, steps=2)
def a_missing_year_is_told(_: None) -> None:
    with patch.object(day, "today", lambda: date(2033, 10, 1)):
        warn()


def _account(username: str) -> Account:
    return Account.objects.get(username=username)


def _described() -> str:
    """A department's companies, described and not submitted yet; the file outlives this process."""
    region()
    current().data_folder.mkdir(exist_ok=True)
    file = write_companies(current().data_folder / "companies.csv")
    officer = person("officer", dsp_peer.MARKET)
    source = catalogue.register_source(officer, name="企业登记", kind="csv", location=str(file))
    drafted = catalogue.draft_resource(officer, source.id)
    return catalogue.describe(officer, drafted.id, COMPLETE, ITEMS).id


@act(_described)
def a_resource_is_submitted(resource: str) -> None:
    with suppress(UnderReview):
        catalogue.submit(person("head", dsp_peer.MARKET), resource)


def _submitted() -> str:
    return catalogue.submit(person("head", dsp_peer.MARKET), _described()).id


@act(_submitted)
def a_resource_is_reviewed_and_published(submission: str) -> None:
    with suppress(WrongState):
        catalogue.review(supervisor(), submission)


@act(_submitted)
def a_resource_is_sent_back(submission: str) -> None:
    with suppress(WrongState):
        points = [{"field": "summary_zh", "text": "请写明数据来源"}]
        catalogue.send_back(supervisor(), submission, reason="请修改", points=points)


@act(_submitted)
def a_submission_is_taken_back(submission: str) -> None:
    with suppress(WrongState):
        resource = submission_of(submission).resource_id
        catalogue.take_back(person("head", dsp_peer.MARKET), resource)


def _published_and_submitted_again() -> str:
    """A published resource whose next version is before the supervisor."""
    resource = catalogue.review(supervisor(), _submitted()).id
    catalogue.describe(person("officer", dsp_peer.MARKET), resource, {"title_en": "Companies"})
    catalogue.submit(person("head", dsp_peer.MARKET), resource)
    return resource


@act(_published_and_submitted_again)
def a_resource_is_withdrawn(resource: str) -> None:
    with suppress(AlreadyWithdrawn):
        catalogue.withdraw(person("officer", dsp_peer.MARKET), resource)


@act(_published_and_submitted_again)
def a_department_is_followed_by_another(_: str) -> None:
    if not Succession.objects.exists():
        succeed(Operator("operator:root"), dsp_peer.MARKET, dsp_peer.HEALTH, reason="机构改革")


def _wished() -> str:
    return str(demanding.delta().filed(target="320000").id)


@act(_wished)
def a_demand_is_signed_off(demand: str) -> None:
    with suppress(WrongState):
        demands.sign_off(_account("h-head"), demand)


def _open_demand() -> str:
    return str(demanding.delta().open().id)


@act(_open_demand)
def a_lead_source_is_named(demand: str) -> None:
    holding.name_lead(_account("supervisor"), demand, demanding.MARKET)


@act(_open_demand)
def a_demand_is_refused(demand: str) -> None:
    with suppress(WrongState):
        refusal = {"code": "no_statutory_duty", "reason": "用途不属于法定职责", "citation": "《食品安全法》第六条"}
        holding.refuse(_account("supervisor"), demand, **refusal)


def _neighbours_demand() -> dict[str, Any]:
    demanding.delta()
    return build(demanding.from_anhui())


@act(_neighbours_demand)
def a_demand_of_another_node_arrives(document: dict[str, Any]) -> None:
    demanding.hear("340000", read(document))


def _dispute() -> str:
    region()
    dsp_peer.peer("100000")
    subject = disputes.about_nothing_here("340000", dsp_peer.MARKET)
    return disputes.open_dispute(person("officer", dsp_peer.MARKET), subject, "某项争议", "逾期未答复").id


@act(_dispute)
def a_dispute_is_brought_to_the_common_superior(dispute: str) -> None:
    if Dispute.objects.get(id=dispute).level == 1:
        disputes.escalate(person("head", dsp_peer.MARKET), dispute, "会商未能一致")


def _decision() -> dict[str, Any]:
    """The nation decides that we agree to a request that still waits."""
    anhui = region()
    nation = dsp_peer.peer("100000")
    pid, _, _ = anhui.request(dsp_peer.published(), dsp_peer.terms())
    about = disputes.about_request(pid).about
    dispute = disputing.open_against_us(anhui, "320000", **about)
    said = disputing.paper(anhui, dispute.id, "escalated", "claimant", level=2, forum="100000")
    disputing.send(anhui, dispute.id, said)
    return decided(nation, dispute, "agree")


def decided(nation: dsp_peer.DspPeer, dispute: Dispute, do: str) -> dict[str, Any]:
    more = {"level": 2, "citation": "条例第二十八条", "effects": [disputes.effect_of(dispute, do).document()]}
    paper = disputing.paper(nation, dispute.id, "decided", "forum", **more)
    return {"dispute": dispute.id, "papers": [paper.envelope()]}


@act(_decision)
def a_decision_that_binds_us_comes(came: dict[str, Any]) -> None:
    """As the door takes it in: the paper and what follows are one transaction."""
    nation, dispute = "100000", came["dispute"]
    data = {"papers": came["papers"]}
    with transaction.atomic():
        docket.take(Peer(nation, participant_id(nation)), Event("1", nation, docket.EVENT, dispute, "", data))


def _superiors_entry() -> str:
    region()
    described = [an_item("uscc", "代码", key=True), an_item("area", "行政区划代码", element="area_code")]
    return str(dsp_peer.heard_of(dsp_peer.peer("100000").node, items=described).id)


@act(_superiors_entry)
def a_return_is_asked_for(entry: str) -> None:
    with suppress(WrongState):
        returns.ask(person("officer"), entry)
