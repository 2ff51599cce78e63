"""Whoever follows a merged department answers for what it offers."""

from __future__ import annotations

from hutong.control.identity.rules import Actor
from hutong.control.offerings.models import Offering
from hutong.control.organisations.models import Department
from hutong.control.organisations.succession import moves


@moves("offerings")
def move_offerings(old: Department, new: Department, _by: Actor) -> int:
    return Offering.objects.filter(department=old.code).update(department=new.code)
