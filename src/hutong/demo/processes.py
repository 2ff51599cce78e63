"""The nodes of the demonstration as processes of their own: started together, stopped together."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from hutong.demo.region import SEATS, Seat
from hutong.node.processes import die_with_parent
from hutong.vocabulary.errors import Refused

READY_WITHIN_S = 120.0  # six nodes on a small machine that is busy with other things
STOP_WITHIN_S = 10.0
LOOK_AGAIN_S = 0.1


class PortTaken(Refused):
    """The port {port} is in use on this machine."""

    zh = "本机端口 {port} 已被占用。"
    code = "port_taken"
    status = 409
    next_en = "Stop what uses it (another demonstration?), or choose others: hutong demo {folder} --port {other}"
    next_zh = "请停止占用它的程序（或另一个演示），或改用其他端口：hutong demo {folder} --port {other}"


class NodeNotReady(Refused):
    """The node {name} did not start within {seconds} seconds."""

    zh = "节点 {name} 未能在 {seconds} 秒内启动。"
    code = "node_not_ready"
    status = 503
    next_en = "Its log says why: {log}"
    next_zh = "原因见其日志：{log}"


@dataclass
class RunningNode:
    """One node's server process."""

    seat: Seat
    process: subprocess.Popen[bytes]
    log: Path


class Nodes:
    """All servers of the demonstration."""

    def __init__(self, region: Path, first_port: int) -> None:
        self.region = region
        self.first_port = first_port
        self.running: list[RunningNode] = []

    def check_ports(self) -> None:
        """raises   PortTaken"""
        for seat in SEATS:
            port = self.first_port + seat.port_offset
            with contextlib.closing(socket.socket()) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError:
                    raise PortTaken(port=port, folder=self.region, other=self.first_port + 1000) from None

    def start(self, seat: Seat) -> None:
        """Start one node's server; it may not answer yet. From the main thread only.

        The kernel ties "die with the parent" to the thread that started the child: a node started by a worker
        thread would be killed when that thread ends.
        """
        log = self.region / "logs" / f"{seat.folder}.log"
        with log.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "hutong", "serve", str(seat.home(self.region))],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - one system call, no lock, no allocation to speak of
            )
        self.running.append(RunningNode(seat, process, log))

    def wait_until_ready(self, node: RunningNode) -> None:
        """raises   NodeNotReady"""
        address = node.seat.base_url(self.first_port) + "/hutong/health"
        until = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < until and node.process.poll() is None:
            with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=2) as answer:  # noqa: S310
                if answer.status == 200:
                    return
            time.sleep(LOOK_AGAIN_S)
        raise NodeNotReady(
            name=node.seat.name_en, name_zh=node.seat.name_zh, seconds=int(READY_WITHIN_S), log=str(node.log)
        )

    def first_to_end(self) -> RunningNode | None:
        """A node whose process has ended by itself, None while all run."""
        return next((node for node in self.running if node.process.poll() is not None), None)

    def stop(self) -> None:
        """Stop all, gracefully, then by force."""
        for node in self.running:
            if node.process.poll() is None:
                node.process.send_signal(signal.SIGTERM)
        until = time.monotonic() + STOP_WITHIN_S
        for node in self.running:
            try:
                node.process.wait(timeout=max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                node.process.kill()
                node.process.wait()
        self.running.clear()
