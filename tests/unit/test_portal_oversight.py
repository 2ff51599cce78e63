"""The room of supervision and the public page: every number opens, nothing leaks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.test import Client

from hutong.control.agreements.models import Negotiation
from hutong.control.catalogue.rules import ChangeNotFiled
from hutong.control.clocks.actions import look, start
from hutong.control.identity.models import Account
from hutong.control.oversight import actions
from hutong.control.oversight.measures import measures
from hutong.control.statute import day
from hutong.node import settings as node_settings
from hutong.portal.visitors import figure_views
from hutong.vocabulary.ids import new_id, urn
from tests.dsp_peer import department
from tests.region import ourselves

pytestmark = pytest.mark.django_db


@pytest.fixture
def months(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A department with a change never filed and six refusals, in October; the month is closed. returns its code"""
    ourselves()
    office = department()
    monkeypatch.setattr(day, "today", lambda: date(2025, 10, 9))
    start(ChangeNotFiled, "resource:1", department=office.code, title_zh="企业登记", title_en="Companies")
    for n in range(6):
        one = Negotiation.objects.create(
            pid=urn(new_id()), role="provider", peer="310000", state="TERMINATED", department=office.code,
            refusal_code=f"code_{n % 2}", refusal_reason="…", refusal_citation="=《条例》第十五条",
        )  # fmt: skip
        Negotiation.objects.filter(pid=one.pid).update(updated_at=datetime(2025, 10, 10, tzinfo=UTC))
    monkeypatch.setattr(day, "today", lambda: date(2025, 11, 5))
    look()
    actions.keep_up()
    figure_views._kept.clear()
    yield office.code
    figure_views._kept.clear()


def client(role: str, language: str = "en") -> Client:
    made = Client(headers={"accept-language": language})
    made.force_login(Account.objects.create(username=f"the-{role}", role=role))
    return made


def text(answer: Any) -> str:
    assert answer.status_code == 200, answer.content.decode()[:2000]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def test_the_board_says_late_of_all_and_opens_to_the_case(months):
    browser = client("supervisor")
    board = browser.get("/oversight/?period=2025-10")
    assert "Catalogue not updated in time" in text(board)
    figure = browser.get("/oversight/figures/catalogue_late/?period=2025-10")
    assert "1 / 1" in text(figure)
    assert "Companies" in text(figure)
    assert "Overdue now 1" in text(board)


@pytest.mark.parametrize("name", [one.name for one in measures()])
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_figure_opens_to_its_definition_and_its_cases(months, name, language):
    browser = client("supervisor", language)
    for period, department_code in (("2025-10", ""), ("2025-Q4", months)):
        query = f"?period={period}&department={department_code}&show=all"
        text(browser.get(f"/oversight/figures/{name}/{query}"))
        assert browser.get(f"/oversight/figures/{name}/cases.csv{query}").status_code == 200


def test_the_cases_as_csv_say_which_count_and_run_nothing_in_a_spreadsheet(months):
    lines = client("auditor").get("/oversight/figures/refusals_without_citation/cases.csv?period=2025-10&show=all")
    rows = lines.content.decode().splitlines()
    assert len(rows) == 7
    assert rows[0].startswith("\ufeffCase,")
    assert all(row.endswith(",0") for row in rows[1:])
    clock = client("steward").get("/oversight/figures/catalogue_late/cases.csv?period=2025-10").content.decode()
    assert clock.splitlines()[1].endswith(",1")


def test_the_auditor_verifies_a_signed_statement(months):
    browser = client("auditor")
    assert "2025-10" in text(browser.get("/oversight/statements/"))
    assert "This statement holds" in text(browser.get("/oversight/statements/2025-10/?verify=1"))
    Negotiation.objects.update(refusal_citation="")
    assert "records were changed since" in text(browser.get("/oversight/statements/2025-10/?verify=1"))


def test_officers_do_not_enter_the_room(months):
    office = department()
    browser = Client()
    browser.force_login(Account.objects.create(username="o", role="officer", department=office))
    assert browser.get("/oversight/").status_code == 403


@pytest.mark.parametrize(
    "address", ["/oversight/?period=x", "/oversight/figures/none/", "/oversight/statements/2020-01/"]
)
def test_what_there_is_not_is_refused_in_words(months, address):
    assert client("supervisor").get(address).status_code in (400, 404)


@pytest.fixture
def open_to_all(monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    opened = replace(node_settings.current(), public_figures="yes")
    monkeypatch.setattr("hutong.control.oversight.public.current", lambda: opened)


def test_the_public_page_is_shut_until_the_operator_opens_it(months):
    assert Client().get("/figures/").status_code == 404
    assert Client().get("/figures.json").status_code == 404


def test_the_public_page_names_no_department_and_hides_small_numbers(months, open_to_all):
    page = text(Client(headers={"accept-language": "en"}).get("/figures/?period=2025-10"))
    told = Client().get("/figures.json?period=2025-10").json()
    assert "fewer than 5" in page
    assert months not in page + str(told)
    refusals = next(one for one in told["figures"] if one["name"] == "refusals_without_citation")
    assert (refusals["cases"], refusals["number"], refusals["parts"]) == (6, 6, {"code_0": None, "code_1": None})


def test_the_public_page_is_counted_once_a_minute_and_keeps_nobodys_form_token(months, open_to_all):
    first, second = Client().get("/figures/"), Client().get("/figures/")
    Negotiation.objects.all().delete()
    tokens = [re.findall(r'csrfmiddlewaretoken" value="(\w+)"', one.content.decode()) for one in (first, second)]
    assert tokens[0] != tokens[1]
    assert len(figure_views._kept) == 1


@pytest.mark.parametrize("period", ["2024-01", "2031", "x", "2025-13"])
def test_a_period_nobody_counted_is_refused(months, open_to_all, period):
    assert Client().get(f"/figures/?period={period}").status_code == 400
