from __future__ import annotations

from django.apps import AppConfig

MAIL_EVERY_S = 30.0


class NoticesConfig(AppConfig):
    name = "hutong.control.notices"
    label = "notices"

    def ready(self) -> None:
        from hutong.control.notices import mail
        from hutong.node import checkup, work

        work.register("mail", mail.send_due, MAIL_EVERY_S)
        checkup.add("mail", mail.check)
