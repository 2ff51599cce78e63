from __future__ import annotations

from django.urls import path

from hutong.portal.parties import correcting, stopping, views

urlpatterns = [
    path("agreements/", views.agreements, name="agreements"),
    path("agreements/<str:agreement_id>/", views.agreement, name="agreement"),
    path("agreements/<str:agreement_id>/change/", views.change, name="agreement_change"),
    path("agreements/<str:agreement_id>/papers/<str:kind>/", views.paper, name="paper"),
    path("agreements/<str:agreement_id>/correct/", correcting.report, name="correction_report"),
    path("papers/<str:filing_id>/answer/", views.paper_answer, name="paper_answer"),
    path("corrections/", correcting.corrections, name="corrections"),
    path("corrections/heard/<int:number>/", correcting.heard, name="correction_heard"),
    path("corrections/<int:number>/", correcting.correction, name="correction"),
    path("use/", stopping.use, name="use"),
    path("stops/", stopping.stops, name="stops"),
]
