"""Listening times of listeners: listening days, sessions in them, plays in sessions.

A listening day runs from 04:00 to 04:00 of the listener's own clock. Its begin is converted to UTC by timezone, so a
clock change makes a day of 23 or 25 hours. A session belongs to one day and ends with it, which also separates the days
of a listener who moves to another timezone.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from simulator.listeners import growth
from simulator.listeners.habits import DEVICES, TIME_SLOTS, Habits, compute_hour_fractions
from simulator.listeners.hashed_draws import Floats, Integers, Keys, draw_uniform, hash_keys
from simulator.listeners.homes import HOMES
from simulator.listeners.population import Listeners

DAY_MS = 86_400_000
DAY_BEGIN_HOUR = 4
MAX_SESSIONS_PER_DAY = 12
MAX_PLAYS_PER_SESSION = 250

_USUAL_PLAY_MS = 190_000
_MINUTE_MS = 60_000
_OWN_SLOT_RATE = 0.6
_OWN_DEVICE_RATE = 0.7
_PLAYLIST_RATE = 0.1

# Purposes of draws from the key of a listening day, and of a session.
_COUNT_DRAW = 1
(
    _SLOT_DRAW,
    _OWN_SLOT_DRAW,
    _HOUR_DRAW,
    _OFFSET_DRAW,
    _LENGTH_DRAW,
    _DEVICE_DRAW,
    _OWN_DEVICE_DRAW,
    _SHUFFLE_DRAW,
    _PLAYLIST_DRAW,
    _OFFLINE_DRAW,
    _INCOGNITO_DRAW,
) = range(1, 12)
_DAY_KEY_BASE, _SESSION_KEY_BASE = 1 << 50, 0


@dataclass(frozen=True)
class Sessions:
    """Sessions in the order of listener, day and begin; every array has one entry a session."""

    listener: Integers
    """The index among the listeners."""
    day: Integers
    """The listening day, in days since 1970."""
    number: Integers
    """The session's number within the listening day."""
    keys: Keys
    begins: Integers
    """UTC, ms since 1970."""
    ends_before: Integers
    """The latest end of the last play: UTC, ms since 1970."""
    day_begins: Integers
    play_count: Integers
    plan: Integers
    home: Integers
    slot: Integers
    """The index in TIME_SLOTS."""
    device: Integers
    is_shuffle: npt.NDArray[np.bool_]
    is_offline: npt.NDArray[np.bool_]
    is_incognito: npt.NDArray[np.bool_]
    playlist_draw: Floats
    """From 0 to 1 if the session plays a playlist, else negative."""


def compute_day_begins(home: Integers, days: Integers) -> Integers:
    """Return the begins of listening days, UTC in ms since 1970.

    :param home: a row a listener, a column a day: the index in HOMES.
    """
    # A clock that skips 04:00 counts from its next minute, one that shows 04:00 twice from the first.
    local = pd.DatetimeIndex(days.astype("datetime64[D]").astype("datetime64[ns]")) + pd.Timedelta(hours=DAY_BEGIN_HOUR)
    table = np.zeros((len(HOMES), len(days)), np.int64)
    home_index_by_timezone = {HOMES[home_index].timezone: home_index for home_index in np.unique(home)}
    for timezone in home_index_by_timezone:
        utc = local.tz_localize(timezone, ambiguous=np.ones(len(local), bool), nonexistent="shift_forward")
        begin_ms = utc.tz_convert("UTC").asi8 // 1_000_000
        for home_index, residence in enumerate(HOMES):
            if residence.timezone == timezone:
                table[home_index] = begin_ms
    return table[home, np.arange(len(days))[None, :]]


def generate_sessions(listeners: Listeners, days: Integers, habits: Habits, interval: tuple[int, int]) -> Sessions:
    """Return all sessions of some listeners on some listening days.

    :param interval: UTC, ms since 1970; a listening day that does not reach into it is left out whole.
    """
    span = np.append(days, days[-1] + 1)
    home = listeners.find_homes(span)
    begins = compute_day_begins(home, span)
    day_keys = hash_keys(listeners.keys[:, None], _DAY_KEY_BASE + days[None, :])
    overlaps_interval = (begins[:, 1:] > interval[0]) & (begins[:, :-1] < interval[1])
    overlaps_interval &= listeners.find_members(days)
    counts = np.where(overlaps_interval, _draw_session_counts(listeners, days, day_keys, home[:, :-1], habits), 0)
    listener, column = np.divmod(np.repeat(np.arange(counts.size), counts.ravel()), len(days))
    number = _number_within_groups(counts.ravel())
    session_keys = hash_keys(day_keys.ravel()[listener * len(days) + column], _SESSION_KEY_BASE + number)
    play_count = _draw_play_counts(draw_uniform(session_keys, _LENGTH_DRAW))
    day_begin = begins[listener, column]
    slot = _draw_slots(listeners, listener, session_keys, habits)
    target_ms = _draw_times_of_day(slot, session_keys)
    # The drawn time falls within the session, not at its begin, so that plays, not begins, have the requested hours.
    lead_ms = draw_uniform(session_keys, _OFFSET_DRAW) * np.minimum(play_count * _USUAL_PLAY_MS, 3 * 60 * _MINUTE_MS)
    begin = day_begin + np.maximum(target_ms - lead_ms, 0).astype(np.int64)
    order = np.lexsort((number, begin, column, listener))
    ends = _compute_session_ends(listener[order], column[order], begin[order], begins[listener, column + 1][order])
    plan = listeners.find_plans(days)[listener, column]
    unordered = Sessions(
        listener=listener,
        day=days[column],
        number=number,
        keys=session_keys,
        begins=begin,
        ends_before=begin,
        day_begins=day_begin,
        play_count=play_count,
        plan=plan,
        home=home[listener, column],
        slot=slot,
        device=_draw_devices(listeners.device[listener], session_keys, habits),
        is_shuffle=(plan == 0) | (draw_uniform(session_keys, _SHUFFLE_DRAW) < 0.6 * listeners.likes_shuffle[listener]),
        is_offline=(plan != 0) & (draw_uniform(session_keys, _OFFLINE_DRAW) < 0.05),
        is_incognito=draw_uniform(session_keys, _INCOGNITO_DRAW) < 0.02,
        playlist_draw=_draw_playlist_choice(draw_uniform(session_keys, _PLAYLIST_DRAW)),
    )
    in_order = {name: value[order] for name, value in vars(unordered).items()}
    return Sessions(**{**in_order, "ends_before": ends})


