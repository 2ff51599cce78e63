from __future__ import annotations

from django.urls import path

from hutong.portal.staff import views

urlpatterns = [
    path("", views.home, name="home"),
    path("catalogue/", views.catalogue, name="catalogue"),
    path("catalogue/<str:entry_id>/", views.resource, name="resource"),
    path("catalogue/<str:resource_id>/versions/", views.versions, name="resource_versions"),
    path("password/", views.password, name="password"),
    path("node/", views.node, name="node"),
]
