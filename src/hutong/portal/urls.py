"""The portal's addresses, one list per audience."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("", include("hutong.portal.visitors.urls")),
    path("", include("hutong.portal.staff.urls")),
    path("", include("hutong.portal.officers.urls")),
    path("", include("hutong.portal.heads.urls")),
    path("", include("hutong.portal.publishers.urls")),
    path("", include("hutong.portal.supervisors.urls")),
    path("", include("hutong.portal.providers.urls")),
    path("", include("hutong.portal.keepers.urls")),
    path("", include("hutong.portal.stewards.urls")),
    path("", include("hutong.portal.parties.urls")),
    path("", include("hutong.portal.offerings.urls")),
    path("", include("hutong.portal.returns.urls")),
    path("", include("hutong.portal.disputes.urls")),
    path("", include("hutong.portal.applications.urls")),
    path("", include("hutong.portal.demands.urls")),
    path("", include("hutong.portal.lists.urls")),
    path("", include("hutong.portal.auditors.urls")),
    path("", include("hutong.portal.statute.urls")),
    path("", include("hutong.portal.duties.urls")),
]
