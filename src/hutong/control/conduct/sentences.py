"""What people are told about conduct under an agreement."""

from __future__ import annotations

from hutong.vocabulary.sentences import Sentence


class IncidentReported(Sentence):
    """{title}: a data security incident was reported, found on {found}."""

    zh = "{title}：已报告数据安全事件，发现日期 {found}。"
    code = "incident_reported"


class StopAnnounced(Sentence):
    """{title}: the provider has announced that the service will stop or change from {starts} on."""

    zh = "{title}：提供方通知将自 {starts} 起停止或变更服务。"
    code = "stop_announced"


class PaperArrived(Sentence):
    """{title}: the other side has filed a {paper}."""

    zh = "{title}：对方报送了{paper}。"
    code = "paper_arrived"


class PaperAnswered(Sentence):
    """{title}: your {paper} was {answer}."""

    zh = "{title}：您报送的{paper}{answer}。"
    code = "paper_answered"


class DisposalDue(Sentence):
    """{title}: the agreement is over; dispose of its data and file the proof by {due}."""

    zh = "{title}：协议已结束，请于 {due} 前处置数据并报送处置证明。"
    code = "disposal_due"
