"""Folders of files and Iceberg tables, here and on S3-compatible storage: what is added, removed, changed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.fs
import pyarrow.parquet as pq
import pytest

from hutong.exchange.shaping.predicate import parse_text
from hutong.exchange.sources import Source, SourceSpec, open_source, take_in
from hutong.exchange.sources.location import check_address
from hutong.exchange.sources.settings import checked
from hutong.exchange.sources.source import LookupTooWide
from hutong.exchange.sources.spec import (
    AddressOutside,
    BadHeader,
    BadSourceSetting,
    NotAPlainFile,
    SourceChanging,
    SourceDrifted,
    SourceFailed,
    SourceMissing,
    SourceOutside,
    SourceUnreadable,
)
from tests import storage
from tests.http_source import allow
from tests.iceberg_deletes import delete_equal, delete_positions
from tests.spec import five_sources
from tests.storage import Storage


@pytest.fixture(scope="module")
def lake() -> Iterator[Storage]:
    with storage.server() as running:
        allow(running.endpoint)
        allow(running.catalogue)
        yield running


def folder(path: Path) -> Source:
    return open_source(SourceSpec("parquet_folder", str(path)))


def numbers(source: Source, text: str = "") -> list[int]:
    found = source.read(["number"], parse_text(text) if text else None).read_all().column(0)
    return sorted(found.to_pylist())


def test_a_file_that_is_added_is_read_and_one_that_lacks_a_column_stops_the_read(tmp_path: Path) -> None:
    five_sources.write_parquet_folder(tmp_path / "x")
    source, heard = folder(tmp_path / "x"), []
    source.on_drift = heard.append
    assert source.count() == 150
    added = pa.Table.from_pylist([five_sources.ROWS[0] | {"number": 200}], schema=five_sources.SCHEMA)
    (tmp_path / "x" / "area=09").mkdir()
    pq.write_table(added.append_column("more", pa.array([1])), tmp_path / "x" / "area=09" / "new.parquet")
    assert numbers(source, "area = '09'") == [200]
    assert source.read(["area", "number"], parse_text("number = 200")).read_all().to_pylist() == [
        {"area": "09", "number": 200}
    ]
    assert source.count() == 151
    other = added.set_column(1, "word", pa.array([7])).drop_columns(["day"])
    pq.write_table(other, tmp_path / "x" / "area=09" / "other.parquet")
    with pytest.raises(SourceDrifted, match="word"):
        source.read(["number"])
    assert heard == [("word", "day")]
    assert source.differing({"word": "string", "day": "date32[day]", "gone": "bool"}) == ("gone",)  # as it was opened
    (tmp_path / "x" / "area=09" / "other.parquet").unlink()
    assert numbers(source, "number >= 149") == [149, 200]
    source.close()


def test_only_partitions_and_row_groups_that_may_hold_a_row_are_read(tmp_path: Path) -> None:
    five_sources.write_parquet_folder(tmp_path / "x")
    source = folder(tmp_path / "x")
    broken = tmp_path / "x" / "area=01" / "rows.parquet"
    content = bytearray(broken.read_bytes())
    content[4:400] = os.urandom(396)  # the first row group: numbers 0 to 19
    broken.write_bytes(bytes(content))
    os.utime(broken)
    assert numbers(source, "area = '02'") == list(range(60, 120))
    assert numbers(source, "number >= 40 AND number < 62") == list(range(40, 62))
    with pytest.raises(SourceFailed):
        numbers(source)
    source.close()


def test_a_folder_is_read_within_its_bounds(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    with pytest.raises(SourceUnreadable, match="no such file"):
        folder(tmp_path / "x")
    pq.write_table(pa.table({"number": [1]}), tmp_path / "real.parquet")
    (tmp_path / "x" / "link.parquet").symlink_to(tmp_path / "real.parquet")
    with pytest.raises(NotAPlainFile):
        folder(tmp_path / "x")
    for place, refusal in (("/etc", SourceOutside), (str(tmp_path / "none"), SourceMissing)):
        with pytest.raises(refusal):
            folder(Path(place))
    (tmp_path / "x" / "link.parquet").unlink()
    pq.write_table(pa.table({"number": range(20)}), tmp_path / "x" / "a.parquet")
    (tmp_path / "x" / "k=1").mkdir()
    pq.write_table(pa.table({"number": [1]}), tmp_path / "x" / "k=1" / "b.parquet")
    with pytest.raises(SourceUnreadable, match="different partitions"):
        folder(tmp_path / "x")
    (tmp_path / "x" / "k=1" / "b.parquet").unlink()
    source = folder(tmp_path / "x")
    with pytest.raises(LookupTooWide):
        source.lookup(["number"], "number", list(range(20)), limit=5)
    source.close()


def test_a_folder_of_csv_files_is_taken_in_as_one_table_with_one_header(tmp_path: Path) -> None:
    for part, text in (("2023", "code,n\n01,1\n02,x\n"), ("2024", "code,n\n03,\n")):
        (tmp_path / "x" / f"year={part}").mkdir(parents=True)
        (tmp_path / "x" / f"year={part}" / "a.csv").write_text(text, encoding="utf-8")
    (tmp_path / "x" / "year=2024" / "b.csv").write_bytes("code,n\n南京,1\n".encode("gb18030"))
    spec = SourceSpec("csv_folder", str(tmp_path / "x"))
    taken = take_in(spec, tmp_path / "s", "x")
    source = open_source(SourceSpec("csv_folder", spec.location, snapshot=str(taken.snapshot)))
    assert source.read(["code", "n", "year"]).read_all().to_pylist() == [
        {"code": "01", "n": "1", "year": 2023},
        {"code": "02", "n": "x", "year": 2023},
        {"code": "03", "n": None, "year": 2024},
        {"code": "南京", "n": "1", "year": 2024},
    ]
    source.close()
    (tmp_path / "x" / "year=2024" / "c.csv").write_text("n,code\n1,2\n", encoding="utf-8")
    with pytest.raises(BadHeader, match="another header"):
        take_in(spec, tmp_path / "s", "x")
    assert not list((tmp_path / "s").glob("*.scratch"))


def test_folders_on_storage_are_read_as_folders_here(lake: Storage, tmp_path: Path) -> None:
    there = lake.files()
    five_sources.write_parquet_folder(tmp_path / "x")
    pyarrow.fs.copy_files(str(tmp_path / "x"), f"{storage.BUCKET}/register", destination_filesystem=there)
    spec = SourceSpec(
        "parquet_folder", f"s3://{storage.BUCKET}/register", settings=checked("parquet_folder", lake.settings)
    )
    source = open_source(spec)
    assert source.count() == 150
    assert source.read(five_sources.ITEMS).read_all().to_pylist() == five_sources.ROWS
    assert numbers(source, "area = '03' AND number < 125") == [120, 121, 122, 123, 124]
    with there.open_output_stream(f"{storage.BUCKET}/register/area=03/new.parquet") as stream:
        pq.write_table(
            pa.Table.from_pylist([five_sources.ROWS[0] | {"number": 999}], schema=five_sources.SCHEMA), stream
        )
    assert numbers(source, "number > 148") == [149, 999]
    source.close()
    with there.open_output_stream(f"{storage.BUCKET}/csv/a.csv") as stream:
        stream.write(b"code,n\n01,1\n")
    given = {**dict(spec.settings)}
    csv = SourceSpec("csv_folder", f"s3://{storage.BUCKET}/csv", settings=tuple(sorted(given.items())))
    assert take_in(csv, tmp_path / "s", "x").row_count == 1
    wrong = tuple(sorted({**given, "secret_key": "wrong-secret"}.items()))
    with pytest.raises((SourceFailed, SourceMissing)) as failed:
        open_source(SourceSpec("parquet_folder", spec.location, settings=wrong))
    assert "secret" not in str(failed.value)
    outside = tuple(sorted({**given, "endpoint": "http://127.0.0.1:1"}.items()))
    with pytest.raises(AddressOutside):
        open_source(SourceSpec("parquet_folder", spec.location, settings=outside))


def test_a_table_of_a_rest_catalogue_is_read_at_its_newest_snapshot(lake: Storage) -> None:
    from pyiceberg.catalog.rest import RestCatalog

    catalogue = RestCatalog(
        "made",
        uri=lake.catalogue,
        credential=f"{storage.KEY}:{storage.SECRET}",
        warehouse=f"s3://{storage.TABLES}",
        **{"s3.endpoint": lake.endpoint, "s3.access-key-id": storage.KEY, "s3.secret-access-key": storage.SECRET},
        **{"s3.region": "us-east-1", "oauth2-server-uri": f"{lake.catalogue}/v1/oauth/tokens"},
    )
    catalogue.create_namespace("civil")
    table = catalogue.create_table("civil.register", schema=five_sources.SCHEMA)
    table.append(pa.Table.from_pylist(five_sources.ROWS, schema=five_sources.SCHEMA))
    given = {**lake.settings, "warehouse": f"s3://{storage.TABLES}", "credential": f"{storage.KEY}:{storage.SECRET}"}
    source = open_source(SourceSpec("iceberg", lake.catalogue, "civil.register", settings=checked("iceberg", given)))
    assert source.read(five_sources.ITEMS).read_all().to_pylist() == five_sources.ROWS
    table.delete("number >= 10")
    assert numbers(source) == list(range(10))
    with table.update_schema() as update:
        update.add_column("more", five_sources_type())
    assert numbers(source, "number = 3") == [3]
    heard: list[object] = []
    source.on_drift = heard.append
    with table.update_schema() as update:
        update.rename_column("word", "words")
    with pytest.raises(SourceDrifted, match="word"):
        source.read(["number"])
    assert heard == [("word",)]
    with pytest.raises(SourceUnreadable, match="no table"):
        open_source(SourceSpec("iceberg", lake.catalogue, "civil.none", settings=checked("iceberg", given)))


@pytest.mark.parametrize("bounds", [False, True])
def test_a_row_deleted_by_its_place_is_never_served(tmp_path: Path, bounds: bool) -> None:
    source = open_source(five_sources.write_iceberg(tmp_path))
    with five_sources.iceberg_table(tmp_path) as table:
        delete_positions(table, "number", [3, 70, 149], bounds=bounds)
        assert numbers(source) == [number for number in range(150) if number not in (3, 70, 149)]
        assert numbers(source, "number <= 4") == [0, 1, 2, 4]  # pushed down and tested
        assert numbers(source, "word = '南京' AND number > 60") == [
            number for number in range(61, 149) if five_sources.ROWS[number]["word"] == "南京" and number != 70
        ]
        assert source.lookup(["number"], "number", [70, 71]).to_pylist() == [{"number": 71}]
        assert source.read(["number"], limit=4).read_all().column(0).to_pylist() == [0, 1, 2, 4]
        assert source.count() == 147
        table.append(pa.Table.from_pylist([five_sources.ROWS[3]], schema=five_sources.SCHEMA))
        assert numbers(source, "number <= 4") == [0, 1, 2, 3, 4]  # the deletion is older than the row


def test_a_table_whose_rows_are_deleted_by_value_is_refused_whole(tmp_path: Path) -> None:
    source = open_source(five_sources.write_iceberg(tmp_path))
    with five_sources.iceberg_table(tmp_path) as table:
        delete_equal(table, "number", [7])
    for read in (lambda: numbers(source), lambda: numbers(source, "number = 100"), source.count):
        with pytest.raises(SourceUnreadable, match="deleted by value") as refused:
            read()
        assert str(tmp_path) not in str(refused.value)
    with pytest.raises(SourceUnreadable):
        source.lookup(["number"], "number", [7])


def five_sources_type() -> object:
    from pyiceberg.types import StringType

    return StringType()


def test_a_table_whose_files_lie_where_no_source_may_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = five_sources.write_iceberg(tmp_path)
    source = open_source(spec)
    assert numbers(source, "number < 2") == [0, 1]
    (tmp_path / "only").mkdir()
    monkeypatch.setenv("HUTONG_SOURCE_ROOTS", str(tmp_path / "only"))
    with pytest.raises((SourceOutside, SourceFailed)):
        numbers(source)
    from hutong.exchange.sources.iceberg import CheckedFileIO

    for outside in (f"file://{tmp_path}/only%2F..%2Fcatalogue.db", "file://etc/passwd", "etc/passwd", "hdfs://x/y"):
        with pytest.raises(SourceOutside):
            CheckedFileIO().new_input(outside)
    with pytest.raises(SourceOutside):
        open_source(spec)


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("http://10.1.2.3:9000/x", True),
        ("https://data.example/v1?x=1", True),
        ("https://DATA.example:443", True),
        ("http://data.example", False),
        ("https://data.example:8443", False),
        ("https://data.example.evil.example", False),
        ("https://user@data.example", False),
        ("https://data.example@evil.example", False),
        ("file:///etc/passwd", False),
        ("ftp://data.example", False),
        ("http:" + "//[::1", False),
        ("", False),
    ],
)
def test_only_addresses_that_the_operator_names_are_asked(
    monkeypatch: pytest.MonkeyPatch, address: str, allowed: bool
) -> None:
    monkeypatch.setenv("HUTONG_SOURCE_ADDRESSES", "http://10.1.2.3:9000, https://data.example")
    if allowed:
        check_address(address)
    else:
        with pytest.raises(AddressOutside):
            check_address(address)


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("parquet_folder", {"endpoints": "x"}),
        ("iceberg", {"catalogue": "hive"}),
        ("openapi", {"document": "/x"}),
        ("csv", {"endpoint": "http://127.0.0.1"}),
        ("openapi", {"document": "/x", "operation": "o", "filters": "x" * 30_000}),
    ],
)
def test_settings_that_a_kind_does_not_know_or_lacks_are_refused(kind: str, given: dict[str, str]) -> None:
    with pytest.raises(BadSourceSetting):
        checked(kind, given)


def test_a_folder_that_changes_while_it_is_taken_in_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "a.csv").write_text("code\n1\n", encoding="utf-8")
    from hutong.exchange.sources import intake

    whole = intake._Taking.write_snapshot

    def late(self: object, **about: object) -> object:
        (tmp_path / "x" / "b.csv").write_text("code\n2\n", encoding="utf-8")
        return whole(self, **about)  # type: ignore[arg-type]

    monkeypatch.setattr(intake._Taking, "write_snapshot", late)
    with pytest.raises(SourceChanging):
        take_in(SourceSpec("csv_folder", str(tmp_path / "x")), tmp_path / "s", "x")
    assert list((tmp_path / "s").iterdir()) == []
