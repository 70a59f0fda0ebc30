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

from etl.limits import MINUTE_TOLERANCE

SOURCES = ("extended_export", "recently_played", "basic_export")
"""The sources of real plays, the most believed first."""

LONGEST_PAUSE = timedelta(hours=3)
"""Of 39 plays of an export that gives both their start and their end, 38 were paused for at most 2 h 1 min and one
overnight; of the 339 interruptions of more than five minutes among 9,990 plays of another listener 93 % are shorter."""

_TOLERANCE = timedelta(seconds=90)
_MINUTE_SOURCE = "basic_export"
_INSTANT_SOURCE = "recently_played"
_TICK = timedelta(microseconds=1)
_NONE = -1
_MOST = 200
"""Of the instants close to one, so many before and after it are looked at: nobody hears one song more often."""

_REPORTED_LATE = timedelta(days=1)
_LATE_RULE = "offline, reported within 24 h"
_LENGTHS_APART = timedelta(seconds=1)

_NEAR_DUPLICATE_OVERLAP = {
    "extended_export": (timedelta(seconds=4), 2 / 3),
    "basic_export": (timedelta(minutes=1), 4 / 5),
}
"""The least overlap of near duplicates, and its least fraction of the longer one. Below it the times are too coarse to
tell: an extended export is exact to the second, a basic one to the minute. Beyond it the later play would have to begin
before the earlier one ended."""

Id = tuple[str, datetime]
"""event_id and event_time."""


@dataclass(frozen=True)
class Play:
    """A play as one source reports it. Without ``started_at`` and ``ended_at``, ``event_time`` may be either."""

    id: Id
    user_id: str
    track_key: int
    recording_key: int
    source: str
    started_at: datetime | None
    ended_at: datetime | None
    is_offline: bool = False

    @property
    def ends(self) -> tuple[datetime, ...]:
        return tuple(end for end in (self.started_at, self.ended_at) if end) or (self.id[1],)

    @property
    def length(self) -> timedelta:
        return self.ended_at - self.started_at if self.started_at and self.ended_at else timedelta(0)


@dataclass(frozen=True)
class Match:
    """Two records of one play: which one stays, which goes, and by which rule."""

    kept: Id
    dropped: Id
    rule: str


def matches(plays: Iterable[Play], names: Mapping[int, Collection[str]] | None = None) -> list[Match]:
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
    return [match for user_plays in by_user.values() for match in _match_user(user_plays, names or {})]


def _match_user(plays: Sequence[Play], names: Mapping[int, Collection[str]]) -> list[Match]:
    songs = _songs({(play.track_key, play.recording_key) for play in plays}, names)
    groups: dict[int, dict[str, list[Play]]] = defaultdict(lambda: defaultdict(list))
    for play in plays:
        groups[songs[play.recording_key]][play.source].append(play)
    return [match for group in groups.values() for match in _match_song(group)]


def _songs(tracks: Collection[tuple[int, int]], names: Mapping[int, Collection[str]]) -> dict[int, int]:
    """Return for each recording the one that stands for all those linked to it by shared names.

    :param tracks: track_key and recording_key.
    """
    parents: dict[int, int] = {recording: recording for _, recording in tracks}

    def root(recording: int) -> int:
        while parents[recording] != recording:
            parents[recording] = recording = parents[parents[recording]]
        return recording

    first_of_name: dict[str, int] = {}
    for track, recording in tracks:
        for name in names.get(track, ()):
            parents[root(recording)] = root(first_of_name.setdefault(name, recording))
    return {recording: root(recording) for recording in parents}


def _match_song(group: dict[str, list[Play]]) -> list[Match]:
    matched: dict[Id, Match] = {}
    for source, (least, fraction) in _NEAR_DUPLICATE_OVERLAP.items():
        for kept, dropped in _near_duplicates(group.get(source, ()), least, fraction):
            matched[dropped.id] = Match(kept.id, dropped.id, _near_duplicate_rule(kept, dropped))
    for better, worse in combinations([source for source in SOURCES if source in group], 2):
        kept_plays, open_plays = (
            sorted((play for play in group[name] if play.id not in matched), key=lambda play: play.id[::-1])
            for name in (better, worse)
        )
        tolerance = MINUTE_TOLERANCE if _MINUTE_SOURCE in (better, worse) else _TOLERANCE
        pairs = list(_pair_sources(kept_plays, open_plays, tolerance))
        matched |= {dropped.id: Match(kept.id, dropped.id, _rule(kept, dropped, tolerance)) for kept, dropped in pairs}
        if worse == _MINUTE_SOURCE:
            taken = {kept.id for kept, _ in pairs}
            offline = [play for play in kept_plays if play.is_offline and play.id not in taken]
            left = [play for play in open_plays if play.id not in matched]
            late = _pair_most(offline, left, _reported_later(left))
            matched |= {dropped.id: Match(kept.id, dropped.id, _LATE_RULE) for kept, dropped in late}
    # The first of near duplicates may itself go for a better source's record.
    return [
        replace(match, kept=matched[match.kept].kept) if match.kept in matched else match for match in matched.values()
    ]


def _near_duplicates(plays: Iterable[Play], least: timedelta, fraction: float) -> Iterable[tuple[Play, Play]]:
    """Return each play that overlaps an earlier one of its source almost wholly, behind that one, which stays."""
    kept: list[Play] = []
    for play in sorted(plays, key=lambda play: play.id[::-1]):
        near = (earlier for earlier in reversed(kept[-3:]) if _is_near_duplicate(earlier, play, least, fraction))
        twin = next(near, None)
        if twin:
            yield twin, play
        else:
            kept.append(play)


