from __future__ import annotations

from django.urls import path

from hutong.portal.supervisors import views

urlpatterns = [
    path("reviews/", views.reviews, name="reviews"),
    path("reviews/<str:submission_id>/", views.review, name="review"),
    path("reviews/<str:submission_id>/publish/", views.review_publish, name="review_publish"),
    path("reviews/<str:submission_id>/return/", views.review_return, name="review_return"),
]
