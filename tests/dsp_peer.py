"""A peer of this node that speaks the Dataspace Protocol from a test, over the real addresses, with real signatures."""

from __future__ import annotations

import base64
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from django.db import transaction
from django.test import Client

from hutong.control.agreements import protocol
from hutong.control.agreements.drafting import offer_for, permission_for
from hutong.control.agreements.models import Agreement
from hutong.control.agreements.policy import Kind, Policy, read_policy
from hutong.control.agreements.signatures import Signature, sign
from hutong.control.agreements.terms import AgreedTerms, Terms
from hutong.control.catalogue import dataset as datasets
from hutong.control.catalogue import feed
from hutong.control.catalogue.models import Entry, Item, Resource
from hutong.control.identity.models import Account
from hutong.control.organisations.models import Department
from hutong.control.replies import actions as replies
from hutong.exchange.models import Source
from hutong.node import outside
from hutong.node.directory import participant_id
from hutong.node.keys import SigningKey, seal
from hutong.node.models import OutboxMessage
from hutong.node.settings import current
from hutong.node.signatures import body_digest, sign_request
from hutong.vocabulary.ids import new_id, urn
from hutong.vocabulary.moments import rfc3339
from tests.region import Neighbour, an_item, neighbour

MARKET = "11370800MB28559184"
HEALTH = "11430000006122244L"
DSP = "/dsp/2025-1"
PARTNER, PARTNER_URL = "did:web:partner.example", "https://partner.example"


def department(code: str = MARKET, name: str = "市场监督管理局") -> Department:
    return Department.objects.get_or_create(code=code, defaults={"name_zh": name})[0]


def published(attribute: str = "conditional", items: list[Item] | None = None, **fields: Any) -> Entry:
    """A resource of this node as it stands after publication."""
    source = Source.objects.create(
        id=new_id(), department=MARKET, name="登记", kind="sqlite", location=seal(b"/nowhere")
    )
    given = {
        "title_zh": "企业登记信息",
        "permitted_purposes": ["licensing"],
        "legal_citation": "《某法》第九条",
    } | fields
    resource = Resource.objects.create(
        id=new_id(), department=department(), source=source, state="published", attribute=attribute, **given
    )
    described = items or [
        an_item("uscc", "代码"),
        an_item("name", "名称", mask={"action": "name"}),
        an_item("phone", "电话"),
    ]
    for position, item in enumerate(described):
        item.resource, item.position = resource, position
        item.save()
    now = datetime.now(UTC)
    dataset = datasets.build(resource, described, current(), state="published", version=1, published_at=now)
    return _entry(dataset, current().jurisdiction)


def heard_of(other: Neighbour, **fields: Any) -> Entry:
    """An entry of a neighbour in our copy of the catalogue."""
    return _entry(other.entry(**fields)["dataset"], other.settings.jurisdiction)


def _entry(dataset: dict[str, Any], origin: str) -> Entry:
    read = datasets.read(dataset)
    names = ("title_zh", "title_en", "department_name", "department_code", "attribute", "update_cycle", "published_at")
    plain = {name: getattr(read, name) for name in names}
    with transaction.atomic():
        signed = {"dataset": dataset, "signature": "", "keyid": "", "change": feed.advance()}
        return Entry.objects.create(id=read.id, origin=origin, version=1, state="published", **plain, **signed)


def terms(**changes: Any) -> Terms:
    given: dict[str, Any] = {
        "items": ("uscc", "name"),
        "where": None,
        "mode": "interface",
        "term_days": 365,
        "purpose": "licensing",
        "basis": "《行政许可法》第三十一条",
        "scenario": "企业开办",
        "scope": "登记窗口",
        "quota_calls_per_day": 1000,
        "department": HEALTH,
        "department_name": "卫生健康委员会",
    }
    return Terms(**(given | changes))


