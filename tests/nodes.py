"""Real nodes as real processes on free ports, for journeys and fault tests.

    with Region(tmp_path) as region:
        region.start("yrd", "320000", "340000")          # the first keeps the directory; the others join it
        answer = region.ask("340000", "320000", "GET", "/hutong/ping")

`Region(tmp_path, databases=lambda jurisdiction: "postgresql://...")` puts each node on PostgreSQL.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, Self

import orjson

from hutong.node import settings
from hutong.node.client import NodeClient, SignedAnswer
from hutong.node.keyring import public_key
from hutong.node.keys import SigningKey, load_node_keys
from hutong.node.settings import Settings
from hutong.node.signatures import PublicKey
from tests import launcher
from tests.terminal import Done, Terminal, run
from tests.this_machine import free_port, until

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("HUTONG_DATA", ROOT.parent / "shared" / "data")).resolve()
NAMES = {
    "100000": ("国家", "Nation", "nation"),
    "yrd": ("长三角", "Yangtze River Delta", "region"),
    "310000": ("上海市", "Shanghai", "province"),
    "320000": ("江苏省", "Jiangsu", "province"),
    "330000": ("浙江省", "Zhejiang", "province"),
    "340000": ("安徽省", "Anhui", "province"),
}
START_WITHIN_S = 60.0


class CommandFailed(Exception):
    """A command ended with an exit code other than 0."""

    def __init__(self, arguments: tuple[str, ...], code: int, output: str, error: str) -> None:
        super().__init__(f"hutong {' '.join(arguments)}: exit code {code}\n{output}\n{error}")
        self.code, self.output, self.error = code, output, error


@dataclass
class Node:
    """One node: a folder, and its server when started."""

    home: Path
    jurisdiction: str
    environment: dict[str, str] = field(default_factory=dict)
    process: launcher.Process | subprocess.Popen[bytes] | None = None
    terminal: Terminal | None = None
    _opening: Lock = field(default_factory=Lock)

    @property
    def settings(self) -> Settings:
        return settings.load(self.home)

    @property
    def base_url(self) -> str:
        """Where people and applications reach it."""
        return self.settings.portal_url

    @property
    def log(self) -> str:
        return self.home.with_suffix(".log").read_text(encoding="utf-8")

    def hutong(self, *arguments: str, given: str | None = None) -> str:
        """Run `hutong ARGUMENTS`, with this on its standard input, and return what it printed.

        raises   CommandFailed
        """
        done = self._run({"arguments": arguments}, given)
        if done.code != 0:
            raise CommandFailed(arguments, done.code, done.output, done.error)
        return done.output

    def json(self, *arguments: str) -> Any:
        return orjson.loads(self.hutong(*arguments, "--json"))

    def python(self, code: str, given: Any = None) -> Any:
        """Run code inside this node (its Django set up) and return the JSON it printed, None for nothing.

        given   is JSON on its standard input
        """
        done = self._run({"code": code}, None if given is None else orjson.dumps(given).decode())
        if done.code != 0:
            raise CommandFailed(("python",), done.code, done.output, done.error)
        return orjson.loads(done.output) if done.output.strip() else None

    def start(self, *arguments: str) -> None:
        """Serve, and wait until it is healthy."""
        self.launch(*arguments)
        until(self._serves, within_s=START_WITHIN_S, what=f"the start of {self.jurisdiction}")

    def launch(self, *arguments: str) -> None:
        """Serve, without waiting."""
        with self.home.with_suffix(".log").open("ab") as log:
            serving = ("serve", str(self.home), *arguments)
            self.process = launcher.start("hutong", serving, self._environment(), out=log.fileno(), error=log.fileno())

    def stand_alone(self) -> None:
        """Serve anew in a process that shares no memory with the tests' others, as people start it."""
        self.stop()
        command = [sys.executable, "-m", "hutong", "serve", str(self.home)]
        with self.home.with_suffix(".log").open("ab") as log:
            self.process = subprocess.Popen(command, env=self._environment(), stdout=log, stderr=log)
        until(self._serves, within_s=START_WITHIN_S, what=f"the start of {self.jurisdiction}")

    def stop(self) -> int:
        """Ask it to stop, and wait. returns its exit code"""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """kill -9 of the server's first process; the others must not outlive it."""
        self._end(signal.SIGKILL)
        port = int(self.settings.listen.rpartition(":")[2])
        until(lambda: _is_free(port), what=f"the end of every process of {self.jurisdiction}")

    def get(self, path: str) -> tuple[int, bytes]:
        """An unsigned GET."""
        try:
            with urllib.request.urlopen(self.base_url + path, timeout=10) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def key(self) -> SigningKey:
        """The node's oldest key, to sign in its name."""
        return load_node_keys(self.settings)[0]

    def close(self) -> None:
        """Stop it, and its terminal."""
        self.stop()
        if self.terminal is not None:
            self.terminal.close()
            self.terminal = None

    def _run(self, call: dict[str, Any], given: str | None) -> Done:
        """In the node's terminal; by a process of its own where there is no node yet."""
        environment = self._environment()
        if not (self.home / "hutong.toml").exists():
            return run("hutong", call["arguments"], environment, given)
        with self._opening:
            if self.terminal is not None and not self.terminal.serves(self.home, environment):
                self.terminal.close()
                self.terminal = None
            if self.terminal is None:
                self.terminal = Terminal(self.home, environment)
        return self.terminal.run(call, given)

    def _environment(self) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("HUTONG_", "DJANGO_"))}
        return clean | {"PYTHONPATH": str(ROOT / "src"), "LANG": "C.UTF-8"} | self.environment

    def _serves(self) -> bool:
        if self.process is not None and self.process.poll() is not None:
            raise RuntimeError(f"{self.jurisdiction} ended with {self.process.returncode}:\n{self.log}")
        try:
            return self.get("/hutong/health")[0] == 200
        except OSError:
            return False

    def _end(self, number: int) -> int:
        if self.process is None:
            return 0
        self.process.send_signal(number)
        code = self.process.wait(timeout=30)
        self.process = None
        return code


