"""Keeping a filing on either side, and carrying it to the other. In the caller's transaction, always."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, Final

from hutong.control.agreements.models import Agreement
from hutong.control.agreements.queries import title_of
from hutong.control.clocks import actions as clocks
from hutong.control.conduct.kinds import KINDS
from hutong.control.conduct.models import Filing
from hutong.control.conduct.rules import RectificationLate
from hutong.ledger.record import record
from hutong.node import outside
from hutong.node.events import post_event
from hutong.vocabulary.canonical import canonical_digest
from hutong.vocabulary.ids import new_id, uuid_of
from hutong.vocabulary.moments import rfc3339, to_the_millisecond

FILED: Final = "conduct.filed"
ANSWERED: Final = "conduct.answered"


def file(
    agreement: Agreement,
    kind: str,
    content: dict[str, str],
    actor: str,
    *,
    refers_to: str = "",
) -> Filing:
    """Keep our own filing and send it to the other side. A suspension starts the clock of its rectification."""
    paper = Filing(
        id=new_id(),
        agreement=agreement,
        kind=kind,
        author=agreement.role,
        content=content,
        refers_to=refers_to,
        filed_by=actor,
        filed_at=to_the_millisecond(datetime.now(UTC)),
    )
    if kind == "suspension" and content["cause"] in ("misuse", "incident"):
        paper.due_on = rectification_clock(paper)
    keep(paper, actor)
    if not outside.is_outside(agreement.peer):
        post_event(agreement.peer, FILED, subject(agreement.id), document(paper))
    return paper


def keep(paper: Filing, actor: str) -> None:
    """Store and record a filing of either side."""
    paper.department = paper.agreement.department
    paper.state = KINDS[paper.kind].state
    paper.digest = digest_of(paper)
    paper.save(force_insert=True)
    note(paper, f"filing.{paper.kind}", actor, {"due": paper.due_on.isoformat() if paper.due_on else ""})


def rectification_clock(paper: Filing) -> date | None:
    """Start the clock of a rectification, and give its last day."""
    title = title_of(paper.agreement.resource_id)
    clock = clocks.start(
        RectificationLate,
        f"suspension:{paper.id}",
        department=paper.agreement.department,
        title_zh=f"整改：{title.zh}",
        title_en=f"Rectification: {title.en or title.zh}",
        page=("agreement", uuid_of(paper.agreement_id)),
    )
    return clock.due_on


def settle(paper: Filing, state: str, actor: str, answer: str = "") -> None:
    """Give a filing its answer or its end, and record it."""
    paper.state, paper.answered_by, paper.answer = state, actor, answer
    paper.answered_at = to_the_millisecond(datetime.now(UTC))
    paper.save(update_fields=["state", "answered_by", "answered_at", "answer"])
    note(paper, f"filing.{paper.kind}_{state}", actor, {"reason": answer} if answer else {})


def tell_answer(paper: Filing) -> None:
    """Tell the other side what became of its filing."""
    agreement = paper.agreement
    if outside.is_outside(agreement.peer):
        return
    said = {"id": paper.id, "state": paper.state, "answer": paper.answer, "at": rfc3339(paper.answered_at)}
    post_event(agreement.peer, ANSWERED, subject(agreement.id), said)


def note(paper: Filing, kind: str, actor: str, detail: dict[str, Any]) -> None:
    about = {"filing": paper.id, "author": paper.author, "peer": paper.agreement.peer}
    reason = {"reason": paper.content["reason"]} if paper.content.get("reason") else {}
    leaf = {"filing": paper.id, "agreement": paper.agreement_id, "paper": paper.digest}
    record(kind, subject(paper.agreement_id), actor, {**about, **reason, **detail}, commitment=leaf)


def document(paper: Filing) -> dict[str, Any]:
    """As it travels."""
    return {
        "id": paper.id,
        "agreement": paper.agreement_id,
        "kind": paper.kind,
        "content": paper.content,
        "refers_to": paper.refers_to,
        "filed_at": rfc3339(paper.filed_at),
        "due_on": paper.due_on.isoformat() if paper.due_on else None,
        "digest": paper.digest,
    }


def digest_of(paper: Filing) -> str:
    """The same on both sides: who wrote what, when, under which agreement."""
    return canonical_digest({
        "id": paper.id, "agreement": paper.agreement_id, "kind": paper.kind, "author": paper.author,
        "content": paper.content, "refers_to": paper.refers_to, "filed_at": rfc3339(paper.filed_at),
    })  # fmt: skip


def subject(agreement_id: str) -> str:
    return f"agreement:{agreement_id.removeprefix('agreement:')}"
