"""`hutong serve`: one command runs the whole node; control plane and exchange may also run apart."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import FrameType

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels

from hutong.node import settings as node_settings
from hutong.node.settings import BadSetting, Settings
from hutong.vocabulary.errors import Refused

STOP_WITHIN_S = 10  # for requests under way when the node is told to stop


class AddressTaken(Refused):
    """Another process already listens on {address}."""

    zh = "{address} 已被其他进程占用。"
    code = "address_taken"
    status = 409
    next_en = "Stop that process, or change listen in hutong.toml."
    next_zh = "请停止该进程，或修改 hutong.toml 中的 listen。"


def serve(home: Path, *, part: str = "all", workers: int = 1) -> None:
    """Serve until told to stop (SIGTERM or SIGINT: requests under way end first).

    part      all, control or exchange
    workers   processes; each serves the whole part, one of them also does the node's own work
    raises    NoNode, BadSetting, AddressTaken
    """
    settings = node_settings.load(home)
    apart = settings.listen_exchange and settings.listen_exchange != settings.listen
    if part == "all" and apart:
        _serve_apart(settings, workers)
        return
    address = settings.listen_exchange if part == "exchange" and apart else settings.listen
    host, port = split_address(address)
    _check_free(host, port)
    os.environ["HUTONG_HOME"] = str(settings.home)
    os.environ["HUTONG_PART"] = part
    Granian(
        "hutong.node.application:make",
        factory=True,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        websockets=False,
        workers=workers,
        respawn_failed_workers=True,
        respawn_interval=0.5,
        workers_kill_timeout=STOP_WITHIN_S,
        log_level=LogLevels.warning,
        ssl_cert=Path(settings.tls_certificate) if settings.tls_certificate else None,
        ssl_key=Path(settings.tls_key) if settings.tls_key else None,
    ).serve()


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


def _serve_apart(settings: Settings, workers: int) -> None:
    """Control plane and exchange as two servers; when one ends, both do, and the exit code says so."""
    base = [sys.executable, "-m", "hutong", "serve", str(settings.home), "--part"]
    servers = [
        subprocess.Popen([*base, "control"]),
        subprocess.Popen([*base, "exchange", "--workers", str(workers)]),
    ]

    def stop(_number: int, _frame: FrameType | None) -> None:
        for server in servers:
            server.terminate()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    codes = []
    os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
    for server in servers:
        server.terminate()
    codes = [server.wait() for server in servers]
    sys.exit(next((code for code in codes if code), 0))
