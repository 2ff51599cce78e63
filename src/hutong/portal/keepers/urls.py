from __future__ import annotations

from django.urls import path

from hutong.portal.keepers import views

urlpatterns = [
    path("zones/", views.zones, name="zones"),
    path("zones/<str:zone_id>/approve/", views.zone_approve, name="zone_approve"),
    path("zones/<str:zone_id>/end/", views.zone_end, name="zone_end"),
    path("working-days/", views.calendar, name="calendar"),
    path("working-days/read/", views.calendar_read, name="calendar_read"),
    path("working-days/propose/", views.calendar_propose, name="calendar_propose"),
    path("working-days/<str:proposal_id>/", views.calendar_proposal, name="calendar_proposal"),
    path("working-days/<str:proposal_id>/approve/", views.calendar_approve, name="calendar_approve"),
    path("working-days/<str:proposal_id>/decline/", views.calendar_decline, name="calendar_decline"),
]
