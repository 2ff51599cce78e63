"""Calls of an HTTP interface that a source is: addresses, sizes and times bounded, credentials sent and never said."""

from __future__ import annotations

import base64
import json
import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import urllib3

from hutong.exchange.sources.location import check_address
from hutong.exchange.sources.spec import SourceFailed, SourceSpec, SourceUnreadable

CONNECT_S, READ_S, CALL_S = 10.0, 30.0, 60.0
LARGEST_ANSWER: Final = 32 << 20  # bytes of one answer, unpacked; owner: this module
PAUSES_S = (0.2, 0.8)  # before each further try
LONGEST_PAUSE_S = 5.0  # that an interface may ask us to wait
AGAIN = (429, 502, 503, 504)
EARLY_S = 30.0  # a token is renewed so long before it ends

# It writes the address of every call, with the keys in it, where somebody asks for all there is to log.
logging.getLogger("urllib3").setLevel(logging.WARNING)


@dataclass(frozen=True)
class Answered:
    """One answer, whole."""

    document: Any
    body: bytes
    link: str  # the Link header, "" where there is none


class Caller:
    """Makes the calls of one source. Safe for several threads."""

    def __init__(self, spec: SourceSpec) -> None:
        """raises   AddressOutside"""
        check_address(spec.location)
        self._given = spec.given
        self._pool = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(connect=CONNECT_S, read=READ_S))
        self._lock = threading.Lock()
        self._token = ""
        self._token_until = 0.0

    def get(self, address: str, query: Mapping[str, str]) -> Answered:
        """Ask, again where the interface is busy.

        raises   AddressOutside, SourceFailed, SourceUnreadable (it refuses us, or answers with no JSON)
        """
        check_address(address)
        renewed = False
        for pause in (*PAUSES_S, None):
            said = dict(query)
            headers = {"Accept": "application/json", "User-Agent": "hutong", **self._credentials(said)}
            whole = address + ("&" if "?" in address else "?") + urlencode(said) if said else address
            status, answer_headers, body = self._call("GET", whole, headers)
            if status == 401 and self._token and not renewed:
                renewed, self._token = True, ""
            elif status not in (0, *AGAIN):
                return Answered(_read(status, body), body, answer_headers.get("link", ""))
            elif pause is not None:
                time.sleep(_pause(answer_headers.get("retry-after", ""), pause))
        raise SourceFailed()

    def text(self, address: str) -> bytes:
        """A document that lies at an allowed address, asked for with the same credentials."""
        return self.get(address, {}).body

    def close(self) -> None:
        self._pool.clear()

    def _call(
        self, method: str, address: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> tuple[int, Mapping[str, str], bytes]:
        """One call; status 0 where nothing came. Redirections are not followed: they lead anywhere.

        raises   SourceUnreadable for an answer that is too large
        """
        last = time.monotonic() + CALL_S
        try:
            answer = self._pool.request(
                method, address, headers=headers, body=body, redirect=False, preload_content=False
            )
            try:
                got = bytearray()
                for block in answer.stream(1 << 16, decode_content=True):
                    got += block
                    if len(got) > LARGEST_ANSWER:
                        raise SourceUnreadable(
                            kind="openapi",
                            reason=f"an answer has more than {LARGEST_ANSWER} bytes; ask for smaller pages",
                            reason_zh=f"单次应答超过 {LARGEST_ANSWER} 字节，请减小每页条数",
                        )
                    if time.monotonic() > last:
                        return 0, {}, b""
            finally:
                answer.close()
                answer.release_conn()
        except (urllib3.exceptions.HTTPError, OSError, ValueError):
            return 0, {}, b""
        return answer.status, {name.lower(): value for name, value in answer.headers.items()}, bytes(got)

    def _credentials(self, query: dict[str, str]) -> dict[str, str]:
        """Headers that say who asks; a key of the query is put there."""
        given = self._given
        way, secret = given.get("authentication", "none"), given.get("secret", "")
        if way == "header":
            return {given.get("key_name", "Authorization"): secret}
        if way == "query":
            query[given.get("key_name", "key")] = secret
        elif way == "basic":
            return {"Authorization": _basic(given.get("user", ""), secret)}
        elif way == "oauth":
            return {"Authorization": f"Bearer {self._current_token()}"}
        return {}

    def _current_token(self) -> str:
        with self._lock:
            if not self._token or time.monotonic() > self._token_until:
                self._token, lasts_s = self._new_token()
                self._token_until = time.monotonic() + max(lasts_s - EARLY_S, 0.0)
            return self._token

    def _new_token(self) -> tuple[str, float]:
        address = self._given.get("token_address", "")
        check_address(address)
        form = {"grant_type": "client_credentials"}
        if scope := self._given.get("scope"):
            form["scope"] = scope
        headers = {
            "Accept": "application/json",
            "Content-Type": "application/x-www-form-urlencoded",
            "Authorization": _basic(self._given.get("user", ""), self._given.get("secret", "")),
        }
        status, _, body = self._call("POST", address, headers, urlencode(form).encode())
        said = _read(status, body) if status else None
        token = said.get("access_token") if isinstance(said, dict) else None
        if not isinstance(token, str) or not token.isprintable():
            raise SourceFailed()
        lasts = said.get("expires_in", 300) if isinstance(said, dict) else 300
        return token, float(lasts) if isinstance(lasts, (int, float)) else 300.0


def _basic(user: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode("ascii")


def _pause(asked: str, otherwise: float) -> float:
    return min(float(asked), LONGEST_PAUSE_S) if asked.isdecimal() else otherwise


def _read(status: int, body: bytes) -> Any:
    if status in (401, 403):
        raise SourceUnreadable(kind="openapi", reason="it refuses our credentials", reason_zh="接口拒绝所提供的凭据")
    if status != 200:
        raise SourceUnreadable(
            kind="openapi", reason=f"it answered with status {status}", reason_zh=f"接口返回状态 {status}"
        )
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise SourceUnreadable(kind="openapi", reason="it answered with no JSON", reason_zh="应答不是 JSON") from None
