"""Addresses of the Dataspace Protocol. A trailing slash is tolerated everywhere: callback addresses may carry one."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpResponse
from django.urls import URLPattern, re_path

from hutong.control.agreements import views
from hutong.control.agreements.door import DSP_PATH

BASE = DSP_PATH.strip("/")
PID = "(?P<pid>[^/]+)"


def _at(path: str, view: Callable[..., HttpResponse]) -> URLPattern:
    return re_path(rf"^{BASE}/{path}/?$", view)


urlpatterns = [
    re_path(r"^\.well-known/dspace-version/?$", views.versions),
    _at("catalog/request", views.catalog_request),
    _at("catalog/datasets/(?P<dataset_id>[^/]+)", views.dataset),
    _at("negotiations/request", views.negotiation_request),
    _at("negotiations/offers", views.negotiation_offers),
    _at(f"negotiations/{PID}", views.negotiation),
    _at(f"negotiations/{PID}/request", views.negotiation_pid_request),
    _at(f"negotiations/{PID}/offers", views.negotiation_pid_offers),
    _at(f"negotiations/{PID}/events", views.negotiation_pid_events),
    _at(f"negotiations/{PID}/agreement", views.negotiation_pid_agreement),
    _at(f"negotiations/{PID}/agreement/verification", views.negotiation_pid_verification),
    _at(f"negotiations/{PID}/termination", views.negotiation_pid_termination),
    _at("transfers/request", views.transfer_request),
    _at(f"transfers/{PID}", views.transfer),
    _at(f"transfers/{PID}/start", views.transfer_pid_start),
    _at(f"transfers/{PID}/completion", views.transfer_pid_completion),
    _at(f"transfers/{PID}/suspension", views.transfer_pid_suspension),
    _at(f"transfers/{PID}/termination", views.transfer_pid_termination),
]
