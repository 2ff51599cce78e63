from __future__ import annotations

from django.urls import path

from hutong.portal.heads import views

urlpatterns = [
    path("sign-off/", views.desk, name="desk"),
    path("requests/<str:request_id>/sign-off/", views.sign_off, name="request_sign_off"),
    path("requests/<str:request_id>/complete/", views.complete, name="request_complete"),
]
