"""Where a source's credentials may be: sealed in its row, and nowhere else, whatever happens."""

from __future__ import annotations

import io
import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from django.core import serializers
from django.db import connection
from django.test import Client
from django.urls import reverse

from hutong.control.catalogue import actions, freshness
from hutong.control.catalogue.source_cli import KINDS as CLI_KINDS
from hutong.control.catalogue.source_cli import source as source_cli
from hutong.control.catalogue.sources import spec_of
from hutong.exchange import check
from hutong.exchange.models import Source
from hutong.exchange.sources.settings import SETTINGS
from hutong.exchange.sources.spec import KINDS
from hutong.node.settings import current
from hutong.vocabulary.errors import Refused
from tests.companies import COMPLETE
from tests.conftest import HOME
from tests.http_source import Interface, Served
from tests.publication import publish

SECRET = "k-71c9-never-shown"
PASSWORD = "pg-82d0-never-shown"
pytestmark = pytest.mark.django_db
ROWS = [{"uscc": f"91320509MA000000{n}X", "company": "甲", "capital": n} for n in range(5)]
PROPERTIES = {"uscc": {"type": "string"}, "company": {"type": "string"}, "capital": {"type": "integer"}}


@pytest.fixture
def served() -> Iterator[Served]:
    with Served(Interface(ROWS, PROPERTIES, ["uscc"], expects={"X-Key": SECRET})) as running:
        yield running


def settings(served: Served) -> dict[str, str]:
    document = {"document": f"{served.address}/openapi.json", "operation": "listRows", "rows": "data.items"}
    return {**document, "authentication": "header", "key_name": "X-Key", "secret": SECRET}


def whole_database() -> str:
    """Every row of every table, as it lies there."""
    with connection.cursor() as cursor:
        names = connection.introspection.table_names(cursor)
        said = []
        for name in names:
            cursor.execute(f'SELECT * FROM "{name}"')
            said += [
                str([bytes(one) if isinstance(one, memoryview) else one for one in row]) for row in cursor.fetchall()
            ]
    return "\n".join(said)


def test_a_sources_credentials_stand_sealed_in_its_row_and_nowhere_else(
    people, served: Served, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    said: list[str] = []
    with caplog.at_level(logging.DEBUG):
        made = actions.register_source(
            people["officer"], name="企业", kind="openapi", location=served.address, settings=settings(served)
        )
        drafted = actions.draft_resource(people["officer"], made.id)
        items = [{"name": "uscc", "title_zh": "代码", "key": True}, {"name": "company", "title_zh": "名称"}]
        actions.describe(people["officer"], drafted.id, COMPLETE, items)
        entry = publish(people["head"], drafted.id)
        said += [str(entry.dataset), *(one.said for one in check.sources(current()))]
        freshness.look(made.id)
        served.interface.expects = {"X-Key": "another"}
        freshness.look(made.id)
        said += [one.said for one in check.sources(current())]
        for location in (
            f"postgresql://reader:{PASSWORD}@127.0.0.1:1/x",
            f"mysql://reader:{PASSWORD}@127.0.0.1:1/x",
            f"postgresql://reader:{PASSWORD}@[broken",
        ):
            kind = location.partition(":")[0]
            with pytest.raises(Refused) as refused:
                actions.register_source(people["officer"], name="库", kind=kind, location=location, table="t")
            said += [str(refused.value), repr(refused.value), str(refused.value.problem()), refused.value.say("zh")]
        client = Client(headers={"accept-language": "en"})
        client.force_login(people["officer"])
        said += [client.get(reverse("publish")).content.decode()]
        runner = CliRunner()
        listed = runner.invoke(source_cli, ["list", str(HOME), "--json"])
        assert listed.exit_code == 0, listed.output
        said.append(listed.output)
    out = io.StringIO()
    serializers.serialize("json", Source.objects.all(), stream=out)
    files = [one.read_bytes() for one in HOME.rglob("*") if one.is_file() and "keys" not in one.parts]
    for secret in (SECRET, PASSWORD):
        assert secret not in "\n".join([*said, caplog.text, whole_database(), out.getvalue()])
        assert not any(secret.encode() in content for content in files)
    kept = spec_of(Source.objects.get(id=made.id))
    assert kept.given["secret"] == SECRET  # it can be read back with the node's key
    assert SECRET not in repr(kept)


def test_the_form_asks_for_what_a_kind_needs_and_never_shows_a_secret_again(people, served: Served) -> None:
    client = Client(headers={"accept-language": "zh-hans"})
    client.force_login(people["officer"])
    given = {"name": "企业", "kind": "openapi", "location": served.address, "table": ""}
    page = client.post(reverse("source_new"), given)
    text = page.content.decode()
    assert page.status_code == 200
    assert "OpenAPI 文档" in text
    assert served.address in text
    assert "field__error" not in text
    typed = {f"setting_{name}": value for name, value in settings(served).items()}
    wrong = {**typed, "setting_operation": "none", "settings_of": "openapi"}
    text = client.post(reverse("source_new"), given | wrong).content.decode()
    assert SECRET not in text
    assert "文档中没有该名称的 GET 操作" in text
    answer = client.post(reverse("source_new"), given | typed | {"settings_of": "openapi"})
    assert answer.status_code == 302, answer.content.decode()
    assert Source.objects.get().row_count == len(ROWS)


def test_the_command_line_takes_settings_from_a_file(people, served: Served, tmp_path: Path) -> None:
    file = tmp_path / "s.toml"
    runner = CliRunner()
    shown = runner.invoke(source_cli, ["settings", "openapi"])
    assert all(f"{one.name} = " in shown.output for one in SETTINGS["openapi"])
    file.write_text("\n".join(f'{name} = "{value}"' for name, value in settings(served).items()), encoding="utf-8")
    command = ["add", str(HOME), served.address, "--kind", "openapi", "--name", "企业", "--settings", str(file)]
    done = runner.invoke(source_cli, [*command, "--as", "wang"], catch_exceptions=False)
    assert done.exit_code == 0
    assert "5 rows" in done.output
    assert SECRET not in done.output


def test_the_command_line_and_the_drafts_know_every_kind() -> None:
    assert set(CLI_KINDS) == set(actions.FORMATS) == set(KINDS)


def test_a_folder_of_csv_files_is_taken_in_again_when_files_come(people, tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "a.csv").write_text("code,n\n91,1\n", encoding="utf-8")
    made = actions.register_source(people["officer"], name="x", kind="csv_folder", location=str(tmp_path / "x"))
    freshness.look(made.id)
    (tmp_path / "x" / "b.csv").write_text("code,n\n92,2\n93,3\n", encoding="utf-8")
    freshness.look(made.id)
    assert Source.objects.get().row_count == 3
    assert Source.objects.get().snapshot != made.snapshot


def test_an_sqlite_file_keeps_no_settings(tmp_path: Path, people) -> None:
    sqlite3.connect(tmp_path / "x.db").execute("CREATE TABLE t (a)").connection.close()
    with pytest.raises(Refused, match="none of that name"):
        actions.register_source(
            people["officer"],
            name="x",
            kind="sqlite",
            location=str(tmp_path / "x.db"),
            table="t",
            settings={"secret": "x"},
        )
