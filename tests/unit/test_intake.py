"""Taking files in: what is kept, what is set aside under which line, and what is refused."""

from __future__ import annotations

import csv
import gzip
import lzma
import os
import re
import time
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hutong.exchange.sources import SourceSpec, open_source, probe, sweep, take_in
from hutong.exchange.sources.intake import Intake, description
from hutong.exchange.sources.location import ROOTS_VARIABLE
from hutong.exchange.sources.spec import (
    BadHeader,
    NoRows,
    NotAPlainFile,
    NotTakenIn,
    SourceChanging,
    SourceMissing,
    SourceOutside,
    SourceTooLarge,
    SourceUnreadable,
    WorkbookTooLarge,
)
from hutong.exchange.sources.unpacking import SourceFile
from hutong.exchange.sources.workbook import check_memory
from tests.spec.five_sources import write_workbook


def taken(folder: Path, data: bytes, name: str = "in.csv", **options: object) -> Intake:
    path = folder / name
    path.write_bytes(data)
    return take_in(SourceSpec("csv", str(path)), folder / "snapshots", "register", **options)  # type: ignore[arg-type]


def rows_of(intake: Intake) -> list[dict[str, object]]:
    found: list[dict[str, object]] = pq.read_table(intake.snapshot).to_pylist()
    return found


def aside_of(intake: Intake) -> list[tuple[int, str]]:
    assert intake.quarantine is not None
    with intake.quarantine.open(encoding="ascii") as file:
        return [(int(row["line"]), row["reason"]) for row in csv.DictReader(file)]


def nothing_is_left(folder: Path) -> bool:
    return not list((folder / "snapshots").glob("*"))


def test_rows_that_cannot_be_used_are_set_aside_under_their_line(tmp_path: Path) -> None:
    data = (
        'name,note\n甲,1\n乙\n"丙\n丙",2\n丁,3,4\n'.encode()
        + b"\xff\xfe,5\n"
        + "戊,\0\n\n己,6\n".encode()
        + b'"x"y,7\n'
    )
    intake = taken(tmp_path, data)
    assert [row["name"] for row in rows_of(intake)] == ["甲", "丙\n丙", "己"]
    assert aside_of(intake) == [(3, "field_count"), (6, "field_count"), (7, "encoding"), (8, "nul"), (11, "quote")]
    assert (intake.row_count, intake.quarantined) == (3, 5)
    assert "1 blank lines were passed over" in intake.notes


def test_the_list_of_rows_set_aside_holds_no_value(tmp_path: Path) -> None:
    intake = taken(tmp_path, "name,phone\n王小明,13800001234,x\n李,1\n".encode())
    assert intake.quarantine is not None
    text = intake.quarantine.read_text(encoding="ascii")
    assert "138" not in text
    assert text == "line,reason,fields\n2,field_count,3\n"


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "gbk", "gb18030"])
def test_utf_8_with_and_without_its_mark_and_gbk_are_told_apart(tmp_path: Path, codec: str) -> None:
    intake = taken(tmp_path, "城市,值\n南京,1\n镕,2\n".encode(codec))
    assert [row["城市"] for row in rows_of(intake)] == ["南京", "镕"]
    assert intake.encoding == ("gb18030" if codec == "gbk" else codec)


def test_a_file_that_begins_with_a_mebibyte_of_digits_is_still_recognised(tmp_path: Path) -> None:
    intake = taken(tmp_path, b"a,b\n" + b"1,2\n" * 600_000 + "南京,3\n".encode("gbk"))
    assert intake.encoding == "gb18030"
    assert intake.row_count == 600_001


def test_one_wrong_line_does_not_turn_utf_8_into_gbk(tmp_path: Path) -> None:
    intake = taken(tmp_path, "a\n南京\n苏州\n".encode() + "无锡\n".encode("gbk"))
    assert intake.encoding == "utf-8"
    assert aside_of(intake) == [(4, "encoding")]


