"""Files of an agreement: opened once, fetched in any pieces, through both nodes, and by the tools people have."""

from __future__ import annotations

import hashlib
import os
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq
import pytest
import urllib3

from hutong.client.reading import PIECE
from tests.nodes import CommandFailed
from tests.pair import DEPARTMENT, PURPOSE, Pair, pair, query

LARGE = "urn:uuid:0192f0c1-0000-7000-8000-00000000f001"
SHARED = "urn:uuid:0192f0c1-0000-7000-8000-00000000f002"
ROWS = "urn:uuid:0192f0c1-0000-7000-8000-00000000f003"
ENDING = "urn:uuid:0192f0c1-0000-7000-8000-00000000f004"
KEEP = {"action": "keep"}
PARQUET = "application/vnd.apache.parquet"
ARROW = "application/vnd.apache.arrow.stream"
PEOPLE = """
code | name   | city | phone       | born       | capital
p1   | 王小一 | 南京 | 13800000001 | 1970-03-05 | 10
p2   | 李二   | 南京 | 13800000002 | 1980-04-06 | 20
p3   | 赵三   | 苏州 | 13800000003 | 1990-05-07 | 30
p4   | 钱四   | 南京 | 13800000004 |            |
"""


def write_people(file: Path, text: str = PEOPLE) -> None:
    _, *lines = [[cell.strip() or None for cell in line.split("|")] for line in text.strip().splitlines()]
    with duckdb.connect() as engine:
        engine.execute("CREATE TABLE people (code TEXT, name TEXT, city TEXT, phone TEXT, born DATE, capital BIGINT)")
        engine.executemany("INSERT INTO people VALUES (?, ?, ?, ?, ?, ?)", lines)
        engine.execute(f"COPY people TO '{file}.new' (FORMAT parquet)")
    Path(f"{file}.new").replace(file)
    old = file.stat().st_mtime - 60  # long enough ago that its time alone tells whether it has changed
    os.utime(file, (old, old))


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("files")
    write_people(folder / "people.parquet")
    large = folder / "large.parquet"
    with duckdb.connect() as engine:
        engine.execute(f"COPY (SELECT range AS n, hash(range) AS h FROM range(1_000_000)) TO '{large}'")
    old = large.stat().st_mtime - 60
    os.utime(large, (old, old))
    sources = {
        "people": {"kind": "parquet", "location": str(folder / "people.parquet")},
        "large": {"kind": "parquet", "location": str(large)},
    }
    masked = {
        "code": KEEP,
        "name": {"action": "name"},
        "phone": {"action": "phone"},
        "born": {"action": "year"},
        "capital": KEEP,
    }
    nanjing = {"op": "eq", "item": "city", "value": "南京"}
    grants: dict[str, dict[str, Any]] = {
        LARGE: {"source": "large", "items": {"n": KEEP, "h": KEEP}},
        SHARED: {"source": "people", "items": masked, "where": nanjing},
        ROWS: {"source": "people", "items": {"code": KEEP}, "quota_rows": 5},
        ENDING: {"source": "people", "items": {"code": KEEP}},
    }
    with pair(folder, sources, grants) as made:
        yield made


