"""People at real nodes in a real browser: sign in, search, ask, sign off, agree, verify; on a phone; by keyboard alone.

One region serves all of these: Jiangsu has published, Anhui asks. Each test has a browser of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.first_exchange import CONSUMER, DESK, KEEPER, OFFICE, PROVIDER, found_in_catalogue, publish
from tests.journeys.people import PASSWORD, as_person, sign_in, staff
from tests.nodes import Node, Region
from tests.publication import SUPERVISOR

COMPANIES = """name,uscc,registration_date,city
甲公司,91350100M000100Y43,1998-02-03,南京
乙公司,11430000006122244L,2001-05-06,苏州
"""
WIDTHS = (360, 390, 768)
# How long to look for what must come about by itself: three nodes may share two cores with other tests.
expect.set_options(timeout=30_000)


@dataclass(frozen=True)
class Place:
    """The region of these journeys."""

    region: Region
    resource: str

    @property
    def consumer(self) -> Node:
        return self.region[CONSUMER]

    @property
    def provider(self) -> Node:
        return self.region[PROVIDER]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("portal")
    with Region(folder) as region:
        region.start(KEEPER, PROVIDER, CONSUMER)
        staff(
            region[PROVIDER],
            OFFICE,
            "江苏省市场监督管理局",
            "Jiangsu Market Regulation",
            {"wang": "officer", "zhao": "head", SUPERVISOR: "supervisor"},
        )
        people = {"li": "officer", "sun": "head", "qian": "supervisor", "he": "steward", "wu": "auditor"}
        staff(region[CONSUMER], DESK, "安徽省数据资源管理局", "Anhui Data Resources", people)
        source = folder / "companies.csv"
        source.write_text(COMPANIES, encoding="utf-8")
        resource = publish(region[PROVIDER], source, folder)
        found_in_catalogue(region[CONSUMER], resource)
        yield Place(region, resource)


def file_request(page: Page, place: Place) -> str:
    """Fill in the request form as an officer does. returns the request's address"""
    page.goto(f"{place.consumer.base_url}/catalogue/{place.resource}/")
    page.get_by_role("link", name="Request this data").click()
    page.get_by_label("Purpose").select_option("licensing")
    page.get_by_label("Legal basis").fill("《行政许可法》第三十一条")
    page.get_by_label("Scenario").fill("企业迁入登记")
    page.get_by_label("Scope", exact=True).fill("登记窗口")
    for title in ("name", "uscc", "city"):
        page.get_by_role("checkbox", name=title).check()
    page.get_by_label("Item of condition 1").select_option("city")
    page.get_by_label("Value of condition 1").fill("南京")
    expect(page.locator("#preview")).to_contain_text("is “南京”")
    page.get_by_role("button", name="File the request").click()
    expect(page.get_by_role("status").first).to_contain_text("Filed.")
    return page.url


def test_from_search_to_a_verified_receipt(place: Place, browser: Browser, page: Page):
    officer = page
    sign_in(officer, place.consumer, "li")
    officer.get_by_role("link", name="Catalogue").first.click()
    search = officer.get_by_role("searchbox")
    search.press_sequentially("registered comp")
    expect(officer.locator(".result")).to_have_count(1)
    search.fill("企业登记")
    expect(officer.locator(".result")).to_contain_text("Registered companies")
    expect(officer.get_by_role("checkbox", name="legal entities")).to_be_visible()
    search.fill("没有这样的数据")
    expect(officer.get_by_text("No published data set matches")).to_be_visible()
    expect(officer.get_by_role("checkbox", name="legal entities")).to_have_count(0)  # the filters follow
    address = file_request(officer, place)
    expect(officer.get_by_text("As data officer you may not sign off a request.")).to_be_visible()

    head = as_person(browser, place.consumer, "sun")
    head.get_by_role("link", name="Sign-off").first.click()
    head.get_by_role("button", name="Sign off and send").first.click()
    expect(head.get_by_role("link", name="Open the agreement")).to_be_visible()  # the page looks again by itself
    head.get_by_role("link", name="Open the agreement").click()
    expect(head.get_by_text("signed, Ed25519")).to_have_count(2)
    expect(head.locator(".room__head")).to_contain_text("active")
    agreement = head.locator("dd code").last.inner_text()

    officer.goto(address)
    expect(officer.locator(".room__head")).to_contain_text("agreed")
    officer.goto(place.consumer.base_url + "/keys/")
    officer.get_by_label("Application").fill("迁入登记系统")
    officer.get_by_role("button", name="Make the key").click()
    key = officer.locator(".once").inner_text()
    headers = {"Authorization": f"Bearer {key}", "Hutong-Purpose": "licensing", "Hutong-Case": "AH-2026-1"}
    door = f"{place.consumer.base_url}/exchange/v1/agreements/{agreement}/read"
    read = officer.request.post(door, headers=headers, data={"items": ["name", "city"], "limit": 10})
    assert json.loads(read.body()) == [{"name": "甲公司", "city": "南京"}]
    refused = officer.request.post(door, headers=headers | {"Hutong-Purpose": "statistics"}, data={"limit": 1})
    assert refused.status == 403

    officer.goto(place.consumer.base_url + "/exchanges/")
    expect(officer.locator("tbody tr").filter(has_text="purpose_not_granted")).to_have_count(1)
    officer.locator("tbody tr").filter(has_text="served").get_by_role("rowheader").get_by_role("link").click()
    officer.get_by_role("button", name="Verify").click()
    expect(officer.get_by_role("heading", name="This receipt holds")).to_be_visible()
    expect(officer.locator(".steps")).to_contain_text("gives exactly the root of the checkpoint")

    provider = as_person(browser, place.provider, "wang")
    provider.get_by_role("link", name="Agreements").first.click()
    provider.locator("tbody tr").first.get_by_role("link").click()
    provider.get_by_role("button", name="Suspend").click()
    expect(provider.locator("#id_reason_error")).to_be_visible()
    provider.get_by_label("Reason").fill("核查用途")
    provider.get_by_role("button", name="Suspend").click()
    expect(provider.get_by_text("the very next read is refused").first).to_be_visible()
    stopped = officer.request.post(door, headers=headers, data={"limit": 1})
    assert (stopped.status, json.loads(stopped.body())["code"]) == (403, "grant_suspended")
    head.context.close()
    provider.context.close()


