from __future__ import annotations

from django.urls import path

from hutong.portal.publishers import views

urlpatterns = [
    path("publish/", views.publish, name="publish"),
    path("publish/sources/new/", views.source_new, name="source_new"),
    path("publish/sources/<str:source_id>/draft/", views.source_draft, name="source_draft"),
    path("publish/sources/<str:source_id>/refresh/", views.source_refresh, name="source_refresh"),
    path("publish/resources/<str:resource_id>/", views.resource_edit, name="resource_edit"),
    path("publish/resources/<str:resource_id>/sign-off/", views.resource_sign_off, name="resource_sign_off"),
    path("publish/resources/<str:resource_id>/take-back/", views.resource_take_back, name="resource_take_back"),
    path("publish/resources/<str:resource_id>/withdraw/", views.resource_withdraw, name="resource_withdraw"),
]
