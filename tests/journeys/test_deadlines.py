"""Deadlines and rules in a real browser: an extension with consent, four eyes on a parameter, a decision made again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from icalendar import Calendar
from playwright.sync_api import Browser, Page, expect

from tests.journeys.people import as_person, sign_in, staff
from tests.nodes import Node, Region

OFFICE = "11370800MB28559184"
WIDTHS = (360, 390, 768)
BEGUN = """
from hutong.control.clocks.actions import start
from hutong.control.statute.queries import rule
start(rule("D809-17/change_filing"), "resource:1", department={office!r}, title_zh="企业目录变更",
      title_en="Change of companies")
"""
expect.set_options(timeout=30_000)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with Region(tmp_path_factory.mktemp("deadlines")) as region:
        made = region.make("320000")
        people = {"wang": "officer", "chen": "supervisor", "zhao": "supervisor"}
        staff(made, OFFICE, "市场监督管理局", "Market Regulation", people)
        made.python(BEGUN.format(office=OFFICE))
        made.start()
        yield made


def day_in(page: Page, address: str) -> date:
    (event,) = Calendar.from_ical(page.request.get(address).body()).walk("VEVENT")
    found: date = event.decoded("DTSTART")
    return found


def test_an_extension_travels_from_the_officer_to_the_supervisor_and_into_the_calendar(node: Node, browser: Browser):
    officer = as_person(browser, node, "wang")
    officer.get_by_role("link", name="Notices").first.click()
    officer.get_by_role("button", name="Make the address").click()
    address = officer.locator(".once").inner_text()
    before = day_in(officer, address)
    officer.get_by_role("link", name="Deadlines").first.click()
    officer.get_by_role("link", name="Change of companies").click()
    officer.get_by_label("Reason").fill("站点分散，需逐一核对")
    officer.get_by_role("button", name="Ask for an extension").click()
    expect(officer.get_by_text("Asked for: the supervisor decides.")).to_be_visible()

    supervisor = as_person(browser, node, "chen")
    supervisor.get_by_role("link", name="Change of companies").first.click()  # it waits on the start page
    expect(supervisor.get_by_text("站点分散，需逐一核对").first).to_be_visible()
    supervisor.get_by_role("button", name="Consent").click()
    expect(supervisor.get_by_text("Extended; those concerned are told.")).to_be_visible()

    officer.get_by_role("link", name="Notices").first.click()
    expect(officer.get_by_text("the supervisor has consented to the extension")).to_be_visible()
    assert day_in(officer, address) > before
    officer.context.close()
    supervisor.context.close()


def test_one_person_proposes_and_another_approves_and_a_decision_is_made_again(node: Node, browser: Browser):
    proposer = as_person(browser, node, "chen")
    proposer.goto(node.base_url + "/rules/D809-17/change_filing/")
    proposer.get_by_label("New value").fill("7")
    proposer.get_by_label("In force from").fill((date.today() + timedelta(days=3)).isoformat())
    proposer.get_by_label("Document and article").fill("省数据条例第二十条")
    proposer.get_by_role("button", name="Propose").click()
    expect(proposer.get_by_text("You proposed this version, so another person decides on it.")).to_be_visible()

    other = as_person(browser, node, "zhao")
    other.get_by_role("link", name="Rules").first.click()
    other.get_by_role("button", name="Approve").click()
    expect(other.get_by_text("Approved.", exact=True)).to_be_visible()
    other.get_by_role("link", name="The last day of a term").first.click()
    other.get_by_role("link", name="Decide again").click()
    expect(other.get_by_text("the outcome is the same")).to_be_visible()
    proposer.context.close()
    other.context.close()


def test_no_page_of_deadlines_and_rules_is_wider_than_a_phone(node: Node, page: Page):
    sign_in(page, node, "chen")
    page.goto(node.base_url + "/clocks/")
    term = page.locator("tbody a").first.get_attribute("href")
    page.goto(node.base_url + "/decisions/")
    decision = page.locator("tbody a").first.get_attribute("href")
    rule = "/rules/D809-17/change_filing/"
    for language in ("en", "zh-hans"):
        page.context.add_cookies([{"name": "django_language", "value": language, "url": node.base_url}])
        for address in ("/clocks/", term, "/notices/", "/rules/", rule, "/decisions/", f"{decision}?again=yes"):
            page.goto(f"{node.base_url}{address}")
            assert page.locator("html").get_attribute("lang") == language
            assert page.locator("h1").count() == 1
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 780})
                spare = page.evaluate("document.documentElement.clientWidth - document.documentElement.scrollWidth")
                assert spare >= 0, f"{address} in {language} is {-spare} px too wide at {width}"