@dataclass
class DspPeer:
    """Another member of the directory. As consumer or as provider it says what a test makes it say."""

    node: Neighbour
    client: Client = field(default_factory=Client)

    @property
    def jurisdiction(self) -> str:
        return self.node.settings.jurisdiction

    @property
    def participant(self) -> str:
        return participant_id(self.jurisdiction)

    @property
    def callback(self) -> str:
        return self.node.settings.base_url + DSP

    @property
    def key(self) -> SigningKey:
        return SigningKey(self.node.keyid, self.node.private, self.node.private.public_key().public_bytes_raw())

    def call(self, method: str, path: str, body: Any = None, *, message_id: str | None = None) -> Any:
        """A signed call; the answer has .status_code and .json()."""
        raw = b"" if body is None else orjson.dumps(body)
        headers = sign_request(
            method,
            current().base_url + DSP + path,
            body_digest(raw),
            self.key,
            message_id=message_id or new_id(),
            now=time.time(),
        )
        return self.client.generic(method, DSP + path, raw, content_type="application/json", headers=headers)

    def say(self, path: str, message: Any, *, message_id: str | None = None) -> Any:
        return self.call("POST", path, message.document(), message_id=message_id)

    def heard(self, kind: Any) -> list[Any]:
        """What our node has said to this peer of one message type, read strictly."""
        bodies = [
            orjson.loads(bytes(one.body)) for one in OutboxMessage.objects.filter(peer=self.jurisdiction).order_by("id")
        ]
        return [kind.read(body) for body in bodies if body.get("@type") == kind.TYPE]

    def paths(self) -> list[str]:
        """Where our node's messages to this peer go."""
        return list(OutboxMessage.objects.filter(peer=self.jurisdiction).order_by("id").values_list("url", flat=True))

    # As consumer

    def request(self, entry: Entry, asked: Terms | None, **changes: Any) -> tuple[str, str, Any]:
        """Send a first request. returns the provider's pid ("" when refused), ours, and the answer"""
        pid = urn(new_id())
        offer = offer_for(entry.dataset, asked)
        message = protocol.ContractRequest(pid, offer, callback=self.callback)
        answer = self.say("/negotiations/request", message, **changes)
        return answer.json().get("providerPid", ""), pid, answer

    def countersign(self, agreement: Policy) -> Signature:
        return sign(agreement.document, self.key)

    # As provider

    def agreement(self, target: str, agreed: AgreedTerms | None, **changes: Any) -> Policy:
        document: dict[str, Any] = {
            "@id": urn(new_id()),
            "@type": "Agreement",
            "target": target,
            "assigner": self.participant,
            "assignee": participant_id(current().jurisdiction),
            "timestamp": rfc3339(datetime.now(UTC)),
            "permission": [{"action": "use", "constraint": []}],
        }
        if agreed is not None:
            permission = permission_for(agreed, current().jurisdiction)
            document |= {"permission": [permission], "hutong:terms": agreed.document()}
        return read_policy(document | changes, Kind.AGREEMENT, "agreement")


@dataclass
class Connector(DspPeer):
    """A connector outside the directory: a token in place of a signature, and no message ids."""

    token: str = ""

    @property
    def callback(self) -> str:
        return f"{PARTNER_URL}/dsp"

    @property
    def jurisdiction(self) -> str:
        return f"outside:{self.participant}"

    @property
    def participant(self) -> str:
        return PARTNER

    def call(self, method: str, path: str, body: Any = None, *, message_id: str | None = None) -> Any:
        raw = b"" if body is None else orjson.dumps(body)
        headers = {"Authorization": f"Bearer {self.token}"}
        return self.client.generic(method, DSP + path, raw, content_type="application/json", headers=headers)


def connector(node: Neighbour) -> Connector:
    """Let a connector in; what it publishes, where anything, is the neighbour's."""
    made = Connector(node)
    given = {"name": "伙伴", "addresses": [PARTNER_URL], "authorization": "Bearer x"}
    made.token = outside.let_in("operator:test", PARTNER, **given)
    return made


def agreed(asked: Terms, **changes: Any) -> AgreedTerms:
    now = datetime.now(UTC).replace(microsecond=0)
    given: dict[str, Any] = {
        "asked": asked,
        "masks": tuple({"action": "keep"} for _ in asked.items),
        "starts_at": now,
        "ends_at": now + timedelta(days=asked.term_days),
    }
    return AgreedTerms(**(given | changes))


def head_of(officer: Account) -> Account:
    """The head of an officer's sharing body, who signs replies."""
    given = {"role": "head", "department": officer.department}
    return Account.objects.get_or_create(username=f"head-of-{officer.username}", defaults=given)[0]


def agree(officer: Account, pid: str, **choice: Any) -> Agreement:
    """The officer proposes to agree, and the head signs."""
    made = replies.sign(head_of(officer), replies.propose_agreement(officer, pid, **choice).id)
    assert isinstance(made, Agreement)
    return made


def refuse(officer: Account, pid: str, code: str, reason: str, citation: str) -> None:
    """The officer proposes to refuse, and the head signs."""
    replies.sign(head_of(officer), replies.propose_refusal(officer, pid, code, reason, citation).id)


def peer(jurisdiction: str = "340000") -> DspPeer:
    return DspPeer(neighbour(jurisdiction))


def base64_of(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")
