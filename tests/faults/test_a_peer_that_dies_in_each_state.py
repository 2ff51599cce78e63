"""Two real nodes, and kill -9 of each of them over every message of both machines.

When a message has been acted on, its receiver is killed before the answer leaves; when the sender has asked again, the
sender is killed before it hears. Both start again by themselves, and the process goes on where it stood: every step
once on each side, the same state, the same agreement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.crossing import Crossing
from tests.journeys.first_exchange import CONSUMER, DESK, KEEPER, OFFICE, PROVIDER, found_in_catalogue, publish, staff
from tests.nodes import Node, Region
from tests.pair import query
from tests.this_machine import until

COMPANIES = "name,uscc,city\n" + "".join(f"企业{n},CODE{n:04},南京\n" for n in range(20))
WITHIN_S = 90.0

ASK = """
from hutong.control.identity.models import Account
from hutong.control.requests import actions
import json
given = {{"basis": "某法", "scenario": "窗口", "scope": "本市", "items": ["uscc", "name"], "purpose": "licensing"}}
made = actions.file(Account.objects.get(username="li"), resource_id={resource!r}, term_days=30, **given)
made = actions.sign_off(Account.objects.get(username="sun"), made.id)
print(json.dumps([made.id, made.negotiation_id]))
"""
# What an officer or a head does, once: by name.
ACTS = {
    "supplement": "replies.ask_supplement(wang, {pid!r}, [('basis', '文号')])",
    "complete": "requests.complete(sun, {request!r}, ['某法第三条'])",
    "accept": "actions.accept_offer(sun, {pid!r})",
    "agree": "replies.sign(zhao, replies.propose_agreement(wang, {pid!r}).id)",
    "refuse": (
        "replies.sign(zhao, replies.propose_refusal(wang, {pid!r}, 'no_statutory_duty', '不属于法定职责',"
        " '《政务数据共享条例》第二条').id)"
    ),
    "suspend": "actions.suspend(wang, {agreement!r}, '保密核查', cause='secrecy')",
    "resume": "actions.resume(wang, {agreement!r}, '核查完毕')",
    "complete_delivery": "actions.complete_delivery(li, {agreement!r})",
    "end": "actions.end(li, {agreement!r}, '用途已实现')",
}
ACT = """
from hutong.control.agreements import actions
from hutong.control.identity.models import Account
from hutong.control.requests import actions as requests
from hutong.control.replies import actions as replies
wang, zhao, li, sun = (Account.objects.filter(username=one).first() for one in ("wang", "zhao", "li", "sun"))
"""
BY_RULE = ["requested", "agreed", "verified", "finalized"]
DELIVERED = ["transfer.requested", "transfer.started"]


def kinds(*steps: str) -> list[str]:
    """Names of audit records: what was agreed is the agreement's, what came before the negotiation's."""
    agreement = ("agreed", "verified", "finalized")
    return [step if "." in step else f"{'agreement' if step in agreement else 'negotiation'}.{step}" for step in steps]


@dataclass
class Trap:
    """Kills the receiver when a message first passes, and the sender when it passes again."""

    said: str = ""
    victims: list[str] = field(default_factory=list)
    killed: list[str] = field(default_factory=list)


class Two:
    """Jiangsu provides, Anhui consumes, each behind a crossing that knows the trap."""

    def __init__(self, folder: Path) -> None:
        self.region, self.trap = Region(folder), Trap()
        self.crossings = {one: Crossing(lambda one=one: self.region[one], self._passed(one)) for one in self.both}

    @property
    def both(self) -> tuple[str, str]:
        return PROVIDER, CONSUMER

    def _passed(self, receiver: str) -> Callable[[str, int], bool]:
        sender = CONSUMER if receiver == PROVIDER else PROVIDER

        def passed(said: str, status: int) -> bool:
            trap = self.trap
            if trap.said != said or status >= 300 or len(trap.killed) == 2:
                return True
            victim = self.region[receiver if not trap.killed else sender]
            trap.killed.append(victim.jurisdiction)
            victim.kill()
            victim.launch()
            return False

        return passed

    def act(self, node: Node, name: str, **names: str) -> None:
        node.python(ACT + ACTS[name].format(**names))


@dataclass
class Process:
    """One request and what has come of it, as both nodes' own tables tell it."""

    two: Two
    request: str
    pid: str  # the consumer's

    def rows(self, where: str, statement: str) -> list[dict[str, Any]]:
        return query(self.two.region[where], statement)

    def pid_at(self, where: str) -> str:
        if where == CONSUMER:
            return self.pid
        found = self.rows(where, f"SELECT pid FROM negotiation WHERE peer_pid = '{self.pid}'")
        return str(found[0]["pid"]) if found else ""

    def state(self, where: str) -> tuple[str, str, str]:
        """Negotiation, agreement and transfer; "" for what is not there."""
        joined = (
            "SELECT n.state AS n, a.state AS a, t.state AS t FROM negotiation n"
            " LEFT JOIN agreement a ON a.negotiation_id = n.pid LEFT JOIN transfer t ON t.agreement_id = a.id"
        )
        rows = self.rows(where, f"{joined} WHERE n.pid = '{self.pid_at(where)}'")
        return (rows[0]["n"] or "", rows[0]["a"] or "", rows[0]["t"] or "") if rows else ("", "", "")

    def reaches(self, *states: str) -> None:
        until(
            lambda: all(self.state(one) == states for one in self.two.both) and not self.waiting(),
            within_s=WITHIN_S,
            what=f"{states}, not {[self.state(one) for one in self.two.both]},",
        )

    def waiting(self) -> bool:
        """True while a message between the two is on its way; those to the keeper wait until it is back."""
        open_ones = "SELECT id FROM outbox_message WHERE delivered_at IS NULL AND failed_at IS NULL AND peer <> 'yrd'"
        return any(self.rows(one, open_ones) for one in self.two.both)

    def named(self, where: str) -> dict[str, str]:
        """The ids an officer's act may name."""
        pid = self.pid_at(where)
        rows = self.rows(where, f"SELECT id FROM agreement WHERE negotiation_id = '{pid}'")
        agreement = str(rows[0]["id"]) if rows else ""
        rows = self.rows(where, f"SELECT pid FROM transfer WHERE agreement_id = '{agreement}'")
        transfer = str(rows[0]["pid"]) if rows else ""
        return {"request": self.request, "pid": pid, "agreement": agreement, "transfer": transfer}

    def act(self, where: str, name: str) -> None:
        self.two.act(self.two.region[where], name, **self.named(where))

    def steps(self, where: str) -> list[str]:
        """Kinds of the audit records of this negotiation and its transfer, in order; not those of replies and terms."""
        named = self.named(where)
        subjects = f"'negotiation:{named['pid']}', 'transfer:{named['transfer']}'"
        rows = self.rows(where, f"SELECT kind FROM audit_record WHERE subject IN ({subjects}) ORDER BY id")
        return [row["kind"] for row in rows if not row["kind"].startswith(("clock.", "reply."))]

    def digest(self, where: str) -> list[dict[str, Any]]:
        chosen = "SELECT id, digest, provider_signature, consumer_signature FROM agreement"
        return self.rows(where, f"{chosen} WHERE negotiation_id = '{self.pid_at(where)}'")

    def ended_as(self, *steps: str) -> None:
        """Every step once on each side, and the same agreement under the same signatures."""
        for one in self.two.both:
            assert self.steps(one) == kinds(*steps), one
        assert self.digest(PROVIDER) == self.digest(CONSUMER)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    folder = tmp_path_factory.mktemp("dying")
    two = Two(folder)
    with two.crossings[PROVIDER], two.crossings[CONSUMER], two.region:
        two.region.base_urls = {one: crossing.base_url for one, crossing in two.crossings.items()}
        two.region.start(KEEPER, PROVIDER, CONSUMER)
        provider, consumer = two.region[PROVIDER], two.region[CONSUMER]
        staff(provider, OFFICE, "江苏省市场监督管理局", "wang", "zhao")
        staff(consumer, DESK, "安徽省数据资源管理局", "li", "sun")
        source = folder / "companies.csv"
        source.write_text(COMPANIES, encoding="utf-8")
        conditions = {"conditions": "承担行政许可职责的部门", "permitted_purposes": "licensing"}
        two.resources = {
            "unconditional": publish(provider, source, folder),
            "conditional": publish(provider, source, folder, attribute="conditional", **conditions),
        }
        for resource in two.resources.values():
            found_in_catalogue(consumer, resource)
        two.region[KEEPER].stop()  # the members go on with their copy of the directory
        yield two


