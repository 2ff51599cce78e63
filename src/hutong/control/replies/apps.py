from __future__ import annotations

from django.apps import AppConfig


class RepliesConfig(AppConfig):
    name = "hutong.control.replies"
    label = "replies"

    def ready(self) -> None:
        from hutong.control.replies import duties, verdict  # noqa: F401 - registers followers and deciders
