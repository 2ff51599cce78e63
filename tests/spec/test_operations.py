"""A region as operators run it: measured, traced, logged without values, described, killed, cut off, drained."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import secrets
import signal
import sqlite3
import statistics
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import orjson
import psutil
import pytest
import requests
import schemathesis
import urllib3
from hypothesis.errors import Unsatisfiable
from prometheus_client.parser import text_string_to_metric_families
from schemathesis import GenerationMode
from schemathesis.checks import content_type_conformance, not_a_server_error, response_schema_conformance
from schemathesis.specs.openapi.checks import status_code_conformance

from bench.soak import GOAL_LAG_S, soak
from hutong.node import openapi
from hutong.node.signatures import body_digest, sign_request
from hutong.vocabulary.ids import new_id
from tests.collector import Collector, Span
from tests.nodes import Node
from tests.operated import (
    AGREEMENT,
    BROKEN,
    CUT_OFF,
    ITS_OWN,
    MARK,
    ROWS,
    TOKEN,
    Application,
    Operated,
    operated,
    reading,
)
from tests.pair import CONSUMER, PROVIDER, PURPOSE, Pair, query
from tests.postgres import new_database
from tests.this_machine import until

MESSAGES = 12  # that wait in the province that is cut off
AWAY_S = 4.0
ROTATE = f"""
import orjson
from hutong.node import rotation
from hutong.node.settings import current
print(orjson.dumps([rotation.rotate(current(), overlap_s=86400) for _ in range({MESSAGES})]).decode())
"""
EXAMPLES = 3  # of each operation and mode
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory, postgres_url: str) -> Iterator[Operated]:
    database = new_database(postgres_url, f"operated_{os.getpid()}")
    with operated(tmp_path_factory.mktemp("operated"), database) as made:
        yield made


@pytest.fixture(scope="module")
def nodes(region: Operated) -> Pair:
    return region.nodes


@pytest.fixture(scope="module")
def collector(region: Operated) -> Collector:
    return region.collector


def ask(
    nodes: Pair, agreement: str = AGREEMENT, headers: dict[str, str] | None = None, **body: object
) -> urllib3.BaseHTTPResponse:
    return urllib3.request(
        "POST",
        f"{nodes.consumer.base_url}/exchange/v1/agreements/{agreement}/read",
        json=body,
        headers={
            "Authorization": f"Bearer {nodes.key}",
            "Hutong-Purpose": PURPOSE,
            "Hutong-Case": f"{MARK} case",
            **(headers or {}),
        },
        retries=False,
    )


def measured(address: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    answer = urllib3.request("GET", address + "/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status == 200
    return {
        (one.name, frozenset(one.labels.items())): one.value
        for family in text_string_to_metric_families(answer.data.decode())
        for one in family.samples
    }


def value(address: str, name: str, **labels: str) -> float:
    return measured(address).get((name, frozenset(labels.items())), 0.0)


def test_any_worker_answers_for_all_and_each_server_for_itself(region: Operated, nodes: Pair):
    labels = {"outcome": "served", "form": "json", "agreement": "unknown"}
    consumer, servers = nodes.consumer.base_url, [f"http://127.0.0.1:{port}" for port in region.exchanges.ports]
    before = value(consumer, "hutong_exchanges_total", role="consumer", **labels)
    for number in range(40):
        answer = ask(nodes, key={"item": "code", "value": f"{MARK}-{number}"})
        assert answer.status == 200, answer.data
    told = {value(consumer, "hutong_exchanges_total", role="consumer", **labels) - before for _ in range(6)}
    assert told == {40}
    assert value(consumer, "hutong_requests_total", door="applications", status="2xx") >= 40
    assert value(consumer, "hutong_exchange_seconds_count", role="consumer") >= 40
    assert sum(value(one, "hutong_exchanges_total", role="provider", **labels) for one in servers) == 40
    assert value(consumer, "hutong_ledger_entries") + value(consumer, "hutong_sequencer_waiting") > 0


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", f"Bearer {TOKEN}x", "Basic " + TOKEN], ids=["none", "bare", "near", "basic"]
)
def test_metrics_are_the_operators_alone(nodes: Pair, authorization: str):
    answer = urllib3.request("GET", nodes.provider.base_url + "/metrics", headers={"Authorization": authorization})
    assert answer.status == 401
    assert b"hutong_" not in answer.data


def test_one_trace_leads_through_both_nodes(nodes: Pair, collector: Collector):
    trace = secrets.token_hex(16)
    headers = {"traceparent": f"00-{trace}-{secrets.token_hex(8)}-01"}
    assert ask(nodes, headers=headers, key={"item": "code", "value": f"{MARK}-1"}).status == 200

    def found() -> dict[str, Span]:
        return {one.name: one for one in collector.trace(trace)}

    until(lambda: {"read", "message", "queries", "answer", "put on record"} <= set(found()), what="the whole trace")
    spans = found()
    assert {spans[name].node for name in ("read", "message")} == {CONSUMER}
    assert {spans[name].node for name in ("queries", "answer", "put on record")} == {PROVIDER}
    assert spans["message"].parent == spans["read"].id
    assert spans["queries"].parent == spans["message"].id
    assert spans["answer"].parent == spans["queries"].id


def test_a_stream_is_one_trace_too(nodes: Pair, collector: Collector):
    trace = secrets.token_hex(16)
    headers = {"traceparent": f"00-{trace}-{secrets.token_hex(8)}-01", "Accept": "text/csv"}
    assert ask(nodes, headers=headers, limit=10).status == 200
    until(lambda: {one.node for one in collector.trace(trace)} == {CONSUMER, PROVIDER}, what="the trace of a stream")


def test_a_trace_says_nothing_of_what_was_read(nodes: Pair, collector: Collector):
    assert ask(nodes, where=f"code = '{MARK}-5'").status == 200
    assert ask(nodes, agreement=BROKEN, key={"item": "code", "value": f"{MARK}-5"}).status >= 400
    until(
        lambda: any(one.attributes.get("hutong.status", "200") != "200" for one in collector.spans),
        what="the trace of a refusal",
    )
    assert MARK not in str(collector.spans)


class Signed(requests.auth.AuthBase):
    """Sign each request in the consumer's name."""

    def __init__(self, nodes: Pair) -> None:
        self.key = nodes.consumer.key()

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        body = request.body or b""
        raw = body.encode() if isinstance(body, str) else body
        assert request.method is not None
        assert request.url is not None
        request.headers.update(
            sign_request(request.method, request.url, body_digest(raw), self.key, message_id=new_id(), now=time.time())
        )
        return request


