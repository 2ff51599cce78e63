"""The terms of a dispute: which runs where, what happens when one runs out, and who is told what came in."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from django.db import transaction

from hutong.control.clocks import actions as clocks
from hutong.control.clocks import queries as running
from hutong.control.disputes.models import Dispute
from hutong.control.disputes.papers import Paper
from hutong.control.disputes.rules import CoordinationOverdue, DecisionOverdue, ExecutionOverdue, NegotiationOverdue
from hutong.control.disputes.standing import COORDINATION, DECISION, EXECUTION, NEGOTIATION, Standing
from hutong.control.notices.actions import tell as notify
from hutong.node.settings import current
from hutong.vocabulary.errors import Refused
from hutong.vocabulary.ids import uuid_of
from hutong.vocabulary.rulebook import ClockRule
from hutong.vocabulary.sentences import Sentence

EVERY_S = 60.0
TERMS: dict[int, type[ClockRule]] = {
    NEGOTIATION: NegotiationOverdue,
    DECISION: DecisionOverdue,
    COORDINATION: CoordinationOverdue,
    EXECUTION: ExecutionOverdue,
}
IN_EXECUTION = ("settled", "decided")

log = logging.getLogger("hutong.disputes")


class PaperCame(Sentence):
    """A paper came in the dispute “{title}”: {kind}, from {by}."""

    zh = "争议“{title}”收到新材料：{kind}（{by}）。"
    code = "dispute_paper"


class NotDone(Sentence):
    """What the outcome of the dispute “{title}” binds us to could not be done: {reason}"""

    zh = "争议“{title}”的结果未能执行：{reason}"
    code = "dispute_not_done"


KINDS_ZH = {
    "opened": "提出争议",
    "statement": "陈述",
    "minutes": "会商纪要",
    "proposed": "和解方案",
    "settled": "达成一致",
    "escalated": "提请上级",
    "decided": "协调决定",
    "executed": "执行情况",
    "closed": "办结",
    "withdrawn": "撤回",
}


def follow(dispute: Dispute, before: Standing, now: Standing) -> None:
    """End the term of the step that is over, and begin that of the one that is due here."""
    subject = f"dispute:{dispute.id}"
    if (before.level, before.state) != (now.level, now.state):
        for level, rule in TERMS.items():
            if level != now.level or now.state not in ("open", *IN_EXECUTION):
                (clocks.meet if level == before.level else clocks.drop)(rule, subject)
    if now.state in ("open", *IN_EXECUTION) and _runs_here(now):
        clocks.start(
            TERMS[now.level],
            subject,
            department=dispute.department if now.level in (NEGOTIATION, EXECUTION) else "",
            title_zh=dispute.title,
            title_en=dispute.title,
            page=("dispute", uuid_of(dispute.id)),
        )


def tell(dispute: Dispute, fresh: Iterable[Paper]) -> None:
    """Say to those concerned here that other nodes' papers came, and to the supervisor what was decided."""
    us = current().jurisdiction
    page = ("dispute", uuid_of(dispute.id))
    for paper in fresh:
        if paper.by == us and paper.kind != "decided":
            continue
        said = PaperCame(title=dispute.title, kind=paper.kind, kind_zh=KINDS_ZH[paper.kind], by=paper.by)
        subject = f"dispute:{dispute.id}"
        notify(said, role="supervisor", subject=subject, page=page)
        if dispute.department:
            for role in ("officer", "head"):
                notify(said, role=role, department=dispute.department, subject=subject, page=page)


def tell_not_done(dispute: Dispute, refused: Refused) -> None:
    """To the supervisor, and to the department that is bound."""
    said = NotDone(title=dispute.title, reason=refused.say("en"), reason_zh=refused.say("zh"))
    about: dict[str, Any] = {"subject": f"dispute:{dispute.id}", "page": ("dispute", uuid_of(dispute.id))}
    notify(said, role="supervisor", **about)
    if dispute.department:
        notify(said, role="head", department=dispute.department, **about)


def escalate_overdue() -> None:
    """Bring what was not settled or decided in its term one level up. Each in a transaction of its own, and once."""
    rules = {NegotiationOverdue.name(): NEGOTIATION, DecisionOverdue.name(): DECISION}
    late = running.overdue().filter(rule__in=list(rules)).values_list("subject", "rule")
    for subject, rule in list(late):
        try:
            _escalate(subject.removeprefix("dispute:"), rules[rule])
        except Refused as refused:
            # No common superior is a member: the late clock stays, and people were told when it became late.
            log.warning("%s was not escalated: %s", subject, refused.code)


@transaction.atomic
def _escalate(dispute_id: str, level: int) -> None:
    from hutong.control.disputes import actions, docket

    dispute = docket.held(dispute_id)
    if dispute.level != level or dispute.state != "open":
        return
    side = "claimant" if level == NEGOTIATION else "forum"
    actions.escalated(dispute, side, "rule:D809-28", "")


def _runs_here(now: Standing) -> bool:
    us = current().jurisdiction
    if now.level == NEGOTIATION:
        return us == now.claimant
    if now.level in (DECISION, COORDINATION):
        return us == now.forum
    return us in now.bound - now.executed or us == now.forum
