"""What is kept of a return whose agreement is over: the area's rows until they must be disposed of, then nothing.

The node fetched these files, so the node disposes of them: on the day that the rule of disposal names (D809-27, its
days a parameter), or when the superior has accepted the proof. Counts, digests and receipts of the batches stay.
"""

from __future__ import annotations

import shutil
from typing import Final

from django.db import transaction
from django.db.models import Q

from hutong.control.conduct.models import EndedAgreement
from hutong.control.conduct.rules import DisposalLate
from hutong.control.returns import flows
from hutong.control.returns.models import ReturnFlow
from hutong.control.statute import day
from hutong.ledger.record import record

FORGET_EVERY_S: Final = 3600.0


def forget_due() -> None:
    """End the flows whose agreement is over, and remove the files that need not be kept. Repeatable."""
    over = EndedAgreement.objects.values("agreement_id")
    active = ReturnFlow.objects.filter(state="active", agreement_id__in=over)
    for agreement_id in list(active.values_list("agreement_id", flat=True)):
        with transaction.atomic():
            flows.end(agreement_id)
    due = EndedAgreement.objects.filter(Q(due_on__lt=day.today()) | Q(disposed_at__isnull=False))
    gone = Q(role="consumer", agreement_id__in=due.values("agreement_id")) | Q(role="provider")
    for flow in ReturnFlow.objects.filter(gone, state="ended"):
        _forget(flow)


@transaction.atomic
def _forget(flow: ReturnFlow) -> None:
    folder = flows.place_of(flow)
    files = len(list(folder.glob("*"))) if folder.is_dir() else 0
    if files:
        detail = {"role": flow.role, "files": files}
        record("return.removed", flows.subject_of(flow), f"rule:{DisposalLate.rule}", detail)
        # Killed in between, it is recorded and done once more; the other way round there would be no record.
        transaction.on_commit(lambda: shutil.rmtree(folder, ignore_errors=True))
