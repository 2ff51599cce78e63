"""What this part does without being called by name (hutong.node.parts)."""

from __future__ import annotations

from hutong.control.catalogue import gates
from hutong.control.conduct import ending, hearing, retention, stopping  # noqa: F401 - retention's decider
from hutong.node import work

LOOK_EVERY_S = 300.0  # how late an agreement's end is noticed here; the data itself stops to the second

hearing.register()
ending.register()
gates.before_withdrawal(stopping.check_may_withdraw)
work.register("conduct.ends", ending.look, every_s=LOOK_EVERY_S)
