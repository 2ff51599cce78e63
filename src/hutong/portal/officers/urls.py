from __future__ import annotations

from django.urls import path

from hutong.portal.officers import views

urlpatterns = [
    path("requests/", views.requests, name="requests"),
    path("requests/<str:request_id>/", views.request_, name="request"),
    path("requests/<str:request_id>/withdraw/", views.request_withdraw, name="request_withdraw"),
    path("catalogue/<str:entry_id>/request/", views.request_new, name="request_new"),
    path("catalogue/<str:entry_id>/check/", views.request_check, name="request_check"),
    path("catalogue/<str:entry_id>/condition/", views.request_preview, name="request_preview"),
]
