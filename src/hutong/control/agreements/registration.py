"""What this part does without being called by name (hutong.node.parts)."""

from __future__ import annotations

from hutong.control.agreements import (  # noqa: F401 - register what the node does
    answers,
    defaults,
    doors,
    interruption,
    succession,
)
from hutong.control.agreements.queries import class_of
from hutong.node import metrics

answers.register()
doors.register()
metrics.classify(class_of)
