"""The other parties of a dispute, for tests: papers in their name, under their own keys, at this node's door."""

from __future__ import annotations

from typing import Any

from hutong.control.disputes import docket
from hutong.control.disputes.models import Dispute
from hutong.control.disputes.papers import ABOUT, Paper, make
from hutong.node.models import OutboxMessage
from hutong.vocabulary.ids import new_id, urn
from tests.dsp_peer import DspPeer
from tests.messaging import tell


def paper(node: DspPeer, dispute_id: str, kind: str, side: str, **more: Any) -> Paper:
    """The node's next paper, signed by it."""
    known = docket.papers_of(dispute_id)
    height = max((one.height for one in known), default=-1) + 1
    return make(dispute_id, kind, side, height, key=node.key, **({"text": "……"} | more))


def send(node: DspPeer, dispute_id: str, *papers: Paper) -> Any:
    """All papers, the new ones at the end, as the node's message. returns the answer"""
    envelopes = [one.envelope() for one in (*docket.papers_of(dispute_id), *papers)]
    return tell(node, docket.EVENT, dispute_id, {"papers": envelopes})


def open_against_us(node: DspPeer, us: str, **about: str) -> Dispute:
    """The node opens a dispute with us. The region's office mediates."""
    dispute_id = urn(new_id())
    opened = paper(
        node,
        dispute_id,
        "opened",
        "claimant",
        title="企业登记信息",
        claimant={"node": node.jurisdiction, "department": ""},
        respondent={"node": us, "department": ""},
        mediator="yrd",
        about=dict.fromkeys(ABOUT, "") | {"origin": "free"} | about,
    )
    answer = send(node, dispute_id, opened)
    assert answer.status_code == 200, answer.content
    return Dispute.objects.get(id=dispute_id)


def told(peer: str) -> int:
    """How many messages about disputes wait for a node."""
    return OutboxMessage.objects.filter(peer=peer, process__startswith=f"event:{docket.EVENT}").count()
