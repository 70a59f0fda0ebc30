"""Choices and ids drawn by hash, so that one more track in the catalogue leaves the others unchanged."""

import base64
import hashlib
from bisect import bisect_left
from collections.abc import Sequence

_ID_LENGTH = 22
_HASH_RANGE = 1 << 64


def hash_number(*values: object) -> int:
    """Return an integer from 0 to 2^64 - 1 that depends on ``parts`` only."""
    text = "/".join(map(str, values)).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")


def hash_fraction(*values: object) -> float:
    """Return a number from 0 to less than 1 that depends on ``parts`` only."""
    return hash_number(*values) / _HASH_RANGE


def make_spotify_id(*values: object, length: int = _ID_LENGTH) -> str:
    """Return an id of ``length`` letters and digits, in Spotify's form, that depends on ``parts`` only."""
    text = "/".join(map(str, values)).encode("utf-8", "surrogatepass")
    digest = hashlib.blake2b(text, digest_size=18).digest()
    return base64.b64encode(digest, b"xY").decode("ascii")[:length]


def choose_ids(sorted_ids: Sequence[str], count: int, *draw_values: object) -> list[str]:
    """Return up to ``count`` different members of a sorted list of ids; further ids in the list change few of them."""
    chosen_ids: dict[str, None] = {}
    for attempt in range(4 * count):
        position = bisect_left(sorted_ids, make_spotify_id(*draw_values, attempt))
        if sorted_ids and len(chosen_ids) < count:
            chosen_ids[sorted_ids[position % len(sorted_ids)]] = None
    return list(chosen_ids)
