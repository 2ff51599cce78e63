from __future__ import annotations

from django.urls import path

from hutong.portal.duties import views

urlpatterns = [
    path("clocks/", views.clocks, name="clocks"),
    path("clocks/<str:clock_id>/", views.clock, name="clock"),
    path("clocks/<str:clock_id>/extend/", views.extend, name="clock_extend"),
    path("clocks/<str:clock_id>/decide/", views.decide, name="clock_decide"),
    path("notices/", views.notices, name="notices"),
    path("notices/read/", views.read_all, name="notices_read"),
    path("notices/address/", views.address, name="notices_address"),
    path("notices/calendar/", views.feed_address, name="feed_address"),
    path("notices/<str:notice_id>/", views.notice, name="notice"),
    path("calendar/<str:secret>.ics", views.calendar, name="feed"),
]
