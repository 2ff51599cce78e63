"""Rules, decisions and terms at the command line; and refusals counted wherever they are said."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from click.testing import CliRunner

from hutong.control.agreements import protocol
from hutong.control.agreements.transitions import IllegalMove
from hutong.control.clocks.actions import start
from hutong.control.clocks.cli import clock as clock_command
from hutong.control.clocks.models import Clock
from hutong.control.identity.models import Account
from hutong.control.requests.rules import RefusalWithoutCitation
from hutong.control.statute import day
from hutong.control.statute.cli import replay as replay_command
from hutong.control.statute.cli import rule as rule_command
from hutong.control.statute.models import Decision, ParameterVersion, RefusalCount
from hutong.control.statute.rules import OwnProposal
from hutong.node import cli, refusals
from hutong.node.settings import current
from hutong.vocabulary.errors import NotFound
from hutong.vocabulary.rulebook import Rule
from tests.dsp_peer import department, published, terms
from tests.region import ourselves

pytestmark = pytest.mark.django_db
TERM = "D809-17/change_filing"


def run(command, *arguments):
    done = CliRunner().invoke(command, [arguments[0], str(current().home), *arguments[1:]])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


@pytest.fixture
def people() -> dict[str, Account]:
    ourselves()
    office = department()
    make = Account.objects.create
    supervisors = {name: make(username=name, role="supervisor") for name in ("chen", "zhao")}
    return supervisors | {"wang": make(username="wang", role="officer", department=office)}


@pytest.fixture
def term(people) -> Clock:
    from hutong.control.statute.queries import rule

    return start(rule(TERM), "resource:1", department=people["wang"].department_id, title_zh="目录", title_en="Entry")


def test_a_version_is_proposed_by_one_person_and_approved_by_another(people):
    since = day.today() + timedelta(days=1)
    words = [TERM, "days", "5", "--since", since.isoformat(), "--source", "省数据条例第二十条", "--as", "chen"]
    said = run(rule_command, "propose", *words).output
    version = ParameterVersion.objects.get()
    assert f"version {version.id} is proposed" in said
    with pytest.raises(OwnProposal):
        run(rule_command, "approve", version.id, "--as", "chen")
    assert "is approved" in run(rule_command, "approve", version.id, "--as", "zhao").output
    shown = json.loads(run(rule_command, "show", TERM, "--json").output)
    assert [(one["value"], one["proposed_by"], one["decided_by"]) for one in shown["versions"]] == [(5, "chen", "zhao")]
    assert shown["parameters"][0]["value"] == 10, "it begins tomorrow"
    assert "10 working days" in run(rule_command, "show", TERM).output


def test_a_proposed_version_can_be_declined(people):
    words = [TERM, "days", "5", "--since", day.today().isoformat(), "--source", "省数据条例第二十条", "--as", "chen"]
    run(rule_command, "propose", *words)
    version = ParameterVersion.objects.get()
    assert "is declined" in run(rule_command, "decline", version.id, "--as", "zhao").output
    shown = json.loads(run(rule_command, "show", TERM, "--json").output)
    assert shown["parameters"][0]["value"] == 10


def test_every_rule_is_listed_with_its_sentence(people):
    listed = {one["name"]: one for one in json.loads(run(rule_command, "list", "--json").output)}
    assert "once" in listed["D809-21/supplement_twice"]["says"]
    assert listed[TERM]["parameters"][0]["unit"] == "working days"
    assert f"{TERM}  " in run(rule_command, "list").output
    with pytest.raises(NotFound):
        run(rule_command, "show", "D809-99/nothing")


def test_a_decision_replays_at_the_command_line(term):
    made = Decision.objects.get(subject="resource:1")
    home = str(current().home)
    done = CliRunner().invoke(replay_command, [home, made.id])
    assert done.exit_code == 0
    assert f'inputs: {{\n  "rule": "{TERM}"' in done.output
    assert "reproduced: True" in done.output
    Decision.objects.update(outcome={"due": "1999-01-01"})
    other = CliRunner().invoke(replay_command, [home, made.id, "--json"])
    assert other.exit_code == 1
    assert json.loads(other.output)["reproduced"] is False
    assert json.loads(other.output)["outcome_again"] == made.outcome


def test_a_term_is_listed_and_extended_with_the_supervisors_consent(people, term):
    (row,) = json.loads(run(clock_command, "list", "--as", "wang", "--json").output)
    assert (row["due"], row["days_left"]) == (term.due_on.isoformat(), 10)
    assert TERM in run(clock_command, "list").output
    run(clock_command, "extend", term.id, "--reason", "数据量大", "--as", "wang")
    said = run(clock_command, "consent", term.id, "--as", "chen").output
    extended = Clock.objects.get()
    assert extended.extended_days == 5
    assert extended.due_on is None or extended.due_on > term.due_on
    assert "is consented" in said


def test_a_refused_extension_leaves_the_term_as_it_is(people, term):
    run(clock_command, "extend", term.id, "--reason", "数据量大", "--as", "wang")
    assert "is refused" in run(clock_command, "consent", term.id, "--refuse", "--as", "chen").output
    assert Clock.objects.get().due_on == term.due_on


def counted(rule: type[Rule]) -> int:
    found = RefusalCount.objects.filter(rule=rule.name(), day=day.today()).first()
    return found.refused if found else 0


def test_a_refusal_is_counted_where_a_page_says_it(people):
    from hutong.portal.components.page import refusal_of

    refusal_of(RefusalWithoutCitation())
    refusal_of(NotFound(what="rule", name="x"))
    assert counted(RefusalWithoutCitation) == 1
    assert RefusalCount.objects.count() == 1, "what is no rule is not counted"


def test_a_refusal_is_counted_where_the_command_line_says_it(people, capsys):
    home, since = str(current().home), day.today() - timedelta(days=1)
    words = ["rule", "propose", home, TERM, "days", "5", "--since", since.isoformat(), "--source", "某文件第一条"]
    with pytest.raises(SystemExit):
        cli.main([*words, "--as", "chen"])
    assert "A version may begin today or later" in capsys.readouterr().err
    assert RefusalCount.objects.get().rule == "R-3/since_in_the_past"


def test_a_refusal_is_counted_where_a_message_is_answered(anhui):
    pid, consumer_pid, _ = anhui.request(published("unconditional"), terms())
    signature = anhui.countersign(anhui.heard(protocol.ContractAgreement)[0].agreement)
    verification = protocol.ContractVerification(pid, consumer_pid, signature)
    path = f"/negotiations/{pid}/agreement/verification"
    assert anhui.say(path, verification).status_code == 200
    assert anhui.say(path, verification).status_code == 400
    assert counted(IllegalMove) == 1


def test_a_listener_that_fails_does_not_hide_the_refusal(people, caplog):
    def broken(_: object) -> None:
        raise RuntimeError("full")

    refusals.on_refusal(broken)
    try:
        refusals.said(RefusalWithoutCitation())
    finally:
        refusals._listeners.remove(broken)
    assert counted(RefusalWithoutCitation) == 1
    assert "a listener failed" in caplog.text
