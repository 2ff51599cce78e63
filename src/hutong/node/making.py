"""Making a node: its folder, keys, settings, database, directory and the empty ledger."""

from __future__ import annotations

import fcntl
from dataclasses import fields
from pathlib import Path

from hutong.node import keys, settings
from hutong.node.settings import FILE_NAME, Settings
from hutong.vocabulary.errors import Refused


class NodeExists(Refused):
    """There is already a node in {folder}."""

    zh = "{folder} 中已经有节点。"
    code = "node_exists"
    status = 409
    next_en = "Start it with: hutong serve {folder}; or choose another folder."
    next_zh = "可用 hutong serve {folder} 启动，或另选文件夹。"


def make_node(folder: Path, values: dict[str, str]) -> Settings:
    """Make a node that can be started.

    values   settings by name; those not given keep their defaults
    raises   NodeExists, BadSetting; then nothing is left behind but the folder and its keys
    """
    home = folder.expanduser().resolve()
    if (home / FILE_NAME).exists():
        raise NodeExists(folder=str(home))
    known = {field.name for field in fields(Settings)}
    given = {name: value for name, value in values.items() if name in known and value}
    Settings(home=home, **given)  # refuses nonsense before anything is written
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o700)
    keys.make_keys(home / "keys")
    for name in ("ledger", "snapshots", settings.DATA_FOLDER):
        (home / name).mkdir(mode=0o700, exist_ok=True)
    settings.write(home / FILE_NAME, given)
    try:
        node = settings.setup(home)
        migrate()
        _found(node)
    except BaseException:
        (home / FILE_NAME).unlink()  # a half-made node cannot be started, and can be made again
        raise
    return node


def migrate() -> None:
    """Bring the database of this process's node up to this version of Hutong; one process at a time, others wait."""
    from django.core.management import call_command
    from django.db import connections

    with (settings.current().home / "migrate.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _migrations_wait():
            call_command("migrate", interactive=False, verbosity=0)
        connections.close_all()


def _migrations_wait() -> bool:
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _found(node: Settings) -> None:
    from hutong.node import directory, duties, membership

    if node.keeps_directory and directory.copy() is None:
        membership.found_directory()
    duties.sequence()
