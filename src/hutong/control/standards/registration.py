"""What this part does without being called by name (hutong.node.parts)."""

from __future__ import annotations

from hutong.control.standards import code_maps, federation, replays, scoring  # noqa: F401 - replays registers
from hutong.node import work

work.register("standards.ask", federation.ask, every_s=federation.ASK_EVERY_S)
work.register("standards.forget", code_maps.forget_old, every_s=code_maps.FORGET_EVERY_S)
work.register("standards.late", code_maps.offer_late, every_s=code_maps.LOOK_EVERY_S)
work.register(scoring.DUTY, scoring.measure_waiting, every_s=scoring.LOOK_EVERY_S)
