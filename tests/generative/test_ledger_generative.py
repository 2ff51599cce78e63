"""Logs of any shape, grown in any steps, proven, changed and read by any bytes."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path

import pymerkle
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hutong.ledger import note as notes
from hutong.ledger import proof as proofs
from hutong.ledger.audit import TileAudit
from hutong.ledger.checkpoint import Checkpoint, parse
from hutong.ledger.frontier import Frontier
from hutong.ledger.note import BadNote
from hutong.ledger.pages import Page
from hutong.ledger.receipt import BadReceipt, Receipt
from hutong.ledger.tiles import NoTile, Tile, TileFolder, pack, unpack
from hutong.ledger.tree import (
    ProofRefused,
    check_consistency,
    check_inclusion,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root,
    root_over,
)
from hutong.ledger.trust import TrustedTiles
from hutong.ledger.witness import _read
from hutong.vocabulary.canonical import canonical_bytes
from hutong.vocabulary.errors import BadInput, Refused

STEPS = st.lists(st.integers(1, 400), min_size=1, max_size=5)


def log_of(folder: Path, steps: list[int]) -> tuple[Frontier, list[bytes]]:
    frontier, entries = Frontier(TileFolder(folder)), []
    for step in steps:
        more = [b"entry %d" % number for number in range(len(entries), len(entries) + step)]
        frontier.append(more)
        entries += more
    return frontier, entries


@settings(max_examples=25)
@given(STEPS, st.data())
def test_whatever_the_steps_roots_and_proofs_are_those_of_another_implementation(steps, data):
    with tempfile.TemporaryDirectory() as folder:
        frontier, entries = log_of(Path(folder), steps)
        other = pymerkle.InmemoryTree(algorithm="sha256")
        for entry in entries:
            other.append_entry(entry)
        assert frontier.root == other.get_root()
        checkpoint = Checkpoint("log", frontier.size, frontier.root)
        tiles = TrustedTiles(checkpoint, TileFolder(Path(folder)).read)
        size = data.draw(st.integers(1, frontier.size))
        index = data.draw(st.integers(0, size - 1))
        assert tiles.root_at(size) == other.get_root(size)
        proof = inclusion_proof(index, size, tiles.node)
        assert proof == other.prove_inclusion(index + 1, size).path[1:]
        check_inclusion(leaf_hash(entries[index]), index, size, proof, other.get_root(size))
        growth = consistency_proof(size, frontier.size, tiles.node)
        check_consistency(size, frontier.size, other.get_root(size), frontier.root, growth)


@settings(max_examples=25)
@given(STEPS, st.data())
def test_one_flipped_bit_in_any_tile_or_bundle_is_blamed_on_that_file(steps, data):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        frontier, _ = log_of(folder, steps)
        checkpoint = Checkpoint("log", frontier.size, frontier.root)
        path = data.draw(st.sampled_from(sorted(one for one in folder.rglob("*") if one.is_file())))
        changed = bytearray(path.read_bytes())
        changed[data.draw(st.integers(0, len(changed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        path.write_bytes(changed)
        tile = Tile.parse(path.relative_to(folder / "tile").as_posix())
        faults = TileAudit(TileFolder(folder), checkpoint).run(lambda _done, _all: None)
        assert [fault.file for fault in faults] == [path.relative_to(folder).as_posix()]
        if faults[0].entry is not None:
            assert tile.first <= faults[0].entry < tile.first + tile.width


@settings(max_examples=50)
@given(st.integers(1, 600), st.data())
def test_a_proof_holds_for_its_own_entry_place_and_size_only(size, data):
    hashes = [leaf_hash(b"%d" % number) for number in range(size)]

    def node(height: int, index: int) -> bytes:
        return root_over(b"".join(hashes[index << height : (index + 1) << height]))

    top = root(size, node)
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(index, size, node)
    check_inclusion(hashes[index], index, size, proof, top)
    forged = data.draw(
        st.sampled_from(
            [
                (hashes[index], index + 1, size, proof, top),
                (leaf_hash(b"other"), index, size, proof, top),
                (hashes[index], index, size, [*proof, bytes(32)], top),
                (hashes[index], index, size, proof, bytes(32)),
            ]
            + ([(hashes[index], index, size, proof[:-1], top)] if proof else [])
        )
    )
    with pytest.raises(ProofRefused):
        check_inclusion(*forged)


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=256))
def test_any_entries_are_unpacked_as_they_were_packed(entries):
    assert unpack(b"".join(map(pack, entries)), Tile(None, 0, len(entries))) == entries


@given(st.integers(0, 1 << 50), st.sampled_from([None, *range(64)]), st.integers(1, 256))
def test_every_tile_name_reads_back(index, level, width):
    tile = Tile(level, index, width)
    assert Tile.parse(tile.name) == tile


@settings(suppress_health_check=[HealthCheck.filter_too_much])
@given(st.text(alphabet="entris/x0123456789.p-\n%", max_size=30))
def test_a_name_that_is_accepted_is_the_names_own_spelling(name):
    with suppress(NoTile):
        assert Tile.parse(name).name == name


@given(st.binary(max_size=400))
def test_any_bytes_are_read_as_a_note_a_proof_or_a_receipt_or_refused(data):
    with suppress(BadNote):
        assert str(notes.parse(data)).encode() == data
    with suppress(BadNote):
        parse(data.decode("utf-8", "replace"))
    with suppress(BadNote):
        proofs.parse(data.decode("utf-8", "replace"))
    with suppress(BadReceipt):
        Receipt.from_entry(data)


MEMBERS = ["entries", "after", "size", "index", "entry", "checkpoint"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(MEMBERS), inner),
    max_leaves=8,
)


@given(JSON)
def test_any_json_is_a_page_of_receipts_or_refused(document):
    with suppress(BadInput):
        Page.from_document(document)


@given(
    st.builds(
        Receipt,
        role=st.sampled_from(["provider", "consumer"]),
        exchange=st.text(max_size=40),
        at=st.text(max_size=30),
        agreement=st.text(max_size=30),
        provider=st.text(max_size=10),
        consumer=st.text(max_size=10),
        purpose=st.text(max_size=10),
        case=st.text(max_size=10),
        request=st.text(max_size=10),
        response=st.text(max_size=10),
        rows=st.integers(0, 2**53 - 1),
        bytes=st.integers(0, 2**53 - 1),
        outcome=st.sampled_from(["served", "refused", "open", "cut", "recovered"]),
        positions=st.none() | st.tuples(st.integers(1, 9), st.integers(9, 2**53 - 1)),
    )
)
def test_any_receipt_is_canonical_and_reads_back(receipt):
    entry = receipt.to_entry()
    assert Receipt.from_entry(entry) == receipt
    told = {name: getattr(receipt, name) for name in Receipt.__slots__} | {"v": 1, "kind": "exchange"}
    if not receipt.withheld:
        del told["withheld"]  # as every receipt of an exchange that holds no row back
    if receipt.positions is None:
        del told["positions"]  # as every receipt but a batch of changes
    assert entry == canonical_bytes(told)


@given(st.binary(max_size=300))
def test_any_bytes_at_the_witnesss_door_are_a_refusal(body):
    with suppress(Refused):
        _read(body)
