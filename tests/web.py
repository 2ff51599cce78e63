"""A small web server that a test's connector listens with: it keeps what it heard and answers what the test says."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass(frozen=True)
class Heard:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        return dict(json.loads(self.body))


class Web:
    """`answer` gives a status and a JSON object; a Location in the object becomes a header."""

    def __init__(self, port: int = 0) -> None:
        self.heard: list[Heard] = []
        self.answer: Callable[[Heard], tuple[int, dict[str, Any]]] = lambda _: (200, {})
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(web: Web) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            heard = Heard(self.path, dict(self.headers), body)
            web.heard.append(heard)
            status, given = web.answer(heard)
            content = json.dumps(given).encode()
            self.send_response(status)
            if "Location" in given:
                self.send_header("Location", given["Location"])
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    return Handler
