"""The Dataspace Protocol's addresses, for the OpenAPI document. The messages themselves are the specification's."""

from __future__ import annotations

from hutong.control.agreements.door import DSP_PATH
from hutong.node import openapi
from hutong.node.openapi import JSON, OBJECT, PROBLEM, Answered, Given, Operation, Schema, listed, shape

CONTEXT = "https://w3id.org/dspace/2025/1/context.jsonld"
PID = Given("pid", "path", "The receiver's id of the process.", {"type": "string", "minLength": 1, "maxLength": 200})
# path, message, what it says, status of the acknowledgement
BEGINNINGS = (
    ("negotiations/request", "ContractRequestMessage", "Ask for an agreement.", 201),
    ("negotiations/offers", "ContractOfferMessage", "Offer one.", 201),
    ("transfers/request", "TransferRequestMessage", "Ask for the data of an agreement.", 201),
)
STEPS = (
    ("negotiations/{pid}/request", "ContractRequestMessage", "Ask otherwise."),
    ("negotiations/{pid}/offers", "ContractOfferMessage", "Offer otherwise."),
    ("negotiations/{pid}/events", "ContractNegotiationEventMessage", "Accept, or finalise."),
    ("negotiations/{pid}/agreement", "ContractAgreementMessage", "Agree."),
    ("negotiations/{pid}/agreement/verification", "ContractAgreementVerificationMessage", "Verify the agreement."),
    ("negotiations/{pid}/termination", "ContractNegotiationTerminationMessage", "End the negotiation."),
    ("transfers/{pid}/start", "TransferStartMessage", "Start."),
    ("transfers/{pid}/completion", "TransferCompletionMessage", "Complete."),
    ("transfers/{pid}/suspension", "TransferSuspensionMessage", "Suspend."),
    ("transfers/{pid}/termination", "TransferTerminationMessage", "End the transfer."),
)
REFUSALS = (JSON, PROBLEM)  # the protocol's own error objects; a problem where nobody has signed


def register() -> None:
    openapi.add(
        Operation(
            "get",
            "/.well-known/dspace-version",
            "dspace_versions",
            "Versions of the Dataspace Protocol.",
            "open",
            {200: Answered("Versions.", {JSON: shape({"protocolVersions": listed(OBJECT)})})},
        ),
        _operation("post", "catalog/request", "A page of the catalogue.", 200, message="CatalogRequestMessage"),
        _operation("get", "catalog/request", "The same, by the address of a page.", 200),
        _operation("get", "catalog/datasets/{dataset}", "One data set.", 200, _dataset()),
        _operation("get", "negotiations/{pid}", "How a negotiation stands.", 200, PID),
        _operation("get", "transfers/{pid}", "How a transfer stands.", 200, PID),
        *(_operation("post", path, said, status, message=message) for path, message, said, status in BEGINNINGS),
        *(_operation("post", path, said, 200, PID, message=message) for path, message, said in STEPS),
    )


def _dataset() -> Given:
    return Given("dataset", "path", "Its id.", {"type": "string", "minLength": 1, "maxLength": 200})


def _operation(
    method: openapi.Method, path: str, said: str, status: int, *given: Given, message: str = ""
) -> Operation:
    name = "dsp_" + method + "_" + path.replace("{", "").replace("}", "").replace("/", "_")
    body: Schema | None = None
    if message:
        context = {"type": "array", "contains": {"const": CONTEXT}}
        body = shape({"@context": context, "@type": {"const": message}})
    answers = {status: Answered("Acknowledged; signed.", {JSON: OBJECT})}
    return Operation(method, f"{DSP_PATH}/{path}", name, said, "member", answers, given, body, refusal_media=REFUSALS)
