"""A region in one test: members with real keys in this node's directory, and entries they signed."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hutong.control.catalogue import dataset as datasets
from hutong.control.catalogue.models import Item, Resource
from hutong.control.organisations.models import Department
from hutong.node.keyring import ring
from hutong.node.keys import key_id, load_node_keys, make_keys
from hutong.node.models import Member
from hutong.node.settings import Settings, current
from hutong.vocabulary.ids import new_id
from hutong.vocabulary.moments import rfc3339

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
OFFICE = {"code": "11370800MB28559184", "name_zh": "市场监督管理局", "name_en": "Market Regulation"}


@dataclass(frozen=True)
class Neighbour:
    """Another member of the directory, whose private key the test holds."""

    settings: Settings
    private: Ed25519PrivateKey

    @property
    def keyid(self) -> str:
        return key_id(self.settings.jurisdiction, self.private.public_key().public_bytes_raw())

    def entry(self, *, entry_id="", version=1, state="published", at=None, items=None, **fields):
        """A signed entry of this neighbour, as it travels."""
        resource = Resource(id=entry_id or new_id(), department=Department(**OFFICE), **(DESCRIPTION | fields))
        described = items if items is not None else [an_item("uscc", "统一社会信用代码"), an_item("name", "企业名称")]
        at = at or datetime.now(UTC)
        dataset = datasets.build(resource, described, self.settings, state=state, version=version, published_at=at)
        return self.sign(dataset)

    def sign(self, dataset):
        signature = base64.b64encode(self.private.sign(datasets.signed_bytes(dataset))).decode("ascii")
        return {"dataset": dataset, "signature": signature, "keyid": self.keyid}


DESCRIPTION = {
    "title_zh": "企业登记信息",
    "title_en": "Registered companies",
    "summary_zh": "企业名称、统一社会信用代码、成立日期",
    "keywords": ["法人", "企业"],
    "category": "basic",
    "theme": "legal_entity",
    "data_format": "csv",
    "update_cycle": "3",
    "attribute": "unconditional",
    "sharing_modes": ["interface", "batch"],
    "source_system": "企业登记系统",
}


def an_item(name, title_zh, **fields):
    return Item(name=name, title_zh=title_zh, type="string", **fields)


def neighbour(jurisdiction: str, place: str = "province") -> Neighbour:
    """Add a member to this node's directory."""
    private = Ed25519PrivateKey.generate()
    address = f"http://{jurisdiction}.example"
    settings = Settings(home=current().home, jurisdiction=jurisdiction, place=place, region="yrd", base_url=address)
    made = Neighbour(settings, private)
    enrol(settings, made.keyid, private.public_key().public_bytes_raw())
    return made


def enrol(settings: Settings, keyid: str, public: bytes, *, until: datetime | None = None) -> None:
    key = {"id": keyid, "alg": "ed25519", "public": base64.b64encode(public).decode("ascii")}
    Member.objects.create(
        jurisdiction=settings.jurisdiction,
        name_zh=settings.jurisdiction,
        place=settings.place,
        base_url=settings.base_url,
        exchange_url=settings.base_url,
        keys=[key | {"valid_from": rfc3339(LONG_AGO), "valid_to": rfc3339(until)}],
        valid_from=LONG_AGO,
        version=1,
    )
    ring().refresh(at_once=True)


def ourselves() -> None:
    """Put this node's own key into the directory."""
    make_keys(current().keys_folder)
    key = load_node_keys(current())[0]
    enrol(current(), key.keyid, key.public)


def yesterday() -> datetime:
    return datetime.now(UTC) - timedelta(days=1)
