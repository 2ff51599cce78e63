"""The daily comparison of our ledger with every member's, and whom its differences concern."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from django.db import transaction

from hutong.control.notices.actions import tell
from hutong.ledger import daily
from hutong.ledger.models import DailyReconciliation
from hutong.node import directory, work
from hutong.node.settings import current
from hutong.vocabulary.sentences import Sentence

LOOK_EVERY_S = 600.0
FIRST_LOOK_AFTER_S = 60.0  # what a node that starts has to do comes first


class LedgersDiffer(Sentence):
    """The ledger of {peer} does not tell the same as ours: {count} exchanges are one-sided or altered."""

    zh = "{peer} 的账本与本节点账本不一致：{count} 次交换仅见于一方或者内容不同。"
    code = "ledgers_differ"


def reconcile_apart() -> None:
    """Compare with the members that are due, in a process of its own: two large logs take minutes to read."""
    if due():
        work.run_apart("oversight", "compare", str(current().home))


def reconcile_due() -> Iterator[DailyReconciliation]:
    """Compare with each member that is due today. One that does not answer holds up no other."""
    for jurisdiction in due():
        yield reconcile_one(jurisdiction, datetime.now(UTC))


def due() -> list[str]:
    """The members whose ledgers are still to be compared with ours today."""
    now = datetime.now(UTC)
    return [one.jurisdiction for one in directory.others() if one.log_vkey and daily.is_due(one.jurisdiction, now)]


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
