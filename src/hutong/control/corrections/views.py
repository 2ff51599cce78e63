"""The application's door for wrong records: with the API key it reads by.

POST /hutong/corrections                {"agreement", "items", "key": {"item", "value"}, "fault", "evidence"}
GET  /hutong/corrections/<ticket>       how it stands
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from hutong.control.corrections.actions import report_by_application
from hutong.control.corrections.models import Correction
from hutong.exchange.asking import key_digest
from hutong.exchange.entitlements import Application, application_of
from hutong.node.receiving import decode_object, problem_answer, read_body
from hutong.vocabulary.errors import BadInput, Broken, NotFound, Refused, WrongMethod
from hutong.vocabulary.ids import urn

MEMBERS = frozenset({"agreement", "items", "key", "fault", "evidence"})
Door = Callable[..., HttpResponse]

log = logging.getLogger("hutong.corrections")


def door(method: str) -> Callable[[Door], Door]:
    """Know the application by its key; a refusal is a problem document, and an error tells nothing."""

    def decorate(view: Door) -> Door:
        @csrf_exempt
        @wraps(view)
        def guarded(request: HttpRequest, **captured: Any) -> HttpResponse:
            try:
                if request.method != method:
                    raise WrongMethod(allowed=method)
                headers = {name.lower(): value for name, value in request.headers.items()}
                return view(request, application_of(key_digest(headers)), **captured)
            except Refused as refused:
                return problem_answer(refused)
            # The edge: what we did not foresee changes nothing and tells nothing.
            except Exception:
                log.exception("a report of an application failed")
                return problem_answer(Broken())

        return guarded

    return decorate


@door("POST")
def report(request: HttpRequest, application: Application) -> HttpResponse:
    """Report a wrong record."""
    said = decode_object(read_body(request))
    key = said.get("key")
    if said.keys() != MEMBERS or not isinstance(key, dict) or key.keys() != {"item", "value"}:
        raise _wrong()
    items, value = said["items"], key["value"]
    texts = {name: said[name] for name in ("agreement", "fault", "evidence")} | {"key_item": key["item"]}
    if not isinstance(items, list) or not all(isinstance(one, str) for one in (*items, *texts.values())):
        raise _wrong()
    if type(value) not in (str, int):
        raise _wrong()
    agreement = texts.pop("agreement")
    agreement = urn(agreement)
    made = report_by_application(application, agreement, {**texts, "items": items, "value": value})
    return HttpResponse(orjson.dumps(_stands(made)), status=201, content_type="application/json")


@door("GET")
def stands(_request: HttpRequest, application: Application, ticket: str) -> HttpResponse:
    """How a report of one's department stands."""
    found = Correction.objects.filter(ticket=ticket, role="consumer", department=application.department).first()
    if found is None:
        raise NotFound(what="correction", name=ticket[:36])
    return JsonResponse(_stands(found))


def _stands(one: Correction) -> dict[str, Any]:
    return {
        "ticket": one.ticket,
        "agreement": one.agreement_id,
        "state": one.state,
        "due_on": one.due_on.isoformat() if one.due_on else None,
        "corrected_at": one.corrected_at.isoformat() if one.corrected_at else None,
        "changes": one.changes,
    }


def _wrong() -> BadInput:
    return BadInput(
        reason="a report has agreement, items, key (item and value), fault and evidence",
        reason_zh="校核应含 agreement、items、key（item 和 value）、fault 和 evidence",
    )
