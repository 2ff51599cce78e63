"""The messages of the Dataspace Protocol 2025-1 as values: read strictly, written exactly.

Plain JSON, without JSON-LD processing, as the protocol allows. Everything `document()` writes is
valid under the official JSON Schemas, and what those reject is rejected here (tests/spec compares
the two). Two members are ours and optional: `hutong:terms` inside offers and agreements, and
`hutong:signature` beside an agreement and in its verification.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final, Self

import orjson

from hutong.control.agreements.fields import Fields, any_value
from hutong.control.agreements.policy import Kind, Policy, read_policy
from hutong.control.agreements.signatures import MEMBER, Signature, read_signature
from hutong.control.agreements.transitions import STATES, Machine, Said

CONTEXT: Final = "https://w3id.org/dspace/2025/1/context.jsonld"
VERSION: Final = "2025-1"


def _open(value: Any, type_name: str) -> Fields:
    """The fields of a message of one type. `@context` must be a list of strings with the protocol's own in it."""
    fields = Fields(value)
    context = fields.array("@context")
    if CONTEXT not in context or not all(isinstance(one, str) for one in context):
        raise fields.fail(
            "@context", f"a list of strings that contains {CONTEXT} is expected", f"应为含 {CONTEXT} 的字符串列表"
        )
    fields.literal("@type", type_name)
    return fields


def _body(type_name: str, **members: Any) -> dict[str, Any]:
    return {"@context": [CONTEXT], "@type": type_name, **{k: v for k, v in members.items() if v is not None}}


def _proposal(value: Any, type_name: str, sender: str, receiver: str) -> tuple[str, Policy, str | None, str | None]:
    """What either side proposes with: its own pid, an offer, and the other's pid or, the first time, a callback."""
    fields = _open(value, type_name)
    if fields.has("callbackAddress") == fields.has(receiver):
        raise fields.fail(
            "callbackAddress", f"either it or {receiver} is expected, and not both", f"应与 {receiver} 二者取一"
        )
    offer = read_policy(fields.document.get("offer"), Kind.OFFER, "offer")
    pids = fields.identifier(sender), fields.identifier_or_none(receiver)
    return pids[0], offer, pids[1], fields.text_or_none("callbackAddress")


def _signed(signature: Signature | None) -> dict[str, Any]:
    return {MEMBER: signature.document()} if signature else {}


@dataclass(frozen=True)
class ContractRequest:
    """The consumer asks: first with a callback address, later (a counter-request) with the provider's pid."""

    TYPE: ClassVar = "ContractRequestMessage"
    consumer_pid: str
    offer: Policy
    provider_pid: str | None = None
    callback: str | None = None
    said: ClassVar = Said.REQUEST

    @classmethod
    def read(cls, value: Any) -> Self:
        return cls(*_proposal(value, cls.TYPE, "consumerPid", "providerPid"))

    def document(self) -> dict[str, Any]:
        pids = {"consumerPid": self.consumer_pid, "providerPid": self.provider_pid}
        return _body(self.TYPE, **pids, callbackAddress=self.callback, offer=self.offer.document)


@dataclass(frozen=True)
class ContractOffer:
    """The provider offers: first with a callback address, later with the consumer's pid."""

    TYPE: ClassVar = "ContractOfferMessage"
    provider_pid: str
    offer: Policy
    consumer_pid: str | None = None
    callback: str | None = None
    said: ClassVar = Said.OFFER

    @classmethod
    def read(cls, value: Any) -> Self:
        made = cls(*_proposal(value, cls.TYPE, "providerPid", "consumerPid"))
        if made.offer.target is None:
            raise Fields(value).missing("offer.target")
        return made

    def document(self) -> dict[str, Any]:
        pids = {"providerPid": self.provider_pid, "consumerPid": self.consumer_pid}
        return _body(self.TYPE, **pids, callbackAddress=self.callback, offer=self.offer.document)


