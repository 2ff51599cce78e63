"""Accounts and departments: the roles table as a truth table, and what is refused when one is made."""

from __future__ import annotations

import pytest
from django.contrib.auth import authenticate

from hutong.control.identity import rules
from hutong.control.identity.actions import close_account, create_account
from hutong.control.identity.queries import account as account_of
from hutong.control.identity.rules import Action, Operator
from hutong.control.organisations.actions import DepartmentKnown, register_department
from hutong.ledger.models import AuditRecord, LedgerEntry
from hutong.vocabulary.errors import NotAllowed, NotFound
from hutong.vocabulary.identifiers import WrongIdentifier
from hutong.vocabulary.text import TextTooLong, TextUnsafe

MARKET = "11370800MB28559184"
HEALTH = "11430000006122244L"
OPERATOR = Operator("operator:root")

# x: the role may do it.
TRUTH = """
action                  | officer | head | steward | supervisor | auditor | operator
department.add          |         |      | x       |            |         | x
account.add             |         |      | x       |            |         | x
source.register         | x       | x    | x       |            |         |
resource.describe       | x       | x    | x       |            |         |
resource.sign_off       |         | x    |         |            |         |
resource.submit         | x       | x    |         |            |         |
resource.review         |         |      |         | x          |         |
system.register         | x       | x    | x       |            |         |
resource.withdraw       | x       | x    | x       | x          |         |
request.file            | x       | x    |         |            |         |
request.sign_off        |         | x    |         |            |         |
request.withdraw        | x       | x    |         |            |         |
request.answer          | x       | x    |         |            |         |
demand.file             | x       | x    |         |            |         |
demand.sign_off         |         | x    |         |            |         |
demand.name_lead        |         |      |         | x          |         |
demand.meet             | x       | x    |         |            |         |
demand.refuse           |         | x    |         | x          |         |
duty.keep               | x       | x    | x       | x          |         |
barred.propose          | x       | x    | x       |            |         |
barred.review           |         |      |         | x          |         |
list.publish            |         |      | x       | x          |         |
reply.sign              |         | x    |         |            |         |
resource.simulate       | x       | x    |         |            |         |
zone.keep               |         |      | x       | x          |         |
agreement.change        | x       | x    |         | x          |         |
agreement.reidentify    |         | x    |         |            |         |
correction.report       | x       | x    |         |            |         |
correction.answer       | x       | x    |         |            |         |
conduct.file            | x       | x    |         |            |         |
service.announce_stop   | x       | x    |         |            |         |
use.purge               |         |      |         |            |         | x
key.issue               | x       | x    |         |            |         |
catalogue.see           | x       | x    | x       | x          | x       | x
exchange.see_own        | x       | x    | x       | x          | x       | x
exchange.see_all        |         |      | x       | x          | x       | x
oversight.see           |         |      | x       | x          | x       | x
node.see                |         |      | x       | x          | x       | x
standard.see            | x       | x    | x       | x          | x       | x
standard.propose        |         |      | x       |            |         | x
standard.approve        |         |      |         | x          |         |
resource.measure        | x       | x    | x       |            |         |
withheld.see_values     |         |      | x       |            |         |
peer.let_in             |         |      |         |            |         | x
parameter.propose       |         |      | x       | x          |         | x
parameter.approve       |         |      |         | x          |         |
clock.ask_extension     | x       | x    |         |            |         |
clock.consent_extension |         |      |         | x          |         |
clock.see               | x       | x    | x       | x          | x       | x
calendar.load           |         |      | x       | x          |         | x
calendar.approve        |         |      |         | x          |         |
return.ask              | x       | x    |         |            |         |
return.offer            | x       | x    |         |            |         |
dispute.take_part       | x       | x    |         | x          |         |
dispute.settle          |         | x    |         | x          |         |
dispute.decide          |         |      |         | x          |         |
"""
ROWS = [[cell.strip() for cell in line.split("|")] for line in TRUTH.strip().split("\n")]
CASES = [
    (row[0], role, mark == "x")
    for row in ROWS[1:]
    for role, mark in zip(ROWS[0][1:], row[1:], strict=True)
]  # fmt: skip


@pytest.mark.parametrize(("action", "role", "allowed"), CASES)
def test_what_each_role_may_do(action, role, allowed):
    somebody = Operator("somebody", role=role, department_id=MARKET)
    assert rules.may(somebody, action) is allowed
    if allowed:
        rules.check(somebody, action)
    else:
        with pytest.raises(NotAllowed, match=role):
            rules.check(somebody, action)


def test_the_truth_table_names_every_action_and_role():
    assert [row[0] for row in ROWS[1:]] == [str(action) for action in Action]
    assert set(ROWS[0][1:]) == set(rules.MAY)


def test_an_unknown_role_or_action_may_nothing():
    assert not rules.may(Operator("x", role=""), Action.SEE_CATALOGUE)
    assert not rules.may(Operator("x", role="officer"), "everything")


