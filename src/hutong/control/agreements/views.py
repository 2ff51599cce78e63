"""The Dataspace Protocol's HTTPS binding, both roles, on the paths of the specification.

Every address takes one message. The receiver has verified who sent it, and keeps one transaction
around all that follows; a refusal is answered with the protocol's own error object.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from hutong.control.agreements import delivery, door, inbound, protocol
from hutong.control.agreements.models import Negotiation, Transfer
from hutong.control.agreements.steps import peers_own
from hutong.control.catalogue import feed
from hutong.control.catalogue import queries as catalogue
from hutong.vocabulary.errors import NotFound, Refused
from hutong.vocabulary.ids import uuid_of

Answer = tuple[int, dict[str, Any] | None]
View = Callable[..., HttpResponse]
JSON = "application/json"


def _error(kind: type[protocol.Coded]) -> Callable[[Refused], tuple[dict[str, Any], str]]:
    """How a refusal reads: the protocol's error object with both sentences, and the whole as our extension."""

    def wording(refused: Refused) -> tuple[dict[str, Any], str]:
        problem = refused.problem()
        pids = (str(problem.pop("providerPid", "")), str(problem.pop("consumerPid", "")))
        error = kind(*pids, refused.code, (refused.say("en"), refused.say("zh")))
        return {**error.document(), "hutong:problem": problem}, JSON

    return wording


def _catalog_error(refused: Refused) -> tuple[dict[str, Any], str]:
    reason = [refused.say("en"), refused.say("zh")]
    return {**protocol.catalog_error(refused.code, reason), "hutong:problem": refused.problem()}, JSON


negotiation_error = _error(protocol.ContractError)
transfer_error = _error(protocol.TransferError)


def _named(handler: Callable[..., Answer]) -> Callable[..., Answer]:
    """A refusal carries the process ids the message named, as the protocol's error objects must."""

    def named(_: HttpRequest, peer: door.Peer, body: dict[str, Any], **captured: str) -> Answer:
        try:
            return handler(peer, body, **captured)
        except Refused as refused:
            given = (body.get("providerPid"), body.get("consumerPid"))
            door.name_process(refused, *(one if isinstance(one, str) else "" for one in given))
            raise

    return named


def _begin(wording: Any, handler: Callable[..., Answer]) -> View:
    return door.receiver(refusal=wording)(_named(handler))


def _negotiation_view(kind: Any) -> View:
    def handler(peer: door.Peer, body: dict[str, Any], pid: str) -> Answer:
        return 200, inbound.hear(peer, pid, kind.read(body)).document()

    return _begin(negotiation_error, handler)


def _transfer_view(kind: Any) -> View:
    def handler(peer: door.Peer, body: dict[str, Any], pid: str) -> Answer:
        return 200, delivery.hear(peer, pid, kind.read(body)).document()

    return _begin(transfer_error, handler)


def _request(peer: door.Peer, body: dict[str, Any]) -> Answer:
    process, made = inbound.begin_request(peer, protocol.ContractRequest.read(body))
    return (201 if made else 200), process.document()


def _offer(peer: door.Peer, body: dict[str, Any]) -> Answer:
    process, made = inbound.begin_offer(peer, protocol.ContractOffer.read(body))
    return (201 if made else 200), process.document()


def _transfer_request(peer: door.Peer, body: dict[str, Any]) -> Answer:
    process, made = delivery.begin(peer, protocol.TransferRequest.read(body))
    return (201 if made else 200), process.document()


@door.inquiry(refusal=_catalog_error)
def catalog_request(request: HttpRequest, peer: door.Peer, body: dict[str, Any]) -> tuple[int, door.Raw]:
    """A page of the catalogue. Its neighbours are named in the Link header, as the protocol has it."""
    token = request.GET.get("continuationToken", "")
    asked = protocol.CatalogRequest.read(body).filter if request.method == "POST" else ()
    wish = feed.Wish.of_token(token) if token else feed.Wish.of_filter(asked)
    feed.check_may_read(wish, is_member=door.is_member(peer))
    page = feed.page(wish)
    return 200, door.Raw(orjson.dumps(feed.catalog(page)), JSON, _links(page))


def _links(page: feed.Page) -> tuple[tuple[str, str], ...]:
    neighbours = (("next", page.next), ("previous", page.previous))
    address = f"{door.here()}/catalog/request?continuationToken="
    links = [f'<{address}{wish.token()}>; rel="{name}"' for name, wish in neighbours if wish is not None]
    return (("Link", ", ".join(links)),) if links else ()


negotiation_request = _begin(negotiation_error, _request)
negotiation_offers = _begin(negotiation_error, _offer)
negotiation_pid_request = _negotiation_view(protocol.ContractRequest)
negotiation_pid_offers = _negotiation_view(protocol.ContractOffer)
negotiation_pid_events = _negotiation_view(protocol.ContractEvent)
negotiation_pid_agreement = _negotiation_view(protocol.ContractAgreement)
negotiation_pid_verification = _negotiation_view(protocol.ContractVerification)
negotiation_pid_termination = _negotiation_view(protocol.ContractTermination)
transfer_request = _begin(transfer_error, _transfer_request)
transfer_pid_start = _transfer_view(protocol.TransferStart)
transfer_pid_completion = _transfer_view(protocol.TransferCompletion)
transfer_pid_suspension = _transfer_view(protocol.TransferSuspension)
transfer_pid_termination = _transfer_view(protocol.TransferTermination)


@door.reader(refusal=negotiation_error)
def negotiation(request: HttpRequest, peer: door.Peer, pid: str) -> Answer:  # noqa: ARG001 - a reader's arguments
    return 200, inbound.process_of(peers_own(Negotiation, pid, peer.jurisdiction)).document()


@door.reader(refusal=transfer_error)
def transfer(request: HttpRequest, peer: door.Peer, pid: str) -> Answer:  # noqa: ARG001 - a reader's arguments
    return 200, delivery.process_of(peers_own(Transfer, pid, peer.jurisdiction)).document()


@door.reader(refusal=_catalog_error)
def dataset(request: HttpRequest, peer: door.Peer, dataset_id: str) -> Answer:  # noqa: ARG001 - a reader's arguments
    try:
        return 200, catalogue.dataset(uuid_of(dataset_id))
    except NotFound as missing:
        raise NotFound(what="data set", name=dataset_id[:80]) from missing


@require_GET
def versions(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - open to everybody
    """Version discovery: the one address of the protocol that needs no signature."""
    version = {
        "version": protocol.VERSION,
        "path": door.DSP_PATH,
        "binding": "HTTPS",
        "serviceId": door.ourselves(),
        "identifierType": "urn:hutong:node",
        "auth": {"protocol": "RFC9421", "version": "1", "profile": ["hutong-1"]},
    }
    return JsonResponse({"protocolVersions": [version]})