@dataclass(frozen=True)
class Addressed:
    """What every later message carries: the process ids of both sides."""

    TYPE: ClassVar[str] = ""
    provider_pid: str
    consumer_pid: str

    @classmethod
    def _pids(cls, fields: Fields) -> tuple[str, str]:
        return fields.identifier("providerPid"), fields.identifier("consumerPid")

    def _document(self, **members: Any) -> dict[str, Any]:
        return _body(self.TYPE, providerPid=self.provider_pid, consumerPid=self.consumer_pid, **members)


@dataclass(frozen=True)
class ContractAgreement(Addressed):
    TYPE: ClassVar = "ContractAgreementMessage"
    agreement: Policy
    signature: Signature | None = None
    said: ClassVar = Said.AGREEMENT

    @classmethod
    def read(cls, value: Any) -> Self:
        fields = _open(value, cls.TYPE)
        agreement = read_policy(fields.document.get("agreement"), Kind.AGREEMENT, "agreement")
        return cls(*cls._pids(fields), agreement, read_signature(fields))

    def document(self) -> dict[str, Any]:
        return self._document(agreement=self.agreement.document, **_signed(self.signature))


@dataclass(frozen=True)
class ContractVerification(Addressed):
    TYPE: ClassVar = "ContractAgreementVerificationMessage"
    signature: Signature | None = None
    said: ClassVar = Said.VERIFICATION

    @classmethod
    def read(cls, value: Any) -> Self:
        fields = _open(value, cls.TYPE)
        return cls(*cls._pids(fields), read_signature(fields))

    def document(self) -> dict[str, Any]:
        return self._document(**_signed(self.signature))


@dataclass(frozen=True)
class ContractEvent(Addressed):
    TYPE: ClassVar = "ContractNegotiationEventMessage"
    event: str  # ACCEPTED by the consumer, FINALIZED by the provider

    @property
    def said(self) -> Said:
        return Said.ACCEPTED if self.event == "ACCEPTED" else Said.FINALIZED

    @classmethod
    def read(cls, value: Any) -> Self:
        fields = _open(value, cls.TYPE)
        return cls(*cls._pids(fields), fields.literal("eventType", "ACCEPTED", "FINALIZED"))

    def document(self) -> dict[str, Any]:
        return self._document(eventType=self.event)


@dataclass(frozen=True)
class Plain(Addressed):
    """A message of the two ids and nothing more."""

    @classmethod
    def read(cls, value: Any) -> Self:
        return cls(*cls._pids(_open(value, cls.TYPE)))

    def document(self) -> dict[str, Any]:
        return self._document()


@dataclass(frozen=True)
class Coded(Addressed):
    """A message or error that may give a code and reasons. Reasons are free JSON; ours are sentences.

    `refusal` is our extension: {"reason", "citation"} as decree 809 wants them, told apart.
    """

    code: str | None = None
    reason: tuple[Any, ...] | None = None
    refusal: dict[str, Any] | None = None

    @classmethod
    def read(cls, value: Any) -> Self:
        fields = _open(value, cls.TYPE)
        refusal = dict(fields.inner("hutong:refusal").document) if fields.has("hutong:refusal") else None
        code, reason = fields.text_or_none("code"), fields.many_or_none("reason", any_value, fewest=1)
        return cls(*cls._pids(fields), code, reason, refusal)

    def document(self) -> dict[str, Any]:
        reason = list(self.reason) if self.reason else None
        return self._document(code=self.code, reason=reason, **{"hutong:refusal": self.refusal})


@dataclass(frozen=True)
class ContractTermination(Coded):
    TYPE: ClassVar = "ContractNegotiationTerminationMessage"
    said: ClassVar = Said.TERMINATION


@dataclass(frozen=True)
class ContractError(Coded):
    TYPE: ClassVar = "ContractNegotiationError"


@dataclass(frozen=True)
class TransferRequest:
    """The consumer asks for delivery under an agreement."""

    TYPE: ClassVar = "TransferRequestMessage"
    consumer_pid: str
    agreement_id: str
    format: str
    callback: str
    data_address: dict[str, Any] | None = None  # only where the provider is to push
    said: ClassVar = Said.TRANSFER_REQUEST

    @classmethod
    def read(cls, value: Any) -> Self:
        fields = _open(value, cls.TYPE)
        consumer, agreement = fields.identifier("consumerPid"), fields.identifier("agreementId")
        return cls(consumer, agreement, fields.text("format"), fields.text("callbackAddress"), read_address(fields))

    def document(self) -> dict[str, Any]:
        return _body(
            self.TYPE,
            consumerPid=self.consumer_pid,
            agreementId=self.agreement_id,
            format=self.format,
            callbackAddress=self.callback,
            dataAddress=self.data_address,
        )


