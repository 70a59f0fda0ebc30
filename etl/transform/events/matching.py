"""One play that two sources tell of, found by user, recording and time."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations

SOURCES = ("extended_export", "recently_played", "basic_export")
"""Who tells of real plays, the most believed first."""

_TOLERANCE = timedelta(seconds=90)
_MINUTE_TOLERANCE = timedelta(seconds=120)
_MINUTE_SOURCE = "basic_export"
_TICK = timedelta(microseconds=1)
_MOST = 200
"""Of the ends close to one, so many before and after it are looked at: nobody hears one recording more often."""

Id = tuple[str, datetime]
"""event_id and event_time."""


@dataclass(frozen=True)
class Play:
    """A play as one source tells it. Without ``started_at`` and ``ended_at``, ``event_time`` may be either."""

    id: Id
    user_id: str
    recording_key: int
    source: str
    started_at: datetime | None
    ended_at: datetime | None

    @property
    def ends(self) -> tuple[datetime, ...]:
        return tuple(end for end in (self.started_at, self.ended_at) if end) or (self.id[1],)


@dataclass(frozen=True)
class Match:
    """Two tellings of one play: which one stays, which goes, and by which rule."""

    kept: Id
    dropped: Id
    rule: str


def matches(plays: Iterable[Play]) -> list[Match]:
    """Pairs of plays of one user and recording of which a start or end lies close to a start or end of the other.

    Each play of a source is matched with at most one of each other source, in the order of time; two plays of one
    source are never one. What is found depends on the plays alone, not on the order in which they came.

    :returns: a match for each play that goes; the most believed telling of a play stays.
    """
    groups: dict[tuple[str, int], dict[str, list[Play]]] = defaultdict(lambda: defaultdict(list))
    for play in plays:
        groups[play.user_id, play.recording_key][play.source].append(play)
    return [match for group in groups.values() if len(group) > 1 for match in _of_group(group)]


def _of_group(group: dict[str, list[Play]]) -> list[Match]:
    found: dict[Id, Match] = {}
    for better, worse in combinations(SOURCES, 2):
        tolerance = _MINUTE_TOLERANCE if _MINUTE_SOURCE in (better, worse) else _TOLERANCE
        kept, open_plays = (
            sorted((play for play in group.get(name, ()) if play.id not in found), key=lambda play: play.id[::-1])
            for name in (better, worse)
        )
        for one, other in _in_time_order(kept, open_plays, tolerance):
            found[other.id] = Match(one.id, other.id, _rule(one, other, tolerance))
    return list(found.values())


def _in_time_order(ones: Sequence[Play], others: Sequence[Play], tolerance: timedelta) -> Iterable[tuple[Play, Play]]:
    """As many pairs of plays close to each other as there can be without two that cross in time.

    That is the longest rising sequence of places in ``others``. Looking at one pair after another would not do: of a
    long play and a short one within it, the next ones alone tell which is matched.
    """
    ends = sorted((end, place) for place, other in enumerate(others) for end in other.ends)
    chains: list[_Chain] = []  # of each length, the one whose last place is the smallest
    for one in ones:
        for place in sorted(_near(one, ends, tolerance), reverse=True):  # so that no chain holds the same one twice
            length = bisect_left(chains, place, key=lambda chain: chain.place)
            if length == len(chains) or place < chains[length].place:
                chains[length : length + 1] = [_Chain(place, one, chains[length - 1] if length else None)]
    chain = chains[-1] if chains else None
    while chain:
        yield chain.one, others[chain.place]
        chain = chain.before


@dataclass(frozen=True)
class _Chain:
    """Pairs that do not cross: the last one is of ``one`` and of the other play at a place."""

    place: int
    one: Play
    before: "_Chain | None"


def _near(one: Play, ends: list[tuple[datetime, int]], tolerance: timedelta) -> set[int]:
    """The places of which an end lies close to one of the play's."""
    found: set[int] = set()
    for end in one.ends:
        first, middle, last = (bisect_left(ends, (end + by, 0)) for by in (-tolerance, timedelta(0), tolerance + _TICK))
        found.update(place for _, place in ends[max(first, middle - _MOST) : min(last, middle + _MOST)])
    return found


def _rule(one: Play, other: Play, tolerance: timedelta) -> str:
    _, name = min(
        (abs(end - other_end), f"{_name(one, end)} to {_name(other, other_end)}")
        for end in one.ends
        for other_end in other.ends
    )
    return f"{name} within {tolerance.seconds} s"


def _name(play: Play, end: datetime) -> str:
    return "start" if end == play.started_at else "end" if end == play.ended_at else "time"
