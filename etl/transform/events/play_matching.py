"""One play that several source records report: found by user, song and time.

Two records can report one play in four ways:

- two records of one source whose heard intervals overlap almost wholly (``_near_duplicates``),
- records of two sources of which a start or end lies close to a start or end of the other,
- a recently-played instant before or within a play that was paused: the other source knows only when the play ended and
  how much of it was heard, so that its computed start lies too late by the length of the pause,
- an offline play that the extended export dates by its start, and the basic one by when the app was online again.

Of the records of two sources that may belong together, as many are paired as can be. To pair the nearest first would
not do: a play and an instant can be left over that belong together once others move along.
"""

from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import combinations

from etl.formats.time_limits import MINUTE_TOLERANCE

SOURCES = ("extended_export", "recently_played", "basic_export")
"""The sources of real plays, the most believed first."""

MAX_PAUSE = timedelta(hours=3)
"""Of 39 plays of an export that gives both their start and their end, 38 were paused for at most 2 h 1 min and one
overnight; of the 339 interruptions of more than five minutes among 9,990 plays of another listener 93 % are shorter."""

_TOLERANCE = timedelta(seconds=90)
_MINUTE_SOURCE = "basic_export"
_INSTANT_SOURCE = "recently_played"
_TICK = timedelta(microseconds=1)
_NO_POSITION = -1
_MAX_CANDIDATES = 200
"""Of the instants close to one, so many before and after it are looked at: nobody hears one song more often."""

_MAX_REPORT_DELAY = timedelta(days=1)
_LATE_REPORT_RULE = "offline, reported within 24 h"
_DURATION_TOLERANCE = timedelta(seconds=1)

_NEAR_DUPLICATE_OVERLAP = {
    "extended_export": (timedelta(seconds=4), 2 / 3),
    "basic_export": (timedelta(minutes=1), 4 / 5),
}
"""The least overlap of near duplicates, and its least fraction of the longer one. Below it the times are too coarse to
tell: an extended export is exact to the second, a basic one to the minute. Beyond it the later play would have to begin
before the earlier one ended."""

EventKey = tuple[str, datetime]
"""event_id and event_time."""


@dataclass(frozen=True)
class Play:
    """A play as one source reports it. Without ``started_at`` and ``ended_at``, ``event_time`` may be either."""

    event_key: EventKey
    user_id: str
    track_key: int
    recording_key: int
    source: str
    started_at: datetime | None
    ended_at: datetime | None
    is_offline: bool = False

    @property
    def boundaries(self) -> tuple[datetime, ...]:
        return tuple(boundary for boundary in (self.started_at, self.ended_at) if boundary) or (self.event_key[1],)

    @property
    def duration(self) -> timedelta:
        return self.ended_at - self.started_at if self.started_at and self.ended_at else timedelta(0)


@dataclass(frozen=True)
class Match:
    """Two records of one play: which one stays, which goes, and by which rule."""

    retained_key: EventKey
    duplicate_key: EventKey
    rule: str


def match_plays(plays: Iterable[Play], name_ids: Mapping[int, Collection[str]] | None = None) -> list[Match]:
    """Return the plays that go because another record reports the same play.

    Each play of a source is matched with at most one of each other source, in the order of time. The result depends on
    the plays alone, not on the order in which they came.

    :param names: the name ids that sources give a track, by its track_key: within one user's plays, recordings that
        share a name are one song, because one source may know a play by its name alone and the other by an id.
    :returns: a match for each play that goes; the most believed record of a play stays.
    """
    by_user: dict[str, list[Play]] = defaultdict(list)
    for play in plays:
        by_user[play.user_id].append(play)
    return [match for user_plays in by_user.values() for match in _match_user_plays(user_plays, name_ids or {})]


def _match_user_plays(plays: Sequence[Play], name_ids: Mapping[int, Collection[str]]) -> list[Match]:
    songs = _group_songs({(play.track_key, play.recording_key) for play in plays}, name_ids)
    groups: dict[int, dict[str, list[Play]]] = defaultdict(lambda: defaultdict(list))
    for play in plays:
        groups[songs[play.recording_key]][play.source].append(play)
    return [match for group in groups.values() for match in _match_song_plays(group)]


def _group_songs(tracks: Collection[tuple[int, int]], name_ids: Mapping[int, Collection[str]]) -> dict[int, int]:
    """Return for each recording the one that stands for all those linked to it by shared names.

    :param tracks: track_key and recording_key.
    """
    parents: dict[int, int] = {recording: recording for _, recording in tracks}

    def find_root(recording: int) -> int:
        while parents[recording] != recording:
            parents[recording] = recording = parents[parents[recording]]
        return recording

    recording_by_name: dict[str, int] = {}
    for track, recording in tracks:
        for name in name_ids.get(track, ()):
            parents[find_root(recording)] = find_root(recording_by_name.setdefault(name, recording))
    return {recording: find_root(recording) for recording in parents}


