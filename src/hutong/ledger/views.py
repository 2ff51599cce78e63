"""The ledger over HTTP: checkpoint and hash tiles for anyone, entries and receipts for members, the witness's door."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from hutong.ledger import checkpoint as checkpoints
from hutong.ledger import pages, witness
from hutong.ledger.host import host, member_view
from hutong.ledger.shelf import Shelf
from hutong.ledger.tiles import MEDIA_TYPE, NoTile, Tile, TileFolder
from hutong.vocabulary.errors import BadInput, NotAllowed, NotFound, Refused, TooLarge

FOREVER = "public, max-age=31536000, immutable"
BRIEFLY = "public, max-age=1"
PROBLEM = "application/problem+json"

View = Callable[..., HttpResponse]


def _refusals_answered(view: View) -> View:
    @wraps(view)
    def answered(request: HttpRequest, *arguments: Any, **captured: Any) -> HttpResponse:
        try:
            return view(request, *arguments, **captured)
        except Refused as refused:
            return HttpResponse(orjson.dumps(refused.problem()), status=refused.status, content_type=PROBLEM)

    return answered


@require_GET
@_refusals_answered
def checkpoint(_request: HttpRequest) -> HttpResponse:
    """The newest checkpoint; with the cosignatures where witnesses have signed that one."""
    shelf = Shelf(host().folder)
    newest, witnessed = shelf.checkpoint(), shelf.witnessed()
    if newest is None:
        raise NotFound(what="checkpoint", name="")
    note = witnessed if witnessed and witnessed.text == newest.text else newest
    return _text(str(note))


@require_GET
@_refusals_answered
def checkpoint_witnessed(_request: HttpRequest) -> HttpResponse:
    """The newest checkpoint that witnesses have cosigned."""
    note = Shelf(host().folder).witnessed()
    if note is None:
        raise NotFound(what="witnessed checkpoint", name="")
    return _text(str(note))


@require_GET
@_refusals_answered
def hash_tile(_request: HttpRequest, name: str) -> HttpResponse:
    """A hash tile: open to anyone, for hashes say nothing."""
    return HttpResponse(_tile(name, entries=False), content_type=MEDIA_TYPE, headers={"Cache-Control": FOREVER})


def _entry_bundle(_request: HttpRequest, _member: str, name: str) -> tuple[bytes, str]:
    return _tile("entries/" + name, entries=True), MEDIA_TYPE


entry_bundle = require_GET(member_view(_entry_bundle))


def _exchanges(request: HttpRequest, member: str) -> tuple[bytes, str]:
    """Receipts of exchanges with the member who asks; nobody is told of exchanges with others."""
    if request.GET.get("with", member) != member:
        raise NotAllowed(
            role=member, action="read receipts of exchanges between others", action_zh="读取他人之间交换的回执"
        )
    page = pages.page(
        host().folder, member, after=_number(request, "after", -1), limit=_number(request, "limit", pages.MOST_ENTRIES)
    )
    return orjson.dumps(page.document()), "application/json"


exchanges = require_GET(member_view(_exchanges))


@csrf_exempt
@require_POST
@_refusals_answered
def add_checkpoint(request: HttpRequest) -> HttpResponse:
    """The witness's door. Authentic by the checkpoint's own signature."""
    body = request.read(witness.LARGEST_REQUEST + 1)
    if len(body) > witness.LARGEST_REQUEST:
        raise TooLarge(limit=witness.LARGEST_REQUEST)
    here = host()
    answer = witness.add_checkpoint(body, log_keys=here.log_keys, signer=here.signer(), time_s=int(time.time()))
    return HttpResponse(answer.body, status=answer.status, content_type=answer.content_type)


@require_GET
@_refusals_answered
def witnessed_log(_request: HttpRequest, origin_hash: str) -> HttpResponse:
    """What we, as a witness, cosigned last of a log: for monitors."""
    note = witness.witnessed_checkpoint(origin_hash)
    if note is None:
        raise NotFound(what="witnessed log", name=origin_hash)
    return _text(note)


def _tile(name: str, *, entries: bool) -> bytes:
    """A tile that the published checkpoint covers. The path is parsed, never joined as it came."""
    tile = Tile.parse(name)
    note = Shelf(host().folder).checkpoint()
    size = checkpoints.parse(note.text).size if note else 0
    if (tile.level is None) != entries or (size >> 8 * (tile.level or 0)) < tile.index * 256 + tile.width:
        raise NoTile(name=name[:80])
    return TileFolder(host().folder).read(tile)


def _number(request: HttpRequest, name: str, otherwise: int) -> int:
    text = request.GET.get(name, "")
    if not text:
        return otherwise
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 18:
        raise BadInput(reason=f"{name} is not a number", reason_zh=f"{name} 不是数字")
    return int(text)


def _text(text: str) -> HttpResponse:
    return HttpResponse(text, content_type=checkpoints.MEDIA_TYPE, headers={"Cache-Control": BRIEFLY})
