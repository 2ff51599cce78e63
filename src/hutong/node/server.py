"""`hutong serve`: one command runs the whole node; control plane and exchange may also run apart."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from types import FrameType

from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server.mp import MPServer

from hutong.node import draining
from hutong.node import settings as node_settings
from hutong.node.settings import BadSetting, Settings
from hutong.vocabulary.errors import Refused

# At a SIGHUP the new worker has so long to start before the old one stops taking requests: it needs a second or two,
# and more than five where other work keeps the processors; a connection that comes between the two is refused.
RELOAD_AFTER_S = 15.0


class _Drained(MPServer):
    """A server that says "draining" for a while before it closes its doors; told twice, it closes them at once."""

    notice_s = 0

    def signal_handler_interrupt(self, *_args: object, **_kwargs: object) -> None:
        told_before = draining.draining()
        draining.announce()
        if told_before or not self.notice_s:
            self._close()
            return
        closing = threading.Timer(self.notice_s, self._close)
        closing.daemon = True
        closing.start()

    def _close(self) -> None:
        super().signal_handler_interrupt()  # type: ignore[no-untyped-call]


class AddressTaken(Refused):
    """Another process already listens on {address}."""

    zh = "{address} 已被其他进程占用。"
    code = "address_taken"
    status = 409
    next_en = "Stop that process, or change listen in hutong.toml."
    next_zh = "请停止该进程，或修改 hutong.toml 中的 listen。"


def serve(home: Path, *, part: str = "all", workers: int = 1) -> None:
    """Serve until told to stop.

    On SIGTERM or SIGINT health says "draining" for `drain_notice_s`; then no connection is taken any more, requests
    and streams under way have `drain_limit_s` to end, and the processes exit.

    part      one of settings.PARTS
    workers   processes; each serves the whole part, one of them also does the node's own work
    raises    NoNode, BadSetting, AddressTaken
    """
    settings = node_settings.load(home)
    parts = _parts(settings)
    if part == "all" and len(parts) > 1:
        _serve_apart(settings, parts, workers)
        return
    address = parts.get(part, settings.listen)
    host, port = split_address(address)
    _check_free(host, port)
    os.environ["HUTONG_HOME"] = str(settings.home)
    os.environ["HUTONG_PART"] = part
    draining.prepare(settings.home, part, port)
    shown = part == "nodes" or not settings.plain_inside
    server = _Drained(
        "hutong.node.application:make",
        factory=True,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        websockets=False,
        workers=workers,
        respawn_failed_workers=True,
        workers_kill_timeout=max(1, int(settings.drain_limit_s)),
        log_level=LogLevels.warning,
        respawn_interval=RELOAD_AFTER_S,
        ssl_cert=Path(settings.tls_certificate) if settings.tls_certificate and shown else None,
        ssl_key=Path(settings.tls_key) if settings.tls_key and shown else None,
        ssl_ca=Path(settings.tls_authority) if part == "nodes" else None,
        ssl_client_verify=part == "nodes",
    )
    server.notice_s = int(settings.drain_notice_s)
    server.serve()


def split_address(address: str) -> tuple[str, int]:
    """host and port of `host:port`.

    raises   BadSetting
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise BadSetting(name="listen", reason=f"{address} is not host:port", reason_zh=f"{address} 不是 主机:端口")
    return host.strip("[]"), int(port)


def _check_free(host: str, port: int) -> None:
    # The server's own sockets share their port among workers (SO_REUSEPORT), so a second node
    # on the same port would be let in silently and take half of the requests.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise AddressTaken(address=f"{host}:{port}") from error


def _parts(settings: Settings) -> dict[str, str]:
    """The servers that make up the whole node, and where each listens."""
    apart = settings.listen_exchange and settings.listen_exchange != settings.listen
    parts = {"control": settings.listen, "exchange": settings.listen_exchange} if apart else {"all": settings.listen}
    if not settings.listen_nodes:
        return parts
    return (parts if apart else {"inside": settings.listen}) | {"nodes": settings.listen_nodes}


def _serve_apart(settings: Settings, parts: dict[str, str], workers: int) -> None:
    """Several servers; when one ends, all do, and the exit code says so."""
    base = [sys.executable, "-m", "hutong", "serve", str(settings.home), "--part"]
    servers = [
        subprocess.Popen([*base, part, "--workers", "1" if part == "control" else str(workers)]) for part in parts
    ]

    def pass_on(number: int, _frame: FrameType | None) -> None:
        for server in servers:
            server.send_signal(number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, pass_on)
    os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
    for server in servers:
        server.terminate()
    codes = [server.wait() for server in servers]
    sys.exit(next((code for code in codes if code), 0))
