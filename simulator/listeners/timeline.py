"""Plays of sessions in time: what part of each is heard, which are skipped, and when each starts.

A play is heard to its end, skipped, or paused for good: a pause ends the play, and what follows it after a while is
another play. Plays of a listener never overlap. With a free plan advertisements stand between plays, and at most six
plays in any hour are skipped.
"""

from dataclasses import dataclass

import numpy as np

from simulator.listeners.habits import PLANS, Habits
from simulator.listeners.hashed_draws import Flags, Integers, Keys, draw_uniform, hash_keys
from simulator.listeners.population import Listeners
from simulator.listeners.sessions import Sessions

HOUR_MS = 3_600_000
FREE_SKIPS_PER_HOUR = 6

_SECOND_MS = 1000
_PAUSE_RATE = 0.035
_LAST_PLAY_PAUSE_RATE = 0.5
_SKIP_DRAW, _PAUSE_DRAW, _LISTENED_DRAW, _GAP_DRAW, _AWAY_DRAW, _ADVERTISEMENT_DRAW = range(31, 37)


@dataclass(frozen=True)
class Timeline:
    """Plays in the order of sessions, one entry a play in every array; plays that do not take place are left out."""

    session: Integers
    """The index among the sessions."""
    play_index: Integers
    """The play's number within the session."""
    keys: Keys
    track: Integers
    playlist: Integers
    starts: Integers
    """UTC, ms since 1970."""
    ms_played: Integers
    is_skipped: Flags
    is_paused: Flags
    """Heard in part and not skipped."""


def make_play_keys(sessions: Sessions) -> tuple[Integers, Integers, Keys]:
    """Return session, number within it and key of each play."""
    counts = sessions.play_count
    session = np.repeat(np.arange(len(counts)), counts)
    ends = np.cumsum(counts)
    play_index = np.arange(len(session)) - np.repeat(ends - counts, counts)
    return session, play_index, hash_keys(sessions.keys[session], play_index)


def build_timeline(
    sessions: Sessions,
    listeners: Listeners,
    plays: tuple[Integers, Integers, Keys],
    tracks: tuple[Integers, Integers],
    durations: Integers,
    habits: Habits,
) -> Timeline:
    """Return the timeline of plays.

    :param plays: session, number within it and key of each.
    :param tracks: track and playlist of each.
    :param durations: length of each play's track, ms.
    """
    session, play_index, play_keys = plays
    is_free = sessions.plan[session] == PLANS.index("free")
    is_last = play_index == sessions.play_count[session] - 1
    is_skipped = _draw_skips(sessions, listeners, session, play_keys, is_free, habits)
    is_paused = draw_uniform(play_keys, _PAUSE_DRAW) < np.where(is_last, _LAST_PLAY_PAUSE_RATE, _PAUSE_RATE)
    listened_ms = _draw_listened_ms(play_keys, durations)
    gaps = _draw_gaps(play_keys, play_index, is_free)
    pauses = _draw_pauses(play_keys)
    while True:
        is_paused_play = is_paused & ~is_skipped
        ms_played = np.where(is_skipped | is_paused_play, listened_ms, durations)
        time_after_play = gaps + np.where(is_paused_play, pauses, 0)
        starts = _compute_starts(sessions, session, play_index, ms_played + time_after_play)
        is_played = starts + ms_played <= sessions.ends_before[session]
        too_many = _find_excess_skips(sessions, session, starts + ms_played, is_skipped & is_played & is_free)
        if not len(too_many):
            break
        is_skipped[too_many] = False
    played_indexes = np.flatnonzero(is_played)
    return Timeline(
        session=session[played_indexes],
        play_index=play_index[played_indexes],
        keys=play_keys[played_indexes],
        track=tracks[0][played_indexes],
        playlist=tracks[1][played_indexes],
        starts=starts[played_indexes],
        ms_played=ms_played[played_indexes],
        is_skipped=is_skipped[played_indexes],
        is_paused=is_paused_play[played_indexes],
    )


