from __future__ import annotations

from django.urls import path

from hutong.portal.parties import views

urlpatterns = [
    path("agreements/", views.agreements, name="agreements"),
    path("agreements/<str:agreement_id>/", views.agreement, name="agreement"),
    path("agreements/<str:agreement_id>/change/", views.change, name="agreement_change"),
]