def _is_near_duplicate(earlier: Play, later: Play, least: timedelta, fraction: float) -> bool:
    longer = max(earlier.length, later.length)
    overlap = min(earlier.ends[-1], later.ends[-1]) - max(earlier.ends[0], later.ends[0])
    return overlap >= max(least, longer * fraction)


def _near_duplicate_rule(kept: Play, dropped: Play) -> str:
    apart = abs((dropped.ends[-1] - kept.ends[-1]).total_seconds())
    return f"one source twice, ends {apart:.0f} s apart"


def _pair_sources(
    kept_plays: Sequence[Play], open_plays: Sequence[Play], tolerance: timedelta
) -> Iterable[tuple[Play, Play]]:
    """Return the pairs of plays of two sources that are one play, the better source's first."""
    if any(play.source == _INSTANT_SOURCE for play in kept_plays):
        pairs = _pair_most(open_plays, kept_plays, _instants_near(kept_plays, tolerance))
        return ((kept, dropped) for dropped, kept in pairs)
    is_with_instants = any(play.source == _INSTANT_SOURCE for play in open_plays)
    near = (_instants_near if is_with_instants else _ends_near)(open_plays, tolerance)
    return _pair_most(kept_plays, open_plays, near)


Near = Callable[[Play], set[int]]
"""Return the positions, in a list of plays, of those that may be the same play as another one."""


def _ends_near(plays: Sequence[Play], tolerance: timedelta) -> Near:
    """A start or end of one lies close to a start or end of the other."""
    ends = sorted((end, position) for position, play in enumerate(plays) for end in play.ends)

    def near(play: Play) -> set[int]:
        positions: set[int] = set()
        for end in play.ends:
            bounds = (end - tolerance, end, end + tolerance + _TICK)
            first, middle, last = (bisect_left(ends, (bound, 0)) for bound in bounds)
            nearest = ends[max(first, middle - _MOST) : min(last, middle + _MOST)]
            positions.update(position for _, position in nearest)
        return positions

    return near


def _instants_near(instants: Sequence[Play], tolerance: timedelta) -> Near:
    """The instant is the start or the end of the play, or the start of a play that was paused."""
    times = sorted((instant.id[1], position) for position, instant in enumerate(instants))

    def near(play: Play) -> set[int]:
        bounds = (play.ends[0] - LONGEST_PAUSE, play.ends[-1] + tolerance + _TICK)
        first, last = (bisect_left(times, (bound, 0)) for bound in bounds)
        return {position for _, position in times[max(first, last - 2 * _MOST) : last]}

    return near


def _reported_later(plays: Sequence[Play]) -> Near:
    """As long as an offline play, and ended when the app was online again."""
    times = sorted((play.ends[-1], position) for position, play in enumerate(plays))

    def near(play: Play) -> set[int]:
        bounds = (play.ends[-1], play.ends[-1] + _REPORTED_LATE + _TICK)
        first, last = (bisect_left(times, (bound, 0)) for bound in bounds)
        positions = {position for _, position in times[first : min(last, first + _MOST)]}
        return {position for position in positions if abs(plays[position].length - play.length) <= _LENGTHS_APART}

    return near


def _pair_most(ones: Sequence[Play], others: Sequence[Play], near: Near) -> Iterable[tuple[Play, Play]]:
    """Return as many pairs of near plays as there can be, each play in at most one.

    One play after another takes the nearest one that is free. Where all are taken, those that have them move on to
    others, along the shortest chain of such moves (Kuhn's algorithm for the largest matching of a bipartite graph).
    """
    candidates = [_nearest_first(one, others, near) for one in ones]
    holders: dict[int, int] = {}
    for number in range(len(ones)):
        holders.update(_moves(number, candidates, holders))
    in_time_order = dict(zip(sorted(holders), sorted(holders.values()), strict=True))
    if all(position in candidates[number] for position, number in in_time_order.items()):
        holders = in_time_order
    return ((ones[number], others[position]) for position, number in holders.items())


def _nearest_first(one: Play, others: Sequence[Play], near: Near) -> list[int]:
    return sorted(near(one), key=lambda position: (_distance(one, others[position]), position))


def _moves(number: int, candidates: Sequence[Sequence[int]], holders: Mapping[int, int]) -> dict[int, int]:
    """Return what gives a play a position: the new holders of positions, by position; empty where nothing does."""
    asked_by: dict[int, tuple[int, int]] = {}
    waiting = deque([(number, _NONE)])
    while waiting:
        asker, held = waiting.popleft()
        for position in candidates[asker]:
            if position in asked_by:
                continue
            asked_by[position] = asker, held
            if position not in holders:
                moves = {}
                while position != _NONE:
                    moves[position], position = asked_by[position]
                return moves
            waiting.append((holders[position], position))
    return {}


def _distance(one: Play, other: Play) -> timedelta:
    return min(abs(end - other_end) for end in one.ends for other_end in other.ends)


def _rule(one: Play, other: Play, tolerance: timedelta) -> str:
    apart, name = min(
        (abs(end - other_end), f"{_name(one, end)} to {_name(other, other_end)}")
        for end in one.ends
        for other_end in other.ends
    )
    if apart > tolerance:
        return f"time within a pause of {LONGEST_PAUSE // timedelta(hours=1)} h"
    return f"{name} within {tolerance.seconds} s"


def _name(play: Play, end: datetime) -> str:
    return "start" if end == play.started_at else "end" if end == play.ended_at else "time"
