"""The services that tests rely on are real ones."""

from __future__ import annotations

import psycopg

from tests.postgres import new_database


def test_a_real_postgresql_server_answers(postgres_url: str):
    with psycopg.connect(new_database(postgres_url, "hutong_probe")) as connection:
        answer = connection.execute("SELECT current_database(), current_setting('server_version_num')::int").fetchone()
    assert answer is not None
    assert answer[0] == "hutong_probe"
    assert answer[1] >= 140_000
