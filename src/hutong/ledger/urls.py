"""Addresses of the ledger, under /ledger/."""

from __future__ import annotations

from django.urls import path, re_path

from hutong.ledger import views

urlpatterns = [
    path("checkpoint", views.checkpoint),
    path("checkpoint.witnessed", views.checkpoint_witnessed),
    path("tile/entries/<path:name>", views.entry_bundle),
    path("tile/<path:name>", views.hash_tile),
    path("exchanges", views.exchanges),
    path("witness/add-checkpoint", views.add_checkpoint),
    re_path(r"^witness/(?P<origin_hash>[0-9a-f]{64})/checkpoint\Z", views.witnessed_log),
]
