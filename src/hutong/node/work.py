"""Work behind the requests: named functions that run when woken and every so often, in one thread of the node.

One runner at a time: the runner holds a lock that the operating system or the database itself drops when the process
dies (a file lock beside SQLite, an advisory lock in PostgreSQL), so a killed runner never blocks its successor.
`wake` works from any process on the machine: the command line wakes the server after its commit.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache

from django.db import close_old_connections, connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import Error as DatabaseError

from hutong.node import parts
from hutong.node.settings import current

RETRY_AFTER_ERROR_S = 1.0  # first pause after a failed run; doubles up to its period
LONGEST_PAUSE_S = 60.0
_LOWEST_PRIORITY = 19
TRY_FOR_LOCK_EVERY_S = 1.0
_LOCK_NUMBER = 0x6875746F6E67  # "hutong": the advisory lock's number in PostgreSQL

log = logging.getLogger("hutong.work")


@dataclass
class _Task:
    name: str
    function: Callable[[], object]
    every_s: float
    due_at: float = 0.0  # time.monotonic()
    failures: int = field(default=0)


class _Aside:
    """Starts a function in a thread of its own, one at a time."""

    def __init__(self, name: str, function: Callable[[], object]) -> None:
        self.name, self.function = name, function
        self._thread: threading.Thread | None = None

    def __call__(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._run, name=f"hutong-{self.name}", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        # The edge of a thread: said in the log, and tried again when it is next due.
        try:
            self.function()
        except Exception:
            log.exception("work %s failed", self.name)
        finally:
            connections.close_all()


_tasks: dict[str, _Task] = {}
_woken = threading.Event()
_names: set[str] = set()
_listeners: dict[str, Callable[[], None]] = {}
_started = threading.Lock()


def register(name: str, function: Callable[[], object], every_s: float, *, first_after_s: float = 0.0) -> None:
    """Run `function` in the work thread whenever `name` is woken, and every `every_s` seconds.

    It runs outside any transaction and MUST be repeatable: after an error it is run again.
    """
    _tasks[name] = _Task(name, function, every_s, time.monotonic() + first_after_s)


def register_aside(name: str, function: Callable[[], object], every_s: float, *, first_after_s: float = 0.0) -> None:
    """As `register`, but in a thread of its own, for work that waits for other nodes: it holds up no other work.

    While one run is under way, no second one is begun.
    """
    register(name, _Aside(name, function), every_s, first_after_s=first_after_s)


def run_apart(*arguments: str) -> None:
    """Run a `hutong` command in a process of its own, at the lowest priority, and wait for it.

    For work that computes for minutes: in a thread it would take turns with every request.

    raises   CalledProcessError when it fails; what it says of that goes where this process's errors go
    """
    with subprocess.Popen(
        [sys.executable, "-m", "hutong", *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    ) as child:
        with suppress(ProcessLookupError):
            os.setpriority(os.PRIO_PROCESS, child.pid, _LOWEST_PRIORITY)
        code = child.wait()
    if code:
        raise subprocess.CalledProcessError(code, arguments)


def listen(name: str, called: Callable[[], None]) -> None:
    """Call `called` (quick, from any thread) when `name` is woken: for runners with a loop of their own."""
    _listeners[name] = called


def wake(name: str) -> None:
    """Run that work soon, in whichever process runs it. Costs microseconds; a lost wake-up only costs a period."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            sender.sendto(name.encode("ascii"), _address())
    except OSError:
        return


def wake_on_commit(name: str) -> None:
    """Wake when the surrounding transaction commits; at once outside one."""
    transaction.on_commit(lambda: wake(name))


def start(then: Callable[[], None] | None = None) -> None:
    """Start the work thread of this process, once. It waits until no other process holds the lock.

    then   called in the work thread when this process has become the runner
    """
    if _started.acquire(blocking=False):
        threading.Thread(target=_run, args=(then,), name="hutong-work", daemon=True).start()


def run_due() -> None:
    """Run everything that is due now, here, in this thread: for commands and tests."""
    parts.load()
    for task in list(_tasks.values()):
        _run_task(task)


def _run(then: Callable[[], None] | None) -> None:
    lock = _Lock()
    while not lock.take():
        time.sleep(TRY_FOR_LOCK_EVERY_S)
    threading.Thread(target=_listen, name="hutong-wake", daemon=True).start()
    if then is not None:
        then()
    while True:
        _woken.wait(timeout=_pause())
        _woken.clear()
        if not lock.still_held():
            log.error("the lock of the work thread was lost with its connection; this process stops to be safe")
            os._exit(70)
        for task in list(_tasks.values()):
            if task.name in _names or task.due_at <= time.monotonic():
                _names.discard(task.name)
                _run_task(task)


def _pause() -> float:
    due = min((task.due_at for task in _tasks.values()), default=time.monotonic() + 1.0)
    return min(max(due - time.monotonic(), 0.0), 1.0)


def _run_task(task: _Task) -> None:
    close_old_connections()
    # The edge of the program: whatever one piece of work fails with must not stop the others.
    try:
        task.function()
    except Exception:
        task.failures += 1
        pause = min(RETRY_AFTER_ERROR_S * 2 ** (task.failures - 1), task.every_s, LONGEST_PAUSE_S)
        task.due_at = time.monotonic() + pause
        log.exception("work %s failed (%d in a row), again in %.0f s", task.name, task.failures, pause)
    else:
        task.failures = 0
        task.due_at = time.monotonic() + task.every_s
    finally:
        close_old_connections()


def _listen() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(_address())
        while True:
            name = receiver.recv(64).decode("ascii", "replace")
            if name in _listeners:
                _listeners[name]()
            elif name in _tasks:
                _names.add(name)
                _woken.set()


@lru_cache(maxsize=1)
def _address() -> str:
    # An abstract Linux socket: no file, no path length limit, gone with the process. Anyone on the machine may knock;
    # all a knock does is make the node look for work.
    return "\0hutong-" + hashlib.sha256(str(current().home).encode()).hexdigest()[:32]


class _Lock:
    """Held by the one process that does this node's work."""

    def __init__(self) -> None:
        self._file: int | None = None

    def take(self) -> bool:
        if connection.vendor == "postgresql":
            return self._ask("SELECT pg_try_advisory_lock(%s)")
        descriptor = os.open(current().home / "work.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return False
        self._file = descriptor
        return True

    def still_held(self) -> bool:
        if self._file is not None:
            return True
        return self._ask(
            "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
            " AND ((classid::bigint << 32) | objid::bigint) = %s)"
        )

    def _ask(self, statement: str) -> bool:
        try:
            with _lock_connection().cursor() as cursor:
                cursor.execute(statement, [_LOCK_NUMBER])
                return bool(cursor.fetchone()[0])
        except DatabaseError:
            return False


@lru_cache(maxsize=1)
def _lock_connection() -> BaseDatabaseWrapper:
    """A connection of its own: an advisory lock lives as long as the session that took it."""
    return connection.copy()
