"""Real companies published by Jiangsu, asked for by Anhui, read as Arrow, and both ledgers reconciled.

By command line alone, on SQLite and on PostgreSQL: the same commands, one environment variable apart.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

import hutong
from hutong.vocabulary.errors import Refused
from tests.journeys.first_exchange import PROVIDER, PURPOSE, begin
from tests.nodes import CommandFailed, Region, until
from tests.postgres import new_database

COMPANIES = "entities/yrd_enterprises_1978_2004.csv.xz"


@pytest.fixture(params=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest) -> Callable[[str], str] | None:
    if request.param == "sqlite":
        return None
    url = request.getfixturevalue("postgres_url")
    return lambda jurisdiction: new_database(url, f"node_{jurisdiction}")


def test_real_companies_travel_under_an_agreement_and_both_ledgers_reconcile(
    tmp_path: Path, real_data: Path, databases: Callable[[str], str] | None
) -> None:
    with Region(tmp_path, databases) as region:
        made = begin(region, real_data / COMPANIES, tmp_path, "--where", "city = '南京'")
        consumer, provider = made.consumer, made.provider
        out = tmp_path / "companies.arrow"
        reading = ("--purpose", PURPOSE, "--case", "皖2026-0001", "--items", "name,uscc,city", "--out", str(out))
        consumer.environment["HUTONG_KEY"] = made.key
        consumer.hutong("read", str(consumer.home), made.agreement, *reading)
        with pa.ipc.open_stream(out) as stream:
            table = stream.read_all()
        assert table.column_names == ["name", "uscc", "city"]
        assert table.num_rows > 1_000
        assert pc.unique(table["city"]).to_pylist() == ["南京"]

        with hutong.connect(consumer.base_url, made.key) as connection:
            code = table["uscc"][0].as_py()
            one = connection.read(made.agreement, key=("uscc", code), purpose=PURPOSE, case="皖2026-0002")
            assert one.to_arrow().num_rows >= 1
            with pytest.raises(Refused, match="capital") as refusal:
                connection.read(made.agreement, items=["capital"], purpose=PURPOSE, case="皖2026-0003").to_arrow()
            assert refusal.value.status == 403
            assert refusal.value.rule

        provider.hutong(
            "agreement", "suspend", str(provider.home), made.agreement, "--reason", "核查用途", "--as", "wang"
        )
        with pytest.raises(CommandFailed, match="suspended"):
            consumer.hutong("read", str(consumer.home), made.agreement, *reading)

        for one_side, other in ((consumer, provider), (provider, consumer)):
            command = ("ledger", "reconcile", str(one_side.home), other.jurisdiction)
            until(lambda one=one_side, command=command: one.json(*command)["agreed"] >= 3, what="both logs' next round")
            assert one_side.json(*command)["differences"] == []
            one_side.hutong("ledger", "verify", str(one_side.home))
        assert PROVIDER in consumer.hutong("members", str(consumer.home))
        assert consumer.hutong("doctor", str(consumer.home))
