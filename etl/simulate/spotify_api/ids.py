"""Choices and ids drawn by hash, so that one more track in the catalogue leaves the others' as they were."""

import hashlib

_BASE_62 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
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
    value = int.from_bytes(hashlib.blake2b(text, digest_size=20).digest(), "big")
    digits = []
    for _ in range(length):
        value, digit = divmod(value, 62)
        digits.append(_BASE_62[digit])
    return "".join(digits)
