"""What the other side files and answers. Every handler may hear the same event again and changes nothing then."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from hutong.control.agreements.models import Agreement
from hutong.control.agreements.queries import title_of
from hutong.control.clocks import actions as clocks
from hutong.control.conduct import ending, kinds, papers, queries
from hutong.control.conduct.models import EndedAgreement, Filing
from hutong.control.conduct.rules import PAPERS, RectificationLate, check_paper
from hutong.control.conduct.sentences import IncidentReported, PaperAnswered, PaperArrived, StopAnnounced
from hutong.control.notices.actions import tell
from hutong.node.events import Event, on_event
from hutong.node.receiving import Peer
from hutong.vocabulary.errors import BadInput, NotFound
from hutong.vocabulary.ids import UUID_TEXT, uuid_of
from hutong.vocabulary.sentences import Sentence

TOLD_TO_SUPERVISOR = ("incident", "suspension", "stop")
ANSWERS = {"accepted": ("accepted", "已被接受"), "objected": ("objected to", "被提出异议")}


def register() -> None:
    on_event(papers.FILED)(hear_filing)
    on_event(papers.ANSWERED)(hear_answer)


def hear_filing(peer: Peer, event: Event) -> None:
    """The other side has filed a paper."""
    data = event.data
    agreement = _agreement(peer, data)
    if Filing.objects.filter(id=_text(data, "id", 36)).exists():
        return
    paper = _read(agreement, data)
    if paper.digest != papers.digest_of(paper):
        raise BadInput(reason="the digest is not that of the paper", reason_zh="摘要与内容不符")
    actor = f"node:{peer.jurisdiction}"
    paper.filed_by = actor
    if paper.kind == "suspension" and paper.due_on is not None:
        papers.rectification_clock(paper)
    papers.keep(paper, actor)
    if paper.kind == "suspension":
        ending.overtaken(paper)
    if paper.kind == "rectification" and (open_one := queries.open_suspension(agreement, agreement.role)):
        clocks.meet(RectificationLate, f"suspension:{open_one.id}")
    _tell(paper, _sentence(paper))


def hear_answer(peer: Peer, event: Event) -> None:
    """The other side has accepted our paper, or objected to it."""
    rows = Filing.objects.select_for_update(of=("self",)).filter(agreement__peer=peer.jurisdiction)
    paper = rows.filter(id=_text(event.data, "id", 36)).first()
    if paper is None or not kinds.KINDS[paper.kind].answered:
        raise NotFound(what="filing", name=str(event.data.get("id"))[:40])
    state = _text(event.data, "state", 10)
    if state not in ANSWERS:
        raise BadInput(reason="the answer is neither yes nor no", reason_zh="答复不是接受或异议")
    if paper.state != "filed":
        return
    answer = kinds.a_text("answer", event.data.get("answer", ""))
    papers.settle(paper, state, f"node:{peer.jurisdiction}", answer)
    if state == "accepted" and paper.kind == "disposal":
        EndedAgreement.objects.filter(agreement=paper.agreement).update(disposed_at=paper.answered_at)
    words, names = ANSWERS[state], PAPERS[paper.kind]
    title = _title(paper)
    said = PaperAnswered(**title, paper=names[0], paper_zh=names[1], answer=words[0], answer_zh=words[1])
    _tell(paper, said)


def _read(agreement: Agreement, data: dict[str, Any]) -> Filing:
    """raises   BadInput, PaperIncomplete and its like"""
    kind, author = _text(data, "kind", 16), "consumer" if agreement.role == "provider" else "provider"
    if kind not in kinds.KINDS or author not in kinds.KINDS[kind].authors or not isinstance(data.get("content"), dict):
        raise BadInput(reason="no such paper of this side", reason_zh="该方没有此类文书")
    content = kinds.read(kind, data["content"])
    check_paper(kind, kinds.missing(kind, content))
    try:
        filed_at = datetime.fromisoformat(_text(data, "filed_at", 40))
        due_on = date.fromisoformat(_text(data, "due_on", 10)) if data.get("due_on") else None
    except ValueError as error:
        raise BadInput(reason="a time cannot be read", reason_zh="时间无法读取") from error
    if filed_at.tzinfo is None:
        raise BadInput(reason="a time has no zone", reason_zh="时间没有时区")
    identifier = _text(data, "id", 36)
    if not UUID_TEXT.match(identifier):
        raise BadInput(reason="the id is not a UUID", reason_zh="编号不是 UUID")
    return Filing(
        id=identifier, agreement=agreement, kind=kind, author=author, content=content,
        refers_to=_text(data, "refers_to", 36, empty=True), digest=_text(data, "digest", 80),
        filed_at=filed_at, due_on=due_on,
    )  # fmt: skip


def _sentence(paper: Filing) -> Sentence:
    title = _title(paper)
    if paper.kind == "incident":
        return IncidentReported(**title, found=paper.content["found_on"])
    if paper.kind == "stop":
        return StopAnnounced(**title, starts=paper.content["starts_on"])
    return PaperArrived(**title, paper=PAPERS[paper.kind][0], paper_zh=PAPERS[paper.kind][1])


def _tell(paper: Filing, said: Sentence) -> None:
    page = ("agreement", uuid_of(paper.agreement_id))
    about = papers.subject(paper.agreement_id)
    for role in ("officer", "head"):
        tell(said, role=role, department=paper.department, subject=about, page=page)
    if paper.kind in TOLD_TO_SUPERVISOR:
        tell(said, role="supervisor", subject=about, page=page)


def _title(paper: Filing) -> dict[str, str]:
    title = title_of(paper.agreement.resource_id)
    return {"title": title.en or title.zh, "title_zh": title.zh}


def _agreement(peer: Peer, data: dict[str, Any]) -> Agreement:
    rows = Agreement.objects.select_for_update(of=("self",)).filter(peer=peer.jurisdiction)
    found = rows.filter(id=_text(data, "agreement", 80)).first()
    if found is None:
        raise NotFound(what="agreement", name=str(data.get("agreement"))[:80])
    return found


def _text(data: dict[str, Any], name: str, limit: int, *, empty: bool = False) -> str:
    value = data.get(name)
    if not isinstance(value, str) or len(value) > limit or not (value or empty):
        raise BadInput(reason=f"the event's {name} is not what it should be", reason_zh=f"事件的 {name} 不符合约定")
    return value