def test_utf_16_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadable, match="UTF-16"):
        taken(tmp_path, "a,b\n1,2\n".encode("utf-16"))


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_the_delimiter_is_found_in_the_header(tmp_path: Path, delimiter: str) -> None:
    intake = taken(tmp_path, f"a{delimiter}b\nx{delimiter}y\n".encode())
    assert rows_of(intake) == [{"a": "x", "b": "y"}]


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress])
def test_compressed_files_are_known_by_their_bytes_not_their_names(tmp_path: Path, pack: object) -> None:
    intake = taken(tmp_path, pack(b"a,b\n1,x\n"))  # type: ignore[operator]
    assert rows_of(intake) == [{"a": 1, "b": "x"}]


def test_repeated_headers_are_renamed_with_a_note_also_where_only_case_differs(tmp_path: Path) -> None:
    intake = taken(tmp_path, b"a,A,a,a_2\n1,2,3,4\n")
    assert intake.schema.names == ["a", "A_3", "a_4", "a_2"]
    assert len(intake.notes) == 2
    assert open_source(SourceSpec("csv", "/x", "", str(intake.snapshot))).read(["A_3"]).read_all().num_rows == 1


@pytest.mark.parametrize("header", ["a,,c", "a, ,c", "a,b\0,c", "a," + "x" * 121 + ",c", 'a,"b\nb",c'])
def test_headers_that_name_nothing_are_refused_with_their_column(tmp_path: Path, header: str) -> None:
    with pytest.raises(BadHeader, match="column 2"):
        taken(tmp_path, header.encode() + b"\n1,2,3\n")
    assert nothing_is_left(tmp_path)


@pytest.mark.parametrize("data", [b"", b"\n\n", b"a,b\n", b"a,b\n1\n2\n"])
def test_a_file_without_a_usable_row_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(NoRows):
        taken(tmp_path, data)
    assert nothing_is_left(tmp_path)


def test_types_are_inferred_with_care(tmp_path: Path) -> None:
    columns = {
        "count": (["1", "-20", "NA"], pa.int64()),
        "leading_zero": (["001", "2", "3"], pa.string()),
        "area": (["320100", "310000", "330100"], pa.string()),  # one width of 5 or more is a code
        "联系电话": (["1", "2", "3"], pa.string()),
        "StationId": (["1", "2", "3"], pa.string()),
        "too_long": (["1234567890123456789", "1", "2"], pa.string()),
        "share": (["0.5", "1e3", "—"], pa.float64()),
        "exact": (["0.12345678901234567891", "1.5", "2"], pa.string()),
        "flag": (["true", "FALSE", ""], pa.bool_()),
        "day": (["2024-02-29", "1999-12-31", "N/A"], pa.date32()),
        "no_day": (["2023-02-29", "1999-12-31", "N/A"], pa.string()),
        "at": (["2024-01-01 08:00", "2024-01-01T08:00:01.5", "-;"], pa.timestamp("us")),
        "plus": (["+1", "2", "3"], pa.string()),
        "inf": (["inf", "1", "2"], pa.string()),
        "nothing": (["", "NA", "—"], pa.string()),
    }
    lines = [
        ",".join(columns),
        *(",".join(values) for values in zip(*(one for one, _ in columns.values()), strict=True)),
    ]
    intake = taken(tmp_path, "\n".join(lines).encode())
    assert {field.name: field.type for field in intake.schema} == {name: type_ for name, (_, type_) in columns.items()}
    assert intake.missing["nothing"] == {"": 1, "NA": 1, "—": 1}
    assert intake.missing["at"] == {"-;": 1}


def test_missing_markers_are_the_departments_choice(tmp_path: Path) -> None:
    intake = taken(tmp_path, b"country,n\nNA,1\nxx,2\n", markers=["", "xx"])
    assert rows_of(intake) == [{"country": "NA", "n": 1}, {"country": None, "n": 2}]
    assert intake.missing == {"country": {"xx": 1}}


