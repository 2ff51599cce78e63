"""Tile names, bundles, files, and the growing edge."""

from __future__ import annotations

from pathlib import Path

import pytest

from hutong.ledger.audit import TileAudit
from hutong.ledger.checkpoint import Checkpoint, parse
from hutong.ledger.durable import Durably
from hutong.ledger.frontier import EntryTooLarge, Frontier
from hutong.ledger.note import parse as parse_note
from hutong.ledger.tiles import BadBundle, NoTile, Tile, TileFolder, pack, tile_at, tiles_of, unpack
from hutong.ledger.tree import check_consistency, consistency_proof, leaf_hash, root_over
from hutong.ledger.trust import TileRefused, TrustedTiles


@pytest.mark.parametrize(
    ("tile", "name"),
    [
        (Tile(0, 0), "0/000"),
        (Tile(0, 1234067), "0/x001/x234/067"),
        (Tile(None, 273, 112), "entries/273.p/112"),
        (Tile(63, 999, 255), "63/999.p/255"),
        (Tile(2, 1000), "2/x001/000"),
    ],
)
def test_a_tile_has_one_name(tile, name):
    assert tile.name == name
    assert Tile.parse(name) == tile


@pytest.mark.parametrize(
    "name",
    [
        "",
        "0",
        "0/0",
        "00/000",
        "64/000",
        "-1/000",
        "0/000/",
        "0/x000/000",
        "0/001/000",
        "0/x001",
        "0/000.p/0",
        "0/000.p/256",
        "0/000.p/01",
        "0/000.p/",
        "0/000.p",
        "entries/../checkpoint",
        "../keys/log.pem",
        "0/000\n",
        "0/٠٠٠",
        "0/000.p/1.tmp",
        "entries/x999/x999/x999/x999/x999/x999/999",
    ],
)
def test_any_other_spelling_names_no_tile(name):
    with pytest.raises(NoTile):
        Tile.parse(name)


def test_the_specifications_example_tree_of_70_000_has_its_tiles():
    tiles = list(tiles_of(70_000))
    assert sum(tile.level == 0 and tile.width == 256 for tile in tiles) == 273
    assert [tile for tile in tiles if tile.width < 256] == [Tile(0, 273, 112), Tile(1, 1, 17), Tile(2, 0, 1)]
    assert [tile.name for tile in tiles_of(256)] == ["0/000", "1/000.p/1"]
    assert list(tiles_of(0)) == []


def test_a_bundle_is_read_as_it_was_packed_and_garbage_is_named():
    entries = [b"", b"a", b"x" * 65_535]
    bundle = b"".join(map(pack, entries))
    assert unpack(bundle, Tile(None, 0, 3)) == entries
    with pytest.raises(BadBundle, match="from entry 2 on"):
        unpack(bundle[:-1], Tile(None, 0, 3))
    with pytest.raises(BadBundle):
        unpack(bundle + b"x", Tile(None, 0, 3))
    with pytest.raises(BadBundle, match="from entry 771 on"):
        unpack(bundle, Tile(None, 3, 4))


