from __future__ import annotations

from django.urls import path

from hutong.portal.supervisors import coverage_views, oversight_views, views

urlpatterns = [
    path("oversight/", oversight_views.board, name="oversight"),
    path("oversight/statements/", oversight_views.statements, name="statements"),
    path("oversight/statements/<str:month>/", oversight_views.statement, name="statement"),
    path("oversight/figures/<str:name>/", oversight_views.figure, name="oversight_figure"),
    path("oversight/figures/<str:name>/cases.csv", oversight_views.download, name="oversight_csv"),
    path("coverage/", coverage_views.report, name="coverage"),
    path("coverage/report.csv", coverage_views.download, name="coverage_csv"),
    path("coverage/systems/", coverage_views.systems, name="systems"),
    path("coverage/systems/<str:system_id>/retire/", coverage_views.system_retire, name="system_retire"),
    path("coverage/health/", coverage_views.health_, name="coverage_health"),
    path("coverage/<str:kind>/", coverage_views.findings, name="coverage_findings"),
    path("reviews/", views.reviews, name="reviews"),
    path("reviews/<str:submission_id>/", views.review, name="review"),
    path("reviews/<str:submission_id>/publish/", views.review_publish, name="review_publish"),
    path("reviews/<str:submission_id>/return/", views.review_return, name="review_return"),
]