def test_a_file_that_grows_while_it_is_read_is_refused_and_the_old_snapshot_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = taken(tmp_path, b"a,b\n" + b"1,x\n" * 400_000)
    blocks = SourceFile.blocks

    def growing(self: SourceFile):  # type: ignore[no-untyped-def]
        for number, block in enumerate(blocks(self)):
            if number == 0:
                with (tmp_path / "in.csv").open("ab") as file:
                    file.write(b"2,y\n")
            yield block

    monkeypatch.setattr(SourceFile, "blocks", growing)
    with pytest.raises(SourceChanging):
        take_in(SourceSpec("csv", str(tmp_path / "in.csv")), tmp_path / "snapshots", "register")
    assert [file.name for file in (tmp_path / "snapshots").iterdir()] == [before.snapshot.name]


def test_bytes_that_change_under_an_unmoved_clock_are_noticed_between_passes(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(b"a,b\n1,x\n")
    with SourceFile(path) as file:
        list(file.blocks())
        file.digest = "0" * 64  # as if the first pass had seen other bytes
        with pytest.raises(SourceChanging):
            list(file.blocks())


def test_a_replaced_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(b"a,b\n1,x\n")
    with SourceFile(path) as file:
        (tmp_path / "new").write_bytes(b"a,b\n1,x\n")
        (tmp_path / "new").replace(path)
        with pytest.raises(SourceChanging):
            file.check_unchanged()


def test_a_bomb_is_cut_at_the_limit(tmp_path: Path) -> None:
    bomb = lzma.compress(b"a,b\n" + b"0,0\n" * 5_000_000)
    assert len(bomb) < 10_000
    with pytest.raises(SourceTooLarge):
        taken(tmp_path, bomb, max_bytes=1 << 20)
    assert nothing_is_left(tmp_path)


def test_a_workbook_bomb_is_cut_at_the_limit_whatever_sizes_it_claims(tmp_path: Path) -> None:
    path = tmp_path / "bomb.xlsx"
    write_workbook(path, [["a"], [" " * 5_000_000]])
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        large = max(archive.infolist(), key=lambda member: member.file_size)
    claimed = large.file_size.to_bytes(4, "little")
    path.write_bytes(bytes(data).replace(claimed, (10).to_bytes(4, "little")))
    with pytest.raises((SourceTooLarge, SourceUnreadable)):
        take_in(SourceSpec("excel", str(path)), tmp_path / "snapshots", "register", max_bytes=1 << 20)
    assert nothing_is_left(tmp_path)


def rewrite(path: Path, old: str, new: str, **parts: str) -> None:
    """Replace a text in every part of a workbook, and add parts below xl/."""
    with zipfile.ZipFile(path) as archive:
        texts = {name: archive.read(name).decode() for name in archive.namelist()}
    texts |= {f"xl/{name}.xml": text for name, text in parts.items()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in texts.items():
            archive.writestr(name, text.replace(old, new))


def test_two_cells_at_opposite_corners_are_no_sheet_of_five_hundred_gigabytes(tmp_path: Path) -> None:
    path = tmp_path / "corners.xlsx"
    write_workbook(path, [["a"], ["b"]])
    rewrite(path, 'r="A2"', 'r="XFD1048576"')
    assert path.stat().st_size < 3_000
    with pytest.raises(WorkbookTooLarge, match="memory"):
        take_in(SourceSpec("excel", str(path)), tmp_path / "snapshots", "register")
    assert nothing_is_left(tmp_path)


def test_one_long_string_in_many_cells_is_refused_before_it_is_multiplied(tmp_path: Path) -> None:
    path = tmp_path / "shared.xlsx"
    write_workbook(path, [["a"], *([number] for number in range(3_000))])
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"
    rewrite(
        path,
        "</Relationships>",
        f'<Relationship Id="s" Type="{kind}" Target="sharedStrings.xml"/></Relationships>',
        sharedStrings=f'<sst xmlns="{main}"><si><t>{"x" * 100_000}</t></si></sst>',
    )
    with zipfile.ZipFile(path) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    rewrite(path, sheet, re.sub(r"><v>\d+", ' t="s"><v>0', sheet))
    assert path.stat().st_size < 200_000
    check_memory(path, "", limit=1 << 30)
    with pytest.raises(WorkbookTooLarge, match="memory"):
        check_memory(path, "", limit=256 << 20)


@pytest.mark.parametrize(
    "data", [lzma.compress(b"a,b\n1,2\n")[:-8], gzip.compress(b"a,b\n1,2\n", mtime=0)[:-9]], ids=["xz", "gz"]
)
def test_a_compressed_file_that_is_cut_off_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(SourceUnreadable, match="cut off"):
        taken(tmp_path, data)


def test_a_workbook_is_read_with_its_row_numbers(tmp_path: Path) -> None:
    path = tmp_path / "in.xlsx"
    write_workbook(path, [["名称", "数"], ["甲", 1], [], ["乙", 2.5, "beyond"], ["丙", 3]], blank_first=2)
    intake = take_in(SourceSpec("excel", str(path)), tmp_path / "snapshots", "register")
    assert rows_of(intake) == [{"名称": "甲", "数": 1}, {"名称": "丙", "数": 3}]
    assert aside_of(intake) == [(6, "field_count")]
    with pytest.raises(SourceUnreadable, match="no sheet"):
        take_in(SourceSpec("excel", str(path), "other"), tmp_path / "snapshots", "register")


def test_a_csv_named_as_workbook_and_a_workbook_named_as_csv_are_refused(tmp_path: Path) -> None:
    write_workbook(tmp_path / "in.csv", [["a"], ["b"]])
    with pytest.raises(SourceUnreadable, match="workbook"):
        take_in(SourceSpec("csv", str(tmp_path / "in.csv")), tmp_path / "snapshots", "register")
    (tmp_path / "in.xlsx").write_bytes(b"a,b\n1,2\n")
    with pytest.raises(SourceUnreadable):
        take_in(SourceSpec("excel", str(tmp_path / "in.xlsx")), tmp_path / "snapshots", "register")


def test_links_devices_pipes_folders_and_missing_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "real.csv").write_bytes(b"a\n1\n")
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    os.mkfifo(tmp_path / "pipe.csv")
    for name, refusal in (
        ("link.csv", NotAPlainFile),
        ("pipe.csv", NotAPlainFile),
        ("", NotAPlainFile),
        ("none.csv", SourceMissing),
        ("/dev/zero", (NotAPlainFile, SourceOutside)),
        ("/etc/passwd", SourceOutside),
        ("/proc/self/environ", SourceOutside),
        ("a\0b", SourceOutside),
    ):
        with pytest.raises(refusal):
            take_in(SourceSpec("csv", str(tmp_path / name)), tmp_path / "snapshots", "register")
    with pytest.raises(SourceOutside):
        take_in(SourceSpec("csv", "relative.csv"), tmp_path / "snapshots", "register")


def test_only_the_configured_folders_are_read_also_through_dots_and_linked_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    for folder in ("in", "out"):
        (tmp_path / folder / "x.csv").write_bytes(b"a\n1\n")
    (tmp_path / "in" / "door").symlink_to(tmp_path / "out")
    monkeypatch.setenv(ROOTS_VARIABLE, str(tmp_path / "in"))
    assert take_in(SourceSpec("csv", str(tmp_path / "in" / "x.csv")), tmp_path / "s", "register").row_count == 1
    for name in ("out/x.csv", "in/../out/x.csv", "in/door/x.csv"):
        with pytest.raises(SourceOutside):
            take_in(SourceSpec("csv", str(tmp_path / name)), tmp_path / "s", "register")


def test_without_the_setting_only_the_nodes_data_folder_is_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ROOTS_VARIABLE, "")
    data = Path(os.environ["HUTONG_HOME"]) / "data"
    data.mkdir(exist_ok=True)
    for folder in (data, tmp_path):
        (folder / "x.csv").write_bytes(b"a\n1\n")
    assert take_in(SourceSpec("csv", str(data / "x.csv")), tmp_path / "s", "register").row_count == 1
    for name in (tmp_path / "x.csv", tmp_path / "none.csv", data / ".." / "hutong.toml", data / ".."):
        with pytest.raises(SourceOutside, match="source_roots"):
            take_in(SourceSpec("csv", str(name)), tmp_path / "s", "register")


