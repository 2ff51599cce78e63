"""The operator's token: opens what a node says about its own running, and nothing else."""

from __future__ import annotations

import hmac

from hutong.node.settings import current
from hutong.vocabulary.errors import Refused


class NotTheOperator(Refused):
    """This address is the operator's."""

    zh = "此地址仅供运维人员使用。"
    code = "not_the_operator"
    status = 401
    next_en = "Set operator_token in hutong.toml, and send it as: Authorization: Bearer TOKEN"
    next_zh = "请在 hutong.toml 中设置 operator_token，并以 Authorization: Bearer TOKEN 发送。"


def check(authorization: bytes) -> None:
    """raises NotTheOperator; always where no token is set"""
    token = current().operator_token
    if not token or not hmac.compare_digest(authorization, b"Bearer " + token.encode()):
        raise NotTheOperator
