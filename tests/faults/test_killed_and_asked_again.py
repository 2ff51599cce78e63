"""kill -9 of any process at random points of 100 exchanges: none lost, none counted twice, both ledgers reconcile."""

from __future__ import annotations

import contextlib
import random
import threading
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
import urllib3

import hutong
from hutong.client import Connection
from hutong.vocabulary.errors import Refused
from tests.journeys.first_exchange import CONSUMER, PROVIDER, PURPOSE, Exchange, begin
from tests.nodes import Node, Region, until

EXCHANGES = 100
KILLS = 8
COMPANIES = "name,uscc,registration_date,city\n" + "".join(
    f"企业{n},CODE{n:06},2001-02-{n % 28 + 1:02},{'南京' if n % 2 else '苏州'}\n" for n in range(4000)
)
COUNTED = """
import orjson
from hutong.exchange.models import ExchangeRecord, Grant
rows = ExchangeRecord.objects.filter(role="ROLE").values_list("exchange_id", "outcome", "rows")
print(orjson.dumps({"records": list(rows), "calls": sum(Grant.objects.values_list("calls_used", flat=True))}).decode())
"""


@dataclass
class Application:
    """A consumer's application that insists: the same Idempotency-Key until it has the whole answer."""

    made: Exchange
    chance: random.Random
    done: dict[str, int] = field(default_factory=dict)  # exchange: rows

    def run(self) -> None:
        with hutong.connect(self.made.consumer.base_url, self.made.key, progress=False) as connection:
            for number in range(EXCHANGES):
                self._insist(connection, number)

    def _insist(self, connection: Connection, number: int) -> None:
        while len(self.done) <= number:
            with contextlib.suppress(Refused, urllib3.exceptions.HTTPError):  # the node is away, or ended in the middle
                self._read(connection, number)

    def _read(self, connection: Connection, number: int) -> None:
        """Every fourth one streams Arrow; the others are record queries, which travel in one message."""
        if number % 4:
            return self._query(number)
        reading = connection.read(
            self.made.agreement,
            where="city = '苏州'",
            purpose=PURPOSE,
            case=f"case {number}",
            idempotency_key=f"read {number}",
        )
        self.done[reading.exchange] = reading.to_arrow().num_rows
        return None

    def _query(self, number: int) -> None:
        answer = urllib3.request(
            "POST",
            f"{self.made.consumer.base_url}/exchange/v1/agreements/{self.made.agreement}/read",
            json={"key": {"item": "uscc", "value": f"CODE{number:06}"}},
            headers={
                "Authorization": f"Bearer {self.made.key}",
                "Hutong-Purpose": PURPOSE,
                "Hutong-Case": f"case {number}",
                "Idempotency-Key": f"read {number}",
            },
            retries=False,
        )
        if answer.status == 200:
            self.done[answer.headers["Hutong-Exchange"]] = len(answer.json())


def _kill_one(node: Node, chance: random.Random) -> None:
    """Any one of the node's processes. A node that ends with it (two workers lost within seconds) is started again,
    as an operator's service manager would."""
    assert node.process is not None
    family = [psutil.Process(node.process.pid), *psutil.Process(node.process.pid).children(recursive=True)]
    victim = chance.choice(family)
    if victim.pid == node.process.pid:
        node.kill()
    else:
        victim.kill()
        psutil.wait_procs([victim], timeout=10)
        with contextlib.suppress(RuntimeError):
            until(node._serves, within_s=60, what="a new worker")
            return
        node.stop()
    node.start()


@pytest.mark.timeout(600)
def test_no_exchange_is_lost_or_counted_twice_whatever_is_killed(tmp_path: Path) -> None:
    chance = random.Random(809)
    source = tmp_path / "companies.csv"
    source.write_text(COMPANIES, encoding="utf-8")
    with Region(tmp_path) as region:
        made = begin(region, source, tmp_path)
        application = Application(made, chance)
        worker = threading.Thread(target=application.run, daemon=True)
        worker.start()
        for kill in range(1, KILLS + 1):
            progress = kill * EXCHANGES // (KILLS + 2)
            until(lambda progress=progress: len(application.done) >= progress, within_s=120, what="progress")
            _kill_one(region[chance.choice([PROVIDER, CONSUMER])], chance)
        worker.join(timeout=300)
        assert len(application.done) == EXCHANGES
        _both_sides_agree(made, application.done)


def _both_sides_agree(made: Exchange, done: dict[str, int]) -> None:
    for node, role in ((made.provider, "provider"), (made.consumer, "consumer")):
        counted = node.python(COUNTED.replace("ROLE", role))
        assert {exchange: rows for exchange, outcome, rows in counted["records"] if outcome == "served"} == done
        if role == "provider":
            assert counted["calls"] == EXCHANGES

    def reconciled() -> bool:
        return all(
            not one.json("ledger", "reconcile", str(one.home), other.jurisdiction)["differences"]
            for one, other in ((made.consumer, made.provider), (made.provider, made.consumer))
        )

    until(reconciled, within_s=60, what="two ledgers that agree")
    for node in (made.provider, made.consumer):
        node.hutong("ledger", "verify", str(node.home))
