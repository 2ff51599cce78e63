"""What the node tells people about replies."""

from __future__ import annotations

from hutong.vocabulary.sentences import Sentence


class ReplyProposed(Sentence):
    """A reply is proposed and waits for your signature: to {kind} the request."""

    zh = "有一份拟办答复（{kind}共享申请）待您签批。"
    code = "reply_proposed"


class ReplyReturned(Sentence):
    """The head of the sharing body sent your proposed reply back: {note}"""

    zh = "负责人退回了您拟办的答复：{note}"
    code = "reply_returned"


class DueDayMoved(Sentence):
    """The provider has extended its reply, with its supervisor's consent: now due on {due}. Reason: {reason}"""

    zh = "提供方经其主管部门同意，延长了答复期限，现为{due}。理由：{reason}"
    code = "due_day_moved"
