"""Papers coming in, ours and other nodes': verified, kept, recorded in the ledger and acted on in one transaction.

Every message carries all papers of its dispute, so a node that hears of it late, or in another order, ends with the
same docket as the others. A paper already here changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils.dateparse import parse_datetime

from hutong.control.agreements.models import Agreement, Negotiation
from hutong.control.disputes import effects, routing, timing
from hutong.control.disputes.models import Dispute, DisputePaper, Mandate
from hutong.control.disputes.papers import MOST_PAPERS, Paper, make, read, stored
from hutong.control.disputes.rules import BadPaper, NotAParty, NotCorrected
from hutong.control.disputes.standing import Standing, check_possible, check_sayer, standing
from hutong.control.organisations.models import Department
from hutong.ledger.record import record
from hutong.node.events import Event, on_event, post_event
from hutong.node.keyring import ring
from hutong.node.receiving import Peer
from hutong.node.settings import current
from hutong.vocabulary.errors import NotFound

EVENT = "dispute.papers"
NOT_CORRECTED = "校核未答复“已更正”。/ The report was not answered with a correction."


def papers_of(dispute_id: str) -> list[Paper]:
    """The papers of a dispute in their common order."""
    rows = DisputePaper.objects.filter(dispute_id=dispute_id)
    return sorted((stored(one.document, one.signature) for one in rows), key=lambda one: one.place)


def held(dispute_id: str) -> Dispute:
    """The dispute, its row held until the transaction ends.

    raises   NotFound
    """
    found = Dispute.objects.select_for_update().filter(id=dispute_id).first()
    if found is None:
        raise NotFound(what="dispute", what_zh="争议", name=dispute_id[:80])
    return found


def say(dispute_id: str, kind: str, side: str, actor: str, text: str, **more: Any) -> Dispute:
    """Make a paper of ours, act on it, and send it to everybody who takes part.

    raises   NotAParty, OnlyMediates, NotTheForum, StepNotPossible, OwnProposal, BeyondTheDispute, BadPaper
    """
    dispute = Dispute.objects.select_for_update().filter(id=dispute_id).first()
    known = papers_of(dispute_id) if dispute else []
    if len(known) >= MOST_PAPERS:
        raise BadPaper(reason=f"the dispute has {MOST_PAPERS} papers", reason_zh=f"争议材料已达 {MOST_PAPERS} 件")
    height = max((one.height for one in known), default=-1) + 1
    paper = make(dispute_id, kind, side, height, key=ring().signing_key(), text=text, **more)
    check_possible(standing(known), paper)
    return _enter([paper], known, actor)


@on_event(EVENT)
def take(peer: Peer, event: Event) -> None:
    """Papers arrive from a node that takes part.

    raises   BadPaper, NotAParty, NotTheForum, OnlyMediates, BeyondTheDispute
    """
    given = event.data.get("papers")
    if not isinstance(given, list) or not 0 < len(given) <= MOST_PAPERS + 1:
        raise BadPaper(reason=f"1 to {MOST_PAPERS} papers are expected", reason_zh=f"应有 1 至 {MOST_PAPERS} 件材料")
    arrived = sorted((read(one, ring()) for one in given), key=lambda one: one.place)
    dispute_id = arrived[0].dispute
    if any(one.dispute != dispute_id for one in arrived):
        raise BadPaper(reason="the papers are of several disputes", reason_zh="材料属于不同的争议")
    Dispute.objects.select_for_update().filter(id=dispute_id).first()
    known = papers_of(dispute_id)
    seen = {one.digest for one in known}
    fresh = [one for one in arrived if one.digest not in seen]
    if not fresh:
        return
    _check_arrived(peer.jurisdiction, known, fresh)
    _enter(fresh, known, f"node:{peer.jurisdiction}")


def _check_arrived(sender: str, known: Sequence[Paper], fresh: Sequence[Paper]) -> None:
    """Each maker may say what it says, and the sender and we ourselves take part."""
    papers = list(known)
    for paper in fresh:
        before = standing(papers)
        if before.level == 0 and paper.kind != "opened":
            raise BadPaper(reason="the first paper is missing", reason_zh="缺少首件材料")
        check_sayer(before, paper)
        if paper.kind == "escalated":
            routing.check_forum(paper.document["forum"], before.claimant, before.respondent)
        papers.append(paper)
    nodes = standing(papers).nodes()
    for node in (sender, current().jurisdiction):
        if node not in nodes:
            raise NotAParty(node=node, kind="papers")


def _enter(fresh: Sequence[Paper], known: Sequence[Paper], actor: str) -> Dispute:
    """Keep new papers, and let follow what follows from them."""
    before, now = standing(known), standing([*known, *fresh])
    dispute = _row(fresh, known, now)
    for paper in fresh:
        DisputePaper.objects.create(
            dispute=dispute,
            digest=paper.digest,
            kind=paper.kind,
            height=paper.height,
            document=paper.document,
            signature=paper.signature,
        )
        about = {"by": paper.by, "as": paper.side, "height": paper.height, "document": paper.digest}
        leaf = {"dispute": dispute.id, "document": paper.digest}
        record(f"dispute.{paper.kind}", subject_of(dispute.id), actor, about, commitment=leaf)
    if any(paper.by == current().jurisdiction for paper in fresh):
        _send(now, [*known, *fresh])
    timing.follow(dispute, before, now)
    timing.tell(dispute, fresh)
    if now.outcome is not None and before.outcome is None:
        effects.bind(dispute, now)
    settle(dispute.id)
    dispute.refresh_from_db()
    return dispute


def settle(dispute_id: str, *, again: bool = False) -> None:
    """Do what we are bound to do and can; say so once all of it is done, and what keeps us where a record is not
    corrected: that is in nobody else's sight.

    again   a person asks for it
    """
    dispute = held(dispute_id)
    failed = _not_corrected(dispute)
    effects.carry_out(dispute, again=again)
    now = standing(papers_of(dispute_id))
    us = current().jurisdiction
    if now.state not in ("settled", "decided") or us not in now.bound - now.executed:
        return
    side = "claimant" if now.claimant == us else "respondent"
    if dispute.mandates.exclude(state="done").exists():
        if us == now.node_of(side) and _not_corrected(dispute) and not failed:
            say(dispute_id, "statement", side, "rule:D809-28", NOT_CORRECTED)
        return
    if us in (now.claimant, now.respondent):
        say(dispute_id, "executed", side, "rule:D809-28", "")


def agree_waiting() -> None:
    """Look again for the requests that outcomes say we must agree to. Each dispute in a transaction of its own.

    An outcome and the request it is about may come in one moment, from two nodes, and neither transaction sees what the
    other one writes; each wakes this when it is committed.
    """
    waiting = Mandate.objects.filter(do="agree", state="waiting", dispute__state__in=timing.IN_EXECUTION)
    for dispute_id in list(waiting.order_by("dispute_id").values_list("dispute_id", flat=True).distinct()):
        with transaction.atomic():
            settle(dispute_id)


def _not_corrected(dispute: Dispute) -> bool:
    return dispute.mandates.filter(code=NotCorrected.code).exists()


def subject_of(dispute_id: str) -> str:
    return f"dispute:{dispute_id}"


def _row(fresh: Sequence[Paper], known: Sequence[Paper], now: Standing) -> Dispute:
    first = next(one for one in (*known, *fresh) if one.kind == "opened").document
    values: dict[str, Any] = {
        "title": first["title"],
        "about": first["about"],
        "resource_id": first["about"]["resource"],
        "agreement_id": first["about"]["agreement"],
        "claimant": now.claimant,
        "respondent": now.respondent,
        "claimant_department": first["claimant"]["department"],
        "respondent_department": first["respondent"]["department"],
        "mediator": now.mediator,
        "forum": now.forum,
        "level": now.level,
        "state": now.state,
        "department": _department(first),
        "opened_at": parse_datetime(first["at"]),
    }
    dispute, _ = Dispute.objects.update_or_create(id=fresh[0].dispute, defaults=values)
    return dispute


def _department(first: dict[str, Any]) -> str:
    """Whose it is here: our side's department, as it was named or as our own request or agreement has it."""
    us, about = current().jurisdiction, first["about"]
    ours = [first[side]["department"] for side in ("claimant", "respondent") if first[side]["node"] == us]
    if not ours:
        return ""
    pids = (about["provider_pid"], about["consumer_pid"])
    ours += Negotiation.objects.filter(pid__in=pids).values_list("department", flat=True)
    ours += Agreement.objects.filter(id=about["agreement"]).values_list("department", flat=True)
    known = set(Department.objects.filter(code__in=ours).values_list("code", flat=True))
    return next((str(code) for code in ours if code in known), "")


def _send(now: Standing, papers: Sequence[Paper]) -> None:
    data = {"papers": [one.envelope() for one in sorted(papers, key=lambda one: one.place)]}
    for node in sorted(now.nodes() - {current().jurisdiction}):
        post_event(node, EVENT, papers[0].dispute, data)