class Bearer(requests.auth.AuthBase):
    def __init__(self, token: str) -> None:
        self.token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self.token}"
        return request


WHO = {one.name: one.who for one in openapi.operations()}
DRAWING = hypothesis.settings(
    max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(hypothesis.HealthCheck)
)


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_every_door_keeps_to_the_document_whatever_it_is_asked(region: Operated, nodes: Pair, mode: GenerationMode):
    """As its operator, its applications and another node ask: no 5xx, and answers as they are described."""
    schema = schemathesis.openapi.from_dict(json.loads(nodes.provider.get("/hutong/openapi.json")[1]))
    auths = {"member": Signed(nodes), "application": Bearer(nodes.key), "operator": Bearer(TOKEN), "open": None}
    broken = []
    for found in schema.get_all_operations():
        operation = found.ok()
        if mode is GenerationMode.NEGATIVE and not (operation.body or operation.query or operation.headers):
            continue  # nothing that could be wrong
        who = WHO[operation.definition.raw["operationId"]]
        node = nodes.consumer if who == "application" else nodes.provider
        front = region.front if node is nodes.provider and operation.path.startswith("/exchange/") else node.base_url
        broken += driven(operation, mode, front, auths[who])
    assert not broken, "\n\n".join(broken)


def driven(operation: Any, mode: GenerationMode, address: str, auth: requests.auth.AuthBase | None) -> list[str]:
    """What was wrong with the answers of one operation."""

    statuses: set[int] = set()

    @DRAWING
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    def drive(case: schemathesis.Case) -> None:
        answer = case.call(base_url=address, auth=auth, timeout=20, allow_redirects=False)
        statuses.add(answer.status_code)
        case.validate_response(answer, checks=CHECKS)

    try:
        drive()
    except Unsatisfiable:
        return []
    except BaseExceptionGroup as error:
        return [f"{operation.label}: {error.exceptions[0]}"[:900]]
    except Exception as error:
        return [f"{operation.label}: {error}"[:900]]
    if auth is not None and statuses == {401}:
        return [f"{operation.label}: it let nobody in"]
    return []


