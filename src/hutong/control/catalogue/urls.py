"""The catalogue for programs: harvesters that know DCAT-AP, and the operator's monitoring."""

from __future__ import annotations

from django.urls import path

from hutong.control.catalogue import views

urlpatterns = [
    path("dcat-ap/catalog", views.dcat_ap_catalog),
    path("hutong/health/resources", views.resources_health),
]