def test_the_nodes_own_keys_and_snapshots_are_no_source_even_below_a_configured_folder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    home = Path(os.environ["HUTONG_HOME"])
    monkeypatch.setenv(ROOTS_VARIABLE, str(home.parent))
    for name in (next((home / "keys").iterdir()), home / "node.db", home / "snapshots" / "other.parquet"):
        with pytest.raises(SourceOutside):
            probe(SourceSpec("parquet", str(name)))


def test_a_snapshot_describes_its_intake_and_older_ones_can_be_swept(tmp_path: Path) -> None:
    first = taken(tmp_path, b"a,b\n1,x\n2\n")
    second = taken(tmp_path, b"a,b\n1,x\n2,NA\n")
    assert description(second.snapshot)["rows"] == 2
    spec = SourceSpec("csv", str(tmp_path / "in.csv"), "", str(second.snapshot))
    answer = probe(spec)
    assert (answer.row_count, answer.quarantined) == (2, 0)
    open_source(spec).lookup(["b"], "a", [1])
    sweep(tmp_path / "snapshots", "register", second.snapshot)
    assert first.snapshot.exists()  # a request may just have read its name
    sweep(tmp_path / "snapshots", "register", first.snapshot, settles_s=0)
    sweep(tmp_path / "snapshots", "register", tmp_path / "snapshots" / "register-none.parquet", settles_s=0)
    assert second.snapshot.exists()  # neither a newer one goes, nor any where the one in use is missing
    sweep(tmp_path / "snapshots", "register", second.snapshot, settles_s=0)
    assert not first.snapshot.exists()
    assert second.snapshot.exists()
    assert first.quarantine is not None
    assert not first.quarantine.exists()
    assert len(list((tmp_path / "snapshots").iterdir())) == 3  # the snapshot and its two lookup files


