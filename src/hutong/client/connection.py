"""A connection to one's own node."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import urllib3

from hutong.client.files import FileReading
from hutong.client.problems import NodeUnreachable, refusal
from hutong.client.reading import Reading
from hutong.vocabulary.errors import BadInput

ARROW = "application/vnd.apache.arrow.stream"
JSON = "application/json"
CONNECT_WITHIN_S = 10.0
ASK_AGAIN_S = 1.0  # while the provider writes a file
SILENT_AT_MOST_S = 300.0  # between two pieces of an answer

Where = str | Mapping[str, Any] | None


def connect(url: str, key: str, *, progress: bool | None = None, authority: str = "") -> Connection:
    """A connection to your node.

    url        the node's address, for example "https://node.example.gov.cn"
    key        the application's API key, from: hutong key create
    progress   show a bar on long reads; None = when standard error is a terminal
    authority  PEM file of the authority of a closed network; "" for those that the system trusts
    """
    if not url.startswith(("http://", "https://")):
        raise BadInput(
            reason="the node's address begins with http:// or https://",
            reason_zh="节点地址须以 http:// 或 https:// 开头",
        )
    return Connection(url, key, progress=progress, authority=authority)


class Connection:
    """Keeps connections alive; safe for threads."""

    def __init__(self, url: str, key: str, *, progress: bool | None = None, authority: str = "") -> None:
        self.url = url.rstrip("/")
        self.progress = progress
        self._headers = {"Authorization": f"Bearer {key}"}
        self._pool = urllib3.PoolManager(
            retries=False,
            timeout=urllib3.Timeout(connect=CONNECT_WITHIN_S, read=SILENT_AT_MOST_S),
            ca_certs=authority or None,
        )

    def __repr__(self) -> str:
        return f"<hutong connection to {self.url}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._pool.clear()

    def agreements(self) -> list[dict[str, Any]]:
        """What this key may read: agreement, provider, state, items, purposes, end."""
        found: list[dict[str, Any]] = self._get("/exchange/v1/agreements")["agreements"]
        return found

    def read(
        self,
        agreement: str,
        *,
        items: Sequence[str] | None = None,
        where: Where = None,
        limit: int | None = None,
        key: tuple[str, str | int] | None = None,
        purpose: str,
        case: str,
        idempotency_key: str = "",
        resume: bool = False,
    ) -> Reading:
        """Read under an agreement. Nothing is transferred whole until you ask for it.

        items      names, in the order wanted; None = every item of the agreement
        where      "city = '南京' and registered_on >= '2000-01-01'", or the condition's document
        limit      most rows
        key        (item, value): the records with that value
        purpose    the agreed purpose's code
        case       your case number; it stays at your node, the provider sees a keyed digest
        idempotency_key   your own word for this read: asked again with it, within the hour, it is one exchange
        resume     for large answers: the provider writes a file first, and a cut is continued where it was
        raises     RefusedByNode with the refusal's code, reason and next step; NodeUnreachable
        """
        if resume and key is None:
            named = {"purpose": purpose, "case": case, "idempotency_key": idempotency_key}
            return self.files(agreement, ARROW, items=items, where=where, limit=limit, **named)
        response = self._open(
            agreement, ARROW, self._body(items, where, limit, key), purpose, case, repeat=idempotency_key
        )
        return Reading(response, self, response.headers.get("Hutong-Exchange", ""))

    def lookup(
        self,
        agreement: str,
        item: str,
        values: Sequence[str | int],
        *,
        items: Sequence[str] | None = None,
        where: Where = None,
        purpose: str,
        case: str,
        idempotency_key: str = "",
    ) -> dict[str | int, list[dict[str, Any]]]:
        """The records of up to 1,000 keys in one exchange, which counts one call for each key.

        returns    by key, in the order asked, its rows; an empty list for a key that has none
        raises     RefusedByNode, for the whole of it; NodeUnreachable
        """
        body = self._body(items, where, None, None) | {"keys": {"item": item, "values": list(values)}}
        response = self._open(agreement, JSON, body, purpose, case, repeat=idempotency_key)
        try:
            answers = response.json()
        except urllib3.exceptions.HTTPError as error:
            raise NodeUnreachable(url=self.url) from error
        finally:
            response.release_conn()
        return {one["key"]: one["rows"] for one in answers}

    def download(
        self,
        agreement: str,
        media_type: str,
        *,
        items: Sequence[str] | None = None,
        where: Where = None,
        limit: int | None = None,
        purpose: str,
        case: str,
    ) -> Reading:
        """The same as bytes in another form (text/csv, application/vnd.apache.parquet, application/json): .chunks()."""
        response = self._open(agreement, media_type, self._body(items, where, limit, None), purpose, case)
        return Reading(response, self, response.headers.get("Hutong-Exchange", ""))

    def files(
        self,
        agreement: str,
        media_type: str,
        *,
        items: Sequence[str] | None = None,
        where: Where = None,
        limit: int | None = None,
        purpose: str,
        case: str,
        idempotency_key: str = "",
    ) -> FileReading:
        """The same as a file, Arrow or Parquet, that can be fetched for a day and in any pieces.

        Waits while the provider writes it. One exchange, on record when its first byte leaves.
        """
        repeat = idempotency_key or str(uuid.uuid4())  # while it is written, each ask is the same exchange
        body = self._body(items, where, limit, None)
        while True:
            response = self._open(agreement, media_type, body, purpose, case, repeat=repeat, files=True)
            said = response.json()
            if response.status == 201:
                return FileReading(self, said)
            time.sleep(ASK_AGAIN_S)

    def open_file(self, path: str, start: int) -> urllib3.BaseHTTPResponse:
        """The bytes of an opened file from a place on. raises   RefusedByNode, NodeUnreachable"""
        headers = self._headers | ({"Range": f"bytes={start}-"} if start else {})
        try:
            response = self._pool.request("GET", self.url + path, headers=headers, preload_content=False)
        except urllib3.exceptions.HTTPError as error:
            raise NodeUnreachable(url=self.url) from error
        if response.status != (206 if start else 200):
            refused = refusal(response.status, response.read())
            response.release_conn()
            raise refused
        return response

    def replay(
        self,
        agreement: str,
        exchange: str,
        *,
        purpose: str,
        case: str,
        media_type: str = ARROW,
        idempotency_key: str = "",
    ) -> Reading:
        """Rows of an earlier exchange that stayed behind for want of a regional code, and can be sent by now.

        exchange   the earlier exchange's id; exchange(id) has "replay": "ready" when there are such rows
        raises     RefusedByNode: nothing_to_replay when there are none, or they were sent before
        """
        body = {"replay": exchange}
        response = self._open(agreement, media_type, body, purpose, case, repeat=idempotency_key)
        return Reading(response, self, response.headers.get("Hutong-Exchange", ""))

    def exchange(self, exchange_id: str) -> dict[str, Any]:
        """How one of your exchanges stands in your node's register: outcome, rows, bytes, digest, receipt.

        Where rows stayed behind because a value has no regional code yet: "withheld", how many by item, and "replay",
        which is "waiting", "ready" or "replayed".
        """
        return self._get("/exchange/v1/exchanges/" + quote(exchange_id, safe=""))

    def changes(self, agreement: str, *, after: int = 0, wait_s: int = 30) -> Iterator[dict[str, Any]]:
        """Changes under an agreement by subscription, as CloudEvents, in order, for as long as you take them.

        after    the position of the last one you have dealt with: keep each event's "sequence", and give it here when
                 you begin again. What follows a position is given again until you ask for what follows a later one
        wait_s   how long one question waits for a change, 0 to 30: with 0 it ends when there is none now
        raises   RefusedByNode; NodeUnreachable
        """
        while True:
            path = f"/exchange/v1/agreements/{quote(agreement, safe=':')}/events?after={after}&wait={wait_s}"
            found = self._get(path)
            yield from found["events"]
            if not found["events"] and wait_s == 0:
                return
            after = found["position"]

    def report(
        self, agreement: str, *, items: Sequence[str], key: tuple[str, str | int], fault: str, evidence: str
    ) -> dict[str, Any]:
        """Report that a record you received is wrong; your node seals its key for the provider alone.

        items      names of the items that are wrong
        key        (item, value) that tells the record apart
        fault      wrong_value, missing_value, out_of_date, wrong_form, wrong_subject, duplicate or no_such_record
        evidence   what it rests on, for example a document and its number
        returns    the ticket and how it stands: ticket, agreement, state, due_on, corrected_at, changes
        raises     RefusedByNode; NodeUnreachable
        """
        said = {"agreement": agreement, "items": list(items), "key": {"item": key[0], "value": key[1]}}
        return self._ask("POST", "/hutong/corrections", 201, json={**said, "fault": fault, "evidence": evidence})

    def correction(self, ticket: str) -> dict[str, Any]:
        """How a report of yours stands."""
        return self._get("/hutong/corrections/" + quote(ticket, safe=""))

    def _body(
        self, items: Sequence[str] | None, where: Where, limit: int | None, key: tuple[str, str | int] | None
    ) -> dict[str, Any]:
        return {
            "items": None if items is None else list(items),
            "where": where if where is None or isinstance(where, str) else dict(where),
            "limit": limit,
            "key": None if key is None else {"item": key[0], "value": key[1]},
        }

    def _open(
        self,
        agreement: str,
        accept: str,
        body: dict[str, Any],
        purpose: str,
        case: str,
        *,
        repeat: str = "",
        files: bool = False,
    ) -> urllib3.BaseHTTPResponse:
        headers = {
            **self._headers,
            "Accept": accept,
            "Hutong-Purpose": purpose,
            # A header is bytes; Chinese case numbers travel as UTF-8.
            "Hutong-Case": case.encode("utf-8").decode("latin-1"),
            **({"Idempotency-Key": repeat} if repeat else {}),
        }
        what = "files" if files else "read"
        url = f"{self.url}/exchange/v1/agreements/{quote(agreement, safe=':')}/{what}"
        try:
            response = self._pool.request("POST", url, headers=headers, json=body, preload_content=False)
        except urllib3.exceptions.HTTPError as error:
            raise NodeUnreachable(url=self.url) from error
        if response.status not in (200, 201, 202):
            refused = refusal(response.status, response.read())
            response.release_conn()
            raise refused
        return response

    def _get(self, path: str) -> dict[str, Any]:
        return self._ask("GET", path, 200)

    def _ask(self, method: str, path: str, expected: int, **body: Any) -> dict[str, Any]:
        try:
            response = self._pool.request(method, self.url + path, headers=self._headers, **body)
        except urllib3.exceptions.HTTPError as error:
            raise NodeUnreachable(url=self.url) from error
        if response.status != expected:
            raise refusal(response.status, response.data)
        found: dict[str, Any] = response.json()
        return found
