"""The scripted officer: it takes every decision from the node's own rules and makes the scenario's moves, in time.

It registers on the public hooks of the negotiation, as any part of a node may. A decision is never made in the
transaction that asks for it: the kit listens for our next message only once it has seen the state before, for which it
looks every 100 ms. So the officer looks again and again at what is open and does what is due. What is due follows from
the process and its records alone, hence survives a restart.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import transaction

from hutong.control.agreements import delivery, outbound
from hutong.control.agreements.decisions import decides
from hutong.control.agreements.models import Negotiation, Transfer
from hutong.control.agreements.policy import Kind, Policy, read_policy
from hutong.control.agreements.steps import subject_of
from hutong.control.agreements.transitions import CLOSED, STATES, Machine, Party
from hutong.ledger.models import AuditRecord
from hutong.node import work
from hutong.vocabulary.errors import Refused
from tests.conformance import scenarios

ACTOR = "rule:scenario"
PACE = timedelta(milliseconds=400)  # after the process last changed
LOOK_EVERY_S = 0.1

log = logging.getLogger("hutong.conformance")


def take_office(home: Path) -> None:
    """Register with this process's node."""
    plan = Plan(home / scenarios.PLAN_FILE)
    for machine in Machine:
        for state in STATES[machine]:
            for role in Party:
                decides(machine, state, role)(_mine)
    work.register("scenarios", lambda: act(plan), LOOK_EVERY_S)


def _mine(_process: Any) -> bool:
    return True  # later: see act


class Plan:
    """Which scenario a process belongs to, as the seeding wrote it down. Read again when it has changed."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._read_at = 0
        self._scenarios: dict[str, str] = {}

    def moves(self, process: Negotiation | Transfer) -> scenarios.Moves:
        about = process.dataset_id if isinstance(process, Negotiation) else process.agreement_id
        name = self._known().get(about, about)
        if name.startswith("CONCLUDE"):
            provider = process.role == Party.PROVIDER
            return scenarios.CONCLUDE_AS_PROVIDER if provider else scenarios.CONCLUDE_AS_CONSUMER
        return scenarios.MOVES.get(name, ())

    def _known(self) -> dict[str, str]:
        written = self.file.stat().st_mtime_ns if self.file.exists() else 0
        if written != self._read_at:
            self._scenarios, self._read_at = json.loads(self.file.read_text(encoding="utf-8")), written
        return self._scenarios


def act(plan: Plan) -> None:
    """Make every move that is due now, each in a transaction of its own."""
    for model, machine in ((Negotiation, Machine.NEGOTIATION), (Transfer, Machine.TRANSFER)):
        quiet = model.objects.filter(updated_at__lte=datetime.now(UTC) - PACE).exclude(state__in=CLOSED[machine])
        for process in quiet:
            try:
                with transaction.atomic():
                    _next(process, plan.moves(process))
            except Refused as refused:  # for one: our first message has not been answered yet
                log.info("%s of %s waits: %s", process.state, process.pid, refused.code)


def _next(process: Negotiation | Transfer, moves: scenarios.Moves) -> None:
    made = AuditRecord.objects.filter(subject=subject_of(process), actor=ACTOR).count()
    if made < len(moves) and moves[made][0] == process.state:
        doing = _negotiate if isinstance(process, Negotiation) else _transfer
        doing(process, moves[made][1])


def _negotiate(process: Negotiation, move: str) -> None:
    match move:
        case "offer":
            outbound.offer(process.pid, ACTOR, bare=True)
        case "agree":
            outbound.agree(process.pid, None, ACTOR)
        case "finalize":
            outbound.finalize(process.pid, ACTOR)
        case "accept":
            outbound.accept(process.pid, ACTOR)
        case "counter":
            outbound.counter(process.pid, plain_offer(process.offer["@id"], process.dataset_id), None, ACTOR)
        case "verify":
            outbound.verify(process.pid, ACTOR)
        case "terminate":
            outbound.terminate(process.pid, "scenario", "the scenario ends here", "", ACTOR)


def _transfer(process: Transfer, move: str) -> None:
    match move:
        case "start":
            delivery.start(process.pid, ACTOR)
        case "suspend":
            delivery.suspend(process.pid, "the scenario pauses here", ACTOR)
        case "complete":
            delivery.complete(process.pid, ACTOR)
        case "terminate":
            delivery.terminate(process.pid, "the scenario ends here", ACTOR)


def plain_offer(offer_id: str, dataset_id: str) -> Policy:
    """An offer as a connector writes it that knows nothing of ours."""
    document = {"@id": offer_id, "@type": "Offer", "target": dataset_id, "permission": [{"action": "use"}]}
    return read_policy(document, Kind.OFFER, "offer")