def test_under_load_for_a_while_memory_stays_and_both_logs_keep_up(nodes: Pair):
    """bench/soak, short: what half an hour shows is not shown here, only that a leak of a query's size would be."""
    found = soak(nodes, 4.0, capacity_s=0.5)
    assert found.growth < 1.1
    assert found.lag_s < GOAL_LAG_S


# What goes wrong, at each door: each with a value that must not come into a log.
WRONG = [
    {"key": {"item": "code", "value": [MARK]}},
    {"key": {"item": f"{MARK}", "value": "1"}},
    {"where": f"{MARK} = 'a' AND"},
    {"where": f"code = {MARK}"},
    {"where": f"code > 5 OR name LIKE '{MARK}%'"},
    {"items": [f"{MARK}"]},
    {"limit": f"{MARK}"},
    {f"{MARK}": 1},
]


def test_no_log_holds_a_value(region: Operated, nodes: Pair):
    for body in WRONG:
        assert ask(nodes, **body).status >= 400
        assert ask(nodes, agreement=BROKEN, **body).status >= 400
        assert ask(nodes, headers={"Accept": "text/csv"}, **body).status >= 400
    assert ask(nodes, agreement=BROKEN, headers={"Accept": "text/csv"}, where=f"code = '{MARK}'").status >= 400
    assert ask(nodes, headers={"Hutong-Case": MARK * 40}).status >= 400
    assert ask(nodes, headers={"Authorization": f"Bearer {MARK * 4}"}).status == 401
    for path in (f"/hutong/{MARK}", f"/exchange/{MARK}", f"/ledger/{MARK}", f"/dsp/{MARK}", f"/catalogue/{MARK}/"):
        urllib3.request("GET", nodes.provider.base_url + path)
        urllib3.request("POST", nodes.provider.base_url + path, body=MARK.encode())
    for path in ("/exchange/queries", "/exchange/streams", "/hutong/events", "/dsp/2025-1/catalog/request"):
        address = region.front if path.startswith("/exchange/") else nodes.provider.base_url
        for body in ({"queries": [{"where": MARK}]}, {"where": MARK, "form": "csv"}, {"id": MARK, "data": [MARK]}):
            # Signed, so that it is looked at.
            requests.post(address + path, json=body, auth=Signed(nodes), timeout=20)
    assert MARK not in region.logs


def test_a_log_line_is_an_object(region: Operated):
    lines = [line for line in region.logs.splitlines() if line.startswith("{")]
    assert lines
    assert {"at", "level", "logger", "message", "process"} <= set(json.loads(lines[0]))
    said = [line for line in region.logs.splitlines() if not line.startswith("{")]
    assert all(re.match(r"Node \w+ serves at|\[(INFO|WARN|ERROR)\]", line) for line in said), said


def test_what_is_the_operators_does_not_pass_nginx(region: Operated):
    assert urllib3.request("GET", region.front + "/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).status == 404


@pytest.mark.timeout(300)
def test_one_process_is_killed_and_one_drained_and_nobody_loses_an_answer(region: Operated, nodes: Pair):
    exchanges, (killed, drained) = region.exchanges, region.exchanges.ports
    applications = [Application(nodes.consumer, nodes.key, AGREEMENT) for _ in range(3)]

    def answered() -> list[str]:
        return [one for each in applications for one in each.answered]

    def go_on(many: int) -> None:
        so_far = len(answered())
        until(lambda: len(answered()) >= so_far + many, within_s=60, what="further answers")

    with reading(*applications):
        go_on(25)
        exchanges.processes[killed].kill()
        exchanges.processes[killed].wait()
        go_on(25)
        exchanges.start(killed)
        until(lambda: exchanges.serves(killed), within_s=60, what="the killed process's successor")
        go_on(25)
        exchanges.processes[drained].terminate()
        assert exchanges.processes[drained].wait(timeout=30) == 0
        go_on(25)
    assert not [one for each in applications for one in each.refused]  # its node asked again, under the same ids
    _meters_and_ledgers_agree(nodes, nodes.consumer, AGREEMENT, answered())
    nodes.provider.hutong("ledger", "verify", str(nodes.provider.home))


def family(node: Node) -> list[psutil.Process]:
    assert node.process is not None
    first = psutil.Process(node.process.pid)
    return [first, *first.children(recursive=True)]


def cut_off(node: Node) -> None:
    """Stop every process, at a moment when none of them holds the database."""
    for _ in range(200):
        for one in family(node):
            one.send_signal(signal.SIGSTOP)
        with contextlib.suppress(sqlite3.OperationalError), contextlib.closing(_database(node)) as look:
            look.execute("BEGIN IMMEDIATE")
            look.rollback()
            return
        bring_back(node)
    raise TimeoutError("the database was never free")


def _database(node: Node) -> sqlite3.Connection:
    return sqlite3.connect(node.home / "node.db", timeout=0)


def bring_back(node: Node) -> None:
    for one in family(node):
        one.send_signal(signal.SIGCONT)


def listed(node: Node) -> list[str]:
    """The keys the keeper has listed for the province, in the order in which it did."""
    kept = query(node, "SELECT kind, subject, detail FROM audit_record ORDER BY id")
    own = [one for one in kept if (one["kind"], one["subject"]) == ("member.key_listed", f"member:{CUT_OFF}")]
    return [orjson.loads(str(one["detail"]))["keyid"] for one in own]


@pytest.mark.timeout(300)
def test_the_others_go_on_and_when_it_is_back_all_agree(nodes: Pair):
    region, province = nodes.region, nodes.region[CUT_OFF]
    theirs = Application(nodes.consumer, nodes.key, AGREEMENT)
    its_own = Application(province, nodes.key, ITS_OWN)
    with reading(theirs, its_own):
        until(lambda: len(theirs.answered) > 30 and len(its_own.answered) > 30, what="exchanges of both")
        before = len(theirs.took_s)
        cut_off(province)
        try:
            sent = province.python(ROTATE)  # people go on deciding there; what they decide waits to be told
            region[PROVIDER].hutong("keys", "rotate", str(region[PROVIDER].home))  # told to everybody
            time.sleep(AWAY_S)
            answered_meanwhile = len(theirs.took_s) - before
            assert not listed(region["yrd"])
        finally:
            bring_back(province)
        until(lambda: len(listed(region["yrd"])) == MESSAGES, within_s=90, what="the drained queue")
        so_far = len(its_own.answered)
        until(lambda: len(its_own.answered) > so_far + 10, within_s=60, what="its exchanges")
    # The others: no refusal, and no slower.
    assert not theirs.refused
    assert answered_meanwhile > 20
    slow = statistics.quantiles(theirs.took_s[before : before + answered_meanwhile], n=20)[-1]
    assert slow < max(1.0, 10 * statistics.quantiles(theirs.took_s[:before], n=20)[-1])
    # Its queue: in order, each once.
    assert listed(region["yrd"]) == sent
    _the_same_directory_everywhere(nodes)
    _meters_and_ledgers_agree(nodes, province, ITS_OWN, its_own.answered)


def _the_same_directory_everywhere(nodes: Pair) -> None:
    region = nodes.region
    until(
        lambda: len({region.directory_version(one) for one in region.nodes}) == 1,
        within_s=90,
        what="one directory everywhere",
    )


def _meters_and_ledgers_agree(nodes: Pair, consumer: Node, agreement: str, answered: list[str]) -> None:
    """The consumer knows of all that the provider has on record, as the same bytes, each counted once."""

    def registers() -> tuple[dict[str, str], dict[str, str]]:
        rows = [one for one in nodes.register(nodes.provider) if one["agreement_id"] == agreement]
        ours = {row["exchange_id"]: row["response_digest"] for row in nodes.register(consumer)}
        return {row["exchange_id"]: row["response_digest"] for row in rows if row["outcome"] == "served"}, ours

    until(lambda: registers()[0].keys() <= registers()[1].keys(), within_s=90, what="the recovery of its register")
    served, known = registers()
    assert set(answered) <= served.keys()
    assert {one: known[one] for one in answered} == {one: served[one] for one in answered}
    (grant,) = query(nodes.provider, f"SELECT calls_used FROM exchange_grant WHERE agreement_id = '{agreement}'")
    made = [row for row in nodes.register(nodes.provider) if row["agreement_id"] == agreement]
    assert grant["calls_used"] == sum(row["outcome"] != "refused" for row in made)

    def agreed() -> bool:
        found = consumer.json("ledger", "reconcile", str(consumer.home), PROVIDER)
        return not found["differences"] and found["agreed"] >= len(answered)

    until(agreed, within_s=90, what="two ledgers that agree")


def test_a_node_that_is_stopped_says_so_and_ends_what_is_under_way(nodes: Pair):
    """Last: it stops the consumer's node."""
    node = nodes.consumer
    assert node.process is not None
    host, port = nodes.consumer_address
    stream = http.client.HTTPConnection(host, port, timeout=30)
    stream.request(
        "POST",
        f"/exchange/v1/agreements/{AGREEMENT}/read",
        b"{}",
        {
            "Authorization": f"Bearer {nodes.key}",
            "Hutong-Purpose": PURPOSE,
            "Hutong-Case": "1",
            "Accept": "text/csv",
            "Content-Type": "application/json",
        },
    )
    answer = stream.getresponse()
    begun = answer.read(1000)  # the connection is taken, and the stream under way
    os.kill(node.process.pid, signal.SIGTERM)
    until(lambda: node.get("/exchange/health")[0] == 503, what="the word that it is draining")
    assert json.loads(node.get("/hutong/health")[1])["status"] == "draining"
    assert ask(nodes, key={"item": "code", "value": f"{MARK}-1"}).status == 200  # still, until the doors close
    rest: list[bytes] = []
    reader = threading.Thread(target=lambda: rest.append(answer.read()))
    until(lambda: _refuses(host, port), what="closed doors")
    reader.start()
    reader.join(timeout=20)
    stream.close()
    assert (begun + b"".join(rest)).count(b"\n") == ROWS + 1
    assert node.process.wait(timeout=30) == 0
    node.process = None


def _refuses(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/exchange/health")
        connection.getresponse().read()
    except OSError:
        return True
    finally:
        connection.close()
    return False


def test_what_a_run_leaves_is_gone_at_the_next_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from hutong.node import draining

    monkeypatch.setenv("HUTONG_RUN", "")
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "")
    draining.prepare(tmp_path, "all", 8310)
    draining.announce()
    (tmp_path / "run" / "all-8310" / "metrics" / "counter_1.db").write_bytes(b"old")
    assert draining.draining()
    draining.prepare(tmp_path, "all", 8310)
    assert not draining.draining()
    assert not list((tmp_path / "run" / "all-8310" / "metrics").iterdir())
