"""The receiving side for connectors outside the directory: known by a bearer token, answered without a signature.

Beside `receiver`, `inquiry` and `reader` of receiving.py, for the same handlers. Their messages carry no message id, so
the handler itself MUST know a repeat by what it says: the protocol's process ids are made for that.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

import orjson
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from hutong.node import outside, refusals
from hutong.node.receiving import (
    Answer,
    Handler,
    Peer,
    Raw,
    View,
    Wording,
    beside_its_twin,
    decode_object,
    problem_answer,
    problem_wording,
    read_body,
)
from hutong.vocabulary.canonical import digest
from hutong.vocabulary.errors import Broken, Refused, WrongMethod

SCHEME = "bearer "

log = logging.getLogger("hutong.messages")


def knocks(request: HttpRequest) -> bool:
    """True when a request is to be judged by its token: it has one, and no signature."""
    return "Signature-Input" not in request.headers and "Authorization" in request.headers


def receiver(*, refusal: Wording = problem_wording) -> Callable[[Handler], View]:
    """Make a Django view of `handler(request, peer, body, **captured)` for messages that come with a token."""

    def decorate(handler: Handler) -> View:
        def act(request: HttpRequest, peer: Peer, raw: bytes, captured: dict[str, Any]) -> Answer:
            with transaction.atomic():
                return handler(request, peer, decode_object(raw), **captured)

        return _view(handler, ("POST", "PUT"), act, refusal)

    return decorate


def inquiry(*, refusal: Wording = problem_wording) -> Callable[[Handler], View]:
    """Like receiver, for a question that changes nothing; the same address by GET is the question without a body."""

    def decorate(handler: Handler) -> View:
        def act(request: HttpRequest, peer: Peer, raw: bytes, captured: dict[str, Any]) -> Answer:
            return handler(request, peer, decode_object(raw) if request.method == "POST" else {}, **captured)

        return _view(handler, ("GET", "POST"), act, refusal)

    return decorate


def reader(*, refusal: Wording = problem_wording) -> Callable[[Handler], View]:
    """Like receiver, for a GET: `handler(request, peer, **captured)`."""

    def decorate(handler: Handler) -> View:
        def act(request: HttpRequest, peer: Peer, _raw: bytes, captured: dict[str, Any]) -> Answer:
            return handler(request, peer, **captured)

        return _view(handler, ("GET",), act, refusal)

    return decorate


def _view(
    handler: Handler,
    methods: tuple[str, ...],
    act: Callable[[HttpRequest, Peer, bytes, dict[str, Any]], Answer],
    refusal: Wording,
) -> View:
    @csrf_exempt
    @wraps(handler)
    def view(request: HttpRequest, **captured: Any) -> HttpResponse:
        try:
            raw, peer = _let_in(request, methods)
        except Refused as refused:
            return _turned_away(refused)
        try:
            return _answer(*beside_its_twin(lambda: act(request, peer, raw, captured)))
        except Refused as refused:
            return _refused(refused, refusal)
        # The edge: an error we did not foresee changes nothing and tells the peer nothing.
        except Exception:
            log.exception("a message from %s failed", peer.jurisdiction)
            return _refused(Broken(), refusal)

    return view


def _let_in(request: HttpRequest, methods: tuple[str, ...]) -> tuple[bytes, Peer]:
    if request.method not in methods:
        raise WrongMethod(allowed=", ".join(methods))
    given = request.headers.get("Authorization", "")
    if not given.lower().startswith(SCHEME):
        raise outside.UnknownToken
    sender = outside.holder(given[len(SCHEME) :].strip())
    raw = read_body(request)
    return raw, Peer(sender, outside.participant_of(sender), unsigned=digest(raw))


def _turned_away(refused: Refused) -> HttpResponse:
    answer = problem_answer(refused)
    if refused.status == 401:
        answer["WWW-Authenticate"] = "Bearer"
    return answer


def _refused(refused: Refused, wording: Wording) -> HttpResponse:
    refusals.said(refused)
    body, content_type = wording(refused)
    return HttpResponse(orjson.dumps(body), status=refused.status, content_type=content_type)


def _answer(status: int, content: dict[str, Any] | Raw | None) -> HttpResponse:
    if isinstance(content, Raw):
        answer = HttpResponse(content.body, status=status, content_type=content.content_type)
        for name, value in content.headers:
            answer[name] = value
        return answer
    return HttpResponse(
        b"" if content is None else orjson.dumps(content), status=status, content_type="application/json"
    )
