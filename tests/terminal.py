"""A node's command line kept warm: one process has loaded everything, and each command runs in a fork of it.

What runs is the command line itself, in a process of its own that ends with it; only loading the modules (nearly two
seconds a command) is not done again. A node whose settings or environment have changed gets a new terminal.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import socket
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import orjson

from tests import launcher

WITHIN_S = 120.0
LONGEST_CALL = 1 << 20  # bytes: the words of one command, or the code to run


@dataclass(frozen=True)
class Done:
    code: int
    output: str
    error: str


def run(module: str, arguments: Sequence[str], environment: Mapping[str, str], given: str | None) -> Done:
    """A program of its own, from its start to its end.

    raises   subprocess.TimeoutExpired, the program then ended
    """
    with tempfile.TemporaryFile() as asked, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        asked.write((given or "").encode())
        asked.seek(0)
        files = {"given": asked.fileno(), "out": out.fileno(), "error": err.fileno()}
        process = launcher.start(module, arguments, environment, **files)
        try:
            code = process.wait(WITHIN_S)
        finally:
            process.kill()
        return Done(code, _read(out), _read(err))


class Terminal:
    """The parent's end. One command at a time may be waited for by each thread."""

    def __init__(self, home: Path, environment: Mapping[str, str]) -> None:
        self.key = _key(home, environment)
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = launcher.start("tests.terminal", [str(home)], environment, passed=theirs.fileno())

    def run(self, call: Mapping[str, str | Sequence[str]], given: str | None) -> Done:
        """call   {"arguments": [...]} for `hutong ARGUMENTS`, {"code": "..."} for code inside the node

        raises   TimeoutError, the command then ended; ConnectionError when the terminal has died
        """
        with tempfile.TemporaryFile() as asked, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            asked.write((given or "").encode())
            asked.seek(0)
            here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with here:
                with there:
                    files = [one.fileno() for one in (asked, out, err)]
                    socket.send_fds(self._ours, [orjson.dumps(call)], [*files, there.fileno()])
                code = _ended(here)
            return Done(code, _read(out), _read(err))

    def serves(self, home: Path, environment: Mapping[str, str]) -> bool:
        return self._process.poll() is None and self.key == _key(home, environment)

    def close(self) -> None:
        """The process ends when its line does."""
        self._ours.close()
        self._process.wait(timeout=30)

    __del__ = close  # of a node that nobody stops


def _ended(line: socket.socket) -> int:
    """The exit code the fork says on its line; -9 when it ended without a word."""
    pid = int(line.recv(64) or b"0")
    if not pid:
        raise ConnectionError("the terminal has died")
    ready, _, _ = select.select([line], [], [], WITHIN_S)
    if not ready:
        os.kill(pid, signal.SIGKILL)
        raise TimeoutError(f"no end after {WITHIN_S} s")
    return int(line.recv(64) or b"-9")


def _read(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


def _key(home: Path, environment: Mapping[str, str]) -> tuple[object, ...]:
    status = (home / "hutong.toml").stat()
    return status.st_mtime_ns, status.st_size, tuple(sorted(environment.items()))


def _serve(home: str, number: int) -> None:
    """The terminal's own process: loads everything, then forks for each call until the other end closes."""
    from hutong.node import parts
    from hutong.node.settings import setup

    setup(home)
    parts.load()
    gc.freeze()  # a fork that collects would copy every page
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # forks are not waited for
    with socket.socket(fileno=number) as line:
        while True:
            call, files, _, _ = socket.recv_fds(line, LONGEST_CALL, 4)
            if not call:
                return
            if os.fork() == 0:
                line.close()
                _run(orjson.loads(call), files)
            for one in files:
                os.close(one)


def _run(call: dict[str, object], files: Sequence[int]) -> None:
    """In the fork: one command, its end said on the line. Never returns."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number, file in enumerate(files[:3]):
        os.dup2(file, number)
        os.close(file)
    said = socket.socket(fileno=files[3])
    said.send(b"%d" % os.getpid())
    code = 0
    try:
        _command(call)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    said.send(b"%d" % code)
    os._exit(code)


def _command(call: dict[str, object]) -> None:
    from hutong.node.cli import main

    if code := call.get("code"):
        exec(compile(str(code), "<code>", "exec"), {"__name__": "__main__"})
        return
    arguments = call["arguments"]
    assert isinstance(arguments, list)
    sys.argv = ["hutong", *arguments]
    main(arguments)


if __name__ == "__main__":
    _serve(sys.argv[1], int(sys.argv[2]))
