"""One changed byte anywhere in a ledger's folder is found, and named."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hutong.ledger import checkpoint as checkpoints
from hutong.ledger.checkpoint import Checkpoint
from hutong.ledger.durable import Durably
from hutong.ledger.frontier import Frontier
from hutong.ledger.note import cosign
from hutong.ledger.shelf import Shelf
from hutong.ledger.tiles import Tile, TileFolder, pack, unpack
from hutong.ledger.tree import leaf_hash, root_over
from hutong.ledger.verify import verify_files
from tests.ledger_keys import log_key

KEY = log_key("hutong/320000")
WITNESS = log_key("hutong/yrd")
SIZE = 600


def publish(folder: Path, frontier: Frontier, *, witnessed: bool = False) -> None:
    note = checkpoints.sign(Checkpoint(KEY.keyid, frontier.size, frontier.root), KEY)
    Shelf(folder).publish(str(note))
    if witnessed:
        Shelf(folder).keep_witnessed(note.with_signatures([cosign(note.text, WITNESS, time_s=1_700_000_000)]))


def build(folder: Path, entries: list[bytes]) -> Frontier:
    """A ledger folder with all kinds of files: full and partial tiles, leftovers, keys, both checkpoints."""
    folder.mkdir(parents=True)
    shelf = Shelf(folder)
    shelf.keep_log_key(KEY.vkey)
    shelf.keep_witness_key(WITNESS.vkey.as_witness())
    frontier = Frontier(TileFolder(folder))
    frontier.append(entries[:520])
    publish(folder, frontier, witnessed=True)
    Durably(frontier.files.folder, frontier.files.take_unsynced(), frontier.size).wait()
    frontier.append(entries[520:560])  # leaves partial tiles of size 560 behind
    frontier.append(entries[560:])
    publish(folder, frontier)
    return frontier


ENTRIES = [b'{"entry":%d}' % number for number in range(SIZE)]


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sound") / "ledger"
    build(folder, ENTRIES)
    return folder


@pytest.fixture
def ledger(sound, tmp_path):
    return shutil.copytree(sound, tmp_path / "ledger")


def change(path: Path, at: int, bit: int = 1) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= bit
    path.write_bytes(data)


def test_a_sound_log_verifies_with_the_callers_keys_and_with_its_own(ledger):
    for keys in ([KEY.vkey], None):
        audit = verify_files(ledger, keys)
        assert audit.faults == []
        assert audit.checkpoint is not None
        assert (audit.checkpoint.size, audit.witnessed_size, audit.witnesses) == (SIZE, 520, [WITNESS.keyid])
        assert str(audit) == "600 entries verified"


def test_a_strangers_key_verifies_nothing(ledger):
    audit = verify_files(ledger, [WITNESS.vkey])
    assert [fault.file for fault in audit.faults] == ["checkpoint", "checkpoint.witnessed"]


def test_one_changed_byte_in_any_file_is_found_and_the_file_named(ledger):
    files = sorted(path for path in ledger.rglob("*") if path.is_file())
    assert {"checkpoint", "checkpoint.witnessed", "keys.log", "keys.witnesses"} <= {path.name for path in files}
    assert len(files) > 12
    for path in files:
        content, name = path.read_bytes(), path.relative_to(ledger).as_posix()
        for at in sorted({0, 1, len(content) // 3, len(content) // 2, len(content) - 2, len(content) - 1}):
            for bit in (1, 128):
                change(path, at, bit)
                audit = verify_files(ledger)
                assert name in [fault.file for fault in audit.faults], f"byte {at} of {name}: {audit}"
                path.write_bytes(content)
    assert verify_files(ledger).holds


@pytest.mark.parametrize("index", [0, 1, 255, 256, 511, 512, 599])
def test_a_changed_entry_is_named_and_alone_at_fault(ledger, index):
    path = ledger / "tile" / Tile(None, index // 256, min(256, SIZE - index // 256 * 256)).name
    data = path.read_bytes()
    at = data.index(pack(ENTRIES[index])) + 5
    change(path, at)
    audit = verify_files(ledger, [KEY.vkey])
    assert audit.first_bad_entry == index
    assert [fault.file for fault in audit.faults] == [path.relative_to(ledger).as_posix()]


def test_a_changed_length_is_named_at_the_entry_it_belongs_to(ledger):
    path = ledger / "tile" / "entries" / "001"
    change(path, path.read_bytes().index(pack(ENTRIES[300])) + 1)
    assert verify_files(ledger, [KEY.vkey]).first_bad_entry == 300


@pytest.mark.parametrize("name", ["0/000", "0/001", "0/002.p/88", "1/000.p/2"])
def test_a_changed_hash_is_blamed_on_its_tile_and_on_nothing_else(ledger, name):
    change(ledger / "tile" / name, 40)
    audit = verify_files(ledger, [KEY.vkey])
    assert [fault.file for fault in audit.faults] == [f"tile/{name}"]


@pytest.mark.parametrize("name", ["entries/000", "entries/002.p/88", "0/001", "0/002.p/88", "1/000.p/2", "0/002.p/48"])
def test_a_missing_file_is_named_unless_a_wider_one_replaced_it(ledger, name):
    (ledger / "tile" / name).unlink()
    audit = verify_files(ledger, [KEY.vkey])
    if name == "0/002.p/48":
        assert audit.holds  # of an older size: a leftover
    else:
        assert f"tile/{name}" in [fault.file for fault in audit.faults]


def test_bytes_after_the_last_entry_are_found(ledger):
    path = ledger / "tile" / "entries" / "001"
    path.write_bytes(path.read_bytes() + b"x")
    assert [fault.file for fault in verify_files(ledger, [KEY.vkey]).faults] == ["tile/entries/001"]


def _rewrite_entry(ledger: Path, index: int) -> None:
    """Change an entry and its leaf hash alike, as a forger with the files would."""
    files, bundle = TileFolder(ledger), Tile(None, index // 256)
    entries = unpack(files.read(bundle), bundle)
    entries[index % 256] = b"forged"
    files.write(bundle, b"".join(map(pack, entries)))
    files.write(Tile(0, index // 256), b"".join(map(leaf_hash, entries)))


def test_an_entry_forged_with_its_hash_is_narrowed_to_its_tile(ledger):
    _rewrite_entry(ledger, 300)
    audit = verify_files(ledger, [KEY.vkey])
    assert [(fault.file, fault.entry, fault.after) for fault in audit.faults] == [("tile/0/001", 256, 512)]


def test_a_log_forged_up_to_the_top_does_not_fit_the_signed_root(ledger):
    _rewrite_entry(ledger, 300)
    files = TileFolder(ledger)
    roots = b"".join(root_over(files.read(Tile(0, index))) for index in range(2))
    files.write(Tile(1, 0, 2), roots)
    audit = verify_files(ledger, [KEY.vkey])
    assert audit.faults[-1].file == "checkpoint" or audit.faults[0].file == "checkpoint"
    assert {fault.file for fault in audit.faults} == {"checkpoint", "checkpoint.witnessed"}


def test_a_log_rewritten_and_signed_again_contradicts_what_was_witnessed(sound, tmp_path):
    forged = [b"forged" if number == 7 else entry for number, entry in enumerate(ENTRIES)]
    build(tmp_path / "ledger", forged)
    for name in ("checkpoint.witnessed", "keys.witnesses"):
        shutil.copy(sound / name, tmp_path / "ledger" / name)
    audit = verify_files(tmp_path / "ledger", [KEY.vkey])
    assert [fault.file for fault in audit.faults] == ["checkpoint.witnessed"]
    assert "not the ones that were witnessed" in audit.faults[0].what


def test_a_log_cut_back_behind_what_was_witnessed_is_found(ledger, sound, tmp_path):
    short = tmp_path / "short"
    frontier = Frontier(TileFolder(short))
    frontier.append(ENTRIES[:500])
    short.mkdir(exist_ok=True)
    publish(short, frontier)
    for name in ("checkpoint.witnessed", "keys.witnesses", "keys.log"):
        shutil.copy(sound / name, short / name)
    audit = verify_files(short, [KEY.vkey])
    assert "520 entries were witnessed, and the newest checkpoint has 500" in str(audit)


def test_a_folder_without_a_log_is_named_so(tmp_path):
    audit = verify_files(tmp_path)
    assert not audit.holds
    assert audit.checkpoint is None


def test_half_written_files_of_a_crash_are_no_fault(ledger):
    (ledger / "tile" / "0" / "002.p" / "90.tmp").write_bytes(b"half")
    (ledger / "checkpoint.tmp").write_bytes(b"half")
    assert verify_files(ledger, [KEY.vkey]).holds


def test_the_audit_tells_how_far_it_is(ledger):
    seen: list[tuple[int, int]] = []
    verify_files(ledger, [KEY.vkey], progress=lambda done, size: seen.append((done, size)))
    assert seen == [(256, 600), (512, 600), (600, 600)]
