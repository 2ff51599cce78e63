"""The Delta Sharing server at an application's own node.

The bearer token is a key that is bound to one purpose and one case, made with its profile. A query opens files at the
provider (fetching.py); their addresses are this node's own, signed, short-lived and bound to the key. Rows leave and
are on record when a file is fetched, once for each query.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

import orjson

from hutong.exchange.asgi import (
    Receive,
    Scope,
    Send,
    has_body,
    headers_of,
    path_of,
    read_body,
    respond,
    respond_json,
)
from hutong.exchange.asking import LARGEST_ASK, Ask, key_digest
from hutong.exchange.downloads import Download
from hutong.exchange.editions.edition import schema_of
from hutong.exchange.entitlements import Application, application_of
from hutong.exchange.fetching import Fetching
from hutong.exchange.files import signed_address
from hutong.exchange.gateway import Gateway
from hutong.exchange.outgoing import Outgoing
from hutong.exchange.query import BadQuery
from hutong.exchange.sharing.hints import read_hints
from hutong.exchange.sharing.lines import CAPABILITIES, LINES_TYPE, VERSION, chosen_format, file_line, head_lines
from hutong.exchange.sharing.shares import TABLE, Share, find, page, shares_of
from hutong.exchange.wire import BadAnswer
from hutong.vocabulary.errors import NotFound, Refused, Unavailable, WrongMethod

PREFIX = "/exchange/delta-sharing/"
WAIT_AT_MOST_S = 600.0  # for files that the provider is making
ASK_AGAIN_S = 0.5
_READS = {"version": "GET", "metadata": "GET", "query": "POST", "changes": "GET"}


class NotAProfile(Refused):
    """This key is not of a profile: it is bound to no purpose and case."""

    zh = "此密钥不属于共享配置文件：未限定用途和办件编号。"
    code = "not_a_profile"
    next_en = "Make a profile with: hutong share profile, or in the portal under Keys."
    next_zh = "请用 hutong share profile 或在门户“密钥”页面生成配置文件。"


@dataclass(frozen=True)
class _Asked:
    """One request of a reader."""

    key_digest: str
    application: Application
    share: Share
    query: dict[str, str]
    body: dict[str, Any]
    form: str


class SharingDoor:
    """One per process, on one event loop."""

    def __init__(self, gateway: Gateway, fetching: Fetching, base: str) -> None:
        self._gateway = gateway
        self._fetching = fetching
        self._base = base

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._answer(scope, receive, send)
        except Refused as refused:
            # What a reader tries again by itself (429) and what only people can change are told apart.
            status = 403 if refused.code in ("quota_spent", "batch_over_quota") else refused.status
            said = {"errorCode": refused.code, "message": f"{refused.say('en')} {refused.next_step('en')}"}
            await respond_json(send, status, {**refused.problem(), **said})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = headers_of(scope)
        digest = key_digest(headers)
        application = await asyncio.to_thread(application_of, digest)
        if not application.purpose:
            raise NotAProfile()
        shares = await asyncio.to_thread(shares_of, application)
        parts = path_of(scope).removeprefix(PREFIX).split("/")
        query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        if len(parts) == 7 and parts[6] in _READS:
            _check_method(scope, _READS[parts[6]])
            body = await read_body(receive, LARGEST_ASK) if has_body(headers) else b""
            form = chosen_format(headers.get(CAPABILITIES, ""))
            share = _table(shares, parts)
            asked = _Asked(digest, application, share, query, _object(body), form)
            return await self._read(parts[6], asked, send)
        _check_method(scope, "GET")
        return await respond_json(send, 200, _listed(shares, parts, query))

    async def _read(self, what: str, asked: _Asked, send: Send) -> None:
        if what == "changes":
            choice = await self._changes_choice(asked)
        elif what == "query":
            choice = _query_choice(asked.body)
        else:
            choice = {"look": True, **_since(asked.query.get("startingTimestamp"))}
        one, stated = await self._open(asked, choice)
        version = int(stated["version"])
        head = [
            (b"content-type", LINES_TYPE),
            (VERSION.encode(), str(version).encode()),
            (CAPABILITIES.encode(), f"responseformat={asked.form}".encode()),
        ]
        if what == "version":
            return await respond(send, 200, head, b"")
        try:
            schema = schema_of(stated["schema"])
        except (ValueError, TypeError) as error:
            raise BadAnswer(reason="its schema cannot be read", reason_zh="其结构无法读取") from error
        told = int(choice.get("changes_from", version))
        lines = [*head_lines(asked.share.name, stated, schema, asked.form, told)]
        lines += await self._files(one, asked.form, of_changes=what == "changes") if stated["files"] else []
        return await respond(send, 200, head, b"".join(lines))

    async def _files(self, one: Outgoing, form: str, *, of_changes: bool) -> list[bytes]:
        download = await asyncio.to_thread(Download.find, one.exchange, "consumer")
        if download is None:
            raise Unavailable(what="the node's database")
        made = []
        for number, file in enumerate(download.files):
            if not file.rows and not of_changes and len(download.files) > 1:
                continue
            url, expires = signed_address(self._base, download, number, one.entitled.case_key)
            made.append(file_line(file, url, expires, form, of_changes=of_changes))
        return made

    async def _changes_choice(self, asked: _Asked) -> dict[str, Any]:
        given = asked.query
        start = _whole(given.get("startingVersion"), "startingVersion")
        if start is None:
            since = _since(given.get("startingTimestamp"))
            if not since:
                raise BadQuery(
                    reason="changes begin at startingVersion or startingTimestamp",
                    reason_zh="变更须以 startingVersion 或 startingTimestamp 为起点",
                )
            _, stated = await self._open(asked, {"look": True, **since})
            start = int(stated["version"])
        ending = _whole(given.get("endingVersion"), "endingVersion")
        return {"changes_from": start, "version": ending, "at": given.get("endingTimestamp")}

    async def _open(self, asked: _Asked, choice: dict[str, Any]) -> tuple[Outgoing, dict[str, Any]]:
        """raises   what the provider refuses with, Unavailable when making the files takes too long"""
        application = asked.application
        wanted: dict[str, Any] = {"items": None, "where": None, "limit": None, "key": None, "edition": choice}
        ask = Ask(
            key_digest=asked.key_digest,
            agreement=asked.share.agreement,
            purpose=application.purpose,
            case_number=application.case_number,
            form="parquet",
            wanted=wanted,
        )
        one = await self._gateway.entitled(ask)
        until = time.monotonic() + WAIT_AT_MOST_S
        while time.monotonic() < until:
            stated = await self._fetching.open(one)
            if stated is not None:
                return one, stated
            await asyncio.sleep(ASK_AGAIN_S)
        raise Unavailable(what=one.entitled.provider)


def _query_choice(body: dict[str, Any]) -> dict[str, Any]:
    hints = read_hints(body.get("jsonPredicateHints"), body.get("predicateHints"))
    limit = _whole(body.get("limitHint"), "limitHint")
    if body.get("startingVersion") is not None:
        raise BadQuery(reason="changes are read at /changes", reason_zh="变更应在 /changes 读取")
    return {
        "version": _whole(body.get("version"), "version"),
        "at": body.get("timestamp"),
        "where": hints.where.to_document() if hints.where is not None else None,
        "limit": limit if hints.whole else None,
    }


def _since(text: str | None) -> dict[str, Any]:
    if not text:
        return {}
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise BadQuery(reason="a timestamp has a date, a time and a zone", reason_zh="时间戳应含日期、时间和时区")
    return {"since": moment.isoformat()}


def _whole(value: Any, name: str) -> int | None:
    if value is None:
        return None
    text = str(value)
    if isinstance(value, bool) or not (text.isascii() and text.isdigit()) or len(text) > 15:
        raise BadQuery(reason=f"{name} is a whole number", reason_zh=f"{name} 应为整数")
    return int(text)


def _object(body: bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(body) if body else {}
    except orjson.JSONDecodeError as error:
        raise BadQuery(reason="the body is not JSON", reason_zh="正文不是 JSON") from error
    if not isinstance(document, dict):
        raise BadQuery(reason="the body is not a JSON object", reason_zh="正文不是 JSON 对象")
    return document


def _check_method(scope: Scope, method: str) -> None:
    if scope["method"] != method:
        raise WrongMethod(allowed=method)


def _table(shares: list[Share], parts: list[str]) -> Share:
    """raises   NotFound"""
    share = find(shares, parts[1]) if parts[0] == "shares" and parts[2] == "schemas" and parts[4] == "tables" else None
    if share is None or parts[3].lower() != share.schema or parts[5].lower() != TABLE:
        raise NotFound(what="table", name="/".join(parts)[:80])
    return share


def _listed(shares: list[Share], parts: list[str], query: dict[str, str]) -> dict[str, Any]:
    """raises   NotFound, BadInput"""
    if parts[0] != "shares":
        raise NotFound(what="address", name="/".join(parts)[:80])
    if len(parts) == 1:
        return page([{"name": one.name, "id": one.name} for one in shares], query)
    share = find(shares, parts[1])
    rest = parts[2:]
    if not rest:
        return {"share": {"name": share.name, "id": share.name}}
    if rest == ["schemas"]:
        return page([{"name": share.schema, "share": share.name}], query)
    if rest == ["all-tables"] or [one.lower() for one in rest] == ["schemas", share.schema, "tables"]:
        return page([share.table], query)
    raise NotFound(what="address", name="/".join(parts)[:80])
