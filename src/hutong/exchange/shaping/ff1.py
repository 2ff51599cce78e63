"""FF1, format-preserving encryption of whole columns: NIST SP 800-38G, algorithms 7 and 8, on numpy.

The libraries that have it work value by value, 5 to 127 thousand a second; here each of the ten rounds is one call of
the block cipher for the whole column, and the arithmetic is numpy's. AES as the standard has it, or SM4 in its place.

A value is two halves, as whole numbers: the numeral string of `length` digits of `radix`, cut after length // 2.
Halves must stay below 2**55, which any identifier does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES, SM4

ROUNDS: Final = 10
BLOCK: Final = 16  # bytes
FEWEST_VALUES: Final = 1_000_000  # of a domain; SP 800-38G revision 1, section 5.1
LARGEST_HALF: Final = 1 << 55  # so that a remainder times 256 still fits 64 bits
HALF_DIGITS: Final = 2  # of Permutation's numeral strings
CIPHERS: Final[dict[str, Any]] = {"aes": AES, "sm4": SM4}

Array = Any  # numpy.ndarray of uint64


class FF1:
    """One key, one format, one tweak."""

    def __init__(self, key: bytes, radix: int, length: int, tweak: bytes = b"", cipher: str = "aes") -> None:
        """key   16, 24 or 32 bytes; 16 for SM4

        raises   ValueError for a format FF1 does not allow
        """
        self._left, self._right = length // 2, length - length // 2
        self._moduli = (radix**self._left, radix**self._right)  # of even rounds, of odd rounds
        if not 2 <= radix <= 1 << 16 or length < 2 or radix**length < FEWEST_VALUES or max(self._moduli) > LARGEST_HALF:
            raise ValueError("FF1 does not encrypt this format")
        block = CIPHERS[cipher](key)
        self._encryptor: Callable[[], Any] = lambda: Cipher(block, modes.ECB()).encryptor()  # noqa: S305
        self._half_bytes = ((self._moduli[1] - 1).bit_length() + 7) // 8
        self._out_bytes = 4 * ((self._half_bytes + 3) // 4) + 4
        head = bytes([1, 2, 1]) + radix.to_bytes(3, "big") + bytes([ROUNDS, self._left % 256])
        head += length.to_bytes(4, "big") + len(tweak).to_bytes(4, "big")
        self._chained = np.frombuffer(self._encryptor().update(head), np.uint8)
        padding = -(len(tweak) + self._half_bytes + 1) % BLOCK
        self._fixed = np.frombuffer(tweak + bytes(padding), np.uint8)

    def encrypt(self, left: Array, right: Array) -> tuple[Array, Array]:
        for number in range(ROUNDS):
            modulus = np.uint64(self._moduli[number % 2])
            left, right = right, (left + self._round(number, right, modulus)) % modulus
        return left, right

    def decrypt(self, left: Array, right: Array) -> tuple[Array, Array]:
        for number in reversed(range(ROUNDS)):
            modulus = np.uint64(self._moduli[number % 2])
            left, right = (right + modulus - self._round(number, left, modulus)) % modulus, left
        return left, right

    def _round(self, number: int, half: Array, modulus: Any) -> Array:
        """The round function, reduced by the modulus."""
        rows = len(half)
        blocks = np.empty((rows, len(self._fixed) + 1 + self._half_bytes), np.uint8)
        blocks[:, : len(self._fixed)] = self._fixed
        blocks[:, len(self._fixed)] = number
        blocks[:, len(self._fixed) + 1 :] = _bytes_of(half)[:, 8 - self._half_bytes :]
        state: Any = np.broadcast_to(self._chained, (rows, BLOCK))
        for start in range(0, blocks.shape[1], BLOCK):
            state = self._ciphered(state ^ blocks[:, start : start + BLOCK])
        stream = state[:, : self._out_bytes]
        if self._out_bytes == 8:
            return np.ascontiguousarray(stream).view(">u8").reshape(rows).astype(np.uint64) % modulus
        rest = np.zeros(rows, np.uint64)
        for place in range(self._out_bytes):  # 12 or 16 bytes: more than a machine word
            rest = (rest * np.uint64(256) + stream[:, place]) % modulus
        return rest

    def _ciphered(self, blocks: Array) -> Array:
        return np.frombuffer(self._encryptor().update(blocks.tobytes()), np.uint8).reshape(-1, BLOCK)


def _bytes_of(numbers: Array) -> Array:
    """Each as 8 bytes, the highest first."""
    return numbers.astype(">u8").view(np.uint8).reshape(-1, 8)


class Permutation:
    """A keyed permutation of the whole numbers below `size`: FF1 over the nearest format, walked until it is inside.

    size   from 1,000,000 to 2**62
    """

    def __init__(self, size: int, key: bytes, tweak: bytes, cipher: str = "aes") -> None:
        radix = max(2, int(size**0.25))
        while radix ** (2 * HALF_DIGITS) < size:
            radix += 1
        self._size, self._half = np.uint64(size), np.uint64(radix**HALF_DIGITS)
        self._ff1 = FF1(key, radix, 2 * HALF_DIGITS, tweak, cipher)

    def encrypt(self, numbers: Array) -> Array:
        return self._walked(numbers, self._ff1.encrypt)

    def decrypt(self, numbers: Array) -> Array:
        return self._walked(numbers, self._ff1.decrypt)

    def _walked(self, numbers: Array, step: Callable[[Array, Array], tuple[Array, Array]]) -> Array:
        """Cycle walking (SP 800-38G revision 1, appendix B): again for those that fell outside."""
        walked = self._once(numbers.astype(np.uint64), step)
        outside = np.flatnonzero(walked >= self._size)
        while len(outside):
            walked[outside] = self._once(walked[outside], step)
            outside = outside[walked[outside] >= self._size]
        return walked

    def _once(self, numbers: Array, step: Callable[[Array, Array], tuple[Array, Array]]) -> Array:
        left, right = step(numbers // self._half, numbers % self._half)
        return left * self._half + right
