"""Working days loaded as people load them: one proposes, the supervisor approves."""

from __future__ import annotations

from hutong.control.calendar import actions
from hutong.control.calendar.models import CalendarProposal
from hutong.control.identity.rules import Operator
from tests.publication import supervisor

OPERATOR = Operator("operator:root")


def load(content: bytes, file_name: str, by: Operator = OPERATOR) -> CalendarProposal:
    return actions.approve(supervisor(), actions.propose(by, content, file_name=file_name).id)
