"""One play that two sources tell of, found by user, recording and time."""

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
        kept = [play for play in group.get(better, ()) if play.id not in found]
        open_plays = [play for play in group.get(worse, ()) if play.id not in found]
        for one, other, rule in _in_time_order(kept, open_plays):
            found[other.id] = Match(one.id, other.id, rule)
    return list(found.values())


def _in_time_order(kept: Sequence[Play], others: Sequence[Play]) -> Iterable[tuple[Play, Play, str]]:
    ones, rest = sorted(kept, key=lambda play: play.id[::-1]), sorted(others, key=lambda play: play.id[::-1])
    place = other_place = 0
    while place < len(ones) and other_place < len(rest):
        one, other = ones[place], rest[other_place]
        rule = _rule(one, other)
        if rule:
            yield one, other, rule
        if rule or min(one.ends) <= min(other.ends):
            place += 1
        if rule or min(other.ends) < min(one.ends):
            other_place += 1


def _rule(one: Play, other: Play) -> str | None:
    tolerance = _MINUTE_TOLERANCE if _MINUTE_SOURCE in (one.source, other.source) else _TOLERANCE
    distance, name = min(
        (abs(end - other_end), f"{_name(one, end)} to {_name(other, other_end)}")
        for end in one.ends
        for other_end in other.ends
    )
    return f"{name} within {tolerance.seconds} s" if distance <= tolerance else None


def _name(play: Play, end: datetime) -> str:
    return "start" if end == play.started_at else "end" if end == play.ended_at else "time"