@dataclass
class RingOf:
    """A key ring for a test that speaks as one node: everyone's public keys, that node's private one."""

    own: SigningKey
    public: dict[str, PublicKey]

    def lookup(self, keyid: str) -> PublicKey | None:
        return self.public.get(keyid)

    def signing_key(self) -> SigningKey:
        return self.own


class Region:
    """Nodes that know each other. The first one started keeps the directory."""

    def __init__(self, folder: Path, databases: Callable[[str], str] | None = None) -> None:
        self.folder = folder
        self.databases = databases
        self.nodes: dict[str, Node] = {}
        self.serve_arguments: tuple[str, ...] = ()
        self.environment: dict[str, str] = {}  # settings of every node
        self.arguments_of: dict[str, tuple[str, ...]] = {}  # for hutong serve, where a node's are its own
        self.base_urls: dict[str, str] = {}  # where others reach a node, if not where it listens
        self.exchange_urls: dict[str, str] = {}  # where others reach its exchange, if not there

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def __getitem__(self, jurisdiction: str) -> Node:
        return self.nodes[jurisdiction]

    def start(self, keeper: str, *members: str, arguments: tuple[str, ...] = ()) -> Self:
        """Make, serve and join them; returns when every node has the same directory."""
        self.serve_arguments = arguments
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(self.make, (keeper, *members)))
            starting = (keeper, *members)
            list(pool.map(lambda one: self[one].start(*self.arguments_of.get(one, arguments)), starting))
        for one in members:
            self.join(one, keeper)
        until(lambda: len({self.directory_version(one) for one in self.nodes}) == 1, what="one directory everywhere")
        return self

    def make(self, jurisdiction: str) -> Node:
        """`hutong init`; not yet served, not yet joined."""
        name_zh, name_en, place = NAMES.get(jurisdiction, (jurisdiction, jurisdiction, "city"))
        environment = {"HUTONG_SOURCE_ROOTS": f"{self.folder}:{DATA}", **self.environment}
        if self.databases is not None:
            environment["DATABASE_URL"] = self.databases(jurisdiction)
        node = Node(self.folder / jurisdiction, jurisdiction, environment)
        options = {
            "--jurisdiction": jurisdiction,
            "--name-zh": name_zh,
            "--name-en": name_en,
            "--place": place,
            "--listen": f"127.0.0.1:{free_port()}",
        }
        if jurisdiction in self.base_urls:
            options["--base-url"] = self.base_urls[jurisdiction]
        if jurisdiction in self.exchange_urls:
            options["--exchange-url"] = self.exchange_urls[jurisdiction]
        node.hutong("init", str(node.home), *(part for option in options.items() for part in option))
        self.nodes[jurisdiction] = node
        return node

    def join(self, jurisdiction: str, keeper: str) -> None:
        invitation = self[keeper].hutong("invite", str(self[keeper].home), "--jurisdiction", jurisdiction).strip()
        self[jurisdiction].hutong("join", str(self[jurisdiction].home), invitation)

    def directory_version(self, jurisdiction: str) -> int:
        """The version a running node has."""
        return int(orjson.loads(self[jurisdiction].get("/hutong/health")[1])["directory_version"])

    def ring(self, jurisdiction: str) -> RingOf:
        """Keys to sign in a node's name, and to check everyone's answers."""
        listed = self[jurisdiction].json("members", str(self[jurisdiction].home))["members"]
        public = {key["id"]: public_key(one["jurisdiction"], key) for one in listed for key in one["keys"]}
        return RingOf(self[jurisdiction].key(), public)

    def ask(
        self, sender: str, receiver: str, method: str, path: str, body: dict[str, Any] | None = None
    ) -> SignedAnswer:
        """One signed call from the test in the sender's name, without its outbox."""
        keys, raw = self.ring(sender), b"" if body is None else orjson.dumps(body)

        async def call() -> SignedAnswer:
            async with NodeClient(keys) as client:
                return await client.call(method, self[receiver].base_url + path, raw, peer=receiver)

        return asyncio.run(call())

    def stop(self) -> None:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(Node.close, self.nodes.values()))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
