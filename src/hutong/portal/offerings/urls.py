from __future__ import annotations

from django.urls import path

from hutong.portal.offerings import views

urlpatterns = [
    path("offerings/", views.offerings, name="offerings"),
    path("offerings/new/", views.new, name="offering_new"),
    path("offerings/offered/<str:pid>/decline/", views.decline, name="offer_decline"),
    path("offerings/<str:offering_id>/", views.offering, name="offering"),
    path("offerings/<str:offering_id>/sign/", views.sign, name="offering_sign"),
    path("offerings/<str:offering_id>/refuse/", views.refuse, name="offering_refuse"),
    path("offerings/<str:offering_id>/withdraw/", views.withdraw, name="offering_withdraw"),
]
