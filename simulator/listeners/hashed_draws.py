"""Stateless random draws: a draw is a hash of an entity's key and a purpose, and of nothing else.

A key is 64 bits that identify an entity (a listener, a listener's day, a session, a play). The key of a part is derived
from the key of the whole, a draw from a key and a purpose. So a draw depends neither on the draws before it nor on the
split of the work, and draws run on whole arrays.
"""

from collections.abc import Sequence
from math import isqrt

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_MASK = (1 << 64) - 1
_STEP = np.uint64(0x9E3779B97F4A7C15)
_PURPOSE_STEP = np.uint64(0xD1B54A32D192ED03)
_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53)


def hash_key(*values: int | str) -> np.uint64:
    """Return the key of an entity that words name."""
    value = 0
    for part_value in values:
        number = part_value if isinstance(part_value, int) else int.from_bytes(part_value.encode(), "big")
        while True:
            value = int(_mix_bits(np.array([(value + number + 1) & _MASK], np.uint64) * _STEP)[0])
            number >>= 64
            if number <= 0:
                break
    return np.uint64(value)


def hash_keys(parents: Keys | np.uint64, indexes: npt.ArrayLike) -> Keys:
    """Return the keys of numbered parts: the same parent and number give the same key. Shapes are broadcast."""
    unsigned_indexes = np.atleast_1d(np.asarray(indexes)).astype(np.int64).view(np.uint64)
    return _mix_bits(np.atleast_1d(parents) + (unsigned_indexes + np.uint64(1)) * _STEP)


def draw_uniform(entity_keys: Keys, purpose: int) -> Floats:
    """Return a number from [0, 1) for each key, independent between purposes."""
    mixed = _mix_bits(entity_keys + np.uint64(purpose * int(_PURPOSE_STEP) & _MASK))
    mixed >>= np.uint64(11)
    return np.asarray(mixed * 2.0**-53, np.float64)


def draw_evenly(numbers: Integers, seed_key: np.uint64, purpose: int) -> Floats:
    """Return a number from [0, 1) for each entity; any first few are more even than independent draws.

    :param purpose: 0 to 15; each has the square root of a prime as its step, so that purposes are not correlated.
    """
    root = isqrt(_PRIMES[purpose] << 100)  # 50 bits after the point
    step = np.uint64(root % (1 << 50) << 14)
    offset = hash_keys(seed_key, purpose)
    rotated = numbers.astype(np.int64).view(np.uint64) * step + offset
    return np.asarray((rotated >> np.uint64(11)) * 2.0**-53, np.float64)


def choose_weighted(draws: Floats, weights: Sequence[float] | Floats) -> Integers:
    """Return, for each number from [0, 1), the index in ``weights`` that it falls on."""
    bounds = np.cumsum(np.asarray(weights, np.float64))
    return np.minimum(np.searchsorted(bounds / bounds[-1], draws, side="right"), len(bounds) - 1).astype(np.int64)


def _mix_bits(values: Keys) -> Keys:
    """Apply the last steps of Splitmix64: each bit of the result depends on every bit of the input."""
    mixed = values ^ (values >> np.uint64(30))
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed
