"""Ranges of offsets of a partition, and the chain that they form."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class OffsetRange:
    """Offsets of a partition, from ``first`` to the one before ``next``."""

    partition: int
    first: int
    next: int


def find_chain(ranges: Iterable[OffsetRange], start: int | None) -> list[OffsetRange]:
    """Return the ranges that reach furthest from an offset without a hole or an overlap, in their order.

    :param ranges: of one partition.
    :param start: None for the first offset of all ranges.
    """
    best: dict[int, OffsetRange] = {}
    reach: dict[int, int] = {}
    for offsets in sorted(ranges, key=lambda candidate: (-candidate.first, candidate.next)):
        end = reach.get(offsets.next, offsets.next)
        if end > reach.get(offsets.first, -1):
            best[offsets.first], reach[offsets.first] = offsets, end
    chain: list[OffsetRange] = []
    position = min(best, default=0) if start is None else start
    while position in best:
        chain.append(best[position])
        position = best[position].next
    return chain
