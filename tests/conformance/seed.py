"""A node as the kit wants to find it, made by the actions that people use: resources published, the kit let in,
agreements concluded over the wire."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hutong.node.making import make_node
from tests.conformance import scenarios
from tests.conformance.connector import Connector
from tests.conformance.node import NEGOTIATE

PARTICIPANT = "TCK_PARTICIPANT"  # what the kit calls itself; it cannot be told otherwise
OFFICE = "11370800MB28559184"
CONCLUDE = "CONCLUDE"
DESCRIPTION = {
    "title_zh": "一致性测试资源",
    "title_en": "For the conformance kit",
    "summary_zh": "协议一致性测试用，数据均为虚构。",
    "keywords": ["测试"],
    "category": "thematic",
    "theme": "credit",
    "data_format": "csv",
    "update_cycle": "3",
    "attribute": "conditional",
    "conditions": "一致性测试",
    "permitted_purposes": ["licensing"],
    "sharing_modes": ["interface"],
    "national_level": "general",
    "source_system": "一致性测试",
    "business_matter": "一致性测试",
}


@dataclass(frozen=True)
class Seeded:
    """What the kit is told of the node."""

    participant: str
    base_url: str
    token: str
    datasets: dict[str, str]  # scenario: data set id
    offers: dict[str, str]  # scenario: offer id
    agreements: dict[str, str]  # scenario: agreement id

    @property
    def protocol(self) -> str:
        return self.base_url + "/dsp/2025-1"


def make(home: Path, listen: str, kit_address: str) -> Seeded:
    """Make the node, publish what the scenarios ask for, let the kit in. Starts Django in this process."""
    settings = make_node(home, {"jurisdiction": "100000", "place": "nation", "name_zh": "一致性测试", "listen": listen}
                         | {"base_url": f"http://{listen}"})  # fmt: skip
    from hutong.control.agreements import door, peers
    from hutong.control.catalogue.queries import dataset
    from hutong.control.identity.rules import Operator

    officer, head, supervisor = _people()
    published = _publish(officer, head, supervisor, settings.data_folder)
    token = peers.let_in(Operator("operator:kit"), PARTICIPANT, name="Technology compatibility kit",
                         addresses=[kit_address], authorization="Bearer of-the-kit")  # fmt: skip
    plan = {resource: name for name, resource in published.items()}
    (home / scenarios.PLAN_FILE).write_text(json.dumps(plan), encoding="utf-8")
    offers = {name: dataset(resource)["hasPolicy"][0]["@id"] for name, resource in published.items()}
    return Seeded(door.ourselves(), settings.base_url, token, published, offers, {})


def conclude(seeded: Seeded, home: Path, port: int) -> None:
    """Conclude the agreements of the transfer scenarios with the running node, as the kit would, and note them."""
    from hutong.control.catalogue.queries import dataset

    resource = seeded.datasets[CONCLUDE]
    offer: dict[str, Any] = dataset(resource)["hasPolicy"][0]
    provided = list(scenarios.PROVIDER_TRANSFERS)
    with Connector(PARTICIPANT, port, seeded.protocol, seeded.token) as connector:
        made = connector.conclude_as_consumer(resource, offer, len(provided))
        names = list(scenarios.CONSUMER_TRANSFERS)
        connector.conclude_as_provider(seeded.base_url + NEGOTIATE, seeded.participant, names)
    seeded.agreements.update(zip(provided, made, strict=True))
    seeded.agreements.update({name: name for name in scenarios.CONSUMER_TRANSFERS})
    plan = json.loads((home / scenarios.PLAN_FILE).read_text(encoding="utf-8"))
    noted = home / f"{scenarios.PLAN_FILE}.new"
    noted.write_text(json.dumps(plan | dict(zip(made, provided, strict=True))), encoding="utf-8")
    noted.replace(home / scenarios.PLAN_FILE)


def _people() -> tuple[Any, Any, Any]:
    from hutong.control.identity.actions import create_account
    from hutong.control.identity.rules import Operator
    from hutong.control.organisations.actions import register_department

    operator = Operator("operator:kit")
    register_department(operator, code=OFFICE, name_zh="一致性测试局")

    def person(role: str) -> Any:
        password = "conformance-of-one-run"
        office = OFFICE if role in ("officer", "head") else None
        return create_account(operator, username=role, password=password, role=role, department_code=office)

    return person("officer"), person("head"), person("supervisor")


def _publish(officer: Any, head: Any, supervisor: Any, folder: Path) -> dict[str, str]:
    """returns  scenario: resource id"""
    from hutong.control.catalogue import actions

    file = folder / "kit.csv"
    file.write_text("code,name\n1,甲\n2,乙\n", encoding="utf-8")
    source = actions.register_source(officer, name="一致性测试", kind="csv", location=str(file))
    published = {}
    for name in (*scenarios.PROVIDER_NEGOTIATIONS, *scenarios.CATALOGUE, CONCLUDE):
        resource = actions.draft_resource(officer, source.id)
        items = [{"name": "code", "title_zh": "编号", "grade": 1}, {"name": "name", "title_zh": "名称", "grade": 1}]
        actions.describe(officer, resource.id, DESCRIPTION, items)
        actions.sign_off(head, resource.id)
        actions.review(supervisor, actions.submit(officer, resource.id).id)
        published[name] = resource.id
    return published
