"""The little of HTTP the hot paths need, on bare ASGI: a framework's request objects cost more than a query."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any

import orjson

from hutong.vocabulary.errors import NotFound, Refused, TooLarge

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

PROBLEM_TYPE = "application/problem+json"


class ClientGone(Exception):
    """Whoever asked closed the connection. Nobody is there to be told."""


def headers_of(scope: Scope) -> dict[str, str]:
    """Names in lower case. A header sent twice reads as both values, which no signature profile accepts."""
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        key = name.decode("latin-1")
        text = value.decode("latin-1")
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


def path_of(scope: Scope) -> str:
    """The path exactly as sent, so that what is matched is what was signed.

    raises   NotFound for a path that needs decoding: none of ours does
    """
    path: str = scope["path"]
    raw = scope.get("raw_path")
    if "%" in path or ".." in path or (raw is not None and raw.partition(b"?")[0] != path.encode()):
        raise NotFound(what="address", name="with such characters", name_zh="（含有不支持的字符）")
    return path


def has_body(headers: Mapping[str, str]) -> bool:
    """RFC 9112, section 6.3: a request with neither of these has none, and there is nothing to wait for."""
    return "content-length" in headers or "transfer-encoding" in headers


async def read_body(receive: Receive, limit: int) -> bytes:
    """raises TooLarge, ClientGone"""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientGone
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise TooLarge(limit=limit)
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts) if len(parts) > 1 else parts[0]


async def respond(send: Send, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> None:
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [*headers, (b"content-length", str(len(body)).encode("ascii"))],
        }
    )
    await send({"type": "http.response.body", "body": body})


async def respond_json(send: Send, status: int, value: Any) -> None:
    await respond(send, status, [(b"content-type", b"application/json")], orjson.dumps(value))


async def respond_refusal(send: Send, refused: Refused, headers: Mapping[str, str] | None = None) -> None:
    """Problem details (RFC 9457): what, whether anything changed, what next, in both languages."""
    problem = refused.problem()
    given = [(b"content-type", PROBLEM_TYPE.encode("ascii")), *raw_headers(headers or {}), *retry_after(problem)]
    await respond(send, refused.status, given, orjson.dumps(problem))


def retry_after(problem: Mapping[str, Any]) -> list[tuple[bytes, bytes]]:
    """The header that says when to ask again, where a refusal says so."""
    seconds = problem.get("retry_after_s")
    return [(b"retry-after", b"%d" % seconds)] if type(seconds) is int and seconds > 0 else []


def raw_headers(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]


async def disconnected(receive: Receive) -> None:
    """Return when the client has closed the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass
