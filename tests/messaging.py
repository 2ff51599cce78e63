"""An event of another node at this node's door, signed by it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import orjson

from hutong.node import events
from hutong.node.settings import current
from hutong.node.signatures import body_digest, sign_request
from hutong.vocabulary.ids import new_id
from hutong.vocabulary.moments import rfc3339
from tests.dsp_peer import DspPeer


def tell(node: DspPeer, kind: str, subject: str, data: dict[str, Any], *, message_id: str | None = None) -> Any:
    """Deliver it, over the real address. returns the answer, with .status_code and .json()"""
    named = message_id or new_id()
    event = {
        "specversion": "1.0",
        "id": named,
        "source": node.participant,
        "type": kind,
        "subject": subject,
        "time": rfc3339(datetime.now(UTC)),
        "datacontenttype": "application/json",
        "data": data,
    }
    body = orjson.dumps(event)
    address = current().base_url + events.PATH
    headers = sign_request("POST", address, body_digest(body), node.key, message_id=named, now=time.time())
    return node.client.generic("POST", events.PATH, body, content_type=events.MEDIA_TYPE, headers=headers)
