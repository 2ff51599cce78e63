"""The Merkle tree against published vectors and another implementation."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pymerkle
import pytest

from hutong.ledger.tree import (
    EMPTY_ROOT,
    ProofRefused,
    check_consistency,
    check_inclusion,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root,
    root_over,
)

# RFC 6962's classic example leaves and roots, as the certificate-transparency project publishes them.
LEAVES = [
    b"",
    b"\x00",
    b"\x10",
    b"\x20\x21",
    b"\x30\x31",
    b"\x40\x41\x42\x43",
    bytes.fromhex("5051525354555657"),
    bytes.fromhex("606162636465666768696a6b6c6d6e6f"),
]
ROOTS = """
6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d
fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125
aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77
d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7
4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4
76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef
ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c
5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328
""".split()  # noqa: SIM905 - a column reads better than a list


def reader(leaves: list[bytes]):
    """A NodeReader over leaves in memory."""

    def node(height: int, index: int) -> bytes:
        return root_over(b"".join(map(leaf_hash, leaves[index << height : (index + 1) << height])))

    return node


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_the_published_ones(size):
    assert root(size, reader(LEAVES)).hex() == ROOTS[size - 1]
    assert root_over(b"".join(map(leaf_hash, LEAVES[:size]))).hex() == ROOTS[size - 1]


def test_the_empty_tree_has_the_root_of_nothing():
    assert root(0, reader([])) == EMPTY_ROOT
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def _vectors(real_data: Path, kind: str) -> list[dict[str, Any]]:
    file = real_data / "conformance" / "tlog" / "merkle_proof_vectors.json.gz"
    if not file.is_file():
        pytest.skip(f"no proof vectors: {file}")
    return [one for one in json.loads(gzip.decompress(file.read_bytes())) if one["file"].startswith(kind + "/")]


def _hash(text: str | None) -> bytes:
    return base64.b64decode(text or "")


def test_inclusion_vectors_hold_and_forged_ones_are_refused(real_data):
    vectors = _vectors(real_data, "inclusion")
    assert len(vectors) > 40
    for one in vectors:
        proof = [_hash(line) for line in one["proof"] or []]
        arguments = (_hash(one["leafHash"]), one["leafIdx"], one["treeSize"], proof, _hash(one["root"]))
        if one["wantErr"]:
            with pytest.raises(ProofRefused):
                check_inclusion(*arguments)
        else:
            check_inclusion(*arguments)


def test_consistency_vectors_hold_and_forged_ones_are_refused(real_data):
    vectors = _vectors(real_data, "consistency")
    assert len(vectors) > 50
    for one in vectors:
        proof = [_hash(line) for line in one["proof"] or []]
        arguments = (one["size1"], one["size2"], _hash(one["root1"]), _hash(one["root2"]), proof)
        if one["wantErr"]:
            with pytest.raises(ProofRefused):
                check_consistency(*arguments)
        else:
            check_consistency(*arguments)


def test_every_proof_up_to_size_seventeen_agrees_with_another_implementation():
    leaves = [b"leaf %d" % number for number in range(17)]
    other = pymerkle.InmemoryTree(algorithm="sha256")
    for leaf in leaves:
        other.append_entry(leaf)
    node = reader(leaves)
    for size in range(1, 18):
        assert root(size, node) == other.get_root(size)
        for index in range(size):
            proof = inclusion_proof(index, size, node)
            check_inclusion(leaf_hash(leaves[index]), index, size, proof, other.get_root(size))
            # pymerkle counts from one, and begins its path with the leaf itself
            assert proof == other.prove_inclusion(index + 1, size).path[1:]
        for old in range(1, size + 1):
            check_consistency(old, size, other.get_root(old), root(size, node), consistency_proof(old, size, node))


def test_a_proof_of_an_entry_beyond_the_tree_cannot_be_made():
    with pytest.raises(ValueError, match="no entry 3"):
        inclusion_proof(3, 3, reader(LEAVES))
    with pytest.raises(ValueError, match="no tree"):
        consistency_proof(4, 3, reader(LEAVES))
