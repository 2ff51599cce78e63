"""The public page of figures and its JSON: no sign-in, and counted at most once a minute, whoever asks how often."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from hutong.control.oversight import public
from hutong.control.oversight.periods import Period, period_of, read
from hutong.control.statute import day
from hutong.portal.components.page import RefusedPage, refusal_of, shell_for_door
from hutong.portal.visitors.figures import figures_page
from hutong.vocabulary.canonical import canonical_bytes
from hutong.vocabulary.errors import BadInput, Refused

FRESH_S = 60.0  # how long an answer is given again as it was made
MOST_KEPT = 64  # answers; addresses beyond them push the oldest out
EARLIEST_YEAR = 2025  # when decree 809 came into force

Made = TypeVar("Made")
_kept: dict[tuple[str, str, str], tuple[float, Any]] = {}
_one_at_a_time = threading.Lock()


@require_safe
def figures(request: HttpRequest) -> HttpResponse:
    try:
        public.check_public()
        period = _period(request)
        page = _once_a_minute(("page", get_language() or "", str(period)), lambda: figures_page(period))
    except Refused as refused:
        return _refused(request, refused)
    # Drawn for each visitor, because the page carries the visitor's own form token; its figures are not read again.
    return render(request, "portal/visitors/figures.html", {"page": page})


@require_safe
def figures_json(request: HttpRequest) -> HttpResponse:
    try:
        public.check_public()
        period = _period(request)
        content = _once_a_minute(("json", "", str(period)), lambda: canonical_bytes(public.document(period)))
    except Refused as refused:
        return _refused(request, refused)
    return HttpResponse(content, content_type="application/json", headers={"Cache-Control": "public, max-age=60"})


def _refused(request: HttpRequest, refused: Refused) -> HttpResponse:
    page = RefusedPage(shell=shell_for_door(), refusal=refusal_of(refused))
    return render(request, "portal/visitors/closed.html", {"page": page}, status=refused.status)


def _period(request: HttpRequest) -> Period:
    """raises   BadInput, also for what lies before the decree or in the future"""
    text = request.GET.get("period", "")
    period = read(text) if text else period_of("month", day.today())
    if period.since.year < EARLIEST_YEAR or period.since > day.today():
        raise BadInput(reason="there are no figures of that period", reason_zh="该期间没有指标")
    return period


def _once_a_minute(key: tuple[str, str, str], made: Callable[[], Made]) -> Made:
    """What was made a moment ago, or made anew; one is made at a time, so a crowd costs as much as one visitor."""
    with _one_at_a_time:
        now = time.monotonic()
        kept = _kept.get(key)
        if kept is not None and now - kept[0] <= FRESH_S:
            found: Made = kept[1]
            return found
        new = made()
        _kept.pop(key, None)
        _kept[key] = (now, new)
        while len(_kept) > MOST_KEPT:
            _kept.pop(next(iter(_kept)))
        return new
