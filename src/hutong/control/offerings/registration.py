"""What this part does without being called by name (hutong.node.parts)."""

from __future__ import annotations

from hutong.control.offerings import consent, hearing, spreading, succession  # noqa: F401 - register
from hutong.control.offerings.actions import DUTY
from hutong.node import work

LOOK_EVERY_S = 60.0  # how late a zone's new member may be offered what its others have

work.register(DUTY, spreading.keep_up, LOOK_EVERY_S)
