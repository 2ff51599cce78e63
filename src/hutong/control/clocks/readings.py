"""What the operator's metrics read of the statutory clocks: counts, by article alone."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Count

from hutong.control.clocks.models import Clock
from hutong.control.clocks.queries import overdue
from hutong.node.metrics import Reading
from hutong.node.settings import Settings


def read(_settings: Settings) -> Iterator[Reading]:
    running = Clock.objects.filter(state="running").count()
    yield Reading("hutong_clocks_running", running, "Statutory terms that run.")
    yield Reading("hutong_clocks_overdue", overdue().count(), "Statutory terms whose last day has passed.")
    said = "Terms whose last day has passed, by the rule that sets them."
    for rule, count in overdue().order_by("rule").values_list("rule").annotate(Count("id")):
        yield Reading("hutong_clocks_overdue_by_rule", count, said, {"rule": rule})
