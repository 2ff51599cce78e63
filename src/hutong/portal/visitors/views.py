"""Sign in and out."""

from __future__ import annotations

from django.contrib.auth import login, logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from hutong.control.identity import sign_in as sign_in_counts
from hutong.portal.components.page import Refusal, refusal_of, shell_for_door, show
from hutong.portal.origin import address_of
from hutong.portal.visitors.forms import SignInForm
from hutong.portal.visitors.pages import SignInPage


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    next_url = _safe_next(request)
    if request.user.is_authenticated:
        return redirect(next_url)
    if request.method != "POST":
        return _door(request, SignInForm(request), next_url)
    try:
        form = _tried(request)
    except sign_in_counts.TooManySignIns as refused:
        return _door(request, SignInForm(request), next_url, refusal_of(refused))
    if form.is_valid():
        login(request, form.get_user())
        return redirect(next_url)
    return _door(request, form, next_url)


def _tried(request: HttpRequest) -> SignInForm:
    """The form, its password tried. An empty field is no attempt.

    raises   TooManySignIns, before anybody looks at the password
    """
    form = SignInForm(request, data=request.POST)
    username = request.POST.get("username", "")
    if not username.strip() or not request.POST.get("password"):
        return form
    attempt = sign_in_counts.begin(username, address_of(request), timezone.now())
    if form.is_valid():
        sign_in_counts.succeeded(attempt)
    else:
        sign_in_counts.failed(attempt, timezone.now())
    return form


def _door(request: HttpRequest, form: SignInForm, next_url: str, refusal: Refusal | None = None) -> HttpResponse:
    page = SignInPage(shell=shell_for_door(), form=form, next_url=next_url, refusal=refusal)
    return show(request, "portal/visitors/sign_in.html", page)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect("sign_in")


def _safe_next(request: HttpRequest) -> str:
    """Where to go after sign-in; never another host."""
    asked = request.POST.get("next") or request.GET.get("next") or "/"
    allowed = url_has_allowed_host_and_scheme(asked, {request.get_host()}, require_https=request.is_secure())
    return asked if allowed else "/"
