"""Calls to other nodes: signed by us, answered with a signature bound to our call, never redirected.

    async with NodeClient(ring()) as client:
        answer = await client.call("POST", url, body, peer="340000")

One client per event loop; it keeps connections alive.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

import aiohttp
import orjson
from aiohttp.client import _RequestContextManager
from yarl import URL

from hutong.node import telemetry, tls
from hutong.node.keys import SigningKey
from hutong.node.signatures import (
    BadSignature,
    KeyLookup,
    body_digest,
    request_signature,
    sign_request,
    verify_response,
)
from hutong.vocabulary.errors import Refused, Unavailable
from hutong.vocabulary.ids import new_id

LARGEST_ANSWER = 64 * 1024 * 1024  # bytes of an answer that is read whole
CONNECT_WITHIN_S = 5.0
ANSWER_WITHIN_S = 30.0
MOST_CONNECTIONS = 200


class NoAnswer(Unavailable):
    """{peer} does not answer: {reason}."""

    zh = "{peer} 没有应答：{reason}。"
    code = "no_answer"
    status = 502
    next_en = "It is tried again where that is safe; test it with: hutong doctor"
    next_zh = "安全时会自动重试；可用 hutong doctor 检测。"


class UnsignedAnswer(Refused):
    """{peer} answered {answered} without a valid signature: {reason}."""

    zh = "{peer} 的答复（{answered}）没有有效签名：{reason}。"
    code = "unsigned_answer"
    status = 502
    next_en = "Something between the nodes answers in its place; see its address in: hutong members"
    next_zh = "节点之间可能有其他设备代答；请核对 hutong members 中的地址。"


class Keys(KeyLookup, Protocol):
    """What a client needs of a key ring."""

    def signing_key(self) -> SigningKey: ...


@dataclass(frozen=True)
class SignedAnswer:
    """A peer's answer. `signed` is False only for a refusal (status 400 or more) that came without a signature."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    signed: bool

    def object(self) -> dict[str, object]:
        """The answer's JSON object; {} when it is something else."""
        try:
            value = orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return {}
        return value if isinstance(value, dict) else {}


@dataclass(frozen=True)
class SignedStream:
    """A verified head, and a body still to be read. The body is proven by its closing receipt, not here."""

    status: int
    headers: Mapping[str, str]
    content: AsyncIterator[bytes]


