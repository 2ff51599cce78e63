"""The catalogue for harvesters that know DCAT-AP and nothing of the Dataspace Protocol."""

from __future__ import annotations

from django.urls import path

from hutong.control.catalogue import views

urlpatterns = [path("dcat-ap/catalog", views.dcat_ap_catalog)]
