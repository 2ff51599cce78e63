"""Every test process is one node in a temporary folder; journeys start further nodes as real processes."""

from __future__ import annotations

import atexit
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

from hutong.node import parts
from hutong.node.keys import make_keys
from hutong.node.settings import setup

if TYPE_CHECKING:  # Django's models are there only after setup(), below
    from hutong.control.identity.models import Account
    from tests.dsp_peer import DspPeer


def _make_home() -> Path:
    home = Path(tempfile.mkdtemp(prefix="hutong-test-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    make_keys(home / "keys")
    (home / "hutong.toml").write_text(
        'jurisdiction = "320000"\nname_zh = "江苏省"\nname_en = "Jiangsu"\nplace = "province"\nregion = "yrd"\n'
        'base_url = "http://127.0.0.1:8399"\n',
        encoding="utf-8",
    )
    return home


HOME = _make_home()
DATA = Path(os.environ.get("HUTONG_DATA", Path(__file__).resolve().parent.parent.parent / "shared" / "data")).resolve()
# Sources of tests lie in temporary folders, or are the real data.
os.environ["HUTONG_SOURCE_ROOTS"] = f"{tempfile.gettempdir()}:{DATA}"
setup(HOME)
parts.load()  # as a server does; what a test registers comes after it


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real public data; a test that needs it skips where it is absent."""
    if not DATA.is_dir():
        pytest.skip(f"no real data under {DATA}: set HUTONG_DATA")
    return DATA


# The same examples on every machine and every run; a timing on a shared machine is no failure.
hypothesis.settings.register_profile("hutong", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("hutong")


@pytest.fixture
def anhui(db: None) -> DspPeer:
    """A neighbour that speaks to this node; the region keeps the directory."""
    from tests.dsp_peer import peer
    from tests.region import neighbour, ourselves

    ourselves()
    neighbour("yrd", "region")
    return peer("340000")


@pytest.fixture
def officer(db: None) -> Account:
    """Of the department that publishes."""
    from hutong.control.identity.models import Account
    from tests.dsp_peer import department

    return Account.objects.create(username="wang", role="officer", department=department())


@pytest.fixture
def health(db: None) -> dict[str, Account]:
    """Officer and head of the department that asks."""
    from hutong.control.identity.models import Account
    from tests.dsp_peer import HEALTH, department

    office = department(HEALTH, "卫生健康委员会")
    make = Account.objects.create
    return {role: make(username=f"h-{role}", role=role, department=office) for role in ("officer", "head")}


@pytest.fixture
def database_file(transactional_db: None, tmp_path: Path) -> Iterator[None]:
    """SQLite in a file for a while: one in memory would not end with its connection. PostgreSQL as it is."""
    from django.db import connection, connections

    if connection.vendor != "sqlite":
        yield
        return
    connection.ensure_connection()
    memory, name = connection.connection, connection.settings_dict["NAME"]
    with closing(sqlite3.connect(tmp_path / "node.db")) as copy:
        memory.backup(copy)
    connection.connection, connection.settings_dict["NAME"] = None, str(tmp_path / "node.db")
    yield
    connections.close_all()
    connection.connection, connection.settings_dict["NAME"] = memory, name


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A real PostgreSQL server of this test session's own; tests make databases in it."""
    from tests.postgres import server

    with server() as url:
        yield url


@pytest.fixture(scope="session")
def mariadb_address() -> Iterator[str]:
    """A real MariaDB server of this test session's own; a test that needs it skips where it cannot be fetched."""
    from tests.mariadb import NoServer, server

    try:
        running = server()
        address = running.__enter__()
    except NoServer as reason:
        pytest.skip(str(reason))
    yield address
    running.__exit__(None, None, None)


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The browser of the journeys; a test that needs it skips where there is none."""
    from tests.chromium import find

    path = find()
    if path is None:
        pytest.skip("no Chromium here: make test installs one")
    return path
