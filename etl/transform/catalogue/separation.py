"""Recordings that a decision separates: their links are followed again, without joining ids that are not one."""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from etl.transform.catalogue.decisions import IdPair

_REACH = 100
"""So many ids that follow one in a link are compared with it: an ISRC or name that thousands share stays cheap."""


class LinkedTrack(NamedTuple):
    """A track id with one of the keys by which it is linked to others."""

    link: str
    gap_ms: int
    duration_ms: int | None
    track_id: str


def separate_recordings(
    linked_tracks: Iterable[LinkedTrack], matches: Iterable[IdPair], differences: Iterable[IdPair]
) -> dict[str, str]:
    """Group track ids by recording so that no two ids of a difference are in one group.

    Matches are joined first, then the pairs of each link by their distance, the nearest first, of equal distance the
    smallest ids. A link that would bring the ids of a difference together joins nothing.

    :param linked_tracks: of the recordings to separate, in any order.
    :returns: the smallest id of the recording of each track id.
    """
    tracks = sorted(set(linked_tracks), key=lambda track: (track.link, track.duration_ms or 0, track.track_id))
    groups = {track.track_id: {track.track_id} for track in tracks}
    opponents: dict[str, set[str]] = defaultdict(set)
    for first_id, second_id in differences:
        opponents[first_id].add(second_id)
        opponents[second_id].add(first_id)
    for first_id, second_id in (*sorted(matches), *_list_linked_pairs(tracks)):
        if first_id in groups and second_id in groups:
            _join_groups(groups, opponents, first_id, second_id)
    return {track_id: min(group) for track_id, group in groups.items()}


def _list_linked_pairs(tracks: list[LinkedTrack]) -> list[IdPair]:
    """Return the pairs of ids whose durations are near enough in a link, nearer ones first.

    :param tracks: sorted by link, duration and id; pairs further apart in this order than ``_REACH`` are left out.
    """
    distances = []
    for index, first in enumerate(tracks):
        for second in tracks[index + 1 : index + 1 + _REACH]:
            distance = _compute_distance(first, second)
            if first.link != second.link or distance > first.gap_ms:
                break
            distances.append((distance, first.track_id, second.track_id))
    return [(first_id, second_id) for _, first_id, second_id in sorted(distances)]


def _compute_distance(first: LinkedTrack, second: LinkedTrack) -> int:
    if first.duration_ms is None or second.duration_ms is None:
        return 0
    return second.duration_ms - first.duration_ms


def _join_groups(groups: dict[str, set[str]], opponents: dict[str, set[str]], first_id: str, second_id: str) -> None:
    first_group, second_group = groups[first_id], groups[second_id]
    if first_group is second_group or any(opponents[track_id] & second_group for track_id in first_group):
        return
    first_group |= second_group
    for track_id in second_group:
        groups[track_id] = first_group