def _draw_skips(
    sessions: Sessions, listeners: Listeners, session: Integers, play_keys: Keys, is_free: Flags, habits: Habits
) -> Flags:
    skip_rate = np.where(is_free, habits.skips["free"], habits.skips["premium"])
    return draw_uniform(play_keys, _SKIP_DRAW) < skip_rate * listeners.skip_factor[sessions.listener[session]]


def _draw_listened_ms(play_keys: Keys, durations: Integers) -> Integers:
    """Draw the listened time of a track that is not heard to its end: often short."""
    return np.maximum((durations * (0.01 + 0.94 * draw_uniform(play_keys, _LISTENED_DRAW) ** 1.7)).astype(np.int64), 1)


def _draw_gaps(play_keys: Keys, play_index: Integers, is_free: Flags) -> Integers:
    """Draw the gap between a play and the next: short, or an advertisement after each third track."""
    gaps = draw_uniform(play_keys, _GAP_DRAW) ** 2 * 1.5 * _SECOND_MS
    has_break = is_free & (play_index % 3 == 2)
    advertisements = np.where(has_break, 15 + 30 * np.floor(2 * draw_uniform(play_keys, _ADVERTISEMENT_DRAW)) / 2, 0)
    return np.asarray((gaps + advertisements * _SECOND_MS).astype(np.int64))


def _draw_pauses(play_keys: Keys) -> Integers:
    """Draw heavy-tailed pauses: mostly a minute or two, occasionally half an hour."""
    away = np.minimum(20 * (1 - draw_uniform(play_keys, _AWAY_DRAW)) ** -0.9, 1800.0)
    return np.asarray((away * _SECOND_MS).astype(np.int64))


def _compute_starts(
    sessions: Sessions, session: Integers, play_index: Integers, durations_with_gaps: Integers
) -> Integers:
    """Return the start of each play: after the durations of the earlier plays of its session."""
    ends = np.cumsum(durations_with_gaps)
    time_before_play = ends - durations_with_gaps
    firsts = np.flatnonzero(play_index == 0)
    session_base = time_before_play[firsts] if len(firsts) else time_before_play[:0]
    return np.asarray(sessions.begins[session] + time_before_play - np.repeat(session_base, sessions.play_count))


def _find_excess_skips(sessions: Sessions, session: Integers, ends: Integers, is_counted_skip: Flags) -> Integers:
    """Return skips of free plans with six other skips in the hour before them, or in the first hour of a listening day.

    Six in the last hour of one day and six in the first of the next would be too many, so the first hour has no skips.
    Of skips that exceed the limit because of each other only the first is returned: the caller repeats the search.
    """
    skip_indexes = np.flatnonzero(is_counted_skip)
    session_of_skip = session[skip_indexes]
    early = skip_indexes[ends[skip_indexes] < sessions.day_begins[session_of_skip] + HOUR_MS]
    if len(early):
        return early
    if len(skip_indexes) <= FREE_SKIPS_PER_HOUR:
        return early
    skip_times, listener, day = ends[skip_indexes], sessions.listener[session_of_skip], sessions.day[session_of_skip]
    allowance = FREE_SKIPS_PER_HOUR
    is_seventh = np.zeros(len(skip_indexes), bool)
    is_seventh[allowance:] = (
        (skip_times[allowance:] - skip_times[:-allowance] <= HOUR_MS)
        & (listener[allowance:] == listener[:-allowance])
        & (day[allowance:] == day[:-allowance])
    )
    counts = np.concatenate([[0], np.cumsum(is_seventh)])
    lower = np.maximum(np.arange(len(skip_indexes)) - allowance, 0)
    has_earlier = counts[np.arange(len(skip_indexes))] - counts[lower] > 0
    return np.asarray(skip_indexes[is_seventh & ~has_earlier])
