"""Shanghai and Jiangsu dispute, the nation decides, Jiangsu carries it out: three real nodes, by command line."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.logs import logged
from tests.nodes import CommandFailed, Node, Region, until

NATION, SHANGHAI, JIANGSU = "100000", "310000", "320000"
MARKET, HEALTH = "11370800MB28559184", "11430000006122244L"
DESCRIPTION = {
    "title_zh": "企业登记信息",
    "title_en": "Registered companies",
    "summary_zh": "在本省登记的企业",
    "category": "basic",
    "theme": "legal_entity",
    "data_format": "database",
    "update_cycle": "3",
    "sharing_modes": ["interface"],
    "source_system": "企业登记系统",
    "business_matter": "企业登记",
    "attribute": "conditional",
    "conditions": "承担行政许可职责的部门",
    "permitted_purposes": ["licensing"],
}
WORDS = ("--basis", "行政许可法第三十一条", "--scenario", "企业开办", "--scope", "登记窗口", "--purpose", "licensing")


def at(node: Node, *words: str, json: bool = False) -> Any:
    """`hutong WORD WORD DIR REST` at a node."""
    line = (*words[:2], str(node.home), *words[2:])
    return node.json(*line) if json else node.hutong(*line)


# Run inside a node, as its people's actions; each command of its own would take seconds.
PEOPLE = """
from hutong.control.identity.actions import create_account
from hutong.control.identity.rules import Operator
from hutong.control.organisations.actions import register_department
by = Operator("test")
if {code!r}:
    register_department(by, code={code!r}, name_zh={name!r})
    for role in ("officer", "head"):
        create_account(by, username=role, password="Ein-langes-Wort-9", role=role, department_code={code!r})
