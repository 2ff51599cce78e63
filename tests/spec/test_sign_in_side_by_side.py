"""Guesses sent to several processes at once are counted one by one, in either database."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hutong.control.identity.sign_in import FAILURES_OF_NAME
from hutong.node.keys import make_keys
from tests.postgres import new_database

ROOT = Path(__file__).resolve().parents[2]
MIGRATE = (
    "import sys; from pathlib import Path; from hutong.node.settings import setup; setup(Path(sys.argv[1])); "
    "from django.core.management import call_command; call_command('migrate', verbosity=0)"
)


@pytest.fixture(params=["sqlite", "postgresql"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    make_keys(tmp_path / "keys")
    settings = ['jurisdiction = "320000"', 'region = "yrd"', 'place = "province"', 'name_zh = "江苏省"']
    settings += ['name_en = "Jiangsu"', 'base_url = "http://127.0.0.1:8399"']
    if request.param == "postgresql":
        url = new_database(request.getfixturevalue("postgres_url"), "sign_in")
        settings.append(f'database_url = "{url}"')
    (tmp_path / "hutong.toml").write_text("\n".join(settings) + "\n", encoding="utf-8")
    subprocess.run([sys.executable, "-c", MIGRATE, str(tmp_path)], check=True, cwd=ROOT)
    return tmp_path


def test_several_processes_let_through_no_more_guesses_than_one(home: Path):
    command = [sys.executable, "-m", "tests.spec.guesser", str(home), "8"]
    processes = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    told = [process.communicate(timeout=120)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert sum(map(int, told)) == FAILURES_OF_NAME