def grown(folder: Path, count: int, step: int = 100) -> tuple[Frontier, list[bytes]]:
    """A log of `count` entries, and the entries."""
    frontier = Frontier(TileFolder(folder))
    entries = [b"entry %d" % number for number in range(count)]
    for at in range(0, count, step):
        frontier.append(entries[at : at + step])
    return frontier, entries


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 511, 512, 700, 65_536, 65_537, 66_000])
def test_the_files_of_any_size_hold_exactly_that_tree(tmp_path, size):
    frontier, entries = grown(tmp_path, size, step=1_000)
    checkpoint = Checkpoint("log", size, frontier.root)
    if size:
        assert frontier.root == root_over(b"".join(map(leaf_hash, entries)))
    tiles = TrustedTiles(checkpoint, TileFolder(tmp_path).read)
    for index in {0, size // 2, size - 1} & set(range(size)):
        tiles.check_entry(index, entries[index])
        assert entries[index] in tiles.entries(index)
    assert TileAudit(TileFolder(tmp_path), checkpoint).run(lambda _done, _all: None) == []


@pytest.mark.parametrize("size", [1, 255, 256, 300, 65_536, 65_600])
def test_a_frontier_is_loaded_from_files_and_grows_on_alike(tmp_path, size):
    grown(tmp_path / "a", size, step=997)
    again = Frontier.load(TileFolder(tmp_path / "a"), size)
    more = [b"more %d" % number for number in range(300)]
    again.append(more)
    whole = Frontier(TileFolder(tmp_path / "b"))
    whole.append([b"entry %d" % number for number in range(size)] + more)
    assert (again.size, again.root) == (whole.size, whole.root)


def test_partial_tiles_stay_until_the_full_one_is_durable_and_are_read_from_it_afterwards(tmp_path):
    frontier, _ = grown(tmp_path, 100)
    frontier.append([b"x"] * 200)
    partial = tmp_path / "tile" / "0" / "000.p" / "100"
    before = partial.read_bytes()
    Durably(frontier.files.folder, frontier.files.take_unsynced(), frontier.size).wait()
    assert not partial.parent.exists()
    assert TileFolder(tmp_path).read(Tile(0, 0, 100)) == before
    assert len(unpack(TileFolder(tmp_path).read(Tile(None, 0, 100)), Tile(None, 0, 100))) == 100
    with pytest.raises(NoTile):
        TileFolder(tmp_path).read(Tile(0, 5))


def test_an_entry_too_large_for_a_log_is_refused(tmp_path):
    with pytest.raises(EntryTooLarge, match="65536 bytes"):
        Frontier(TileFolder(tmp_path)).append([b"x" * 65_536])


def test_a_tile_that_does_not_fit_the_signed_root_is_not_believed(tmp_path):
    frontier, entries = grown(tmp_path, 700)
    checkpoint = Checkpoint("log", 700, frontier.root)

    def forged(tile: Tile) -> bytes:
        data = TileFolder(tmp_path).read(tile)
        return bytes(32) + data[32:] if tile == Tile(0, 1) else data

    tiles = TrustedTiles(checkpoint, forged)
    tiles.check_entry(0, entries[0])
    with pytest.raises(TileRefused, match="0/001"):
        tiles.leaf(256)
    with pytest.raises(TileRefused):
        TrustedTiles(Checkpoint("log", 700, leaf_hash(b"")), TileFolder(tmp_path).read)  # type: ignore[arg-type]


def test_what_is_proven_of_an_older_size_comes_from_the_newer_tree(tmp_path):
    frontier, _ = grown(tmp_path, 700)
    tiles = TrustedTiles(Checkpoint("log", 700, frontier.root), TileFolder(tmp_path).read)
    for old in (1, 255, 256, 300, 699):
        older, _ = grown(tmp_path / str(old), old)
        assert tiles.root_at(old) == older.root
        proof = consistency_proof(old, 700, tiles.node)
        check_consistency(old, 700, older.root, frontier.root, proof)


def test_a_real_log_made_by_another_program_is_audited_without_fault(real_data):
    folder = real_data / "conformance" / "tlog" / "tessera_log"
    if not folder.is_dir():
        pytest.skip(f"no real log: {folder}")
    for size in range(16):
        checkpoint = parse(parse_note((folder / f"checkpoint.{size}").read_bytes()).text)
        assert TileAudit(TileFolder(folder), checkpoint).run(lambda _done, _all: None) == []
        frontier = Frontier.load(TileFolder(folder), size)
        assert frontier.root == checkpoint.root


def test_a_real_log_is_made_again_byte_for_byte(real_data, tmp_path):
    folder = real_data / "conformance" / "tlog" / "tessera_log"
    if not folder.is_dir():
        pytest.skip(f"no real log: {folder}")
    bundle = tile_at(None, 0, 15)
    frontier = Frontier(TileFolder(tmp_path))
    for entry in unpack(TileFolder(folder).read(bundle), bundle):
        frontier.append([entry])
    ours = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    theirs = {path.relative_to(folder): path.read_bytes() for path in (folder / "tile").rglob("*") if path.is_file()}
    assert ours == theirs
