"""Four nodes whose people live in the rooms of the statute, each in the language of their node.

The nation keeps the directory and stands above all; Jiashan lies in Zhejiang. Jiangsu is on PostgreSQL and works in
English, as Jiashan does; the nation and Zhejiang work in Chinese.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, Page

from tests.journeys.people import as_person, staff
from tests.nodes import Node, Region, until

NATION, JIANGSU, ZHEJIANG, JIASHAN = "100000", "320000", "330000", "330421"
LOCALES = {NATION: "zh-CN", ZHEJIANG: "zh-CN", JIANGSU: "en-GB", JIASHAN: "en-GB"}
OFFICES = {
    NATION: ("11370800MB28559184", "国家人口管理局", "National Population Office"),
    ZHEJIANG: ("11430000006122244L", "浙江省卫生健康委员会", "Zhejiang Health Commission"),
    JIANGSU: ("11330105002500287C", "江苏省公安厅", "Jiangsu Public Security"),
    JIASHAN: ("11370800MB28559184", "嘉善县公安局", "Jiashan Public Security"),
}
ROLES = ("officer", "head", "steward", "supervisor", "auditor")
# Inside a node, as its people's actions, where another journey walks the pages.
DESCRIBE = """
import json
from hutong.control.catalogue import actions
from hutong.control.catalogue.sources import register_source
from hutong.control.identity.queries import account
officer = account("officer")
source = register_source(officer, name="登记", kind="sqlite", location={file!r}, table="person")
resource = actions.draft_resource(officer, source.id)
actions.describe(officer, resource.id, {fields!r}, {items!r})
print(json.dumps(resource.id))
"""
PUBLISH = """
from hutong.control.catalogue import actions, publication
from hutong.control.identity.queries import account
actions.sign_off(account("head"), {resource!r})
publication.review(account("supervisor"), publication.submit(account("officer"), {resource!r}).id)
"""
FIELDS = {
    "category": "basic",
    "theme": "population",
    "update_cycle": "3",
    "sharing_modes": ["interface", "batch"],
    "source_system": "人口信息系统",
    "business_matter": "户籍管理",
    "attribute": "conditional",
    "conditions": "承担相应职责的部门",
    "permitted_purposes": ["licensing", "government_service"],
}


@dataclass
class Desks:
    """Everybody at their pages; each signs in once."""

    region: Region
    browser: Browser
    pages: dict[tuple[str, str], Page] = field(default_factory=dict)

    def __getitem__(self, jurisdiction: str) -> Node:
        return self.region[jurisdiction]

    def furnish(self) -> None:
        self.region.start(NATION, JIANGSU, ZHEJIANG, JIASHAN)
        for jurisdiction, (code, name, name_en) in OFFICES.items():
            staff(self[jurisdiction], code, name, name_en, {role: role for role in ROLES})

    def at(self, jurisdiction: str, role: str, path: str = "") -> Page:
        """A person's page, at an address of their node where one is given."""
        if (jurisdiction, role) not in self.pages:
            made = as_person(self.browser, self[jurisdiction], role, locale=LOCALES[jurisdiction])
            self.pages[jurisdiction, role] = made
        page = self.pages[jurisdiction, role]
        if path:
            answer = page.goto(self[jurisdiction].base_url + path)
            assert answer is None or answer.ok, path
        return page

    def say(self, jurisdiction: str, *words: str) -> Any:
        """`hutong WORD WORD DIR REST --json`."""
        return self[jurisdiction].json(*words[:2], str(self[jurisdiction].home), *words[2:])

    def describe(self, jurisdiction: str, table: str, title: tuple[str, str], elements: dict[str, str]) -> str:
        """A resource over a table drawn as text, every item with its data element. returns its id"""
        names, *rows = [[cell.strip() or None for cell in line.split("|")] for line in table.strip().splitlines()]
        file = self.region.folder / f"{jurisdiction}.sqlite"
        with closing(sqlite3.connect(file)) as database, database:
            database.execute(f"CREATE TABLE person ({', '.join(f'{name} TEXT' for name in names)})")
            database.executemany(f"INSERT INTO person VALUES ({', '.join('?' * len(names))})", rows)
        items = [
            {"name": name, "title_zh": name, "attribute": "conditional", "element": elements.get(name, "")}
            | {"key": name == "code", "mask": {"action": "keep"}}
            for name in names
        ]
        fields = FIELDS | {"title_zh": title[0], "title_en": title[1], "summary_zh": title[0]}
        return str(self[jurisdiction].python(DESCRIBE.format(file=str(file), fields=fields, items=items)))

    def publish(self, jurisdiction: str, resource: str) -> None:
        self[jurisdiction].python(PUBLISH.format(resource=resource))


def arrives(page: Page, text: str) -> None:
    """Look again until the page says it: another node's message comes when it comes."""

    def there() -> bool:
        page.reload()
        return page.locator("main").get_by_text(text).count() > 0

    until(there, within_s=90, what=text)


def write(page: Page, **fields: str) -> None:
    """Fill in fields by the names of the form, whatever the language."""
    for name, text in fields.items():
        one = page.locator(f"[name='{name.replace('__', '-')}']")
        if one.evaluate("one => one.tagName") == "SELECT":
            one.select_option(text)
        else:
            one.fill(text)
