from __future__ import annotations

from django.urls import path

from hutong.portal.statute import views

urlpatterns = [
    path("rules/", views.rules, name="rules"),
    path("rules/versions/<str:version_id>/", views.decide, name="rule_decide"),
    path("rules/<str:number>/<str:code>/", views.rule, name="rule"),
    path("rules/<str:number>/<str:code>/propose/", views.propose, name="rule_propose"),
    path("decisions/", views.decisions, name="decisions"),
    path("decisions/<str:decision_id>/", views.decision, name="decision"),
]
