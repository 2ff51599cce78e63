"""Disputes, for the parties, the mediator and whoever stands above them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hutong.control.disputes import actions
from hutong.control.identity.models import Account
from hutong.node import directory
from hutong.node.settings import current
from hutong.portal.components.page import refusal_of, room, shell_for, show
from hutong.portal.components.peers import Names
from hutong.portal.components.refusing import NoSuchStep
from hutong.portal.components.titles import title_of_entry
from hutong.portal.disputes import pages
from hutong.portal.disputes.forms import DoneForm, OpenForm, OutcomeForm, SayForm
from hutong.vocabulary.errors import Refused
from hutong.vocabulary.ids import urn, uuid_of

PAGE = "portal/disputes/dispute.html"
SAID = lazy("Signed and sent to everybody who takes part.")
SAY = {
    "state": actions.state,
    "minutes": actions.keep_minutes,
    "escalate": actions.escalate,
    "withdraw": actions.withdraw,
    "close": actions.close,
}
AT_ONCE: dict[str, Callable[[Account, str], Any]] = {"accept": actions.accept, "retry": actions.try_again}


@require_safe
@room("disputes")
def disputes(request: HttpRequest, account: Account) -> HttpResponse:
    return show(request, "portal/disputes/disputes.html", pages.disputes_page(account, request.GET))


@require_safe
@room("disputes")
def dispute(request: HttpRequest, account: Account, dispute_id: str) -> HttpResponse:
    return show(request, PAGE, pages.dispute_page(account, pages.dispute_of(account, dispute_id)))


@require_http_methods(["GET", "HEAD", "POST"])
@room("disputes")
def dispute_new(request: HttpRequest, account: Account) -> HttpResponse:
    names = Names()
    us = current().jurisdiction
    peers = [(one.jurisdiction, names(one.jurisdiction)) for one in directory.others() if one.place != "region"]

    def subject(chosen: str) -> actions.Subject:
        return actions.about_nothing_here(chosen, account.department_id or "")

    return _opened(request, account, [*peers, (us, names(us))], subject, "")


@require_http_methods(["GET", "HEAD", "POST"])
@room("disputes")
def about_request(request: HttpRequest, account: Account, pid: str) -> HttpResponse:
    return _opened_about(request, account, actions.about_request(urn(pid)))


@require_http_methods(["GET", "HEAD", "POST"])
@room("disputes")
def about_agreement(request: HttpRequest, account: Account, agreement_id: str) -> HttpResponse:
    return _opened_about(request, account, actions.about_agreement(urn(agreement_id)))


@require_POST
@room("disputes")
def act(request: HttpRequest, account: Account, dispute_id: str) -> HttpResponse:
    docket = pages.dispute_of(account, dispute_id)
    do, found = request.POST.get("do", ""), docket.dispute
    say = SayForm(request.POST) if do in SAY else None
    outcome = OutcomeForm(found, request.POST) if do in ("propose", "decide") else None
    done = DoneForm(request.POST, prefix=do) if do.startswith("done") else None
    form = say or outcome or done
    if form is None and do not in AT_ONCE:
        raise NoSuchStep(step=do[:20])
    if form is not None and not form.is_valid():
        return show(request, PAGE, pages.dispute_page(account, docket, say=say, outcome=outcome))
    try:
        _do(account, found.id, do, form.cleaned_data if form else {}, docket.dispute)
    except Refused as refused:
        page = pages.dispute_page(account, docket, say=say, outcome=outcome, refusal=refusal_of(refused))
        return show(request, PAGE, page)
    messages.success(request, str(SAID))
    return redirect("dispute", dispute_id)


def _do(account: Account, dispute_id: str, do: str, said: dict[str, Any], found: Any) -> None:
    if do in AT_ONCE:
        AT_ONCE[do](account, dispute_id)
    elif do in SAY:
        SAY[do](account, dispute_id, said["text"])
    elif do.startswith("done"):
        actions.carried_out(account, dispute_id, int(do.removeprefix("done") or -1), said["note"])
    else:
        effect = actions.effect_of(found, said["do"], term_days=said["term_days"] if said["do"] == "agree" else None)
        if do == "propose":
            actions.propose(account, dispute_id, said["text"], [effect])
        else:
            actions.decide(account, dispute_id, said["text"], said["citation"], [effect])


def _opened_about(request: HttpRequest, account: Account, subject: actions.Subject) -> HttpResponse:
    peer = subject.respondent
    return _opened(request, account, [(peer, Names()(peer))], lambda _: subject, subject.about["resource"])


def _opened(
    request: HttpRequest,
    account: Account,
    peers: list[tuple[str, str]],
    subject: Callable[[str], actions.Subject],
    resource: str,
) -> HttpResponse:
    form = OpenForm(peers, request.POST if request.method == "POST" else None)
    shell, about = shell_for(account, "disputes"), title_of_entry(resource) if resource else ""
    page = pages.OpenPage(shell=shell, about=about, form=form, url=request.path)
    if request.method != "POST" or not form.is_valid():
        return show(request, "portal/disputes/new.html", page)
    said = form.cleaned_data
    try:
        made = actions.open_dispute(account, subject(said["respondent"]), said["title"], said["text"])
    except Refused as refused:
        page = pages.OpenPage(shell=shell, about=about, form=form, url=request.path, refusal=refusal_of(refused))
        return show(request, "portal/disputes/new.html", page)
    messages.success(request, _("Opened. The other side reads it now; its term of negotiation runs."))
    return redirect("dispute", uuid_of(made.id))
