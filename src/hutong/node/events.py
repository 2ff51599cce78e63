"""Events between nodes: CloudEvents 1.0 (JSON), carried as signed, durable messages.

    post_event("yrd", "catalogue.entry", subject=entry_id, data={...})     # in the caller's transaction

    @on_event("catalogue.entry")
    def take_entry(peer: Peer, event: Event) -> None: ...                  # in the inbox transaction

Events of one type about one subject arrive in order; others do not wait for each other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest

from hutong.node import messages, parts
from hutong.node.directory import participant_id
from hutong.node.receiving import Answer, Peer, receiver
from hutong.node.settings import current
from hutong.vocabulary.errors import BadInput, Refused
from hutong.vocabulary.ids import new_id
from hutong.vocabulary.moments import rfc3339

PATH = "/hutong/events"
MEDIA_TYPE = "application/cloudevents+json"


class UnknownEvent(Refused):
    """This node does not know events of type {type}."""

    zh = "本节点不认识类型为 {type} 的事件。"
    code = "unknown_event"
    status = 422
    next_en = "Both nodes must run versions that know it."
    next_zh = "双方节点的版本都须支持该事件。"


@dataclass(frozen=True)
class Event:
    """One CloudEvent, checked."""

    id: str
    source: str  # the participant id of the node where it happened
    type: str
    subject: str
    time: str
    data: dict[str, Any]


EventHandler = Callable[[Peer, Event], None]
_handlers: dict[str, EventHandler] = {}


def on_event(event_type: str) -> Callable[[EventHandler], EventHandler]:
    """Handle events of one type. The handler's work and the noting of the message are one transaction."""

    def decorate(handler: EventHandler) -> EventHandler:
        _handlers[event_type] = handler
        return handler

    return decorate


def post_event(peer: str, event_type: str, subject: str, data: dict[str, Any]) -> str:
    """Tell one member, durably, when the caller's transaction commits.

    returns   the message id, which is also the event's id
    """
    event_id = new_id()
    event = {
        "specversion": "1.0",
        "id": event_id,
        "source": participant_id(current().jurisdiction),
        "type": event_type,
        "subject": subject,
        "time": rfc3339(datetime.now(UTC)),
        "datacontenttype": "application/json",
        "data": data,
    }
    process = f"event:{event_type}:" + hashlib.sha256(subject.encode()).hexdigest()[:16]
    return messages.post(peer, process, PATH, event, message_id=event_id, content_type=MEDIA_TYPE)


@receiver
def receive(_request: HttpRequest, peer: Peer, body: dict[str, Any]) -> Answer:
    """The address all events arrive at."""
    event = _read(body)
    parts.load()
    handler = _handlers.get(event.type)
    if handler is None:
        raise UnknownEvent(type=event.type[:80])
    handler(peer, event)
    return 200, {"accepted": event.id}


def _read(body: dict[str, Any]) -> Event:
    if body.get("specversion") != "1.0":
        raise BadInput(reason="specversion is not 1.0", reason_zh="specversion 不是 1.0")
    texts = {name: body.get(name) for name in ("id", "source", "type", "subject", "time")}
    for name, value in texts.items():
        if not isinstance(value, str) or not value or len(value) > 300:
            raise BadInput(
                reason=f"the event's {name} is not a text of 1 to 300 characters",
                reason_zh=f"事件的 {name} 不是 1 至 300 个字符的文本",
            )
    data = body.get("data")
    if not isinstance(data, dict):
        raise BadInput(reason="the event's data is not an object", reason_zh="事件的 data 不是对象")
    return Event(data=data, **{name: str(value) for name, value in texts.items()})
