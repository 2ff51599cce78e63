"""What this part does without being called by name (hutong.node.parts)."""

from __future__ import annotations

from hutong.control.metering import actions
from hutong.node import work

work.register_aside("meters", actions.make_due, actions.MAKE_EVERY_S)
