"""Policies of two outside suites, through the node's own path: read, compiled into a grant, and asked under.

A case of the subset that docs/odrl.md claims must end as its suite expects, and for the suite's reason. A case outside
it must be refused by name before there is a grant. None is left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from hutong.control.agreements.compile import compile_grant
from hutong.control.agreements.constraints import PolicyNeverHolds, PolicyNotUnderstood
from hutong.control.agreements.door import ourselves as our_id
from hutong.control.agreements.drafting import permission_for
from hutong.control.agreements.fields import Malformed
from hutong.control.agreements.models import Negotiation
from hutong.control.agreements.outbound import agreement_row
from hutong.control.agreements.policy import Kind, read_policy
from hutong.control.agreements.terms import read_agreed
from hutong.exchange.grants import check, put, rules
from hutong.exchange.grants.book import Book
from hutong.exchange.query import BadQuery, Query, decode
from hutong.node.outside import peer_of
from hutong.vocabulary.errors import Refused
from hutong.vocabulary.ids import new_id, urn
from tests.dsp_peer import published
from tests.region import ourselves
from tests.spec import odrl_page
from tests.spec.odrl_cases import Case, Held, moments, solidlab, w3c, w3c_policies

pytestmark = pytest.mark.django_db
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)  # the suites ask in years before these agreements could be made
BY_NAME = (Malformed, PolicyNotUnderstood)
REASONS: Mapping[type[Refused], str] = {  # what the suites call the reason of our refusal
    rules.NoGrant: "TargetReport",
    rules.WrongConsumer: "PartyReport",
    BadQuery: "ActionReport",
    rules.GrantNotStarted: "ConstraintReport",
    rules.BetweenPeriods: "ConstraintReport",
    rules.GrantExpired: "ConstraintReport",
}


class World:
    """This node as the provider of whatever a case is about: one published resource for each target."""

    def __init__(self) -> None:
        ourselves()
        self._resources: dict[str, str] = {}
        self._book = Book()

    def resource(self, target: str) -> str:
        if target not in self._resources:
            self._resources[target] = published("unconditional").dataset["@id"]
        return self._resources[target]

    def grant(self, policy: dict[str, Any]) -> str:
        """Sign and compile an agreement. returns its id

        raises   Malformed, PolicyNotUnderstood, PolicyNeverHolds
        """
        target = policy.get("target")
        about = {"target": self.resource(target)} if isinstance(target, str) else {}
        read = read_policy({**policy, **about, "assigner": our_id()}, Kind.AGREEMENT, "agreement")
        negotiation = Negotiation(pid=urn(new_id()), role="provider", peer=peer_of(str(read.assignee)))
        negotiation.dataset_id = str(read.target)
        agreement = agreement_row(negotiation, read, LONG_AGO)
        put(compile_grant(agreement), "active")
        return agreement.id

    def ask(self, agreement: str, party: str, now: datetime, action: str = "read") -> None:
        """One request to the exchange.

        raises   what the exchange refuses it with
        """
        query = self._query(agreement, action)
        opened = self._book.open({query.agreement}, date(2026, 1, 1)).get(query.agreement)
        if opened is None:
            raise rules.NoGrant(agreement=agreement)
        check(opened.grant, opened.standing, query, peer_of(party), now)

    def _query(self, agreement: str, action: str) -> Query:
        """The exchange answers reads: another action has no word in a query."""
        document = {"exchange": new_id(), "agreement": agreement, "purpose": "licensing"}
        other = {} if action in ("read", "use") else {"action": action}
        return decode({**document, "case": "hmac-sha256:" + "0" * 64, **other})


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture(scope="module")
def folder(real_data: Path) -> Path:
    if not (real_data / "conformance" / "odrl-solidlab").is_dir():
        pytest.skip(f"no ODRL cases under {real_data}: set HUTONG_DATA")
    return real_data / "conformance"


@pytest.fixture(scope="module")
def cases(folder: Path) -> list[Case]:
    return [*solidlab(folder / "odrl-solidlab"), *w3c(folder / "odrl-w3c")]


def answered(world: World, case: Case, agreement: str, now: datetime) -> Refused | None:
    under = agreement if world.resource(case.target) == world.resource(case.policy["target"]) else urn(new_id())
    try:
        world.ask(under, case.party, now, case.action)
    except Refused as refused:
        return refused
    return None


def test_the_page_claims_the_operands_of_the_code() -> None:
    odrl_page.check("operands", odrl_page.operands())


def test_the_page_shows_what_a_node_writes() -> None:
    wire = (odrl_page.PAGE.parent / "wire.md").read_text(encoding="utf-8")
    agreed = read_agreed(odrl_page.example("agreement", wire))
    assert agreed is not None
    assert permission_for(agreed, "340000") == odrl_page.example(
        "permission", odrl_page.PAGE.read_text(encoding="utf-8")
    )


def test_every_case_agrees_with_its_suite_or_is_refused_by_name(
    world: World, cases: list[Case], capsys: pytest.CaptureFixture[str]
) -> None:
    verdicts: dict[tuple[str, str], str] = {}
    for case in cases:
        try:
            agreement = world.grant(case.policy)
        except BY_NAME as refused:
            verdicts[case.suite, case.name] = odrl_page.refused(refused)
            continue
        for now in moments(case.at):
            refusal = answered(world, case, agreement, now)
            assert (refusal is None) == case.active, (case.name, refusal)
            if refusal is not None:
                assert case.premises[REASONS[type(refusal)]] is False, (case.name, refusal)
        verdicts[case.suite, case.name] = odrl_page.AGREES
    inside = {(case.suite, case.name) for case in cases if case.inside}
    assert {one for one, verdict in verdicts.items() if verdict == odrl_page.AGREES} == inside
    assert len(verdicts) == len(cases) == 72
    counted = Counter(verdict == odrl_page.AGREES for verdict in verdicts.values())
    with capsys.disabled():
        print(f" {counted[True]} cases agree, {counted[False]} are refused by name ", end="")
    odrl_page.check("suites", odrl_page.suites(cases, verdicts))
    odrl_page.check("covered", odrl_page.covered(cases))


def test_every_constraint_alone_holds_when_its_suite_says_so(
    world: World, cases: list[Case], capsys: pytest.CaptureFixture[str]
) -> None:
    """The same path, with an agreement that says this one constraint and nothing else. Those of policies that are
    refused for another reason are evaluated too.
    """
    reports: dict[str, list[Held]] = {}
    for one in {(held.name, held.at): held for case in cases for held in case.held}.values():
        reports.setdefault(one.name, []).append(one)
    party, asked = "https://example.org/party", 0
    for name, held in reports.items():
        rule = {"action": "use", "constraint": [held[0].constraint]}
        policy = {"@id": urn(new_id()), "@type": "Agreement", "target": "x", "assignee": party, "permission": [rule]}
        agreement = world.grant(policy)
        for one in held:
            for now in moments(one.at):
                try:
                    world.ask(agreement, party, now)
                    allowed = True
                except (rules.GrantNotStarted, rules.BetweenPeriods, rules.GrantExpired):
                    allowed = False
                assert allowed == one.holds, (name, one.at)
            asked += 1
    with capsys.disabled():
        print(f" {asked} reports on {len(reports)} constraints agree ", end="")
    odrl_page.check("alone", odrl_page.alone(asked, len(reports)))


def test_an_example_policy_that_nobody_asks_under_is_refused_by_name(world: World, folder: Path) -> None:
    policies = w3c_policies(folder / "odrl-w3c")
    assert sorted(policies) == ["policyA1", "policyA2", "policyC1"]
    for policy in policies.values():
        with pytest.raises(BY_NAME):
            world.grant(policy)


def test_never_means_refused_not_granted(world: World) -> None:
    never = {"leftOperand": "dateTime", "operator": "lt", "rightOperand": "1969-12-31T00:00:00Z"}
    rule = {"action": "use", "constraint": [never, {**never, "operator": "gt"}]}
    policy = {"@id": urn(new_id()), "@type": "Agreement", "target": "x", "assignee": "y", "permission": [rule]}
    with pytest.raises(PolicyNeverHolds):
        world.grant(policy)