def call(
    nodes: Pair, path: str, body: Any = None, method: str = "", key: str = "", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """One request at the consumer's door."""
    given = {
        "Hutong-Purpose": PURPOSE,
        "Hutong-Case": "2026-1",
        **({"Authorization": f"Bearer {key or nodes.key}"} if key != "none" else {}),
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    raw = None if body is None else orjson.dumps(body)
    url = path if path.startswith("http") else nodes.consumer.base_url + path
    request = urllib.request.Request(url, raw, given, method=method or None)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers), error.read()


def opened(nodes: Pair, agreement: str, body: Any, **headers: str) -> dict[str, Any]:
    path = f"/exchange/v1/agreements/{agreement}/files"
    while True:
        status, _, raw = call(nodes, path, body, **{"Accept": PARQUET, **headers})
        assert status in (201, 202), raw
        if status == 201:  # the provider has written them
            return orjson.loads(raw)


def use(nodes: Pair, agreement: str) -> tuple[int, int]:
    rows = query(nodes.provider, f"SELECT * FROM exchange_daily_use WHERE agreement_id = '{agreement}'")
    return sum(r["calls"] for r in rows), sum(r["rows"] for r in rows)


def refused(nodes: Pair, agreement: str) -> int:
    found = query(nodes.provider, f"SELECT refused FROM exchange_daily_use WHERE agreement_id = '{agreement}'")
    return sum(row["refused"] for row in found)


def test_a_file_fetched_in_pieces_is_one_exchange_on_record_and_counted_once(nodes):
    before = use(nodes, LARGE)
    made = opened(nodes, LARGE, {})
    (file,) = made["files"]
    assert nodes.register(nodes.provider, made["exchange"]) == []  # nothing has left yet
    half = file["bytes"] // 2
    parts = []
    for span in (f"bytes=0-{half - 1}", f"bytes={half}-", f"bytes={half}-", "bytes=-8"):
        status, headers, raw = call(nodes, file["url"], Range=span)
        assert status == 206
        assert headers["content-range"].endswith(f"/{file['bytes']}")
        parts.append(raw)
    whole = parts[0] + parts[1]
    assert (len(whole), parts[2], parts[3]) == (file["bytes"], parts[1], whole[-8:])
    table = pq.read_table(pa.BufferReader(whole))
    assert table.num_rows == 1_000_000 == file["rows"]

    assert file["digest"] == "sha256:" + hashlib.sha256(whole).hexdigest()
    for side in (nodes.provider, nodes.consumer):
        (row,) = nodes.register(side, made["exchange"])
        assert (row["outcome"], row["rows"], row["bytes"]) == ("served", 1_000_000, len(whole))
        assert (row["response_digest"], row["form"]) == (file["digest"], "parquet")
    entries = query(nodes.provider, "SELECT COUNT(*) AS n FROM ledger_entry")[0]["n"]
    call(nodes, file["url"], Range="bytes=0-99")
    assert query(nodes.provider, "SELECT COUNT(*) AS n FROM ledger_entry")[0]["n"] == entries
    assert use(nodes, LARGE) == (before[0] + 1, before[1] + 1_000_000)


def test_a_suspension_stops_the_next_piece_and_resuming_goes_on_where_it_was(nodes):
    made, before = opened(nodes, LARGE, {}, Accept=ARROW), refused(nodes, LARGE)
    url = made["files"][0]["url"]
    assert call(nodes, url, Range="bytes=0-9")[0] == 206
    nodes.set_state(LARGE, "suspended")
    try:
        status, _, raw = call(nodes, url, Range="bytes=9000000-9000009")
        problem = orjson.loads(raw)
        assert (status, problem["rule"]) == (403, "D809-27")
        again = orjson.loads(call(nodes, url, Range="bytes=12000000-12000009")[2])
    finally:
        nodes.set_state(LARGE, "active")
    assert call(nodes, url, Range="bytes=9000000-9000009")[0] == 206
    # On both records, once however often it was tried, apart from what was served; and among the day's refusals.
    refusals = [nodes.register(side, problem["exchange"]) for side in (nodes.provider, nodes.consumer)]
    assert [[(row["outcome"], row["code"], row["rows"]) for row in rows] for rows in refusals] == [
        [("refused", problem["code"], 0)]
    ] * 2
    assert problem["receipt"] == again["receipt"] == refusals[0][0]["entry_digest"]
    for side in (nodes.provider, nodes.consumer):
        assert [row["outcome"] for row in nodes.register(side, made["exchange"])] == ["served"]
    (entry,) = query(
        nodes.consumer, f"SELECT application FROM exchange_record WHERE exchange_id = '{problem['exchange']}'"
    )
    assert entry["application"]
    assert refused(nodes, LARGE) == before + 1


def test_files_are_for_the_key_that_opened_them(nodes):
    made = opened(nodes, SHARED, {})
    url = made["files"][0]["url"]
    home = str(nodes.consumer.home)
    other = nodes.consumer.json("key", "create", home, "--department", DEPARTMENT, "--application", "x")["key"]
    assert call(nodes, url, key=other)[0] == 404
    assert call(nodes, url, key="none")[0] == 401
    status, headers, raw = call(nodes, url, method="HEAD")
    assert (status, headers["content-length"], raw) == (200, str(made["files"][0]["bytes"]), b"")
    assert call(nodes, url, Range="bytes=999999-")[0] == 416
    mine = opened(nodes, SHARED, {}, Authorization=f"Bearer {other}")
    nodes.consumer.hutong("key", "revoke", home, other[:10])
    assert call(nodes, mine["files"][0]["url"], key=other)[0] == 401


def test_one_edition_serves_all_who_ask_the_same_until_the_source_changes(nodes):
    first, second = opened(nodes, SHARED, {}), opened(nodes, SHARED, {})
    assert first["exchange"] != second["exchange"]
    assert first["files"] == [{**second["files"][0], "url": first["files"][0]["url"]}]
    other = opened(nodes, SHARED, {"items": ["code"], "where": "capital > 15"})
    assert other["files"][0]["rows"] == 1
    folder = nodes.provider.home / "editions" / SHARED.removeprefix("urn:uuid:")
    assert len(list(folder.glob("*/*/edition.json"))) == 2
    assert {one.stat().st_mode & 0o077 for one in folder.glob("*/*/*")} == {0}


def test_a_quota_of_rows_opens_no_file_that_would_exceed_it(nodes):
    one, two = opened(nodes, ROWS, {}), opened(nodes, ROWS, {})
    assert call(nodes, one["files"][0]["url"])[0] == 200
    assert call(nodes, one["files"][0]["url"])[0] == 200  # a further fetch of the same counts nothing
    status, _, raw = call(nodes, two["files"][0]["url"])
    assert (status, orjson.loads(raw)["code"]) == (429, "quota_spent")
    path = f"/exchange/v1/agreements/{ROWS}/files"
    status, _, raw = call(nodes, path, {}, Accept=PARQUET)
    problem = orjson.loads(raw)
    assert (status, problem["code"]) == (429, "quota_spent")
    for side in (nodes.provider, nodes.consumer):
        assert nodes.register(side, problem["exchange"])[0]["outcome"] == "refused"
    assert use(nodes, ROWS) == (1, 4)


def test_what_an_ended_agreement_gave_is_removed(nodes):
    made = opened(nodes, ENDING, {})
    folder = nodes.provider.home / "editions" / ENDING.removeprefix("urn:uuid:")
    assert folder.is_dir()
    nodes.set_state(ENDING, "ended")
    assert not folder.exists()
    status, _, raw = call(nodes, made["files"][0]["url"])
    assert (status, orjson.loads(raw)["code"]) == (403, "grant_ended")


@pytest.fixture(scope="module")
def profile(nodes: Pair, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A profile file, as the command makes it."""
    file = tmp_path_factory.mktemp("profile") / "team.share"
    named = ("--department", DEPARTMENT, "--application", "analysts", "--purpose", PURPOSE, "--case", "沪2026-7")
    said = nodes.consumer.hutong("share", "profile", str(nodes.consumer.home), *named, "-o", str(file))
    assert "keep it like a password" in said
    assert file.stat().st_mode & 0o077 == 0
    return file


def url_of(profile: Path, agreement: str) -> str:
    return f"{profile}#{agreement.removeprefix('urn:uuid:')}.320000.rows"


def sharing(
    nodes: Pair, profile: Path, path: str, body: Any = None, **headers: str
) -> tuple[int, dict[str, str], bytes]:
    token = orjson.loads(profile.read_bytes())["bearerToken"]
    return call(nodes, "/exchange/delta-sharing/" + path, body, key=token, **headers)


def table_path(agreement: str) -> str:
    return f"shares/{agreement.removeprefix('urn:uuid:')}/schemas/320000/tables/rows"


def queried(nodes: Pair, profile: Path, agreement: str, body: Any, **headers: str) -> list[dict[str, Any]]:
    status, _, raw = sharing(nodes, profile, table_path(agreement) + "/query", body, **headers)
    assert status == 200, raw
    return [orjson.loads(line) for line in raw.splitlines()]


NANJING = [
    {"code": "p1", "name": "王**", "phone": "138****0001", "capital": 10},
    {"code": "p2", "name": "李*", "phone": "138****0002", "capital": 20},
    {"code": "p4", "name": "钱*", "phone": "138****0004", "capital": None},
]


@pytest.mark.filterwarnings("ignore")  # the reader's own: pandas' concat, unclosed event loops
@pytest.mark.parametrize("delta", [False, True])
def test_the_delta_sharing_client_reads_the_masked_rows_as_pandas(nodes, profile, delta):
    import delta_sharing

    before = use(nodes, SHARED)
    frame = delta_sharing.load_as_pandas(url_of(profile, SHARED), use_delta_format=delta)
    assert list(frame.columns) == ["code", "name", "phone", "born", "capital"]
    assert list(frame["name"]) == [row["name"] for row in NANJING]
    assert [str(one)[:10] for one in frame["born"][:2]] == ["1970-01-01", "1980-01-01"]
    assert use(nodes, SHARED) == (before[0] + 1, before[1] + 3)  # however many requests it made
    (row,) = query(nodes.consumer, "SELECT * FROM exchange_record ORDER BY id DESC LIMIT 1")
    assert (row["application"], row["purpose"], row["case_number"]) == ("analysts", PURPOSE, "沪2026-7")
    limited = delta_sharing.load_as_pandas(url_of(profile, SHARED), limit=2, use_delta_format=delta)
    assert len(limited) == 2
    assert use(nodes, SHARED) == (before[0] + 2, before[1] + 5)  # the limit is kept by the provider


@pytest.mark.filterwarnings("ignore")
def test_the_delta_sharing_client_lists_what_the_profile_may_read(nodes, profile):
    import delta_sharing

    client = delta_sharing.SharingClient(str(profile))
    tables = client.list_all_tables()
    assert {one.share for one in tables} >= {SHARED.removeprefix("urn:uuid:"), LARGE.removeprefix("urn:uuid:")}
    (schema,) = client.list_schemas(client.list_shares()[0])
    assert schema.name == "320000"
    status, _, raw = sharing(nodes, profile, "shares?maxResults=1")
    assert (status, len(orjson.loads(raw)["items"])) == (200, 1)
    assert orjson.loads(raw)["nextPageToken"] == "1"
    assert sharing(nodes, profile, "shares/none/schemas")[0] == 404


def test_duckdb_and_polars_read_a_masked_share_by_its_addresses(nodes, profile):
    import fsspec
    import polars as pl

    lines = queried(nodes, profile, SHARED, {})
    url = lines[2]["file"]["url"]
    frame = pl.read_parquet(url)
    assert frame.select("code", "name", "phone", "capital").to_dicts() == NANJING
    with duckdb.connect() as engine:
        # Its HTTP extension is not in the wheel; so it reads, column by column, through Arrow.
        engine.register("shared", pyarrow.dataset.dataset(url, filesystem=fsspec.filesystem("http")))
        assert engine.execute("SELECT count(*), sum(capital), min(name) FROM shared").fetchall() == [(3, 30, "李*")]
        with pytest.raises(duckdb.Error):
            engine.execute("SELECT city FROM shared")


def test_hints_are_tested_on_the_masked_rows_alone(nodes, profile):
    def numbers(**body: Any) -> int:
        return orjson.loads(queried(nodes, profile, SHARED, body)[2]["file"]["stats"])["numRecords"]

    assert numbers() == 3
    assert numbers(predicateHints=["capital >= 15"]) == 1
    # The original would match; the masked value does not, and that is all a reader may find out.
    assert numbers(predicateHints=["phone = '13800000001'"]) == 0
    assert numbers(predicateHints=["phone = '138****0001'"]) == 1
    assert numbers(predicateHints=["born < '1970-02-01'"]) == 1  # masked to the first day of the year
    # Nothing that is not agreed can be tested: the hint is left to the reader.
    assert numbers(predicateHints=["city = '苏州'"]) == 3
    assert numbers(predicateHints=["capital >= 15; DROP TABLE people"], limitHint=1) == 3
    equal = {
        "op": "equal",
        "children": [
            {"op": "column", "name": "code", "valueType": "string"},
            {"op": "literal", "value": "p2", "valueType": "string"},
        ],
    }
    assert numbers(jsonPredicateHints=orjson.dumps(equal).decode(), limitHint=5) == 1
    assert numbers(limitHint=2) == 2


def test_a_signed_address_is_bound_to_its_file_and_stops_with_the_agreement_and_with_the_key(nodes, profile):
    url = queried(nodes, profile, SHARED, {})[2]["file"]["url"]
    assert call(nodes, url, key="none")[0] == 200
    for wrong in (url[:-1] + ("0" if url[-1] != "0" else "1"), url.replace("expires=1", "expires=2")):
        status, _, raw = call(nodes, wrong, key="none")
        assert (status, orjson.loads(raw)["code"]) == (403, "address_expired")
    nodes.set_state(SHARED, "suspended")
    try:
        time.sleep(0.6)  # a piece that came is kept half a second
        assert call(nodes, url, key="none", Range="bytes=0-9")[0] == 403
    finally:
        nodes.set_state(SHARED, "active")
    assert call(nodes, url, key="none", Range="bytes=0-9")[0] == 206


def test_a_profile_reads_for_its_own_purpose_and_case_alone(nodes, profile):
    token = orjson.loads(profile.read_bytes())["bearerToken"]
    path = f"/exchange/v1/agreements/{SHARED}/read"
    status, _, raw = call(nodes, path, {"limit": 1}, key=token)
    assert (status, orjson.loads(raw)["code"]) == (403, "key_bound")
    assert call(nodes, path, {"limit": 1}, key=token, Hutong_Case="沪2026-7".encode().decode("latin-1"))[0] == 200
    assert call(nodes, "/exchange/delta-sharing/shares")[0] == 403  # a key that is bound to nothing
    home, out = str(nodes.consumer.home), str(profile.with_name("other.share"))
    named = ("--department", DEPARTMENT, "--application", "x", "--case", "1", "--purpose", "marketing")
    nodes.consumer.hutong("share", "profile", home, *named, "-o", out)
    status, _, raw = sharing(nodes, Path(out), table_path(SHARED) + "/query", {})
    assert (status, orjson.loads(raw)["errorCode"]) == (403, "purpose_not_granted")
    nodes.consumer.hutong("key", "revoke", home, orjson.loads(Path(out).read_bytes())["bearerToken"][:10])
    assert sharing(nodes, Path(out), "shares")[0] == 401


@pytest.mark.filterwarnings("ignore")
def test_changes_between_versions_are_read_as_change_data(nodes, profile):
    import delta_sharing

    file = Path(query_source(nodes))
    version = delta_sharing.get_table_version(url_of(profile, SHARED))
    changed = PEOPLE.replace("20\n", "25\n").replace("| 王小一 | 南京", "| 王小一 | 苏州")
    write_people(file, changed + "p5   | 周五   | 南京 | 13800000005 | 2000-01-01 | 50\n")
    os.utime(file, (file.stat().st_mtime + 5,) * 2)
    assert delta_sharing.get_table_version(url_of(profile, SHARED)) == version + 1
    for delta in (False, True):
        changes = delta_sharing.load_table_changes_as_pandas(
            url_of(profile, SHARED), starting_version=version + 1, use_delta_format=delta
        )
        found = sorted(zip(changes["_change_type"], changes["code"], changes["name"], strict=True))
        assert found == [
            ("delete", "p1", "王**"),
            ("delete", "p2", "李*"),
            ("insert", "p2", "李*"),
            ("insert", "p5", "周*"),
        ]
        assert set(changes["_commit_version"]) == {version + 1}
    earlier = delta_sharing.load_as_pandas(url_of(profile, SHARED), version=version)
    assert list(earlier["code"]) == ["p1", "p2", "p4"]
    status, _, raw = sharing(nodes, profile, table_path(SHARED) + "/changes?startingVersion=0&endingVersion=999")
    assert (status, orjson.loads(raw)["errorCode"]) == (400, "version_not_kept")


def query_source(nodes: Pair) -> str:
    return str(nodes.provider.home.parent / "people.parquet")


def test_the_client_goes_on_by_itself_after_cuts(nodes, monkeypatch):
    cut = {"left": 3}
    whole = urllib3.response.HTTPResponse.read

    def read(self: Any, amount: int | None = None, *rest: Any, **more: Any) -> bytes:
        if amount == PIECE and cut["left"] and getattr(self, "_pieces", 0):
            cut["left"] -= 1
            self.close()
            raise urllib3.exceptions.ProtocolError("the line was cut")
        self._pieces = getattr(self, "_pieces", 0) + 1
        return whole(self, amount, *rest, **more)

    monkeypatch.setattr(urllib3.response.HTTPResponse, "read", read)
    before = use(nodes, LARGE)
    with nodes.connect() as node:
        reading = node.read(LARGE, purpose=PURPOSE, case="1", resume=True)
        assert reading.to_arrow().num_rows == 1_000_000
        assert node.exchange(reading.exchange)["outcome"] == "served"
    assert cut["left"] == 0
    assert use(nodes, LARGE) == (before[0] + 1, before[1] + 1_000_000)


def test_a_drop_is_whole_signed_and_continued_after_a_kill(nodes, tmp_path):
    into, home = tmp_path / "incoming", str(nodes.consumer.home)
    named = ("--key", nodes.key, "--purpose", PURPOSE, "--case", "2026-1")
    nodes.consumer.hutong("drop", "fetch", home, LARGE, str(into), *named)
    folder = into / LARGE.removeprefix("urn:uuid:")
    place = folder / (folder / "newest").read_text().strip()
    rows = (place / "rows.parquet").read_bytes()
    assert pq.read_table(pa.BufferReader(rows)).num_rows == 1_000_000
    manifest = orjson.loads((place / "manifest.json").read_bytes())
    (row,) = nodes.register(nodes.consumer, manifest["exchange"])
    assert (row["outcome"], row["entry_digest"]) == ("served", manifest["receipt"])
    assert "are what was signed" in nodes.consumer.hutong("drop", "verify", home, str(place))
    assert "Nothing was fetched" in nodes.consumer.hutong("drop", "fetch", home, LARGE, str(into), *named)
    # As a kill in the middle leaves it: a part of the rows, and no folder of that version.
    digest = manifest["stated"]["files"][0]["digest"].removeprefix("sha256:")
    partial = folder / f"{place.name}-{digest[:16]}.part"
    place.rename(partial)
    (partial / "manifest.json").unlink()
    (partial / "rows.parquet").write_bytes(rows[: len(rows) // 3])
    nodes.consumer.hutong("drop", "fetch", home, LARGE, str(into), *named)
    assert (place / "rows.parquet").read_bytes() == rows
    (place / "rows.parquet").write_bytes(rows[:-1] + b"?")
    with pytest.raises(CommandFailed, match="another digest"):
        nodes.consumer.hutong("drop", "verify", home, str(place))
