"""The three lists for programs."""

from __future__ import annotations

from django.urls import re_path

from hutong.control.demands import views

FILE = r"^lists/(?P<kind>demand|duty|barred)\.(?P<form>json|csv)$"
urlpatterns = [re_path(FILE, views.published_list, name="list_file")]
