from __future__ import annotations

from django.urls import path
from django.views.i18n import set_language

from hutong.portal.visitors import figure_views, views

urlpatterns = [
    path("figures/", figure_views.figures, name="public_figures"),
    path("figures.json", figure_views.figures_json, name="public_figures_json"),
    path("sign-in/", views.sign_in, name="sign_in"),
    path("sign-out/", views.sign_out, name="sign_out"),
    path("language/", set_language, name="set_language"),
]
