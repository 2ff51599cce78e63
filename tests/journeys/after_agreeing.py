"""Three real nodes with agreements in force: Jiangsu provides companies, Anhui and Zhejiang have read them.

Anhui has every company, Zhejiang those of Nanjing. The source is a SQLite file, read in place, so that a correction is
an UPDATE.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hutong
from tests.journeys.first_exchange import DESK, KEEPER, OFFICE, PURPOSE, agreement_in_force, found_in_catalogue
from tests.journeys.people import PASSWORD
from tests.nodes import Region, until

PROVIDER, ANHUI, ZHEJIANG = "320000", "340000", "330000"
OFFICES = {
    PROVIDER: (OFFICE, "江苏省市场监督管理局"),
    ANHUI: (DESK, "安徽省数据资源管理局"),
    ZHEJIANG: (DESK, "浙江省大数据局"),
}
WANTED = {ANHUI: (["uscc", "name", "city"], ""), ZHEJIANG: (["uscc", "name"], "city = '南京'")}
NANJING = "91320100MA00000001"
SUZHOU = "91320500MA00000002"
COMPANIES = """
uscc               | name     | city
91320100MA00000001 | 长江一号 | 南京
91320500MA00000002 | 太湖二号 | 苏州
"""


@dataclass
class After:
    """The nodes, what each consumer has, and the source."""

    region: Region
    file: Path
    resource: str = ""
    agreements: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)

    def at(self, where: str, *words: str, given: str | None = None) -> str:
        """`hutong WORD WORD DIR REST` on one of the nodes."""
        node = self.region[where]
        return node.hutong(*words[:2], str(node.home), *words[2:], given=given)

    def json(self, where: str, *words: str) -> Any:
        node = self.region[where]
        return node.json(*words[:2], str(node.home), *words[2:])

    def change(self, statement: str) -> None:
        """Change the source, as the department's own system would."""
        with closing(sqlite3.connect(self.file)) as database, database:
            database.execute(statement)

    def read(self, where: str, uscc: str) -> list[dict[str, Any]]:
        node = self.region[where]
        agreement, key = self.agreements[where], self.keys[where]
        with hutong.connect(node.base_url, key, progress=False) as connection:
            answer = connection.read(agreement, key=("uscc", uscc), purpose=PURPOSE, case="2026-1")
            return answer.to_arrow().to_pylist()


# What the people of a node do, in one process: a command for each would take minutes on a busy machine.
FOUND = """
from hutong.control.identity.actions import create_account
from hutong.control.identity.rules import Operator
from hutong.control.organisations.actions import register_department
by = Operator("test")
register_department(by, code={department!r}, name_zh={name!r}, name_en="")
for username, role in (("wang", "officer"), ("zhao", "head"), ("chen", "supervisor")):
    department = None if role == "supervisor" else {department!r}
    create_account(by, username=username, password={password!r}, role=role, department_code=department)
"""
PUBLISH = """
import json
from hutong.control.catalogue import actions, publication
from hutong.control.catalogue.queries import items_of
from hutong.control.catalogue.sources import register_source
from hutong.control.identity.queries import account
wang, zhao = account("wang"), account("zhao")
source = register_source(wang, name="登记", kind="sqlite", location={file!r}, table="company")
resource = actions.draft_resource(wang, source.id)
items = [dict(name=one.name, title_zh=one.name, mask=dict(action="keep")) for one in items_of(resource)]
actions.describe(wang, resource.id, {fields!r}, items)
actions.sign_off(zhao, resource.id)
publication.review(account("chen"), publication.submit(wang, resource.id).id)
print(json.dumps(resource.id))
"""
ASK = """
import json
from hutong.control.identity.queries import account
from hutong.control.requests import actions
from hutong.exchange.keys import create_key
from hutong.exchange.shaping.predicate import parse_text
words = dict(basis="《行政许可法》第三十一条", scenario="企业开办核验", scope="登记窗口", purpose={purpose!r})
where = parse_text({where!r}).to_document() if {where!r} else None
words |= dict(items={items!r}, row_condition=where, term_days=365)
made = actions.file(account("wang"), resource_id={resource!r}, **words)
actions.sign_off(account("zhao"), made.id)
print(json.dumps(create_key("test", {department!r}, "窗口", days=30)))
"""
FIELDS = {
    "title_zh": "企业登记信息",
    "title_en": "Registered companies",
    "summary_zh": "本省企业的名称、统一社会信用代码与所在城市。",
    "category": "basic",
    "theme": "legal_entity",
    "update_cycle": "5",
    "attribute": "unconditional",
    "sharing_modes": ["interface", "batch"],
    "source_system": "企业登记系统",
    "business_matter": "企业登记",
}


@contextmanager
def after(folder: Path, databases: Callable[[str], str] | None = None) -> Iterator[After]:
    """The three nodes and the region's, serving."""
    with Region(folder, databases) as region:
        region.start(KEEPER, PROVIDER, ANHUI, ZHEJIANG)
        made = After(region, folder / "companies.sqlite")
        with closing(sqlite3.connect(made.file)) as database, database:
            database.execute("CREATE TABLE company (uscc TEXT PRIMARY KEY, name TEXT, city TEXT)")
            rows = [[cell.strip() for cell in line.split("|")] for line in COMPANIES.strip().splitlines()[1:]]
            database.executemany("INSERT INTO company VALUES (?, ?, ?)", rows)
        for where, (code, name) in OFFICES.items():
            region[where].python(FOUND.format(department=code, name=name, password=PASSWORD))
        made.resource = region[PROVIDER].python(PUBLISH.format(file=str(made.file), fields=FIELDS))
        for where, (items, condition) in WANTED.items():
            node = region[where]
            found_in_catalogue(node, made.resource)
            given = {"items": items, "where": condition, "department": OFFICES[where][0], "purpose": PURPOSE}
            made.keys[where] = node.python(ASK.format(resource=made.resource, **given))
            made.agreements[where] = str(agreement_in_force(node, made.resource)["id"])
        yield made


def one(listed: Callable[[], list[dict[str, Any]]], what: str, **wanted: Any) -> dict[str, Any]:
    """The one row of a list that has these values, as soon as there is one."""
    return until(
        lambda: next((row for row in listed() if all(row[name] == value for name, value in wanted.items())), None),
        what=what,
    )
