from __future__ import annotations

from django.urls import path

from hutong.portal.demands import views

urlpatterns = [
    path("demands/", views.demands, name="demands"),
    path("demands/new/", views.demand_new, name="demand_new"),
    path("demands/candidates/", views.demand_candidates, name="demand_candidates"),
    path("demands/<str:demand_id>/", views.demand, name="demand"),
    path("demands/<str:demand_id>/sign-off/", views.demand_sign_off, name="demand_sign_off"),
    path("demands/<str:demand_id>/request/", views.demand_request, name="demand_request"),
    path("demands/<str:demand_id>/<str:verb>/", views.demand_step, name="demand_step"),
]
