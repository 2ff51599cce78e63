"""The Merkle tree of RFC 9162 (the same as RFC 6962): hashes, inclusion proofs, consistency proofs.

Pure arithmetic on hashes. Where the hashes lie is the caller's affair: a proof is made from a
`NodeReader`, which gives the hash of the perfect subtree at (height, index), that is of the entries
`index * 2**height` up to `(index + 1) * 2**height`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import NewType

from hutong.vocabulary.errors import Refused

LeafHash = NewType("LeafHash", bytes)  # SHA-256 of 0x00 || entry; 32 bytes
RootHash = NewType("RootHash", bytes)  # 32 bytes
NodeReader = Callable[[int, int], bytes]  # (height, index) -> hash of a perfect subtree

HASH_BYTES = 32
LEAF = b"\x00"
NODE = b"\x01"
EMPTY_ROOT = RootHash(sha256(b"").digest())


class ProofRefused(Refused):
    """The proof does not hold: {reason}."""

    zh = "证明不成立：{reason}。"
    code = "proof_refused"
    status = 422
    next_en = "Ask the log's keeper for a fresh proof; if it fails again, keep both and report it."
    next_zh = "请向日志保管方索取新的证明；如仍不成立，请保留证据并报告。"


def leaf_hash(entry: bytes) -> LeafHash:
    return LeafHash(sha256(LEAF + entry).digest())


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(NODE + left + right).digest()


def root_over(hashes: bytes) -> bytes:
    """The root above consecutive subtrees of one height, given as their hashes run together.

    hashes   32 bytes each, at least one; only the last may be of a smaller (right-edge) subtree
    """
    step = 2 * HASH_BYTES
    while len(hashes) > HASH_BYTES:
        whole = len(hashes) // step * step
        odd = hashes[whole:]
        hashes = b"".join([sha256(NODE + hashes[i : i + step]).digest() for i in range(0, whole, step)]) + odd
    return hashes


def root(size: int, node: NodeReader) -> RootHash:
    """The root of the first `size` entries."""
    return RootHash(_over(0, size, node)) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, node: NodeReader) -> list[bytes]:
    """PATH(index, D[0:size]), RFC 9162 section 2.1.3.1: the leaf's sibling first.

    raises   ValueError when the tree of that size has no such entry
    """
    if not 0 <= index < size:
        raise ValueError(f"a tree of size {size} has no entry {index}")
    return _path(index, 0, size, node)


def consistency_proof(old_size: int, new_size: int, node: NodeReader) -> list[bytes]:
    """PROOF(old_size, D[0:new_size]), RFC 9162 section 2.1.4.1. Empty for equal sizes, and from the empty tree.

    raises   ValueError when the old tree is larger than the new one
    """
    if not 0 <= old_size <= new_size:
        raise ValueError(f"no tree of size {new_size} extends one of size {old_size}")
    return _extension(old_size, 0, new_size, True, node) if 0 < old_size < new_size else []


def check_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """RFC 9162 section 2.1.3.2.

    raises   ProofRefused
    """
    _check_shape(proof, root)
    if not 0 <= index < size or len(leaf) != HASH_BYTES:
        raise ProofRefused(
            reason=f"a tree of size {size} has no entry {index}", reason_zh=f"规模为 {size} 的树没有条目 {index}"
        )
    position, last, found = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise ProofRefused(reason="it is too long", reason_zh="证明过长")
        if position & 1 or position == last:
            found = node_hash(sibling, found)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        position, last = position >> 1, last >> 1
    if last or found != root:
        raise ProofRefused(reason="it does not lead from the entry to the root", reason_zh="不能由条目推到根")


def check_consistency(old_size: int, new_size: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """RFC 9162 section 2.1.4.2, and for the sizes it leaves open: equal trees and the empty tree need no proof.

    raises   ProofRefused
    """
    _check_shape(proof, old_root, new_root)
    if old_size in (0, new_size):
        _check_trivial(old_size, new_size, old_root, new_root, proof)
        return
    if not 0 < old_size < new_size or not proof:
        raise ProofRefused(
            reason=f"nothing leads from size {old_size} to size {new_size}",
            reason_zh=f"无法由规模 {old_size} 推到规模 {new_size}",
        )
    nodes = list(proof)
    if old_size & (old_size - 1) == 0:
        nodes.insert(0, old_root)
    position, last = old_size - 1, new_size - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    old_found = new_found = nodes[0]
    for sibling in nodes[1:]:
        if last == 0:
            raise ProofRefused(reason="it is too long", reason_zh="证明过长")
        if position & 1 or position == last:
            old_found, new_found = node_hash(sibling, old_found), node_hash(sibling, new_found)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            new_found = node_hash(new_found, sibling)
        position, last = position >> 1, last >> 1
    if last or old_found != old_root or new_found != new_root:
        raise ProofRefused(reason="the newer tree does not contain the older one", reason_zh="新树不包含旧树")


def _check_trivial(old_size: int, new_size: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    if proof:
        raise ProofRefused(reason="between these sizes the proof must be empty", reason_zh="这两个规模之间的证明应为空")
    if old_size == new_size and old_root != new_root:
        raise ProofRefused(
            reason=f"two different roots are claimed for size {new_size}", reason_zh=f"规模 {new_size} 有两个不同的根"
        )
    if old_size == 0 and old_root != EMPTY_ROOT:
        raise ProofRefused(reason="the empty tree has another root", reason_zh="空树的根不是这个")


def _check_shape(*groups: Sequence[bytes] | bytes) -> None:
    for group in groups:
        for one in [group] if isinstance(group, bytes) else group:
            if len(one) != HASH_BYTES:
                raise ProofRefused(reason="a hash in it is not 32 bytes long", reason_zh="其中有哈希值不是 32 字节")


def _split(count: int) -> int:
    """The largest power of two below count (count >= 2)."""
    return 1 << ((count - 1).bit_length() - 1)


def _over(low: int, high: int, node: NodeReader) -> bytes:
    """The hash over entries [low, high), where low is aligned as RFC 9162's recursion makes it."""
    count = high - low
    if count & (count - 1) == 0:
        height = count.bit_length() - 1
        return node(height, low >> height)
    middle = low + _split(count)
    return node_hash(_over(low, middle, node), _over(middle, high, node))


def _path(index: int, low: int, high: int, node: NodeReader) -> list[bytes]:
    if high - low == 1:
        return []
    middle = low + _split(high - low)
    if index < middle:
        return [*_path(index, low, middle, node), _over(middle, high, node)]
    return [*_path(index, middle, high, node), _over(low, middle, node)]


def _extension(old: int, low: int, high: int, whole: bool, node: NodeReader) -> list[bytes]:
    """SUBPROOF(old, D[low:high], whole), RFC 9162 section 2.1.4.1."""
    if old == high:
        return [] if whole else [_over(low, high, node)]
    middle = low + _split(high - low)
    if old <= middle:
        return [*_extension(old, low, middle, whole, node), _over(middle, high, node)]
    return [*_extension(old, middle, high, False, node), _over(low, middle, node)]
