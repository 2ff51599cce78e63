"""The terms that run for a merged department run on for its successor, with the same last day."""

from __future__ import annotations

from hutong.control.clocks.models import Clock
from hutong.control.identity.rules import Actor
from hutong.control.organisations.models import Department
from hutong.control.organisations.succession import moves


@moves("clocks")
def move_clocks(old: Department, new: Department, _by: Actor) -> int:
    return Clock.objects.filter(department=old.code, state="running").update(department=new.code)
