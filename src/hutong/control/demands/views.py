"""`/lists/<kind>.json` and `.csv`: the published lists, for members (signed) and, where the operator has opened the
catalogue to anyone (`public_catalogue`), for anyone. `?version=` names an earlier one."""

from __future__ import annotations

import orjson
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from hutong.control.demands import listing, lists
from hutong.node.receiving import Answer, Peer, Raw, problem_answer, reader
from hutong.node.settings import current
from hutong.vocabulary.errors import Refused

BOM = "\ufeff"  # spreadsheets take a file without it for the machine's own code page


@require_GET
def published_list(request: HttpRequest, kind: str, form: str) -> HttpResponse:
    """One published list."""
    if current().public_catalogue != "yes" or "Signature-Input" in request.headers:
        return _for_members(request, kind=kind, form=form)
    try:
        raw = content(kind, form, request.GET.get("version", ""))
    except Refused as refused:
        return problem_answer(refused)
    return HttpResponse(raw.body, content_type=raw.content_type)


@reader
def _for_members(request: HttpRequest, _peer: Peer, *, kind: str, form: str) -> Answer:
    return 200, content(kind, form, request.GET.get("version", ""))


def content(kind: str, form: str, version: str = "") -> Raw:
    """The list as it is sent.

    raises   NotFound
    """
    made = lists.version(kind, int(version) if version.isdecimal() and len(version) < 7 else None)
    if form == "csv":
        return Raw((BOM + listing.as_csv(made)).encode(), "text/csv; charset=utf-8")
    return Raw(orjson.dumps(listing.as_json(made)), "application/json")