def _draw_session_counts(
    listeners: Listeners, days: Integers, day_keys: Keys, homes: Integers, habits: Habits
) -> Integers:
    """Return the number of sessions of each listener on each day: integers around the listener's usual number."""
    is_weekend = (days + 3) % 7 >= 5  # day 0 was a Thursday
    weekday_factor = 7 / (5 + 2 * habits.weekend) * np.where(is_weekend, habits.weekend, 1.0)
    # The geometric distribution gives most days few sessions, some days many and many days no session.
    mean = listeners.sessions_per_day[:, None] * weekday_factor[None, :]
    if listeners.is_growing:
        mean *= growth.compute_activity_factors(listeners.keys, homes, days)
    draws = draw_uniform(day_keys.ravel(), _COUNT_DRAW).reshape(day_keys.shape)
    counts = np.log1p(-draws) / np.log(mean / (1 + mean))
    return np.minimum(counts, MAX_SESSIONS_PER_DAY).astype(np.int64)


def _number_within_groups(counts: Integers) -> Integers:
    """Return 0, 1, … for each group of the given size."""
    ends = np.cumsum(counts)
    return np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - counts, counts)


def _draw_play_counts(draws: Floats) -> Integers:
    """Draw heavy-tailed numbers of plays: the median is three, and one session in a hundred has more than sixty."""
    return np.minimum(1 + 4.0 * ((1 - draws) ** -0.62 - 1), MAX_PLAYS_PER_SESSION).astype(np.int64)


def _draw_slots(listeners: Listeners, listener: Integers, session_keys: Keys, habits: Habits) -> Integers:
    """Draw the time slot of each session: mostly the listener's own, else that of a random listener."""
    overall = habits.average_over_bands(habits.time_slots)
    bounds = np.cumsum([overall[slot] for slot in TIME_SLOTS])
    common_slots = np.searchsorted(bounds / bounds[-1], draw_uniform(session_keys, _SLOT_DRAW), side="right")
    is_own = draw_uniform(session_keys, _OWN_SLOT_DRAW) < _OWN_SLOT_RATE
    return np.where(is_own, listeners.slot[listener], np.minimum(common_slots, len(TIME_SLOTS) - 1))


def _draw_times_of_day(slot: Integers, session_keys: Keys) -> Floats:
    """Draw a time of the listening day, in ms since its begin, by the hours of its slot."""
    hours = np.array([np.roll(compute_hour_fractions(name), -DAY_BEGIN_HOUR) for name in TIME_SLOTS])
    edges = np.concatenate([np.zeros((len(TIME_SLOTS), 1)), np.cumsum(hours, axis=1)], axis=1)
    draws = draw_uniform(session_keys, _HOUR_DRAW)
    hours_since_begin = np.empty(len(session_keys))
    for slot_index in range(len(TIME_SLOTS)):
        is_in_slot = slot == slot_index
        hours_since_begin[is_in_slot] = np.interp(draws[is_in_slot], edges[slot_index], np.arange(25))
    return hours_since_begin * (DAY_MS / 24)


def _compute_session_ends(listener: Integers, column: Integers, begin: Integers, day_end: Integers) -> Integers:
    """Return the end of each session: a minute before the listener's next one, or the end of the day."""
    ends = day_end.copy()
    if len(ends) > 1:
        is_same_day = (listener[1:] == listener[:-1]) & (column[1:] == column[:-1])
        ends[:-1] = np.where(is_same_day, np.minimum(begin[1:] - _MINUTE_MS, day_end[:-1]), day_end[:-1])
    return ends


def _draw_devices(own_device: Integers, session_keys: Keys, habits: Habits) -> Integers:
    bounds = np.cumsum([habits.devices[device] for device in DEVICES])
    common_devices = np.searchsorted(bounds / bounds[-1], draw_uniform(session_keys, _DEVICE_DRAW), side="right")
    is_own = draw_uniform(session_keys, _OWN_DEVICE_DRAW) < _OWN_DEVICE_RATE
    return np.where(is_own, own_device, np.minimum(common_devices, len(DEVICES) - 1))


def _draw_playlist_choice(draws: Floats) -> Floats:
    return np.where(draws < _PLAYLIST_RATE, draws / _PLAYLIST_RATE, -1.0)
