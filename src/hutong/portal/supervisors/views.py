"""The supervisor reviews what departments submit: publish, or send back with every point."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from hutong.control.catalogue import actions, queries
from hutong.control.identity.models import Account
from hutong.portal.components.page import refusal_of, room, show
from hutong.portal.supervisors.forms import ReturnForm
from hutong.portal.supervisors.review import review_page, reviews_page
from hutong.vocabulary.errors import Refused

REVIEW = "portal/supervisors/review.html"


@require_safe
@room("reviews")
def reviews(request: HttpRequest, account: Account) -> HttpResponse:
    return show(request, "portal/supervisors/reviews.html", reviews_page(account, request.GET))


@require_safe
@room("reviews")
def review(request: HttpRequest, account: Account, submission_id: str) -> HttpResponse:
    return show(request, REVIEW, review_page(account, queries.submission_of(submission_id), ReturnForm()))


@require_POST
@room("reviews")
def review_publish(request: HttpRequest, account: Account, submission_id: str) -> HttpResponse:
    submission = queries.submission_of(submission_id)
    try:
        actions.review(account, submission.id)
    except Refused as refused:
        return show(request, REVIEW, review_page(account, submission, ReturnForm(), refusal_of(refused)))
    messages.success(request, _("Published: signed, and on its way to every member of the region."))
    return redirect("reviews")


@require_POST
@room("reviews")
def review_return(request: HttpRequest, account: Account, submission_id: str) -> HttpResponse:
    submission = queries.submission_of(submission_id)
    form = ReturnForm(request.POST)
    if not form.is_valid():
        return show(request, REVIEW, review_page(account, submission, form))
    try:
        actions.send_back(account, submission.id, reason=form.cleaned_data["reason"], points=form.points())
    except Refused as refused:
        return show(request, REVIEW, review_page(account, submission, form, refusal_of(refused)))
    messages.success(request, _("Sent back with every point. The department changes it and submits it again."))
    return redirect("reviews")
