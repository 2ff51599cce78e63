"""Whoever follows a merged department answers for what it provides. What it received names it, and stays."""

from __future__ import annotations

from hutong.control.agreements.models import Agreement, Negotiation
from hutong.control.identity.rules import Actor
from hutong.control.organisations.models import Department
from hutong.control.organisations.succession import moves


@moves("agreements as provider")
def move_agreements(old: Department, new: Department, _by: Actor) -> int:
    return Agreement.objects.filter(department=old.code, role="provider").update(department=new.code)


@moves("negotiations as provider")
def move_negotiations(old: Department, new: Department, _by: Actor) -> int:
    return Negotiation.objects.filter(department=old.code, role="provider").update(department=new.code)
