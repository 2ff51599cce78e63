from __future__ import annotations

from django.urls import path

from hutong.portal.keepers import views

urlpatterns = [
    path("zones/", views.zones, name="zones"),
    path("zones/<str:zone_id>/approve/", views.zone_approve, name="zone_approve"),
    path("zones/<str:zone_id>/end/", views.zone_end, name="zone_end"),
]
