"""What happens in sessions, play by play: what is heard of each, what is skipped, and when.

A play is heard to its end, skipped, or paused for good: a pause ends the play, and what follows it after a while is
another one. Plays of a listener never overlap. With a free plan advertisements stand between plays, and at most six
plays in any hour are skipped.
"""

from dataclasses import dataclass

import numpy as np

from etl.simulate.listeners.chance import Flags, Integers, Keys, keys, uniform
from etl.simulate.listeners.habits import PLANS, Habits
from etl.simulate.listeners.people import People
from etl.simulate.listeners.sessions import Sessions

HOUR_MS = 3_600_000
FREE_SKIPS_AN_HOUR = 6

_SECOND_MS = 1000
_PAUSE_SHARE = 0.035
_LAST_PAUSE_SHARE = 0.5
_SKIPPED, _PAUSED, _HEARD, _BETWEEN, _AWAY, _ADVERTISEMENT = range(31, 37)


@dataclass(frozen=True)
class Timeline:
    """Plays in the order of sessions; an entry each in every array, but for those that did not come to be."""

    session: Integers
    """The place among the sessions."""
    place: Integers
    """Its number within the session."""
    keys: Keys
    track: Integers
    playlist: Integers
    starts: Integers
    """UTC, ms since 1970."""
    ms_played: Integers
    is_skipped: Flags
    is_paused: Flags
    """Heard in part and not skipped."""


def play_keys(sessions: Sessions) -> tuple[Integers, Integers, Keys]:
    """Session, number within it and key of each play."""
    counts = sessions.play_count
    session = np.repeat(np.arange(len(counts)), counts)
    ends = np.cumsum(counts)
    place = np.arange(len(session)) - np.repeat(ends - counts, counts)
    return session, place, keys(sessions.keys[session], place)


def timeline(
    sessions: Sessions,
    people: People,
    plays: tuple[Integers, Integers, Keys],
    tracks: tuple[Integers, Integers],
    durations: Integers,
    habits: Habits,
) -> Timeline:
    """Put plays into time.

    :param plays: session, number within it and key of each.
    :param tracks: track and playlist of each.
    :param durations: length of each play's track, ms.
    """
    session, place, own = plays
    is_free = sessions.plan[session] == PLANS.index("free")
    is_last = place == sessions.play_count[session] - 1
    is_skipped = _wanted_skips(sessions, people, session, own, is_free, habits)
    is_paused = uniform(own, _PAUSED) < np.where(is_last, _LAST_PAUSE_SHARE, _PAUSE_SHARE)
    heard = _heard(own, durations)
    gaps = _gaps(own, place, is_free)
    pauses = _pauses(own)
    while True:
        is_cut = is_paused & ~is_skipped
        ms_played = np.where(is_skipped | is_cut, heard, durations)
        after = gaps + np.where(is_cut, pauses, 0)
        starts = _starts(sessions, session, place, ms_played + after)
        is_played = starts + ms_played <= sessions.ends_before[session]
        too_many = _too_many_skips(sessions, session, starts + ms_played, is_skipped & is_played & is_free)
        if not len(too_many):
            break
        is_skipped[too_many] = False
    kept = np.flatnonzero(is_played)
    return Timeline(
        session=session[kept],
        place=place[kept],
        keys=own[kept],
        track=tracks[0][kept],
        playlist=tracks[1][kept],
        starts=starts[kept],
        ms_played=ms_played[kept],
        is_skipped=is_skipped[kept],
        is_paused=is_cut[kept],
    )


def _wanted_skips(
    sessions: Sessions, people: People, session: Integers, own: Keys, is_free: Flags, habits: Habits
) -> Flags:
    share = np.where(is_free, habits.skips["free"], habits.skips["premium"])
    return uniform(own, _SKIPPED) < share * people.skip_factor[sessions.listener[session]]


def _heard(own: Keys, durations: Integers) -> Integers:
    """What is heard of a track that is not heard to its end: often little."""
    return np.maximum((durations * (0.01 + 0.94 * uniform(own, _HEARD) ** 1.7)).astype(np.int64), 1)


def _gaps(own: Keys, place: Integers, is_free: Flags) -> Integers:
    """From the end of a play to the begin of the next: a moment, or an advertisement after every third track."""
    gaps = uniform(own, _BETWEEN) ** 2 * 1.5 * _SECOND_MS
    has_break = is_free & (place % 3 == 2)
    advertisements = np.where(has_break, 15 + 30 * np.floor(2 * uniform(own, _ADVERTISEMENT)) / 2, 0)
    return np.asarray((gaps + advertisements * _SECOND_MS).astype(np.int64))


def _pauses(own: Keys) -> Integers:
    """Heavy-tailed: mostly a minute or two, now and then half an hour."""
    away = np.minimum(20 * (1 - uniform(own, _AWAY)) ** -0.9, 1800.0)
    return np.asarray((away * _SECOND_MS).astype(np.int64))


def _starts(sessions: Sessions, session: Integers, place: Integers, lasts: Integers) -> Integers:
    """Each play starts when those before it in its session have lasted."""
    ends = np.cumsum(lasts)
    before = ends - lasts
    firsts = np.flatnonzero(place == 0)
    base = before[firsts] if len(firsts) else before[:0]
    return np.asarray(sessions.begins[session] + before - np.repeat(base, sessions.play_count))


def _too_many_skips(sessions: Sessions, session: Integers, ends: Integers, counted: Flags) -> Integers:
    """Skips of free plans that have six others of the hour before them, or lie in the first hour of a listening day.

    Six in the last hour of one day and six in the first of the next would be too many; so nobody skips in the latter.
    Of skips that are too many for each other's sake only the first is named: the caller asks again.
    """
    places = np.flatnonzero(counted)
    of = session[places]
    early = places[ends[places] < sessions.day_begins[of] + HOUR_MS]
    if len(early):
        return early
    if len(places) <= FREE_SKIPS_AN_HOUR:
        return early
    moments, listener, day = ends[places], sessions.listener[of], sessions.day[of]
    back = FREE_SKIPS_AN_HOUR
    is_seventh = np.zeros(len(places), bool)
    is_seventh[back:] = (
        (moments[back:] - moments[:-back] <= HOUR_MS)
        & (listener[back:] == listener[:-back])
        & (day[back:] == day[:-back])
    )
    counts = np.concatenate([[0], np.cumsum(is_seventh)])
    lower = np.maximum(np.arange(len(places)) - back, 0)
    has_earlier = counts[np.arange(len(places))] - counts[lower] > 0
    return np.asarray(places[is_seventh & ~has_earlier])