class NodeClient:
    """A signed HTTP client for one event loop."""

    def __init__(self, keys: Keys) -> None:
        self.keys = keys
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def call(
        self,
        method: str,
        url: str,
        body: bytes = b"",
        *,
        peer: str,
        content_type: str = "application/json",
        message_id: str | None = None,
        authorization: str = "",
        timeout_s: float = ANSWER_WITHIN_S,
    ) -> SignedAnswer:
        """One call, its answer read whole and its signature checked.

        peer           the jurisdiction that must have signed the answer; "" where none need be
        authorization  the header to present to a connector outside the directory
        raises         NoAnswer, UnsignedAnswer (a success that nobody, or the wrong node, signed)
        """
        headers = self._sign(method, url, body, content_type, message_id)
        if authorization:
            headers["Authorization"] = authorization
        timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=CONNECT_WITHIN_S)
        with _no_answer(peer or url):
            async with self._request(method, url, body, headers, timeout) as response:
                content = await _read_whole(response, peer)
        signed = self._check(response, content, headers, peer)
        return SignedAnswer(response.status, response.headers, content, signed)

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        url: str,
        body: bytes = b"",
        *,
        peer: str,
        covered: tuple[str, ...] = (),
        content_type: str = "application/json",
    ) -> AsyncIterator[SignedStream | SignedAnswer]:
        """A call whose answer is a stream with a signed head, or a whole answer when the peer refuses.

        covered   names of the extra headers the peer's signature must cover, in order
        yields    SignedStream for status 200, SignedAnswer otherwise
        raises    NoAnswer, UnsignedAnswer
        """
        headers = self._sign(method, url, body, content_type, None)
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_WITHIN_S, sock_read=ANSWER_WITHIN_S)
        with _no_answer(peer):
            response = await self._request(method, url, body, headers, timeout)
        async with response:
            if response.status == 200:
                self._check_head(response, headers, peer, covered)
                yield SignedStream(200, response.headers, _parts(response, peer))
                return
            with _no_answer(peer):
                content = await _read_whole(response, peer)
            signed = self._check(response, content, headers, peer)
            yield SignedAnswer(response.status, response.headers, content, signed)

    def _request(
        self, method: str, url: str, body: bytes, headers: Mapping[str, str], timeout: aiohttp.ClientTimeout
    ) -> _RequestContextManager:
        # Encoded: the bytes on the wire are the bytes we signed.
        target = URL(url, encoded=True)
        return self._open().request(
            method,
            target,
            data=body or None,
            headers=headers,
            timeout=timeout,
            allow_redirects=False,
            ssl=tls.peer_context(),
        )

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=MOST_CONNECTIONS, ttl_dns_cache=60),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                skip_auto_headers=("User-Agent", "Accept-Encoding"),
            )
        return self._session

    def _sign(self, method: str, url: str, body: bytes, content_type: str, message_id: str | None) -> dict[str, str]:
        headers = sign_request(
            method,
            url,
            body_digest(body),
            self.keys.signing_key(),
            message_id=message_id or new_id(),
            now=time.time(),
            traceparent=telemetry.current(),
        )
        if body:
            headers["Content-Type"] = content_type
        return headers

    def _check(self, response: aiohttp.ClientResponse, content: bytes, sent: Mapping[str, str], peer: str) -> bool:
        if not peer:
            return False
        try:
            digest, bound = body_digest(content), request_signature(sent)
            verified = verify_response(
                response.status, response.headers, digest, bound, keys=self.keys, now=time.time()
            )
            _same_peer(verified.jurisdiction, peer)
        except Refused as refused:
            if response.status >= 400:
                return False
            raise UnsignedAnswer(
                peer=peer, answered=response.status, reason=refused.say("en"), reason_zh=refused.say("zh")
            ) from refused
        return True

    def _check_head(
        self, response: aiohttp.ClientResponse, sent: Mapping[str, str], peer: str, covered: tuple[str, ...]
    ) -> None:
        try:
            verified = verify_response(
                200, response.headers, None, request_signature(sent), keys=self.keys, now=time.time(), extra=covered
            )
            _same_peer(verified.jurisdiction, peer)
        except Refused as refused:
            raise UnsignedAnswer(
                peer=peer, answered=200, reason=refused.say("en"), reason_zh=refused.say("zh")
            ) from refused


def _same_peer(signer: str, peer: str) -> None:
    if signer != peer:
        raise BadSignature(reason=f"{signer} answered in place of {peer}", reason_zh=f"{signer} 代替 {peer} 作了答复")


async def _read_whole(response: aiohttp.ClientResponse, peer: str) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in response.content.iter_any():
        size += len(part)
        if size > LARGEST_ANSWER:
            raise NoAnswer(
                peer=peer,
                reason=f"its answer is larger than {LARGEST_ANSWER} bytes",
                reason_zh=f"答复超过 {LARGEST_ANSWER} 字节",
            )
        parts.append(part)
    return b"".join(parts)


async def _parts(response: aiohttp.ClientResponse, peer: str) -> AsyncIterator[bytes]:
    with _no_answer(peer):
        async for part in response.content.iter_any():
            yield part


@contextmanager
def _no_answer(peer: str) -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise NoAnswer(peer=peer, reason="no answer in time", reason_zh="未及时答复") from error
    except (aiohttp.ClientError, OSError, ValueError) as error:
        if found := tls.reason(error):
            raise NoAnswer(peer=peer, reason=found[0], reason_zh=found[1]) from error
        said = (str(error) or type(error).__name__)[:200]
        raise NoAnswer(peer=peer, reason=said, reason_zh=f"连接失败（{said}）") from error
