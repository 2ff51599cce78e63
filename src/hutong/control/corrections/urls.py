"""Where applications report wrong records."""

from __future__ import annotations

from django.urls import path

from hutong.control.corrections import views

urlpatterns = [
    path("hutong/corrections", views.report),
    path("hutong/corrections/<str:ticket>", views.stands),
]
