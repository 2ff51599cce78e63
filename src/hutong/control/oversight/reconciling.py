"""The daily comparison of our ledger with every member's, and whom its differences concern."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import transaction

from hutong.control.notices.actions import tell
from hutong.ledger import daily
from hutong.ledger.models import DailyReconciliation
from hutong.node import directory
from hutong.vocabulary.sentences import Sentence

LOOK_EVERY_S = 600.0


class LedgersDiffer(Sentence):
    """The ledger of {peer} does not tell the same as ours: {count} exchanges are one-sided or altered."""

    zh = "{peer} 的账本与本节点账本不一致：{count} 次交换仅见于一方或者内容不同。"
    code = "ledgers_differ"


def reconcile_all() -> None:
    """Compare with each member that is due today. One that does not answer holds up no other."""
    for member in directory.others():
        now = datetime.now(UTC)
        if member.log_vkey and daily.is_due(member.jurisdiction, now):
            reconcile_one(member.jurisdiction, now)


@transaction.atomic
def _tell(row: DailyReconciliation) -> None:
    told = LedgersDiffer(peer=row.peer, count=len(row.differences) or 1)
    for role in ("supervisor", "auditor"):
        tell(told, role=role, subject=f"peer:{row.peer}", page=("reconciliations",))


def reconcile_one(peer: str, now: datetime) -> DailyReconciliation:
    """Compare with one member. Supervisor and auditor are told of differences, once for the same ones."""
    before = DailyReconciliation.objects.filter(peer=peer, state="differs").order_by("-day").first()
    row = daily.reconcile_today(peer, now)
    named = {one["exchange"] for one in row.differences}
    known = {one["exchange"] for one in before.differences} if before else set()
    if (row.state == "differs" and (before is None or not named <= known)) or row.trouble == "log_forked":
        _tell(row)
    return row
