"""An agreement in force between this node and a scripted peer, walked there by the real messages, in either role."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hutong.control.agreements import delivery, protocol
from hutong.control.agreements.models import Agreement, Negotiation, Transfer
from hutong.control.conduct import hearing, papers
from hutong.control.conduct.models import Filing
from hutong.control.identity.models import Account
from hutong.control.requests import actions as requests
from hutong.node.events import Event
from hutong.node.receiving import Peer
from hutong.vocabulary.ids import new_id, urn
from hutong.vocabulary.moments import to_the_millisecond
from tests.dsp_peer import DspPeer, agree, agreed, heard_of, published, terms


def provided(anhui: DspPeer, officer: Account, **choice: Any) -> tuple[Agreement, Transfer]:
    """We provide, Anhui reads."""
    pid, mine, _ = anhui.request(published(), terms())
    made = agree(officer, pid, **choice)
    signature = anhui.countersign(anhui.heard(protocol.ContractAgreement)[-1].agreement)
    said = protocol.ContractVerification(pid, mine, signature)
    assert anhui.say(f"/negotiations/{pid}/agreement/verification", said).status_code == 200
    message = protocol.TransferRequest(urn(new_id()), made.id, delivery.FORMAT, anhui.callback)
    assert anhui.say("/transfers/request", message).status_code == 201
    made.refresh_from_db()
    return made, Transfer.objects.get(agreement=made)


def consumed(anhui: DspPeer, health: dict[str, Account], **masks: Any) -> Agreement:
    """Anhui provides, our health department reads."""
    entry = heard_of(anhui.node)
    given = {"basis": "某法", "scenario": "窗口", "scope": "本市", "items": ["uscc", "name"], "purpose": "licensing"}
    request = requests.file(health["officer"], resource_id=entry.id, term_days=365, **given)
    request = requests.sign_off(health["head"], request.id)
    theirs, ours = urn(new_id()), request.negotiation_id
    Negotiation.objects.filter(pid=ours).update(peer_pid=theirs)
    policy = anhui.agreement(request.resource_id, agreed(requests.terms_of(request), **masks))
    message = protocol.ContractAgreement(theirs, ours, policy, anhui.countersign(policy))
    assert anhui.say(f"/negotiations/{ours}/agreement", message).status_code == 200
    event = protocol.ContractEvent(theirs, ours, "FINALIZED")
    assert anhui.say(f"/negotiations/{ours}/events", event).status_code == 200
    wanted = anhui.heard(protocol.TransferRequest)[-1]
    start = protocol.TransferStart(urn(new_id()), wanted.consumer_pid)
    assert anhui.say(f"/transfers/{wanted.consumer_pid}/start", start).status_code == 200
    return Agreement.objects.get(id=policy.id)


def filed_by_peer(
    agreement: Agreement, kind: str, content: dict[str, str], refers_to: str = "", *, filed_at: datetime | None = None
) -> Filing:
    """What the other side files, heard as its event; heard twice, as happens."""
    author = "consumer" if agreement.role == "provider" else "provider"
    paper = Filing(id=new_id(), agreement=agreement, kind=kind, author=author, content=content, refers_to=refers_to)
    moment = filed_at or datetime.now(UTC)
    paper.filed_at = to_the_millisecond(moment)
    paper.digest = papers.digest_of(paper)
    event = Event(new_id(), "urn:x", papers.FILED, f"agreement:{agreement.id}", "now", papers.document(paper))
    for _ in range(2):
        hearing.hear_filing(Peer(agreement.peer, "urn:x", new_id()), event)
    return Filing.objects.get(id=paper.id)