@pytest.fixture
def asked(two: Two) -> Callable[..., Process]:
    """File a request for a resource, with a trap laid for one message of what follows."""

    def ask(attribute: str, trap: str) -> Process:
        two.trap = Trap(trap)
        request, pid = two.region[CONSUMER].python(ASK.format(resource=two.resources[attribute]))
        return Process(two, request, pid)

    return ask


def both_died(two: Two) -> None:
    assert sorted(two.trap.killed) == sorted(two.both)


@pytest.mark.parametrize(
    "said", ["REQUEST", "AGREEMENT", "VERIFICATION", "FINALIZED", "TRANSFER_REQUEST", "TRANSFER_START"]
)
def test_what_goes_by_rule_completes(two: Two, asked: Callable[..., Process], said: str) -> None:
    process = asked("unconditional", said)
    process.reaches("FINALIZED", "active", "STARTED")
    both_died(two)
    process.ended_as(*BY_RULE, *DELIVERED)


def test_an_offer_survives_and_so_does_the_completed_request(two: Two, asked: Callable[..., Process]) -> None:
    process = asked("conditional", "OFFER")
    process.reaches("REQUESTED", "", "")
    process.act(PROVIDER, "supplement")
    process.reaches("OFFERED", "", "")
    both_died(two)
    two.trap = Trap("REQUEST")
    process.act(CONSUMER, "complete")
    process.reaches("REQUESTED", "", "")
    both_died(two)
    process.ended_as("requested", "offered", "requested")


