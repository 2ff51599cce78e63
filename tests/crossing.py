"""The way to a node, watched: every message to it passes here, and a test may act between its answer and the asker.

with Crossing(lambda: node, passed) as crossing:
    region.base_urls["320000"] = crossing.base_url
"""

from __future__ import annotations

import http.client
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler

import orjson

from tests.dsp_messages import said_by
from tests.nodes import Node
from tests.serving import Handler, Serving

# Called with what was said and the status of the node's answer; the asker hears it unless this says False.
Passed = Callable[[str, int], bool]


class Crossing(Serving):
    """An HTTP server that forwards byte for byte to where the node listens. A node that is down is down here too."""

    def __init__(self, node: Callable[[], Node], passed: Passed) -> None:
        crossing = self

        class Forwarder(Handler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                crossing._forward(self)

            do_POST = do_PUT = do_GET

        self._node, self._passed = node, passed
        super().__init__(Forwarder)
        self.base_url = self.address

    def _forward(self, asked: BaseHTTPRequestHandler) -> None:
        asked.close_connection = True
        body = asked.rfile.read(int(asked.headers.get("Content-Length") or 0))
        try:
            status, headers, content = self._ask(asked, body)
        except (OSError, http.client.HTTPException):
            return  # the connection ends without an answer
        said = said_by(orjson.loads(body)) if body and asked.path.startswith("/dsp/") else ""
        if said and not self._passed(said, status):
            return
        asked.send_response_only(status)
        for name, value in headers:
            if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                asked.send_header(name, value)
        asked.send_header("Content-Length", str(len(content)))
        asked.send_header("Connection", "close")
        asked.end_headers()
        asked.wfile.write(content)

    def _ask(self, asked: BaseHTTPRequestHandler, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        wire = http.client.HTTPConnection(self._node().settings.listen, timeout=30)
        try:
            wire.request(asked.command, asked.path, body, dict(asked.headers.items()))
            answer = wire.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            wire.close()