def _match_song_plays(group: dict[str, list[Play]]) -> list[Match]:
    match_by_duplicate: dict[EventKey, Match] = {}
    for source, (min_overlap, min_fraction) in _NEAR_DUPLICATE_OVERLAP.items():
        for retained, duplicate in _find_near_duplicates(group.get(source, ()), min_overlap, min_fraction):
            match_by_duplicate[duplicate.event_key] = Match(
                retained.event_key, duplicate.event_key, _describe_near_duplicate(retained, duplicate)
            )
    for better_source, worse_source in combinations([source for source in SOURCES if source in group], 2):
        better_plays, worse_plays = (
            sorted(
                (play for play in group[name] if play.event_key not in match_by_duplicate),
                key=lambda play: play.event_key[::-1],
            )
            for name in (better_source, worse_source)
        )
        tolerance = MINUTE_TOLERANCE if _MINUTE_SOURCE in (better_source, worse_source) else _TOLERANCE
        pairs = list(_pair_source_plays(better_plays, worse_plays, tolerance))
        match_by_duplicate |= {
            duplicate.event_key: Match(
                retained.event_key, duplicate.event_key, _describe_match(retained, duplicate, tolerance)
            )
            for retained, duplicate in pairs
        }
        if worse_source == _MINUTE_SOURCE:
            paired_keys = {retained.event_key for retained, _ in pairs}
            unpaired_offline_plays = [
                play for play in better_plays if play.is_offline and play.event_key not in paired_keys
            ]
            unmatched_plays = [play for play in worse_plays if play.event_key not in match_by_duplicate]
            late_pairs = _pair_plays(unpaired_offline_plays, unmatched_plays, _index_by_late_reports(unmatched_plays))
            match_by_duplicate |= {
                duplicate.event_key: Match(retained.event_key, duplicate.event_key, _LATE_REPORT_RULE)
                for retained, duplicate in late_pairs
            }
    # The first of near duplicates may itself go for a better source's record.
    return [
        replace(match, retained_key=match_by_duplicate[match.retained_key].retained_key)
        if match.retained_key in match_by_duplicate
        else match
        for match in match_by_duplicate.values()
    ]


def _find_near_duplicates(
    plays: Iterable[Play], min_overlap: timedelta, min_fraction: float
) -> Iterable[tuple[Play, Play]]:
    """Return each play that overlaps an earlier one of its source almost wholly, behind that one, which stays."""
    retained_plays: list[Play] = []
    for play in sorted(plays, key=lambda play: play.event_key[::-1]):
        overlapping_plays = (
            earlier
            for earlier in reversed(retained_plays[-3:])
            if _is_near_duplicate(earlier, play, min_overlap, min_fraction)
        )
        overlapping_play = next(overlapping_plays, None)
        if overlapping_play:
            yield overlapping_play, play
        else:
            retained_plays.append(play)


def _is_near_duplicate(earlier: Play, later: Play, min_overlap: timedelta, min_fraction: float) -> bool:
    longer_duration = max(earlier.duration, later.duration)
    overlap = min(earlier.boundaries[-1], later.boundaries[-1]) - max(earlier.boundaries[0], later.boundaries[0])
    return overlap >= max(min_overlap, longer_duration * min_fraction)


def _describe_near_duplicate(retained: Play, duplicate: Play) -> str:
    seconds_apart = abs((duplicate.boundaries[-1] - retained.boundaries[-1]).total_seconds())
    return f"one source twice, ends {seconds_apart:.0f} s apart"


def _pair_source_plays(
    better_plays: Sequence[Play], worse_plays: Sequence[Play], tolerance: timedelta
) -> Iterable[tuple[Play, Play]]:
    """Return the pairs of plays of two sources that are one play, the better source's first."""
    if any(play.source == _INSTANT_SOURCE for play in better_plays):
        pairs = _pair_plays(worse_plays, better_plays, _index_by_instants(better_plays, tolerance))
        return ((retained, duplicate) for duplicate, retained in pairs)
    is_with_instants = any(play.source == _INSTANT_SOURCE for play in worse_plays)
    find_near = (_index_by_instants if is_with_instants else _index_by_boundaries)(worse_plays, tolerance)
    return _pair_plays(better_plays, worse_plays, find_near)


FindNearPlays = Callable[[Play], set[int]]
"""Return the positions, in a list of plays, of those that may be the same play as another one."""


