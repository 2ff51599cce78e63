"""What this part does without being called by name (hutong.node.parts)."""

from __future__ import annotations

from hutong.control.returns import (  # noqa: F401 - register
    actions,
    central,
    consent,
    fetching,
    keeping,
    reconciling,
    stating,
)
from hutong.node import work

LOOK_EVERY_S = 30.0  # how late a due batch may be begun
COMPARE_EVERY_S = 600.0  # how late a stored one may be looked at again

work.register_aside("returns", fetching.fetch_due, LOOK_EVERY_S)
work.register_aside(stating.DUTY, stating.state_asked, LOOK_EVERY_S)
work.register_aside("return comparison", reconciling.compare_again, COMPARE_EVERY_S)
work.register_aside("returns.forget", keeping.forget_due, keeping.FORGET_EVERY_S)
