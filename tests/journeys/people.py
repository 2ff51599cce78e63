"""People at a browser: accounts they can sign in with, and the way in."""

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
    page.get_by_label("User name").fill(username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Good day")


def as_person(browser: Browser, node: Node, username: str) -> Page:
    made = browser.new_context(locale="en-GB").new_page()
    made.set_default_timeout(30_000)
    sign_in(made, node, username)
    return made
