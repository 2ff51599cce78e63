"""A small real SMTP server (RFC 5321): it keeps what it took, and refuses the recipients it is told to refuse."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Self, cast


@dataclass(frozen=True)
class Letter:
    sender: str
    to: str
    message: EmailMessage

    @property
    def text(self) -> str:
        return str(self.message.get_content())


class Post:
    """`takes` says whether a recipient is taken; a closed one answers nobody."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.takes: Callable[[str], bool] = lambda _: True
        self._server: socketserver.ThreadingTCPServer | None = None
        self.port = 0

    def __enter__(self) -> Self:
        socketserver.ThreadingTCPServer.allow_reuse_address = True
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", self.port), _handler(self))
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()


def _handler(post: Post) -> type[socketserver.StreamRequestHandler]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            sender = to = ""
            self._say("220 post ESMTP")
            while line := self.rfile.readline().decode("ascii").strip():
                verb, _, rest = line.partition(" ")
                verb, address = verb.upper(), rest.partition("<")[2].partition(">")[0]
                if verb == "MAIL":
                    sender = address
                    self._say("250 OK")
                elif verb == "RCPT":
                    to = address
                    self._say("250 OK" if post.takes(to) else "550 no such mailbox")
                elif verb == "DATA":
                    self._say("354 go on")
                    message = cast(EmailMessage, message_from_bytes(self._data(), policy=policy.default))
                    post.letters.append(Letter(sender, to, message))
                    self._say("250 OK")
                elif verb == "QUIT":
                    self._say("221 bye")
                    return
                else:
                    self._say("250 OK")

        def _data(self) -> bytes:
            lines = []
            while (line := self.rfile.readline()) not in (b".\r\n", b""):
                lines.append(line.removeprefix(b"."))
            return b"".join(lines)

        def _say(self, text: str) -> None:
            self.wfile.write(text.encode("ascii") + b"\r\n")

    return Handler
