"""Choices and ids drawn by hash, so that one more track in the catalogue leaves the others' as they were."""

import base64
import hashlib
from bisect import bisect_left
from collections.abc import Sequence

_ID_LENGTH = 22
_BUCKETS = 1 << 64


def number(*parts: object) -> int:
    """A whole number from 0 to 2^64 - 1 that depends on ``parts`` only."""
    text = "/".join(map(str, parts)).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")


def share(*parts: object) -> float:
    """A number from 0 to less than 1 that depends on ``parts`` only."""
    return number(*parts) / _BUCKETS


def spotify_id(*parts: object, length: int = _ID_LENGTH) -> str:
    """An id of ``length`` letters and digits, as Spotify's are, that depends on ``parts`` only."""
    text = "/".join(map(str, parts)).encode("utf-8", "surrogatepass")
    digest = hashlib.blake2b(text, digest_size=18).digest()
    return base64.b64encode(digest, b"xY").decode("ascii")[:length]


def chosen(ordered: Sequence[str], count: int, *choice: object) -> list[str]:
    """Up to ``count`` different members of a sorted list of ids; further ids in the list change few of them."""
    found: dict[str, None] = {}
    for attempt in range(4 * count):
        place = bisect_left(ordered, spotify_id(*choice, attempt))
        if ordered and len(found) < count:
            found[ordered[place % len(ordered)]] = None
    return list(found)
