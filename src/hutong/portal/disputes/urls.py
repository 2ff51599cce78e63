from __future__ import annotations

from django.urls import path

from hutong.portal.disputes import views

urlpatterns = [
    path("disputes/", views.disputes, name="disputes"),
    path("disputes/new/", views.dispute_new, name="dispute_new"),
    path("disputes/new/request/<str:pid>/", views.about_request, name="dispute_request"),
    path("disputes/new/agreement/<str:agreement_id>/", views.about_agreement, name="dispute_agreement"),
    path("disputes/<str:dispute_id>/", views.dispute, name="dispute"),
    path("disputes/<str:dispute_id>/act/", views.act, name="dispute_act"),
]
