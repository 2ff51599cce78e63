"""Sources, and nodes' databases, that many claims are tried on."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from hutong.exchange.sources import Source
from hutong.node.keys import make_keys
from tests import mariadb
from tests.http_source import Served
from tests.postgres import new_database
from tests.spec import five_sources

ROOT = Path(__file__).resolve().parents[2]
MIGRATE = (
    "import sys; from pathlib import Path; from hutong.node.settings import setup; setup(Path(sys.argv[1])); "
    "from django.core.management import call_command; call_command('migrate', verbosity=0)"
)


@pytest.fixture(scope="session", params=five_sources.KINDS)
def register(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Source]]:
    """The register as one of the kinds, and the kind's name."""
    folder: Path = tmp_path_factory.mktemp(request.param)
    url = ""
    if request.param == "postgresql":
        url = new_database(request.getfixturevalue("postgres_url"), "register")
    if request.param == "mysql":
        url = mariadb.new_database(request.getfixturevalue("mariadb_address"), "register")
    with ExitStack() as serving:
        if request.param == "openapi":
            url = serving.enter_context(Served(five_sources.interface())).address
        source = five_sources.opened(request.param, folder, url)
        yield request.param, source
        source.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A node's folder that several processes may open, on SQLite and on PostgreSQL."""
    make_keys(tmp_path / "keys")
    settings = ['jurisdiction = "320000"', 'region = "yrd"', 'place = "province"', 'name_zh = "江苏省"']
    settings += ['name_en = "Jiangsu"', 'base_url = "http://127.0.0.1:8399"']
    if request.param == "postgresql":
        url = new_database(request.getfixturevalue("postgres_url"), "side_by_side")
        settings.append(f'database_url = "{url}"')
    (tmp_path / "hutong.toml").write_text("\n".join(settings) + "\n", encoding="utf-8")
    subprocess.run([sys.executable, "-c", MIGRATE, str(tmp_path)], check=True, cwd=ROOT)
    return tmp_path
