"""An answer in a file that stays at the provider for a day: fetched in pieces, and continued by itself after a cut."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import urllib3

from hutong.client.problems import BrokenAnswer, NodeUnreachable, RefusedByNode
from hutong.client.reading import PIECE, Reading, progress_bar

if TYPE_CHECKING:
    from hutong.client.connection import Connection

TRIES = 8  # in a row without a byte; then it is given up
LONGEST_PAUSE_S = 30.0
SPENT = frozenset({"quota_spent", "batch_over_quota"})  # no moment's wait helps
TRIED_AGAIN = frozenset({429, 502, 503, 504})  # answers that may be others in a moment


class FileReading(Reading):
    """As every reading, and it survives cuts: what came is kept, and the rest is asked for.

    opened   what the node said of the files: exchange, form, version, files, signature
    """

    def __init__(self, connection: Connection, opened: dict[str, Any]) -> None:
        super().__init__(None, connection, str(opened["exchange"]))
        self.opened = opened
        self.file: dict[str, Any] = opened["files"][0]

    def chunks(self, had: Iterable[bytes] = ()) -> Iterator[bytes]:
        """The file's bytes, checked against its digest and the register at the end.

        had      what came before and was kept: it is checked too, and not given again
        raises   BrokenAnswer when it cannot be continued; RefusedByNode when the agreement gives no more
        """
        self._start()
        for part in had:
            self._take(part)
        size = int(self.file["bytes"])
        with progress_bar(self._connection.progress, size) as advance:
            advance(self.bytes)
            tries = 0
            while self.bytes < size:
                try:
                    for piece in self._rest():
                        tries = 0
                        self._take(piece)
                        advance(len(piece))
                        yield piece
                except (urllib3.exceptions.HTTPError, NodeUnreachable):
                    pass
                except RefusedByNode as refused:
                    if refused.status not in TRIED_AGAIN or refused.code in SPENT:
                        raise
                tries += 1
                if tries >= TRIES:
                    raise self._broken("the connection was closed again and again", "连接多次断开")
                if self.bytes < size:
                    time.sleep(min(2.0**tries / 8, LONGEST_PAUSE_S))
        if "sha256:" + self._hash.hexdigest() != self.file["digest"]:
            raise self._broken("its bytes are not those of its digest", "内容与其摘要不符")
        self._check()

    def _rest(self) -> Iterator[bytes]:
        """What is missing, until it comes to its end or is cut."""
        response = self._connection.open_file(str(self.file["url"]), self.bytes)
        try:
            while piece := response.read(PIECE, decode_content=False):
                yield piece
        finally:
            response.release_conn()

    def _take(self, piece: bytes) -> None:
        self._hash.update(piece)
        self.bytes += len(piece)

    def _broken(self, reason: str, reason_zh: str) -> BrokenAnswer:
        return BrokenAnswer(exchange=self.exchange, reason=reason, reason_zh=reason_zh)
