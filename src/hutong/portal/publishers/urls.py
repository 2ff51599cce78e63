from __future__ import annotations

from django.urls import path

from hutong.portal.publishers import views

urlpatterns = [
    path("publish/", views.publish, name="publish"),
    path("publish/import/", views.catalogue_import, name="catalogue_import"),
    path("publish/catalogue.xlsx", views.catalogue_export, name="catalogue_export"),
    path("publish/resources/<str:resource_id>/attach/", views.resource_attach, name="resource_attach"),
    path("publish/sources/new/", views.source_new, name="source_new"),
    path("publish/sources/<str:source_id>/draft/", views.source_draft, name="source_draft"),
    path("publish/sources/<str:source_id>/refresh/", views.source_refresh, name="source_refresh"),
    path("publish/resources/<str:resource_id>/", views.resource_edit, name="resource_edit"),
    path("publish/resources/<str:resource_id>/simulate/", views.resource_simulate, name="resource_simulate"),
    path("publish/resources/<str:resource_id>/sign-off/", views.resource_sign_off, name="resource_sign_off"),
    path("publish/resources/<str:resource_id>/take-back/", views.resource_take_back, name="resource_take_back"),
    path("publish/resources/<str:resource_id>/withdraw/", views.resource_withdraw, name="resource_withdraw"),
]
