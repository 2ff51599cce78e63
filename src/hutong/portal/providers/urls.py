from __future__ import annotations

from django.urls import path

from hutong.portal.providers import views

urlpatterns = [
    path("inbox/", views.inbox, name="inbox"),
    path("inbox/<str:pid>/", views.negotiation, name="negotiation"),
    path("inbox/<str:pid>/agree/", views.agree, name="negotiation_agree"),
    path("inbox/<str:pid>/refuse/", views.refuse, name="negotiation_refuse"),
    path("inbox/<str:pid>/sign/", views.sign, name="negotiation_sign"),
    path("inbox/<str:pid>/send-back/", views.send_back, name="negotiation_send_back"),
    path("inbox/<str:pid>/extend/", views.extend, name="negotiation_extend"),
    path("inbox/<str:pid>/simulate/", views.simulate, name="negotiation_simulate"),
    path("inbox/<str:pid>/supplement/", views.supplement, name="negotiation_supplement"),
]
