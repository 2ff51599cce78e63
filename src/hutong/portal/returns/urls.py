from __future__ import annotations

from django.urls import path

from hutong.portal.returns import views

urlpatterns = [
    path("returns/", views.returns, name="returns"),
    path("returns/offer/", views.offer, name="return_offer"),
    path("returns/ask/<str:entry_id>/", views.ask, name="return_ask"),
    path("returns/<str:flow_id>/", views.return_, name="return"),
    path("returns/<str:flow_id>/fetch/", views.fetch, name="return_fetch"),
    path("returns/<str:flow_id>/pass-on/", views.pass_on, name="return_pass_on"),
]
