"""Departments merge: what one offered and owed goes to the other, with its clocks, and it is recorded."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from hutong.control.catalogue import actions, queries, systems
from hutong.control.catalogue.models import InformationSystem, Resource
from hutong.control.catalogue.rules import ChangeNotFiled
from hutong.control.clocks.models import Clock
from hutong.control.identity.rules import Operator, OtherDepartment
from hutong.control.organisations.cli import department as department_cli
from hutong.control.organisations.models import Succession
from hutong.control.organisations.succession import OwnSuccessor, succeed
from hutong.exchange.models import Source
from hutong.ledger.models import AuditRecord
from hutong.vocabulary.errors import NotAllowed, NotFound
from hutong.vocabulary.text import WrongText
from tests.companies import HEALTH, MARKET
from tests.conftest import HOME
from tests.publication import publish

pytestmark = pytest.mark.django_db
BY = Operator("operator:root")
REASON = "苏编办〔2026〕3 号"


def test_what_a_department_offers_and_owes_goes_to_its_successor(people, published, at):
    at("2025-09-22")
    systems.register_system(people["officer"], code="S-1", name="企业登记系统")
    systems.register_system(people["other"], code="S-1", name="疫苗系统")
    actions.describe(people["officer"], published.id, {"title_zh": "企业"})
    due = Clock.objects.get(state="running").due_on
    made = succeed(BY, MARKET, HEALTH, reason=REASON)
    assert made.moved["resources"] == made.moved["sources"] == made.moved["clocks"] == 1
    assert Source.objects.get().department == HEALTH
    assert (Clock.objects.get(state="running").department, Clock.objects.get(state="running").due_on) == (HEALTH, due)
    assert queries.resource(published.id).system.code == "S-1-559184"
    with pytest.raises(OtherDepartment):
        actions.describe(people["officer"], published.id, {"title_zh": "x"})
    actions.describe(people["other"], published.id, {"title_zh": "企业名录"})
    kinds = AuditRecord.objects.filter(kind__in=("department.succeeded", "resource.inherited"))
    assert sorted(kinds.values_list("kind", flat=True)) == ["department.succeeded", "resource.inherited"]
    again = publish(people["other"], published.id)
    assert again.department_code == HEALTH


def test_the_entry_that_names_the_old_department_is_a_change_to_file(people, published, at):
    at("2025-09-22")
    succeed(BY, MARKET, HEALTH, reason=REASON)
    clock = Clock.objects.get(rule=ChangeNotFiled.name())
    assert (clock.department, str(clock.due_on)) == (HEALTH, "2025-10-11")
    assert queries.entry(published.id).department_code == MARKET, "until it is reviewed"


def test_a_merger_is_whole_or_not_at_all(people, published, monkeypatch):
    from hutong.control.organisations import succession

    def fails(*_):
        raise RuntimeError

    monkeypatch.setitem(succession._moves, "zz", fails)
    with pytest.raises(RuntimeError):
        succeed(BY, MARKET, HEALTH, reason=REASON)
    assert (Resource.objects.get().department_id, Succession.objects.count()) == (MARKET, 0)


def test_wrong_mergers_are_refused(people, published):
    for who in ("officer", "head", "auditor"):
        with pytest.raises(NotAllowed):
            succeed(people[who], MARKET, HEALTH, reason=REASON)
    with pytest.raises(NotFound):
        succeed(BY, MARKET, "nobody", reason=REASON)
    with pytest.raises(WrongText):
        succeed(BY, MARKET, HEALTH, reason=" ")
    with pytest.raises(OwnSuccessor):
        succeed(BY, MARKET, MARKET, reason=REASON)
    succeed(BY, MARKET, HEALTH, reason=REASON)
    with pytest.raises(OwnSuccessor):
        succeed(BY, HEALTH, MARKET, reason=REASON)
    assert not InformationSystem.objects.exists()


def test_by_command_line(people, published):
    said = CliRunner().invoke(department_cli, ["succeed", str(HOME), MARKET, HEALTH, "--reason", REASON])
    assert said.exit_code == 0, said.output
    assert "1 resources" in said.output
