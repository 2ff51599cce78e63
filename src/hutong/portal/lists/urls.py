from __future__ import annotations

from django.urls import path

from hutong.portal.lists import views

urlpatterns = [
    path("lists/", views.lists, name="lists"),
    path("lists/<str:kind>/", views.list_, name="list"),
    path("lists/<str:kind>/publish/", views.list_publish, name="list_publish"),
    path("lists/<str:kind>/add/", views.list_add, name="list_add"),
    path("lists/<str:kind>/<int:version>/<str:form>/", views.list_download, name="list_download"),
    path("lists/<str:kind>/<str:line_id>/<str:verb>/", views.list_step, name="list_step"),
]
