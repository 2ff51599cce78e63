"""Processes that need not read the libraries again: one process has read them, and each further one is a fork of it.

What runs in a fork is a Python program by its module, as `python -m MODULE ARGUMENTS` would run it, with an
environment, files and an end of its own; nothing of Hutong has been read before it begins. Only reading the libraries
(a second of processor time, more than a node needs for itself) is done once for all of a test session's processes.

    process = start("hutong", ["serve", home], environment, out=log)
    process.wait(timeout=30)
"""

from __future__ import annotations

import atexit
import gc
import importlib
import os
import runpy
import selectors
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

import orjson

ROOT = Path(__file__).resolve().parent.parent
LONGEST_CALL = 1 << 20  # bytes: arguments and environment of one process
# What a node reads that is not its own, but for what looks at the environment as it is read (prometheus_client).
# One that is missing here costs time, nothing else.
LIBRARIES = (
    *("aiohttp", "asgiref.sync", "asyncio", "chinese_calendar", "click", "concurrent.futures.thread"),
    *("cryptography.x509", "django.contrib.auth.hashers", "django.core.asgi", "django.forms", "django.shortcuts"),
    *("django.core.management.commands.migrate", "django.db.models.sql.compiler", "django.template.loader"),
    *("django.db.backends.postgresql.base", "django.db.backends.sqlite3.base", "django.views.generic", "duckdb"),
    *("granian.server.mp", "multiprocessing", "numpy", "orjson", "pandas", "psycopg", "psycopg.types.json"),
    *("pyarrow.compute", "pyarrow.dataset", "pyarrow.parquet", "pymysql", "python_calamine", "smtplib"),
    *("sqlglot.dialects.duckdb", "sqlglot.optimizer", "starlette.applications", "starlette.responses"),
    *("starlette.routing", "urllib3", "uvloop", "xlsxwriter"),
)


class Process:
    """One of them, as `subprocess.Popen` shows a process."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self.pid = int(line.recv(64))
        self.returncode: int | None = None

    def poll(self) -> int | None:
        return self._ended(0.0)

    def wait(self, timeout: float | None = None) -> int:
        """raises   subprocess.TimeoutExpired"""
        code = self._ended(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0.0)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):  # it has ended, and we are about to be told
                os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _ended(self, within_s: float | None) -> int | None:
        if self.returncode is None:
            self._line.settimeout(within_s)
            try:
                said = self._line.recv(64)
            except (BlockingIOError, TimeoutError):
                return None
            self.returncode = int(said or b"-9")
            self._line.close()
        return self.returncode

    def __del__(self) -> None:
        self._line.close()


def start(
    module: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    *,
    given: int | None = None,
    out: int | None = None,
    error: int | None = None,
    passed: int | None = None,
) -> Process:
    """Run a module as a program.

    given, out, error   file descriptors of its standard files; where None an empty one, and our own two
    passed              one more file descriptor; its number in the process is the last argument
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs, Path(os.devnull).open("rb") as nothing:
        standard = (
            nothing.fileno() if given is None else given,
            1 if out is None else out,
            2 if error is None else error,
        )
        files = (theirs.fileno(), *standard, *(() if passed is None else (passed,)))
        call = {"module": module, "arguments": [*arguments], "environment": {**environment}, "folder": str(Path.cwd())}
        socket.send_fds(_launcher(), [orjson.dumps(call)], files)
    return Process(ours)


@lru_cache(maxsize=1)
def _launcher() -> socket.socket:
    """The line to this test process's launcher, which ends with it."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("HUTONG_", "DJANGO_"))}
    clean |= {"PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT))), "LANG": "C.UTF-8"}
    with theirs:
        command = [sys.executable, "-m", "tests.launcher", str(theirs.fileno())]
        running = subprocess.Popen(command, env=clean, pass_fds=[theirs.fileno()], cwd=ROOT)

    def end() -> None:
        ours.close()
        running.wait(timeout=30)

    atexit.register(end)
    return ours


def _serve(number: int) -> dict[str, object] | None:
    """Fork for each call until the other end closes. returns the call, in the fork; None in the launcher, at its end"""
    woken, waking = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waking)
    lines: dict[int, socket.socket] = {}
    with socket.socket(fileno=number) as line, selectors.DefaultSelector() as selector:
        selector.register(line, selectors.EVENT_READ)
        selector.register(woken, selectors.EVENT_READ)
        while True:
            ready = {key.fileobj for key, _ in selector.select()}
            if woken in ready:
                os.read(woken, 4096)
                _tell_ends(lines)
            if line not in ready:
                continue
            call, files, _, _ = socket.recv_fds(line, LONGEST_CALL, 5)
            if not call:
                break
            told = socket.socket(fileno=files[0])
            if child := os.fork():
                lines[child] = told
                told.send(b"%d" % child)
                for one in files[1:]:
                    os.close(one)
                continue
            for one in (told, *lines.values()):
                one.close()
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for one in (woken, waking):
                os.close(one)
            return {**orjson.loads(call), "files": files[1:]}
    for child in lines:
        os.kill(child, signal.SIGKILL)
    return None


def _tell_ends(lines: dict[int, socket.socket]) -> None:
    for child in list(lines):
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            with lines.pop(child) as line:
                try:
                    line.send(b"%d" % os.waitstatus_to_exitcode(status))
                except OSError:
                    continue  # nobody asks any more


def _become(call: dict[str, object]) -> None:
    """In the fork: the program itself, until it ends."""
    files, arguments, environment = call["files"], call["arguments"], call["environment"]
    assert isinstance(files, list)
    assert isinstance(arguments, list)
    assert isinstance(environment, dict)
    for number, file in enumerate(files[:3]):
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(str(call["folder"]))
    sys.argv = [str(call["module"]), *arguments, *map(str, files[3:])]
    gc.enable()
    runpy.run_module(str(call["module"]), run_name="__main__", alter_sys=True)


def _read_libraries() -> None:
    for name in LIBRARIES:
        try:
            importlib.import_module(name)
        except ImportError:
            continue
    gc.collect()
    gc.freeze()  # a fork that collects would copy every page


if __name__ == "__main__":
    _read_libraries()
    if (called := _serve(int(sys.argv[1]))) is not None:
        _become(called)
