"""The node's own addresses: the directory to read, a signed ping, health, and refusals outside any other view."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound, JsonResponse
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt

from hutong.node import directory, draining, membership, openapi
from hutong.node.keyring import ring
from hutong.node.receiving import Answer, Peer, problem_answer, reader
from hutong.node.settings import current
from hutong.vocabulary.errors import Broken, NotFound, Refused
from hutong.vocabulary.moments import rfc3339

MACHINE_PATHS = ("/hutong/", "/dsp/", "/ledger/", "/.well-known/", "/exchange/")


class NoSuchAddress(NotFound):
    """This node has no address {name}."""

    zh = "本节点没有地址 {name}。"
    code = "no_such_address"
    next_en = "See the addresses a node answers at in docs/wire.md."
    next_zh = "节点提供的地址见 docs/wire.md。"


@csrf_exempt
def directory_address(request: HttpRequest) -> HttpResponse:
    """GET: our signed copy, open to all. POST: a newer one, pushed by the keeper."""
    if request.method == "POST":
        return membership.take_directory(request)
    try:
        return HttpResponse(orjson.dumps(membership.signed_copy()), content_type="application/json")
    except Refused as refused:
        return problem_answer(refused)


@reader
def ping(_request: HttpRequest, peer: Peer) -> Answer:
    """Proof that a signed round trip works both ways: GET /hutong/ping."""
    return 200, {
        "jurisdiction": current().jurisdiction,
        "you": peer.jurisdiction,
        "time": rfc3339(datetime.now(UTC)),
        "directory_version": ring().version,
    }


def health(_request: HttpRequest) -> HttpResponse:
    """GET /hutong/health: 200 when the node can read its database, 503 while it is being stopped.

    Says nothing that needs protecting.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    copy = directory.copy()
    leaving = draining.draining()
    body = {
        "status": "draining" if leaving else "ok",
        "jurisdiction": current().jurisdiction,
        "directory_version": copy.version if copy else 0,
    }
    return JsonResponse(body, status=503 if leaving else 200)


def described(_request: HttpRequest) -> HttpResponse:
    """GET /hutong/openapi.json: the addresses that programs use."""
    return JsonResponse(openapi.document())


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A machine reads problem details; a person reads the page."""
    if request.path.startswith(MACHINE_PATHS):
        return problem_answer(NoSuchAddress(name=request.path[:200]))
    try:
        return defaults.page_not_found(request, exception)
    except Exception:
        return HttpResponseNotFound("404 Not Found", content_type="text/plain")


def server_error(request: HttpRequest, *arguments: Any) -> HttpResponse:
    if request.path.startswith(MACHINE_PATHS):
        return problem_answer(Broken())
    return defaults.server_error(request, *arguments)
