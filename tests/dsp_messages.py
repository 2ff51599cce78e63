"""The messages of the Dataspace Protocol 2025-1 as plain JSON: from the specification, not by our encoders."""

from __future__ import annotations

from typing import Any, Final

CONTEXT: Final = "https://w3id.org/dspace/2025/1/context.jsonld"
# What is said: its type on the wire, and where it goes below the process.
PLACES: Final = {
    "REQUEST": ("ContractRequestMessage", "request"),
    "OFFER": ("ContractOfferMessage", "offers"),
    "ACCEPTED": ("ContractNegotiationEventMessage", "events"),
    "AGREEMENT": ("ContractAgreementMessage", "agreement"),
    "VERIFICATION": ("ContractAgreementVerificationMessage", "agreement/verification"),
    "FINALIZED": ("ContractNegotiationEventMessage", "events"),
    "TERMINATION": ("ContractNegotiationTerminationMessage", "termination"),
    "TRANSFER_REQUEST": ("TransferRequestMessage", "request"),
    "TRANSFER_START": ("TransferStartMessage", "start"),
    "TRANSFER_SUSPENSION": ("TransferSuspensionMessage", "suspension"),
    "TRANSFER_COMPLETION": ("TransferCompletionMessage", "completion"),
    "TRANSFER_TERMINATION": ("TransferTerminationMessage", "termination"),
}


def message(said: str, **members: Any) -> dict[str, Any]:
    """One message; members of None are left out."""
    events = {"eventType": said} if said in ("ACCEPTED", "FINALIZED") else {}
    given = {name: value for name, value in members.items() if value is not None}
    return {"@context": [CONTEXT], "@type": PLACES[said][0], **events, **given}


def process(machine: str, provider: str, consumer: str, state: str) -> dict[str, Any]:
    """How a process is acknowledged."""
    kind = "ContractNegotiation" if machine == "negotiation" else "TransferProcess"
    return {"@context": [CONTEXT], "@type": kind, "providerPid": provider, "consumerPid": consumer, "state": state}


def error(machine: str, provider: str, consumer: str, code: str, *reason: str) -> dict[str, Any]:
    """How a message is refused."""
    kind = "ContractNegotiationError" if machine == "negotiation" else "TransferError"
    pids = {"providerPid": provider, "consumerPid": consumer}
    return {"@context": [CONTEXT], "@type": kind, **pids, "code": code, "reason": list(reason)}


def said_by(body: dict[str, Any]) -> str:
    """What a message says, by its type and event; "" for any other document."""
    named = body.get("eventType")
    matching = (said for said, (kind, _) in PLACES.items() if kind == body.get("@type") and named in (None, said))
    return next(matching, "")
