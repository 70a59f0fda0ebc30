"""Pairs of plays of two sources: candidates by time, and a maximum matching among them."""

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

MAX_PAUSE = timedelta(hours=3)
"""Chosen from two exports. In one, 39 plays have both a start and an end: 38 were paused for at most 2 h 1 min, one
overnight. In the other, 93 % of 339 interruptions of more than five minutes, among 9,990 plays, are shorter."""

_TICK = timedelta(microseconds=1)
_NO_POSITION = -1
_MAX_CANDIDATES = 200
"""The most instants before and after a time that are compared: a song is not played more often within the tolerance."""

_MAX_REPORT_DELAY = timedelta(days=1)
_DURATION_TOLERANCE = timedelta(seconds=1)

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

    @cached_property
    def boundaries(self) -> tuple[datetime, ...]:
        return tuple(boundary for boundary in (self.started_at, self.ended_at) if boundary) or (self.event_key[1],)

    @cached_property
    def duration(self) -> timedelta:
        return self.ended_at - self.started_at if self.started_at and self.ended_at else timedelta(0)


FindNearPlays = Callable[[Play], set[int]]
"""Return the positions, in a list of plays, of the candidates for a play."""


def index_by_boundaries(plays: Sequence[Play], tolerance: timedelta) -> FindNearPlays:
    """Index plays by start and end: a candidate has a boundary close to a boundary of the play."""
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


def index_by_instants(instants: Sequence[Play], tolerance: timedelta) -> FindNearPlays:
    """Index instants: a candidate is the start or the end of the play, or the start of a paused play.

    Those with a length are indexed by their boundaries alone.
    """
    find_by_boundaries = index_by_boundaries(instants, tolerance)
    times = sorted(
        (instant.event_key[1], position) for position, instant in enumerate(instants) if instant.ended_at is None
    )

    def find_near(play: Play) -> set[int]:
        bounds = (play.boundaries[0] - MAX_PAUSE, play.boundaries[-1] + tolerance + _TICK)
        first_index, last_index = (bisect_left(times, (time, 0)) for time in bounds)
        nearest = times[max(first_index, last_index - 2 * _MAX_CANDIDATES) : last_index]
        return find_by_boundaries(play) | {position for _, position in nearest}

    return find_near


def index_by_late_reports(plays: Sequence[Play]) -> FindNearPlays:
    """Index plays by their end: a candidate is as long as the offline play, and ends within a day after it."""
    times = sorted((play.boundaries[-1], position) for position, play in enumerate(plays))

    def find_near(play: Play) -> set[int]:
        bounds = (play.boundaries[-1], play.boundaries[-1] + _MAX_REPORT_DELAY + _TICK)
        first_index, last_index = (bisect_left(times, (time, 0)) for time in bounds)
        positions = {position for _, position in times[first_index : min(last_index, first_index + _MAX_CANDIDATES)]}
        return {
            position for position in positions if abs(plays[position].duration - play.duration) <= _DURATION_TOLERANCE
        }

    return find_near


def pair_plays(
    left_plays: Sequence[Play], right_plays: Sequence[Play], find_near: FindNearPlays
) -> Iterable[tuple[Play, Play]]:
    """Return as many pairs of candidates as possible, each play in at most one.

    Each play takes its nearest free candidate. If none is free, plays that hold its candidates move on to others, along
    the shortest chain of moves (Kuhn's algorithm for a maximum matching of a bipartite graph). If the same plays can be
    paired in the order of time, they are.
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
    """Return the moves that give a play a position, as new play numbers by position; empty if none exist."""
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
