"""What this part does without being called by name (hutong.node.parts)."""

from __future__ import annotations

from hutong.control.agreements.decisions import follows
from hutong.control.agreements.transitions import Machine, Party
from hutong.control.requests import succession  # noqa: F401 - registers itself
from hutong.control.requests.actions import negotiation_closed

for state in ("FINALIZED", "TERMINATED"):
    follows(Machine.NEGOTIATION, state, Party.CONSUMER)(negotiation_closed)