@dataclass(frozen=True)
class TransferStart(Addressed):
    TYPE: ClassVar = "TransferStartMessage"
    data_address: dict[str, Any] | None = None
    said: ClassVar = Said.TRANSFER_START

    @classmethod
    def read(cls, value: Any) -> Self:
        fields = _open(value, cls.TYPE)
        return cls(*cls._pids(fields), read_address(fields))

    def document(self) -> dict[str, Any]:
        return self._document(dataAddress=self.data_address)


@dataclass(frozen=True)
class TransferCompletion(Plain):
    TYPE: ClassVar = "TransferCompletionMessage"
    said: ClassVar = Said.TRANSFER_COMPLETION


@dataclass(frozen=True)
class TransferSuspension(Coded):
    TYPE: ClassVar = "TransferSuspensionMessage"
    said: ClassVar = Said.TRANSFER_SUSPENSION


@dataclass(frozen=True)
class TransferTermination(Coded):
    TYPE: ClassVar = "TransferTerminationMessage"
    said: ClassVar = Said.TRANSFER_TERMINATION


@dataclass(frozen=True)
class TransferError(Coded):
    TYPE: ClassVar = "TransferError"


@dataclass(frozen=True)
class Process(Addressed):
    """A process as acknowledged or read with GET."""

    MACHINE: ClassVar[Machine]
    state: str

    @classmethod
    def read(cls, value: Any) -> Self:
        fields = _open(value, cls.TYPE)
        return cls(*cls._pids(fields), fields.literal("state", *STATES[cls.MACHINE]))

    def document(self) -> dict[str, Any]:
        return self._document(state=self.state)


@dataclass(frozen=True)
class NegotiationProcess(Process):
    TYPE: ClassVar = "ContractNegotiation"
    MACHINE: ClassVar = Machine.NEGOTIATION


@dataclass(frozen=True)
class TransferProcess(Process):
    TYPE: ClassVar = "TransferProcess"
    MACHINE: ClassVar = Machine.TRANSFER


@dataclass(frozen=True)
class CatalogRequest:
    """A wish for the catalog. The protocol leaves the filter's language open; ours is in docs/wire.md."""

    TYPE: ClassVar = "CatalogRequestMessage"
    filter: tuple[Any, ...] = ()

    @classmethod
    def read(cls, value: Any) -> Self:
        return cls(_open(value, cls.TYPE).many_or_none("filter", any_value) or ())

    def document(self) -> dict[str, Any]:
        return _body(self.TYPE, filter=list(self.filter) or None)


def catalog_error(code: str, reason: list[str]) -> dict[str, Any]:
    return _body("CatalogError", code=code, reason=reason)


def read_address(fields: Fields) -> dict[str, Any] | None:
    """A data address as sent, checked for its shape. Nothing here ever fetches what it names."""
    if not fields.has("dataAddress"):
        return None
    address = fields.inner("dataAddress")
    address.literal("@type", "DataAddress")
    address.text("endpointType")
    address.text_or_none("endpoint")
    address.many_or_none("endpointProperties", _read_property, fewest=1)
    if b"\\u0000" in orjson.dumps(address.document):  # PostgreSQL's JSON has no place for it
        raise fields.fail("dataAddress", "a text contains NUL", "文本含 NUL 字符")
    return address.document


def _read_property(value: Any, where: str) -> None:
    fields = Fields(value, where)
    fields.literal("@type", "EndpointProperty")
    fields.text("name")
    fields.text("value")


Message = (
    ContractRequest
    | ContractOffer
    | ContractAgreement
    | ContractVerification
    | ContractEvent
    | ContractTermination
    | TransferRequest
    | TransferStart
    | TransferCompletion
    | TransferSuspension
    | TransferTermination
)