create_account(by, username="supervisor", password="Ein-langes-Wort-9", role="supervisor")
"""
PUBLISHED = """
import json
from hutong.control.catalogue import actions
from hutong.control.identity.queries import account
officer, head, supervisor = account("officer"), account("head"), account("supervisor")
source = actions.register_source(officer, name="登记", kind="sqlite", location={file!r}, table="company")
resource = actions.draft_resource(officer, source.id)
items = [dict(name=one.name, title_zh=one.name, attribute="conditional") for one in resource.items.all()]
actions.describe(officer, resource.id, {description!r}, items)
actions.sign_off(head, resource.id)
actions.review(supervisor, actions.submit(officer, resource.id).id)
print(json.dumps(resource.id))
"""


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Region]:
    with Region(tmp_path_factory.mktemp("disputing")) as made:
        made.start(NATION, SHANGHAI, JIANGSU)
        for one, code, name in (
            (NATION, "", ""),
            (SHANGHAI, HEALTH, "卫生健康委员会"),
            (JIANGSU, MARKET, "市场监督管理局"),
        ):
            made[one].python(PEOPLE.format(code=code, name=name))
        yield made


@pytest.fixture(scope="module")
def refused(region: Region) -> dict[str, str]:
    """Shanghai asked Jiangsu for a conditional resource, and was refused. returns its request and process id"""
    file = region.folder / "companies.sqlite"
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("CREATE TABLE company (uscc TEXT PRIMARY KEY, name TEXT)")
        database.executemany("INSERT INTO company VALUES (?, ?)", [(f"C{n}", f"公司{n}") for n in range(10)])
    resource = region[JIANGSU].python(PUBLISHED.format(file=str(file), description=DESCRIPTION))
    shanghai, jiangsu = region[SHANGHAI], region[JIANGSU]
    until(lambda: _seen(shanghai, resource), within_s=60, what="the entry at Shanghai")
    line = ("request", "file", resource, "--items", "uscc,name", "--term-days", "90", *WORDS, "--as", "officer")
    request = at(shanghai, *line).split()[1]
    at(shanghai, "request", "sign-off", request, "--as", "head")
    inbox = until(lambda: at(jiangsu, "agreement", "inbox", json=True), within_s=60, what="the request at Jiangsu")
    reason = ("--code", "not_held", "--reason", "暂不提供", "--citation", "《政务数据共享条例》第十九条")
    at(jiangsu, "agreement", "refuse", inbox[0]["pid"], *reason, "--as", "officer")
    at(jiangsu, "agreement", "sign", inbox[0]["pid"], "--as", "head")
    until(lambda: at(shanghai, "request", "show", request, json=True)["state"] == "refused", what="the refusal")
    process = shanghai.python(
        "import json\nfrom hutong.control.agreements.models import Negotiation\n"
        "print(json.dumps(Negotiation.objects.get().pid))"
    )
    return {"request": request, "pid": process, "resource": resource}


def _seen(node: Node, resource: str) -> bool:
    return resource in [one["id"] for one in node.json("search", str(node.home), "企业")]


def _shown(node: Node, dispute: str) -> Any:
    try:
        return at(node, "dispute", "show", dispute, json=True)
    except CommandFailed:
        return None  # it has not heard of it yet


def _state(node: Node, dispute: str, state: str) -> Any:
    shown = _shown(node, dispute)
    return shown if shown and shown["state"] == state else None


def test_dispute_of_two_provinces_is_decided_by_the_nation_and_carried_out_by_itself(
    region: Region, refused: dict[str, str]
) -> None:
    nation, shanghai, jiangsu = (region[one] for one in (NATION, SHANGHAI, JIANGSU))
    words = ("--title", "申请被拒绝", "--text", "拒绝理由不成立。", "--as", "officer")
    dispute = at(shanghai, "dispute", "open", "--request", refused["pid"], *words).split()[1]
    until(lambda: _shown(jiangsu, dispute), what="the dispute at Jiangsu")
    at(jiangsu, "dispute", "state", dispute, "--text", "本部门认为不宜提供。", "--as", "officer")
    until(lambda: len(_shown(shanghai, dispute)["papers"]) == 2, what="the statement at Shanghai")
    at(shanghai, "dispute", "minutes", dispute, "--text", "双方会商未能一致。", "--as", "officer")
    at(shanghai, "dispute", "escalate", dispute, "--text", "请共同上级决定。", "--as", "head")
    until(lambda: _shown(nation, dispute), what="the dispute at the nation")
    for province in (shanghai, jiangsu):
        line = ("--text", "应当共享。", "--citation", "条例第二十八条", "--as", "supervisor")
        with pytest.raises(CommandFailed):
            at(province, "dispute", "decide", dispute, *line)
    at(nation, "dispute", "minutes", dispute, "--text", "听取了双方意见。", "--as", "supervisor")
    jiangsu.kill()  # the decision waits for it
    line = ("--text", "应当同意共享。", "--citation", "条例第二十一条", "--effect", "agree", "--term-days", "30")
    at(nation, "dispute", "decide", dispute, *line, "--as", "supervisor")
    until(lambda: _state(shanghai, dispute, "decided"), what="the decision at Shanghai")
    jiangsu.start()

    def agreed() -> Any:
        shown = at(shanghai, "request", "show", refused["request"], json=True)
        return shown if shown["agreement_state"] == "active" else None

    agreement = until(agreed, within_s=90, what="the agreement that was decided")["agreement"]
    ends = at(shanghai, "agreement", "show", agreement, json=True)["ends_at"]
    assert (datetime.fromisoformat(ends) - datetime.now(UTC)).days < 30
    for node in (nation, shanghai, jiangsu):
        until(lambda node=node: _state(node, dispute, "executed"), within_s=90, what=f"the end at {node.jurisdiction}")
    at(nation, "dispute", "close", dispute, "--text", "已核实执行情况。", "--as", "supervisor")
    papers = []
    for node in (nation, shanghai, jiangsu):
        shown = until(lambda node=node: _state(node, dispute, "closed"), what=f"the close at {node.jurisdiction}")
        papers.append([one["digest"] for one in shown["papers"]])
    assert papers[0] == papers[1] == papers[2]
    for kind in ("dispute.decided", "dispute.minutes", "dispute.executed"):
        said = [_logged(node, kind, dispute) for node in (nation, shanghai, jiangsu)]
        assert said[0] == said[1] == said[2]
        assert said[0] <= set(papers[0])


def _logged(node: Node, kind: str, dispute: str) -> set[str]:
    """Digests of the papers of a kind in a node's published log."""
    found = until(lambda: logged(node.settings.ledger_folder, kind), what=f"{kind} at {node.jurisdiction}")
    return {one["document"] for one in found if one["dispute"] == dispute}