def rooms_of(page: Page) -> list[str]:
    return page.eval_on_selector_all(".rail__wide a", "links => links.map(link => link.getAttribute('href'))")


@pytest.mark.parametrize("username", ["li", "sun", "qian", "he", "wu"])
def test_every_room_of_every_role_opens_in_either_language_and_fits_a_phone(place: Place, page: Page, username: str):
    sign_in(page, place.consumer, username)
    addresses = [*rooms_of(page), f"/catalogue/{place.resource}/"]
    if username in ("li", "sun"):
        addresses += [f"/catalogue/{place.resource}/request/", "/publish/sources/new/"]
    for language in ("en", "zh-hans"):
        page.context.add_cookies([{"name": "django_language", "value": language, "url": place.consumer.base_url}])
        for at, address in enumerate(addresses):
            answer = page.goto(place.consumer.base_url + address)
            assert answer is not None
            assert answer.ok, address
            assert page.locator("html").get_attribute("lang") == language
            assert page.locator("h1").count() == 1, address
            for width in WIDTHS if at % 2 else reversed(WIDTHS):  # the next page begins at the width of the last
                page.set_viewport_size({"width": width, "height": 780})
                spare = page.evaluate("document.documentElement.clientWidth - document.documentElement.scrollWidth")
                assert spare >= 0, f"{address} in {language} is {-spare} px too wide at {width}"


def focused(page: Page) -> str:
    """The name of the field, or the words of the link or button, that has the focus."""
    return page.evaluate(
        "(() => { const one = document.activeElement;"
        " return one.name || (one.matches('a, button, summary') ? one.innerText : one.tagName) })()"
    )


def tab_to(page: Page, wanted: str, *, most: int = 60) -> None:
    """Press Tab until something so named has the focus, and see that the focus shows."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if wanted in focused(page):
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline == "solid", f"the focus on {wanted} does not show"
            return
    raise AssertionError(f"Tab never reaches {wanted}")


def test_everything_from_sign_in_to_a_filed_request_by_keyboard_alone(place: Place, page: Page):
    page.goto(place.consumer.base_url + "/catalogue/")
    expect(page.locator("#id_username")).to_be_focused()
    page.keyboard.type("li")
    tab_to(page, "password")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Data catalogue")).to_be_visible()
    page.keyboard.press("Tab")
    assert focused(page) == "Skip to the content"
    page.keyboard.press("Enter")
    tab_to(page, "q", most=3)
    page.keyboard.type("Registered")
    expect(page.locator("#how-many")).to_contain_text("for “Registered”")
    expect(page.locator(".htmx-request")).to_have_count(0)
    tab_to(page, "Registered companies")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Registered companies")
    tab_to(page, "Request this data")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Request data")).to_be_visible()
    tab_to(page, "purpose")
    page.keyboard.type("administrative")
    for field, text in (("basis", "某法第三条"), ("scenario", "窗口核验"), ("scope", "本市")):
        tab_to(page, field, most=2)
        page.keyboard.type(text)
    tab_to(page, "items", most=2)
    page.keyboard.press("Space")
    tab_to(page, "File the request")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("Filed.")


def test_pages_work_without_any_script(place: Place, browser: Browser):
    context = browser.new_context(locale="en-GB", java_script_enabled=False)
    page = context.new_page()
    sign_in(page, place.consumer, "li")
    page.goto(place.consumer.base_url + "/catalogue/?q=nothing-like-it")
    expect(page.get_by_text("No published data set matches")).to_be_visible()
    page.get_by_role("searchbox").fill("企业登记")
    page.get_by_role("button", name="Search").click()
    page.locator(".result a").click()
    expect(page.get_by_role("link", name="Request this data")).to_be_visible()
    page.get_by_role("button", name="中文").click()
    expect(page.get_by_role("link", name="申请该数据")).to_be_visible()
    context.close()


def test_every_control_has_a_name_and_every_page_one_heading(place: Place, page: Page):
    sign_in(page, place.consumer, "li")
    for address in [*rooms_of(page), f"/catalogue/{place.resource}/", f"/catalogue/{place.resource}/request/"]:
        page.goto(place.consumer.base_url + address)
        assert page.locator("h1").count() == 1, address
        nameless = page.evaluate(
            """() => [...document.querySelectorAll('input:not([type=hidden]), select, textarea, button, a')]
                .filter(one => !(one.labels && one.labels.length) && !one.getAttribute('aria-label')
                               && !one.innerText.trim() && !one.textContent.trim())
                .map(one => one.outerHTML.slice(0, 120))"""
        )
        assert nameless == [], address
        repeated = page.evaluate(
            "() => { const ids = [...document.querySelectorAll('[id]')].map(one => one.id);"
            " return ids.filter((id, at) => ids.indexOf(id) !== at) }"
        )
        assert repeated == [], address