@pytest.mark.parametrize("role", ["officer", "head"])
def test_officers_act_for_their_own_department_alone(role):
    somebody = Operator("somebody", role=role, department_id=MARKET)
    rules.check(somebody, Action.DESCRIBE_RESOURCE, MARKET)
    with pytest.raises(rules.OtherDepartment):
        rules.check(somebody, Action.DESCRIBE_RESOURCE, HEALTH)


def test_a_steward_acts_across_departments():
    rules.check(Operator("somebody", role="steward"), Action.DESCRIBE_RESOURCE, HEALTH)


def test_a_closed_account_may_nothing():
    with pytest.raises(rules.AccountClosed):
        rules.check(Operator("somebody", role="officer", is_active=False), Action.SEE_CATALOGUE)


@pytest.fixture
def market(db):
    return register_department(OPERATOR, code=MARKET, name_zh="市场监督管理局", name_en="Market Regulation")


def test_a_department_is_registered_with_its_record(market):
    assert market.code == MARKET
    recorded = AuditRecord.objects.get(kind="department.registered")
    assert (recorded.actor, recorded.detail["code"], recorded.detail["doubts"]) == ("operator:root", MARKET, [])
    assert LedgerEntry.objects.count() == 1


def test_a_code_is_normalised_and_its_doubts_are_noted(db):
    assert register_department(OPERATOR, code="12310000425000000h", name_zh="某中心").code == "12310000425000000H"
    assert AuditRecord.objects.get().detail["doubts"] == ["inner_check"]


@pytest.mark.parametrize(
    ("code", "name", "refusal"),
    [
        ("91350100M000100Y44", "某局", WrongIdentifier),
        ("'; DROP TABLE x;--", "某局", WrongIdentifier),
        (HEALTH, "局" * 201, TextTooLong),
        (HEALTH, "某\x00局", TextUnsafe),
        (MARKET.lower(), "另一局", DepartmentKnown),
    ],
)
def test_a_wrong_department_is_refused_and_nothing_is_kept(market, code, name, refusal):
    with pytest.raises(refusal):
        register_department(OPERATOR, code=code, name_zh=name)
    assert AuditRecord.objects.count() == 1


def test_an_account_signs_in_with_its_password(market):
    create_account(OPERATOR, username="wang", password="a long pass phrase", role="officer", department_code=MARKET)
    assert authenticate(username="wang", password="a long pass phrase") == account_of("wang")
    assert authenticate(username="wang", password="a long pass phras") is None
    assert AuditRecord.objects.get(kind="account.created").detail == {
        "username": "wang",
        "role": "officer",
        "department": MARKET,
    }


def test_a_closed_account_signs_in_no_more(market):
    create_account(OPERATOR, username="wang", password="a long pass phrase", role="officer", department_code=MARKET)
    close_account(OPERATOR, "wang")
    close_account(OPERATOR, "wang")
    assert authenticate(username="wang", password="a long pass phrase") is None
    with pytest.raises(NotFound):
        account_of("wang")
    assert AuditRecord.objects.filter(kind="account.closed").count() == 1


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"username": "W"}, rules.BadUsername),
        ({"username": "wang li"}, rules.BadUsername),
        ({"username": "wang\n"}, rules.BadUsername),
        ({"username": "wang' OR 1=1"}, rules.BadUsername),
        ({"role": "emperor"}, rules.UnknownRole),
        ({"department_code": None}, rules.DepartmentNeeded),
        ({"role": "auditor"}, rules.NoDepartmentHere),
        ({"department_code": HEALTH}, NotFound),
        ({"password": "short"}, rules.WeakPassword),
        ({"password": "password1234"[:10]}, rules.WeakPassword),
        ({"password": "x" * 300}, rules.WeakPassword),
        ({"display_name": "a\u202eb"}, TextUnsafe),
    ],
)
def test_a_wrong_account_is_refused(market, change, refusal):
    given = {"username": "wang", "password": "a long pass phrase", "role": "officer", "department_code": MARKET}
    with pytest.raises(refusal):
        create_account(OPERATOR, **(given | change))
    assert not AuditRecord.objects.filter(kind="account.created").exists()


def test_a_user_name_is_taken_once(market):
    given = {"password": "a long pass phrase", "role": "auditor"}
    create_account(OPERATOR, username="wang", **given)
    with pytest.raises(rules.UsernameTaken):
        create_account(OPERATOR, username="wang", **given)


def test_only_the_steward_and_the_operator_make_accounts(market):
    officer = create_account(
        OPERATOR, username="wang", password="a long pass phrase", role="officer", department_code=MARKET
    )
    with pytest.raises(NotAllowed):
        create_account(officer, username="li", password="a long pass phrase", role="auditor")
    with pytest.raises(NotAllowed):
        register_department(officer, code=HEALTH, name_zh="卫生健康委员会")
