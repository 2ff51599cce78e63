"""Officer, head and supervisor at a browser: submitted, sent back with every point, changed, published; by keyboard, in
Chinese and in English, on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.companies import COMPLETE, ITEMS, write_companies
from tests.journeys.people import as_person, press, staff
from tests.nodes import Node, Region
from tests.publication import SUPERVISOR

OFFICE = "11330105002500287C"
DESCRIBED = """
from hutong.control.catalogue import actions
from hutong.control.identity.queries import account
wang = account("wang")
source = actions.register_source(wang, name="企业登记", kind="csv", location={file!r})
drafted = actions.draft_resource(wang, source.id)
actions.describe(wang, drafted.id, {description!r}, {items!r})
print('"' + actions.sign_off(account("zhao"), drafted.id).id + '"')
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Node, str]]:
    folder = tmp_path_factory.mktemp("catalogue")
    with Region(folder) as region:
        node = region.make("320000")
        people = {"wang": "officer", "zhao": "head", "chen": "steward", SUPERVISOR: "supervisor"}
        staff(node, OFFICE, "江苏省市场监督管理局", "Jiangsu Market Regulation", people)
        file = write_companies(folder / "companies.csv")
        given: dict[str, Any] = {"file": str(file), "description": COMPLETE, "items": ITEMS}
        resource = node.python(DESCRIBED.format(**given))
        node.start()
        yield node, resource


def test_a_description_is_sent_back_with_its_points_changed_and_published(
    browser: Browser, place: tuple[Node, str]
) -> None:
    node, resource = place
    edit = f"{node.base_url}/publish/resources/{resource}/"
    officer = as_person(browser, node, "wang")
    officer.goto(edit)
    press(officer, "Save and submit")
    expect(officer.get_by_text("before the supervisor").first).to_be_visible(timeout=60_000)
    expect(officer.get_by_role("button", name="Save the description")).to_have_attribute("aria-disabled", "true")

    supervisor = as_person(browser, node, SUPERVISOR, locale="zh-CN", width=1280)
    supervisor.goto(node.base_url + "/reviews/")
    supervisor.get_by_role("link", name="企业登记信息").click()
    press(supervisor, "按上述意见退回")
    expect(supervisor.get_by_role("alert")).to_be_visible()
    supervisor.get_by_label("意见：摘要", exact=True).fill("请写明数据来源")
    supervisor.get_by_label("理由").fill("摘要过短")
    press(supervisor, "按上述意见退回")
    expect(supervisor.get_by_text("没有待审核的目录")).to_be_visible()

    officer.goto(edit)
    expect(officer.get_by_text("Sent back by the supervisor")).to_be_visible()
    expect(officer.get_by_text("请写明数据来源")).to_be_visible()
    officer.locator("#id_summary_zh").fill("在本省登记的企业，来自企业登记系统")
    press(officer, "Save and submit")
    expect(officer.get_by_text("before the supervisor").first).to_be_visible(timeout=60_000)

    phone = as_person(browser, node, SUPERVISOR, locale="zh-CN", width=390)
    phone.goto(node.base_url + "/reviews/")
    with phone.expect_navigation():  # its styles too
        phone.get_by_role("link", name="企业登记信息").click()
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    press(phone, "予以发布")
    expect(phone.get_by_text("没有待审核的目录")).to_be_visible(timeout=60_000)
    officer.goto(f"{node.base_url}/catalogue/{resource}/versions/")
    expect(officer.get_by_role("row").filter(has_text="submitted by wang")).to_have_count(1)


def test_the_steward_registers_a_system_and_the_report_counts_it(
    browser: Browser, place: tuple[Node, str], tmp_path: Path
) -> None:
    node, _ = place
    steward = as_person(browser, node, "chen", locale="zh-CN", width=390)
    steward.goto(node.base_url + "/coverage/systems/")
    steward.get_by_label("系统代码").fill("S-1")
    steward.get_by_label("系统名称").fill("企业登记系统")
    press(steward, "登记")
    expect(steward.get_by_text("已编目")).to_be_visible()
    steward.goto(node.base_url + "/coverage/")
    assert steward.evaluate("document.documentElement.scrollWidth") <= 390
    with steward.expect_download() as download:
        steward.get_by_role("link", name="下载 CSV").click()
    saved = tmp_path / "coverage.csv"
    download.value.save_as(saved)
    assert "S-1,企业登记系统,1," in saved.read_text(encoding="utf-8-sig")
