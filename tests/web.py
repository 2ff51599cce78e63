"""A small web server that a test's connector listens with: it keeps what it heard and answers what the test says."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.serving import Handler, Serving


@dataclass(frozen=True)
class Heard:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        return dict(json.loads(self.body))


class Web(Serving):
    """`answer` gives a status and a JSON object; a Location in the object becomes a header."""

    def __init__(self, port: int = 0) -> None:
        self.heard: list[Heard] = []
        self.answer: Callable[[Heard], tuple[int, dict[str, Any]]] = lambda _: (200, {})
        super().__init__(_handler(self), port)


def _handler(web: Web) -> type[Handler]:
    class Listener(Handler):
        def do_POST(self) -> None:
            heard = Heard(self.path, dict(self.headers), self.body())
            web.heard.append(heard)
            status, given = web.answer(heard)
            self.answer(status, given, {"Location": given["Location"]} if "Location" in given else {})

    return Listener
