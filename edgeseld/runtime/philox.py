"""Philox 4x32-10 (Salmon et al. 2011): a counter-based generator that is the same in every language."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

UInt32 = NDArray[np.uint32]

MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
KEY_STEPS = (0x9E3779B9, 0xBB67AE85)
ROUNDS = 10
LOW_WORD = np.uint64(0xFFFFFFFF)


def philox4x32(counter: ArrayLike, key: tuple[int, int]) -> UInt32:
    """Four random words for each counter (..., 4): an array of the same shape.

    >>> [f"{word:08x}" for word in philox4x32([0, 0, 0, 0], (0, 0))]
    ['6627e8d5', 'e169c58d', 'bc57ac4c', '9b00dbd8']
    """
    words = np.asarray(counter, dtype=np.uint64)
    c0, c1, c2, c3 = np.ascontiguousarray(np.moveaxis(words, -1, 0))
    for number in range(ROUNDS):
        k0, k1 = (np.uint64((key[i] + number * KEY_STEPS[i]) & 0xFFFFFFFF) for i in range(2))
        first, second = c0 * MULTIPLIERS[0], c2 * MULTIPLIERS[1]
        shift = np.uint64(32)
        c0, c1, c2, c3 = (
            (second >> shift) ^ c1 ^ k0,
            second & LOW_WORD,
            (first >> shift) ^ c3 ^ k1,
            first & LOW_WORD,
        )
    return np.stack([c0, c1, c2, c3], axis=-1).astype(np.uint32)


def seed_key(seed: int) -> tuple[int, int]:
    """Key of a 64-bit seed: its low word, then its high word."""
    return seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF
