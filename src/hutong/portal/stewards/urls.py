from __future__ import annotations

from django.urls import path

from hutong.portal.stewards import views

urlpatterns = [
    path("standards/", views.standards, name="standards"),
    path("standards/elements/", views.element_edit, name="element_edit"),
    path("standards/maps/", views.map_edit, name="map_edit"),
    path("standards/maps/<str:name>/pairs.csv", views.map_export, name="map_export"),
    path("standards/<str:definition_id>/", views.standard, name="standard"),
    path("standards/<str:definition_id>/approve/", views.standard_approve, name="standard_approve"),
    path("standards/<str:definition_id>/refuse/", views.standard_refuse, name="standard_refuse"),
    path("withheld/", views.withheld, name="withheld"),
    path("withheld/<str:agreement_id>/", views.withheld_values, name="withheld_values"),
    path("resources/<str:resource_id>/standards/", views.resource_standards, name="resource_standards"),
    path("resources/<str:resource_id>/standards/map/", views.resource_map_item, name="resource_map_item"),
    path("resources/<str:resource_id>/standards/measure/", views.resource_measure, name="resource_measure"),
]
