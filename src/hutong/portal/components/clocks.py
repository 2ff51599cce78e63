"""The statutory days of things on a page."""

from __future__ import annotations

from collections.abc import Iterable

from hutong.control.clocks.models import Clock
from hutong.control.clocks.queries import days_left
from hutong.portal.components.parts import Due
from hutong.vocabulary.rulebook import ClockRule


def dues(rule: type[ClockRule], subjects: Iterable[str]) -> dict[str, Due]:
    """The last day of each thing whose clock of this rule runs and has a day; one query for all."""
    running = Clock.objects.filter(rule=rule.name(), subject__in=list(subjects), state="running", due_on__isnull=False)
    return {one.subject: Due(one.due_on, days_left(one)) for one in running if one.due_on is not None}