def _index_by_boundaries(plays: Sequence[Play], tolerance: timedelta) -> FindNearPlays:
    """A start or end of one lies close to a start or end of the other."""
    boundaries = sorted((boundary, position) for position, play in enumerate(plays) for boundary in play.boundaries)

    def find_near(play: Play) -> set[int]:
        positions: set[int] = set()
        for boundary in play.boundaries:
            bounds = (boundary - tolerance, boundary, boundary + tolerance + _TICK)
            first_index, middle_index, last_index = (bisect_left(boundaries, (time, 0)) for time in bounds)
            nearest = boundaries[
                max(first_index, middle_index - _MAX_CANDIDATES) : min(last_index, middle_index + _MAX_CANDIDATES)
            ]
            positions.update(position for _, position in nearest)
        return positions

    return find_near


def _index_by_instants(instants: Sequence[Play], tolerance: timedelta) -> FindNearPlays:
    """The instant is the start or the end of the play, or the start of a play that was paused."""
    times = sorted((instant.event_key[1], position) for position, instant in enumerate(instants))

    def find_near(play: Play) -> set[int]:
        bounds = (play.boundaries[0] - MAX_PAUSE, play.boundaries[-1] + tolerance + _TICK)
        first_index, last_index = (bisect_left(times, (time, 0)) for time in bounds)
        return {position for _, position in times[max(first_index, last_index - 2 * _MAX_CANDIDATES) : last_index]}

    return find_near


def _index_by_late_reports(plays: Sequence[Play]) -> FindNearPlays:
    """As long as an offline play, and ended when the app was online again."""
    times = sorted((play.boundaries[-1], position) for position, play in enumerate(plays))

    def find_near(play: Play) -> set[int]:
        bounds = (play.boundaries[-1], play.boundaries[-1] + _MAX_REPORT_DELAY + _TICK)
        first_index, last_index = (bisect_left(times, (time, 0)) for time in bounds)
        positions = {position for _, position in times[first_index : min(last_index, first_index + _MAX_CANDIDATES)]}
        return {
            position for position in positions if abs(plays[position].duration - play.duration) <= _DURATION_TOLERANCE
        }

    return find_near


def _pair_plays(
    left_plays: Sequence[Play], right_plays: Sequence[Play], find_near: FindNearPlays
) -> Iterable[tuple[Play, Play]]:
    """Return as many pairs of near plays as there can be, each play in at most one.

    One play after another takes the nearest one that is free. Where all are taken, those that have them move on to
    others, along the shortest chain of such moves (Kuhn's algorithm for the largest matching of a bipartite graph).
    """
    candidates = [_rank_by_distance(left_play, right_plays, find_near) for left_play in left_plays]
    number_by_position: dict[int, int] = {}
    for number in range(len(left_plays)):
        number_by_position.update(_find_augmenting_path(number, candidates, number_by_position))
    in_time_order = dict(zip(sorted(number_by_position), sorted(number_by_position.values()), strict=True))
    if all(position in candidates[number] for position, number in in_time_order.items()):
        number_by_position = in_time_order
    return ((left_plays[number], right_plays[position]) for position, number in number_by_position.items())


def _rank_by_distance(play: Play, candidates: Sequence[Play], find_near: FindNearPlays) -> list[int]:
    return sorted(find_near(play), key=lambda position: (_compute_distance(play, candidates[position]), position))


def _find_augmenting_path(
    number: int, candidates: Sequence[Sequence[int]], number_by_position: Mapping[int, int]
) -> dict[int, int]:
    """Return what gives a play a position: the new holders of positions, by position; empty where nothing does."""
    visited_from: dict[int, tuple[int, int]] = {}
    queue = deque([(number, _NO_POSITION)])
    while queue:
        current_number, occupied_position = queue.popleft()
        for position in candidates[current_number]:
            if position in visited_from:
                continue
            visited_from[position] = current_number, occupied_position
            if position not in number_by_position:
                moves = {}
                while position != _NO_POSITION:
                    moves[position], position = visited_from[position]
                return moves
            queue.append((number_by_position[position], position))
    return {}


def _compute_distance(left_play: Play, right_play: Play) -> timedelta:
    return min(
        abs(left_boundary - right_boundary)
        for left_boundary in left_play.boundaries
        for right_boundary in right_play.boundaries
    )


def _describe_match(retained: Play, duplicate: Play, tolerance: timedelta) -> str:
    time_apart, boundary_names = min(
        (
            abs(left_boundary - right_boundary),
            f"{_name_boundary(retained, left_boundary)} to {_name_boundary(duplicate, right_boundary)}",
        )
        for left_boundary in retained.boundaries
        for right_boundary in duplicate.boundaries
    )
    if time_apart > tolerance:
        return f"time within a pause of {MAX_PAUSE // timedelta(hours=1)} h"
    return f"{boundary_names} within {tolerance.seconds} s"


def _name_boundary(play: Play, boundary: datetime) -> str:
    return "start" if boundary == play.started_at else "end" if boundary == play.ended_at else "time"