def test_an_accepted_offer_survives_and_is_agreed(two: Two, asked: Callable[..., Process]) -> None:
    process = asked("conditional", "ACCEPTED")
    process.reaches("REQUESTED", "", "")
    process.act(PROVIDER, "supplement")
    process.reaches("OFFERED", "", "")
    process.act(CONSUMER, "accept")
    process.reaches("ACCEPTED", "", "")
    both_died(two)
    process.act(PROVIDER, "agree")
    process.reaches("FINALIZED", "active", "STARTED")
    process.ended_as("requested", "offered", "accepted", *BY_RULE[1:], *DELIVERED)


def test_a_refusal_survives(two: Two, asked: Callable[..., Process]) -> None:
    process = asked("conditional", "TERMINATION")
    process.reaches("REQUESTED", "", "")
    process.act(PROVIDER, "refuse")
    process.reaches("TERMINATED", "", "")
    both_died(two)
    process.ended_as("requested", "terminated")


def test_suspension_resumption_and_end_survive(two: Two, asked: Callable[..., Process]) -> None:
    process = asked("unconditional", "")
    process.reaches("FINALIZED", "active", "STARTED")
    for said, where, act, agreement, transfer in (
        ("TRANSFER_SUSPENSION", PROVIDER, "suspend", "suspended", "SUSPENDED"),
        ("TRANSFER_START", PROVIDER, "resume", "active", "STARTED"),
        ("TRANSFER_TERMINATION", CONSUMER, "end", "ended", "TERMINATED"),
    ):
        two.trap = Trap(said)
        process.act(where, act)
        process.reaches("FINALIZED", agreement, transfer)
        both_died(two)
    more = ("transfer.suspended", "transfer.started", "transfer.terminated")
    process.ended_as(*BY_RULE, *DELIVERED, *more)


def test_a_completion_survives(two: Two, asked: Callable[..., Process]) -> None:
    process = asked("unconditional", "TRANSFER_COMPLETION")
    process.reaches("FINALIZED", "active", "STARTED")
    process.act(CONSUMER, "complete_delivery")
    process.reaches("FINALIZED", "agreed", "COMPLETED")
    both_died(two)
    process.ended_as(*BY_RULE, *DELIVERED, "transfer.completed")
