"""What this part does without being called by name (hutong.node.parts)."""

from __future__ import annotations

from hutong.control.notices import mail
from hutong.node import checkup, work

MAIL_EVERY_S = 30.0

work.register("mail", mail.send_due, MAIL_EVERY_S)
checkup.add("mail", mail.check)
