"""The way of one department's companies into the catalogue, step by step; each fixture walks on from the one before."""

from __future__ import annotations

from datetime import date

import pytest

from tests.companies import COMPLETE, HEALTH, ITEMS, MARKET, write_companies
from tests.publication import publish
from tests.region import neighbour, ourselves


@pytest.fixture
def region(db):
    ourselves()
    return neighbour("yrd", "region")


@pytest.fixture
def people(region):
    """An officer and a head of the market department, an officer of another, a steward, an auditor."""
    from hutong.control.identity.models import Account
    from hutong.control.identity.rules import Operator
    from hutong.control.organisations.actions import register_department

    by = Operator("operator:root")
    market = register_department(by, code=MARKET, name_zh="市场监督管理局", name_en="Market Regulation")
    health = register_department(by, code=HEALTH, name_zh="卫生健康委员会")
    make = Account.objects.create
    return {
        "officer": make(username="wang", role="officer", department=market),
        "head": make(username="li", role="head", department=market),
        "other": make(username="zhao", role="officer", department=health),
        "steward": make(username="chen", role="steward"),
        "auditor": make(username="qian", role="auditor"),
    }


@pytest.fixture
def csv_file(tmp_path):
    return write_companies(tmp_path / "companies.csv")


@pytest.fixture
def registered(people, csv_file):
    from hutong.control.catalogue import actions

    return actions.register_source(people["officer"], name="企业登记", kind="csv", location=str(csv_file))


@pytest.fixture
def drafted(people, registered):
    from hutong.control.catalogue import actions

    return actions.draft_resource(people["officer"], registered.id)


@pytest.fixture
def described(people, drafted):
    from hutong.control.catalogue import actions

    return actions.describe(people["officer"], drafted.id, COMPLETE, ITEMS)


@pytest.fixture
def published(people, described):
    return publish(people["head"], described.id)


@pytest.fixture
def at(monkeypatch):
    """Sets the day in China."""
    from hutong.control.statute import day

    def set_day(when: date | str) -> None:
        monkeypatch.setattr(day, "today", lambda: date.fromisoformat(when) if isinstance(when, str) else when)

    return set_day
