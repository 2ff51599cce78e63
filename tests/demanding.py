"""People, departments and neighbours for the tests of the three lists: Jiangsu is this node."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import transaction

from hutong.control.catalogue import federation as catalogue
from hutong.control.catalogue.models import Entry
from hutong.control.demands import actions
from hutong.control.demands.document import build
from hutong.control.demands.federation import take_state
from hutong.control.demands.models import Demand
from hutong.control.demands.rules import twins_of
from hutong.control.identity.models import Account
from hutong.control.organisations.models import Department
from hutong.node.events import Event
from hutong.node.models import OutboxMessage
from hutong.node.receiving import Peer
from hutong.node.settings import current
from hutong.vocabulary.ids import new_id
from tests.region import Neighbour, an_item, neighbour, ourselves

MARKET, HEALTH, TAX = "11370800MB28559184", "11430000006122244L", "11330105002500287C"
WISH: dict[str, Any] = {
    "title": "食品生产许可信息",
    "what_for": "企业开办时核验许可",
    "basis": "《食品安全法》第三十五条",
    "scope": "登记窗口",
    "purpose": "licensing",
    "items": [
        {"words": "统一社会信用代码", "element": "uscc"},
        {"words": "许可证有效期", "element": "date"},
    ],
}


@dataclass(frozen=True)
class Delta:
    """This node's people, and its neighbours."""

    officer: Account  # of the health department
    head: Account
    market_officer: Account
    market_head: Account
    supervisor: Account
    steward: Account
    anhui: Neighbour
    nation: Neighbour
    region: Neighbour

    def filed(self, **changes: Any) -> Demand:
        return actions.file(self.officer, **(WISH | changes))

    def open(self, **changes: Any) -> Demand:
        """Signed off, and lying here."""
        return actions.sign_off(self.head, self.filed(**({"target": "320000"} | changes)).id)


def delta() -> Delta:
    ourselves()
    members = [neighbour(*one) for one in (("340000", "province"), ("100000", "nation"), ("yrd", "region"))]
    names = {MARKET: "市场监督管理局", HEALTH: "卫生健康委员会", TAX: "税务局"}
    offices = {code: Department.objects.create(code=code, name_zh=name) for code, name in names.items()}

    def account(username: str, role: str, office: str = "") -> Account:
        return Account.objects.create(username=username, role=role, department=offices.get(office))

    return Delta(
        account("h-officer", "officer", HEALTH),
        account("h-head", "head", HEALTH),
        account("m-officer", "officer", MARKET),
        account("m-head", "head", MARKET),
        account("supervisor", "supervisor"),
        account("steward", "steward"),
        *members,
    )


def entry(of: Neighbour, **fields: Any) -> Entry:
    """An entry that another member published, taken into our catalogue with the words it is found by."""
    given = {"items": [an_item("uscc", "代码", element="uscc"), an_item("until", "有效期", element="date")]} | fields
    signed = of.entry(**given)
    with transaction.atomic():
        catalogue.accept(signed, of.settings.jurisdiction)
    return Entry.objects.get(id=signed["dataset"]["@id"])


def own_entry(department: str = MARKET, **fields: Any) -> Entry:
    """A resource that one of our departments has published."""
    from hutong.control.catalogue import dataset as datasets
    from hutong.control.catalogue.models import Resource
    from tests.region import DESCRIPTION

    items = fields.pop("items", [an_item("uscc", "代码", element="uscc"), an_item("until", "有效期", element="date")])
    resource = Resource.objects.create(
        id=new_id(),
        department_id=department,
        state="published",
        **(DESCRIPTION | {"attribute": "conditional"} | fields),
    )
    for position, item in enumerate(items):
        item.resource, item.position = resource, position
        item.save()
    now = datetime.now(UTC)
    dataset = datasets.build(resource, items, current(), state="published", version=1, published_at=now)
    with transaction.atomic():
        return catalogue.store(catalogue.sign(dataset))


def from_anhui(**changes: Any) -> Demand:
    """A demand of a department of Anhui's for data of ours, as Anhui sends it; unsaved here."""
    given = {
        "id": new_id(),
        "home": "340000",
        "department_code": TAX,
        "department_name": "安徽省某局",
        "target": "320000",
        "holder": "320000",
        "parties": ["340000", "320000"],
        "state": "open",
        "step": 2,
        "filed_at": datetime(2026, 11, 2, tzinfo=UTC),
        "sent_at": datetime(2026, 11, 3, tzinfo=UTC),
    }
    made = Demand(**(WISH | given | changes))
    made.twins = twins_of(made.elements, made.purpose, made.area_code)
    return made


def hear(sender: str, demand: Demand) -> Demand:
    """The demand arrives from that node, as its event does."""
    peer = Peer(sender, f"urn:hutong:node:{sender}")
    event = Event(new_id(), peer.participant, "demand.state", demand.id, "2026-11-23T00:00:00Z", build(demand))
    with transaction.atomic():
        take_state(peer, event)
    return Demand.objects.get(id=demand.id)


def outbox(kind: str = "demand.state") -> list[str]:
    """Whom our events of that kind go to, in the order they were posted."""
    process = f"event:{kind}:"
    return list(OutboxMessage.objects.filter(process__startswith=process).order_by("id").values_list("peer", flat=True))
