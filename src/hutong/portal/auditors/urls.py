from __future__ import annotations

from django.urls import path

from hutong.portal.auditors import views

urlpatterns = [
    path("reconciliations/", views.reconciliations, name="reconciliations"),
    path("meters/", views.meters, name="meters"),
    path("meters/<int:number>/", views.meter_file, name="meter_file"),
    path("exchanges/", views.exchanges, name="exchanges"),
    path("exchanges/<str:exchange_id>/<str:role>/", views.exchange, name="exchange"),
    path("exchanges/<str:exchange_id>/<str:role>/verify/", views.verify, name="exchange_verify"),
]
