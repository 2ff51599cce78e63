"""People at a browser: accounts they can sign in with, and the way in, in their own language."""

from __future__ import annotations

from playwright.sync_api import Browser, Page, expect

from tests.nodes import Node

PASSWORD = "Ein-langes-Wort-9"
STAFF = """
from hutong.control.identity.actions import create_account
from hutong.control.identity.rules import Operator
from hutong.control.organisations.actions import register_department
by = Operator("test")
register_department(by, code={department!r}, name_zh={name!r}, name_en={name_en!r})
for username, role in {people!r}.items():
    department = {department!r} if role in ("officer", "head") else None
    create_account(by, username=username, password={password!r}, role=role, department_code=department)
"""


def staff(node: Node, department: str, name: str, name_en: str, people: dict[str, str]) -> None:
    given = {"department": department, "name": name, "name_en": name_en, "people": people, "password": PASSWORD}
    node.python(STAFF.format(**given))


def sign_in(page: Page, node: Node, username: str) -> None:
    page.goto(node.base_url + "/sign-in/")
    page.locator("#id_username").fill(username)
    page.locator("#id_password").fill(PASSWORD)
    page.locator("#id_password").press("Enter")
    expect(page.locator("#id_password")).to_have_count(0)


def as_person(browser: Browser, node: Node, username: str, *, locale: str = "en-GB", width: int = 1280) -> Page:
    made = browser.new_context(locale=locale, viewport={"width": width, "height": 900}).new_page()
    made.set_default_timeout(30_000)
    sign_in(made, node, username)
    return made


def press(page: Page, name: str) -> None:
    """A button that sends its form, by the keyboard alone; returns when the next page is there."""
    page.get_by_role("button", name=name, exact=True).focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
