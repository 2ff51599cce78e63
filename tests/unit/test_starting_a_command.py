"""What a command costs before it does anything: the modules it loads."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

OURS = ("HUTONG_", "DJANGO_", "DATABASE_")  # what would say which node is meant
HEAVY = {"aiohttp", "duckdb", "granian", "numpy", "pandas", "pyarrow", "sqlglot", "starlette"}
MAKE_AND_READ = """
import sys
from hutong.node.cli import main

home = sys.argv[1]
for arguments in (["init", home, "--jurisdiction", "320000", "--name-zh", "江苏省"], ["account", "list", home]):
    try:
        main(arguments)
    except SystemExit as done:
        assert not done.code, arguments
print("loaded", *sorted(sys.modules))
"""


SERVE = """
import os
from hutong.node.application import make

os.environ["HUTONG_HOME"] = home
make()
import pyarrow

pyarrow.array([1])
print("loaded", *sorted(sys.modules))
"""


def loaded_by(code: str, home: Path) -> set[str]:
    command = [sys.executable, "-c", code, str(home)]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    done = subprocess.run(command, env=clean, capture_output=True, text=True, check=True, timeout=120)
    return set(done.stdout.splitlines()[-1].split())


def test_making_a_node_and_reading_a_table_load_no_engine_and_no_client(tmp_path: Path) -> None:
    loaded = loaded_by(MAKE_AND_READ, tmp_path / "node")
    assert "hutong.control.identity.models" in loaded
    assert not loaded & HEAVY


def test_a_serving_node_does_without_pandas_also_where_it_is_installed(tmp_path: Path) -> None:
    assert find_spec("pandas") is not None
    loaded = loaded_by(MAKE_AND_READ + SERVE, tmp_path / "node")
    assert {"duckdb", "pyarrow"} <= loaded
    assert "pandas" not in loaded
