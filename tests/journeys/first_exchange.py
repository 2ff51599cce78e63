"""The first exchange, told once by command line: Jiangsu publishes real companies, Anhui asks, agrees and reads.

Every step is a `hutong` command an operator would type; the tests that need an agreement between two running nodes
start from here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.nodes import Node, Region, until
from tests.publication import SUPERVISOR

PROVIDER, CONSUMER, KEEPER = "320000", "340000", "yrd"
OFFICE = "11330105002500287C"  # the provider's department
DESK = "11370800MB28559184"  # the consumer's department
ITEMS = "name,uscc,registration_date,city"
PURPOSE = "licensing"


@dataclass(frozen=True)
class Exchange:
    """Two nodes with an agreement in force, and an application's key at the consumer's."""

    region: Region
    resource: str
    agreement: str
    key: str

    @property
    def provider(self) -> Node:
        return self.region[PROVIDER]

    @property
    def consumer(self) -> Node:
        return self.region[CONSUMER]


def staff(node: Node, department: str, name_zh: str, officer: str, head: str) -> None:
    node.hutong("department", "add", str(node.home), department, name_zh)
    oversee(node)
    for username, role in ((officer, "officer"), (head, "head")):
        node.hutong(
            "account", "add", str(node.home), username, "--role", role, "--department", department, "--generate"
        )


def oversee(node: Node) -> None:
    node.hutong("account", "add", str(node.home), SUPERVISOR, "--role", "supervisor", "--generate")


def publish(node: Node, source: str | Path, folder: Path, **changes: str) -> str:
    """Register a source, describe it as the draft has it, have it signed off, published. returns the resource's id"""
    home = str(node.home)
    fields = {
        "title_zh": "企业登记信息",
        "title_en": "Registered companies",
        "summary_zh": "本省企业的名称、统一社会信用代码、成立日期与所在城市。",
        "category": "basic",
        "theme": "legal_entity",
        "update_cycle": "5",
        "attribute": "unconditional",
        "sharing_modes": "interface,batch",
        "source_system": "企业登记系统",
    } | changes
    node.hutong("source", "add", home, str(source), "--name", "企业登记", "--as", "wang")
    source_id = node.json("source", "list", home)[-1]["id"]
    draft = folder / "draft.toml"
    drafted = node.hutong("resource", "draft", home, source_id, "--out", str(draft), "--as", "wang")
    resource = drafted.split()[1].rstrip(":")
    draft.write_text(with_titles(draft.read_text(encoding="utf-8")), encoding="utf-8")
    given = [part for name, value in fields.items() for part in ("--set", f"{name}={value}")]
    node.hutong("resource", "describe", home, resource, "--file", str(draft), "--as", "wang")
    node.hutong("resource", "describe", home, resource, *given, "--as", "wang")
    node.hutong("resource", "sign-off", home, resource, "--as", "zhao")
    put_before_the_supervisor_and_publish(node, resource, "wang")
    return resource


def put_before_the_supervisor_and_publish(node: Node, resource: str, officer: str) -> None:
    """What the officer submits, the supervisor of the node reviews and publishes."""
    home = str(node.home)
    said = node.hutong("resource", "submit", home, resource, "--as", officer)
    node.hutong("resource", "review", home, said.split()[1].rstrip(":"), "--as", SUPERVISOR)


def with_titles(draft: str) -> str:
    """What an officer does in an editor: every item gets a Chinese title."""
    return re.sub(r'(?m)^(name = "(\w+)"\n(?:.+\n)*?)title_zh = ""', r'\1title_zh = "信息项 \2"', draft)


def request(node: Node, resource: str, *extra: str, items: str = ITEMS) -> str:
    """File a request and have the head sign it off. returns the request's id"""
    home = str(node.home)
    filed = node.hutong(
        "request",
        "file",
        home,
        resource,
        *("--items", items, "--purpose", PURPOSE, "--basis", "《行政许可法》第三十一条", "--scenario", "企业开办核验"),
        *("--scope", "登记窗口", "--term-days", "365", "--as", "li", *extra),
    )
    request_id = re.search(r"request (\S+) is filed", filed)[1]  # type: ignore[index]
    node.hutong("request", "sign-off", home, request_id, "--as", "sun")
    return request_id


def found_in_catalogue(node: Node, resource: str) -> None:
    until(lambda: any(one["id"] == resource for one in node.json("search", str(node.home))), what="the entry")


def agreement_in_force(node: Node, resource: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        listed = node.json("agreement", "list", str(node.home))
        return next((one for one in listed if one["resource"] == resource and one["state"] == "active"), None)

    return until(look, what="the agreement in force")


def begin(region: Region, source: str | Path, folder: Path, *extra: str) -> Exchange:
    """From two empty nodes to an agreement in force, by rule."""
    region.start(KEEPER, PROVIDER, CONSUMER)
    provider, consumer = region[PROVIDER], region[CONSUMER]
    staff(provider, OFFICE, "江苏省市场监督管理局", "wang", "zhao")
    staff(consumer, DESK, "安徽省数据资源管理局", "li", "sun")
    resource = publish(provider, source, folder)
    found_in_catalogue(consumer, resource)
    request(consumer, resource, *extra)
    agreement = agreement_in_force(consumer, resource)["id"]
    made = consumer.json("key", "create", str(consumer.home), "--application", "企业开办系统", "--department", DESK)
    return Exchange(region, resource, agreement, made["key"])
