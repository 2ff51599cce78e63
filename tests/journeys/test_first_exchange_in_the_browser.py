"""The first exchange at two portals: Jiangsu's officer publishes real companies, Anhui's people ask, sign off and read.

In a real browser, on SQLite and on PostgreSQL; the application reads Arrow with the key the portal made, and both
ledgers reconcile.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

import hutong
from tests.journeys.first_exchange import CONSUMER, DESK, KEEPER, OFFICE, PROVIDER, agreement_in_force
from tests.journeys.first_exchange import found_in_catalogue as found
from tests.journeys.people import as_person, staff
from tests.journeys.test_first_exchange import COMPANIES, databases  # noqa: F401 - a fixture
from tests.nodes import Node, Region, until
from tests.publication import SUPERVISOR

DESCRIPTION = {
    "title_zh": "江苏企业登记信息",
    "title_en": "Companies of Jiangsu",
    "summary_zh": "企业名称、统一社会信用代码、成立日期与所在城市。",
    "source_system": "企业登记系统",
}
CHOICES = {"category": "basic", "theme": "legal_entity", "update_cycle": "5", "attribute": "unconditional"}


def publish(browser: Browser, node: Node, source: Path) -> str:
    """Register, describe, sign off, submit, publish, each by the person whose task it is. returns the resource's id"""
    officer = as_person(browser, node, "wang")
    officer.goto(node.base_url + "/publish/sources/new/")
    officer.get_by_label("Name").fill("企业登记")
    officer.get_by_label("Kind").select_option("csv")
    officer.get_by_label("Location").fill(str(source))
    officer.get_by_role("button", name="Check and register").click()
    expect(officer.locator("tbody")).to_contain_text("138,339", timeout=120_000)
    officer.get_by_role("button", name="Describe as a resource").click()
    expect(officer.get_by_role("heading", name="Items")).to_be_visible(timeout=60_000)
    address = officer.url
    describe(officer)
    officer.get_by_role("button", name="Save the description").click()
    expect(officer.get_by_role("status").first).to_be_visible()

    head = as_person(browser, node, "zhao")
    head.goto(address)
    head.get_by_role("button", name="Sign off the assessment").click()
    expect(head.get_by_text("Signed off by")).to_be_visible()

    officer.goto(address)
    officer.get_by_role("button", name="Save and submit").click()
    expect(officer.get_by_text("before the supervisor").first).to_be_visible(timeout=60_000)

    supervisor = as_person(browser, node, SUPERVISOR)
    supervisor.goto(node.base_url + "/reviews/")
    supervisor.get_by_role("link", name=DESCRIPTION["title_en"]).click()
    supervisor.get_by_role("button", name="Publish this version").click()
    expect(supervisor.get_by_text("Nothing awaits review")).to_be_visible(timeout=60_000)

    officer.goto(address)
    expect(officer.get_by_role("link", name="As others see it")).to_be_visible(timeout=60_000)
    for one in (head, officer, supervisor):
        one.context.close()
    return address.rstrip("/").rpartition("/")[2]


def describe(officer: Page) -> None:
    for name, text in DESCRIPTION.items():
        officer.locator(f"#id_{name}").fill(text)
    for name, value in CHOICES.items():
        officer.locator(f"#id_{name}").select_option(value)
    officer.get_by_role("checkbox", name="interface").check()
    items = officer.locator("details.itemedit")
    for at in range(items.count()):
        item = items.nth(at)
        item.locator("summary").click()
        item.locator("[id$=-title_zh]").fill(f"信息项{at + 1}")


def ask(browser: Browser, node: Node, resource: str) -> None:
    """Anhui's officer asks for the companies of Nanjing; the head signs off."""
    officer = as_person(browser, node, "li")
    officer.goto(f"{node.base_url}/catalogue/{resource}/request/")
    officer.get_by_label("Purpose").select_option("licensing")
    for name, text in (("basis", "《行政许可法》第三十一条"), ("scenario", "企业迁入"), ("scope", "登记窗口")):
        officer.locator(f"#id_{name}").fill(text)
    for at in (1, 2, 8):  # name, credit code, city
        officer.get_by_role("checkbox", name=f"信息项{at}", exact=False).first.check()
    officer.get_by_label("Item of condition 1").select_option("city")
    officer.get_by_label("Value of condition 1").fill("南京")
    officer.get_by_role("button", name="File the request").click()
    expect(officer.get_by_role("status").first).to_contain_text("Filed.")
    head = as_person(browser, node, "sun")
    head.get_by_role("link", name="Sign-off").first.click()
    head.get_by_role("button", name="Sign off and send").first.click()
    expect(head.get_by_role("link", name="Open the agreement")).to_be_visible(timeout=60_000)
    for one in (head, officer):
        one.context.close()


def make_key(browser: Browser, node: Node) -> str:
    officer = as_person(browser, node, "li")
    officer.goto(node.base_url + "/keys/")
    officer.get_by_label("Application").fill("迁入登记系统")
    officer.get_by_role("button", name="Make the key").click()
    key = officer.locator(".once").inner_text()
    officer.context.close()
    return key


def test_real_companies_are_published_asked_for_and_read_at_two_portals(
    tmp_path: Path,
    real_data: Path,
    browser: Browser,
    databases: Callable[[str], str] | None,  # noqa: F811 - the fixture
) -> None:
    with Region(tmp_path, databases) as region:
        region.start(KEEPER, PROVIDER, CONSUMER)
        provider, consumer = region[PROVIDER], region[CONSUMER]
        staff(
            provider,
            OFFICE,
            "江苏省市场监督管理局",
            "Jiangsu Market Regulation",
            {"wang": "officer", "zhao": "head", SUPERVISOR: "supervisor"},
        )
        staff(consumer, DESK, "安徽省数据资源管理局", "Anhui Data Resources", {"li": "officer", "sun": "head"})
        resource = publish(browser, provider, (real_data / COMPANIES).resolve())
        found(consumer, resource)
        ask(browser, consumer, resource)
        agreement = agreement_in_force(consumer, resource)["id"]
        with hutong.connect(consumer.base_url, make_key(browser, consumer)) as connection:
            table = connection.read(agreement, purpose="licensing", case="皖2026-0001").to_arrow()
        assert table.column_names == ["name", "uscc", "city"]
        assert table.num_rows > 1_000
        assert set(table["city"].to_pylist()) == {"南京"}
        for one, other in ((consumer, provider), (provider, consumer)):
            command = ("ledger", "reconcile", str(one.home), other.jurisdiction)
            until(lambda one=one, command=command: one.json(*command)["agreed"] == 1, what="both logs' next round")
            assert one.json(*command)["differences"] == []


@pytest.fixture(autouse=True)
def _long_enough(request: pytest.FixtureRequest) -> None:
    request.node.add_marker(pytest.mark.timeout(600))
