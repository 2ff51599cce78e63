from __future__ import annotations

from django.urls import path

from hutong.portal.applications import views

urlpatterns = [
    path("keys/", views.keys, name="keys"),
    path("keys/<str:prefix>/revoke/", views.key_revoke, name="key_revoke"),
]
