"""Terms and their extension, notices, and the calendar of one's terms."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hutong.control.clocks import actions, feed
from hutong.control.identity.actions import set_email
from hutong.control.identity.models import Account
from hutong.control.notices.actions import read
from hutong.portal.components.page import refusal_of, room, show
from hutong.portal.duties.clocks import clock_of, clock_page, clocks_page
from hutong.portal.duties.forms import AddressForm, ExtensionForm
from hutong.portal.duties.notices import notice_of, notices_page, where
from hutong.vocabulary.errors import NotFound, Refused

CLOCK = "portal/duties/clock.html"
NOTICES = "portal/duties/notices.html"


@require_safe
@room("clocks")
def clocks(request: HttpRequest, account: Account) -> HttpResponse:
    return show(request, "portal/duties/clocks.html", clocks_page(account, request.GET))


@require_safe
@room("clocks")
def clock(request: HttpRequest, account: Account, clock_id: str) -> HttpResponse:
    return show(request, CLOCK, clock_page(account, clock_of(account, clock_id)))


@require_POST
@room("clocks")
def extend(request: HttpRequest, account: Account, clock_id: str) -> HttpResponse:
    found, form = clock_of(account, clock_id), ExtensionForm(request.POST)
    if not form.is_valid():
        return show(request, CLOCK, clock_page(account, found, form))
    try:
        actions.ask_extension(account, found.id, form.cleaned_data["reason"])
    except Refused as refused:
        return show(request, CLOCK, clock_page(account, found, form, refusal_of(refused)))
    messages.success(request, _("Asked for: the supervisor decides."))
    return redirect("clock", clock_id)


@require_POST
@room("clocks")
def decide(request: HttpRequest, account: Account, clock_id: str) -> HttpResponse:
    found, consent = clock_of(account, clock_id), request.POST.get("do") == "consent"
    try:
        actions.decide_extension(account, found.id, consent=consent)
    except Refused as refused:
        return show(request, CLOCK, clock_page(account, found, None, refusal_of(refused)))
    messages.success(request, _("Extended; those concerned are told.") if consent else _("Refused; the term stays."))
    return redirect("clock", clock_id)


@require_safe
@room("notices")
def notices(request: HttpRequest, account: Account) -> HttpResponse:
    return show(request, NOTICES, notices_page(account, request.GET))


@require_safe
@room("notices")
def notice(request: HttpRequest, account: Account, notice_id: str) -> HttpResponse:  # noqa: ARG001
    """Opening a notice is reading it."""
    found = notice_of(account, notice_id)
    read(account, found.id)
    return redirect(where(found))


@require_POST
@room("notices")
def read_all(request: HttpRequest, account: Account) -> HttpResponse:
    many = read(account)
    messages.success(
        request, ngettext("{many} notice marked as read.", "{many} notices marked as read.", many).format(many=many)
    )
    return redirect("notices")


@require_POST
@room("notices")
def address(request: HttpRequest, account: Account) -> HttpResponse:
    form = AddressForm(request.POST)
    if not form.is_valid():
        return show(request, NOTICES, notices_page(account, request.GET, address=form))
    changed = set_email(account, account.username, form.cleaned_data["address"])
    messages.success(request, _("Your notices are mailed.") if changed.email else _("Your notices are not mailed."))
    return redirect("notices")


@never_cache
@require_POST
@room("notices")
def feed_address(request: HttpRequest, account: Account) -> HttpResponse:
    if request.POST.get("do") == "revoke":
        feed.revoke(account)
        messages.success(request, _("The calendar's address opens nothing any more."))
        return redirect("notices")
    # Shown in this answer and nowhere else: a redirect would have to keep the secret somewhere.
    secret = feed.make(account)
    return show(request, NOTICES, notices_page(account, request.GET, feed_secret=secret))


@never_cache
@require_http_methods(["GET", "HEAD"])
def calendar(request: HttpRequest, secret: str) -> HttpResponse:
    """For calendar programs, which cannot sign in: the address itself is the permission."""
    try:
        account = feed.owner(secret)
    except NotFound:
        return HttpResponse(status=404)
    language = "en" if request.GET.get("language") == "en" else "zh"
    answer = HttpResponse(feed.calendar_of(account, language=language), content_type="text/calendar; charset=utf-8")
    answer["Content-Disposition"] = 'inline; filename="hutong.ics"'
    return answer