def test_a_sweep_lets_a_read_under_way_go_on_and_removes_what_crashes_left(tmp_path: Path) -> None:
    rows = b"".join(b"%d,%s\n" % (number, b"x" * 40) for number in range(300_000))
    first, folder = taken(tmp_path, b"a,b\n" + rows), tmp_path / "snapshots"
    running = open_source(SourceSpec("csv", "/x", "", str(first.snapshot))).read(["a", "b"])
    read = running.read_next_batch().num_rows
    for age_s in (0, 200_000):
        left = folder / f"register-{age_s}.scratch"
        left.mkdir()
        (left / "text").touch()
        os.utime(left, (time.time() - age_s,) * 2)
    second = taken(tmp_path, b"a,b\n1,x\n")
    sweep(folder, "register", second.snapshot, settles_s=0)
    assert sorted(one.name for one in folder.iterdir()) == ["register-0.scratch", second.snapshot.name]
    assert read + sum(batch.num_rows for batch in running) == 300_000


def test_a_csv_source_cannot_be_read_before_it_is_taken_in(tmp_path: Path) -> None:
    with pytest.raises(NotTakenIn):
        probe(SourceSpec("csv", str(tmp_path / "in.csv")))


def test_all_real_files_are_taken_in_whole(real_data: Path, tmp_path: Path) -> None:
    files = [*(real_data / "environment").glob("*.csv*"), *(real_data / "services").glob("*.csv")]
    files.append(real_data / "entities" / "yrd_enterprises_1978_2004.csv.xz")
    for file in files:
        intake = take_in(SourceSpec("csv", str(file)), tmp_path, "real")
        assert (intake.row_count, intake.quarantined) == (plain_count(file), 0), file.name


def plain_count(file: Path) -> int:
    opener = {".xz": lzma.open, ".gz": gzip.open}.get(file.suffix, open)
    with opener(file, "rt", encoding="utf-8-sig", newline="") as text:
        return sum(1 for _ in csv.reader(text)) - 1  # type: ignore[arg-type]
