"""Every address of the control plane. A part that is not installed has no addresses."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path

from hutong.node import events, membership, rotation, views


def _part(prefix: str, module: str) -> list[URLResolver]:
    parent = module.rpartition(".")[0]
    if find_spec(parent) is None or find_spec(module) is None:
        return []
    return [path(prefix, include(import_module(module)))]


urlpatterns: list[URLPattern | URLResolver] = [
    path("hutong/directory", views.directory_address),
    path("hutong/join", membership.admit),
    path("hutong/keys", rotation.take_key),
    path("hutong/events", events.receive),
    path("hutong/ping", views.ping),
    path("hutong/health", views.health),
    path("hutong/openapi.json", views.described),
    *_part("", "hutong.control.agreements.urls"),
    *_part("", "hutong.control.catalogue.urls"),
    *_part("", "hutong.control.demands.urls"),
    *_part("", "hutong.control.corrections.urls"),
    *_part("ledger/", "hutong.ledger.urls"),
    *_part("", "hutong.portal.urls"),
]
handler404 = views.not_found
handler500 = views.server_error
