"""When listeners listen: listening days, sessions in them, plays in sessions.

A listening day runs from 04:00 to 04:00 of the listener's own clock. Its beginning is converted to UTC by timezone, so
that clocks that change between two of them make a day of 23 or 25 hours; a session belongs to one day and ends with it,
which also keeps days apart where a listener moves to another timezone.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from etl.simulate.listeners.chance import Floats, Integers, Keys, keys, uniform
from etl.simulate.listeners.habits import DEVICES, TIME_SLOTS, Habits, hour_shares
from etl.simulate.listeners.homes import HOMES
from etl.simulate.listeners.people import People

DAY_MS = 86_400_000
DAY_BEGINS_HOUR = 4
MOST_SESSIONS = 12
MOST_PLAYS = 250

_USUAL_PLAY_MS = 190_000
_MINUTE_MS = 60_000
_OWN_SLOT_SHARE = 0.6
_OWN_DEVICE_SHARE = 0.7
_PLAYLIST_SHARE = 0.1

# Purposes of draws from the key of a listening day, and of a session.
_COUNT = 1
_SLOT, _SLOT_OWN, _HOUR, _MOMENT, _LENGTH, _DEVICE, _DEVICE_OWN, _SHUFFLE, _PLAYLIST, _OFFLINE, _INCOGNITO = range(
    1, 12
)
_DAYS_PART, _SESSIONS_PART = 1 << 50, 0


@dataclass(frozen=True)
class Sessions:
    """Sessions in the order of listener, day and begin; an entry each in every array."""

    listener: Integers
    """The place among the people."""
    day: Integers
    """The listening day, days since 1970."""
    number: Integers
    """Its number within the listening day."""
    keys: Keys
    begins: Integers
    """UTC, ms since 1970."""
    ends_before: Integers
    """When at the latest the last play has ended."""
    day_begins: Integers
    play_count: Integers
    plan: Integers
    home: Integers
    slot: Integers
    """The place in TIME_SLOTS."""
    device: Integers
    is_shuffle: npt.NDArray[np.bool_]
    is_offline: npt.NDArray[np.bool_]
    is_incognito: npt.NDArray[np.bool_]
    playlist_draw: Floats
    """From 0 to 1 where a playlist is played, else negative."""


def day_begins(home: Integers, days: Integers) -> Integers:
    """When listening days begin, UTC in ms since 1970.

    :param home: a row a listener, a column a day: the place in HOMES.
    """
    # A clock that skips 04:00 is taken at its next minute, one that shows it twice at the first.
    local = pd.DatetimeIndex(days.astype("datetime64[D]").astype("datetime64[ns]")) + pd.Timedelta(
        hours=DAY_BEGINS_HOUR
    )
    table = np.zeros((len(HOMES), len(days)), np.int64)
    by_timezone = {HOMES[place].timezone: place for place in np.unique(home)}
    for timezone in by_timezone:
        utc = local.tz_localize(timezone, ambiguous=np.ones(len(local), bool), nonexistent="shift_forward")
        moments = utc.tz_convert("UTC").asi8 // 1_000_000
        for place, one in enumerate(HOMES):
            if one.timezone == timezone:
                table[place] = moments
    return table[home, np.arange(len(days))[None, :]]


def sessions(people: People, days: Integers, habits: Habits, interval: tuple[int, int]) -> Sessions:
    """All sessions of some listeners on some listening days, one after the other.

    :param interval: UTC, ms since 1970; listening days that do not reach into it are left out whole.
    """
    span = np.append(days, days[-1] + 1)
    home = people.home_on(span)
    begins = day_begins(home, span)
    day_keys = keys(people.keys[:, None], _DAYS_PART + days[None, :])
    reaches_in = (begins[:, 1:] > interval[0]) & (begins[:, :-1] < interval[1])
    reaches_in &= days[None, :] >= people.joined[:, None]
    counts = np.where(reaches_in, _counts(people, days, day_keys, habits), 0)
    listener, column = np.divmod(np.repeat(np.arange(counts.size), counts.ravel()), len(days))
    number = _numbers(counts.ravel())
    own = keys(day_keys.ravel()[listener * len(days) + column], _SESSIONS_PART + number)
    play_count = _play_counts(uniform(own, _LENGTH))
    day_begin = begins[listener, column]
    slot = _slots(people, listener, own, habits)
    moment = _moments(slot, own)
    # The asked hour is that of any moment within the session, so that plays, not begins, follow the asked hours.
    ahead = uniform(own, _MOMENT) * np.minimum(play_count * _USUAL_PLAY_MS, 3 * 60 * _MINUTE_MS)
    begin = day_begin + np.maximum(moment - ahead, 0).astype(np.int64)
    order = np.lexsort((number, begin, column, listener))
    ends = _ends(listener[order], column[order], begin[order], begins[listener, column + 1][order])
    plan = people.plan_on(days)[listener, column]
    found = Sessions(
        listener=listener,
        day=days[column],
        number=number,
        keys=own,
        begins=begin,
        ends_before=begin,
        day_begins=day_begin,
        play_count=play_count,
        plan=plan,
        home=home[listener, column],
        slot=slot,
        device=_devices(people.device[listener], own, habits),
        is_shuffle=(plan == 0) | (uniform(own, _SHUFFLE) < 0.6 * people.likes_shuffle[listener]),
        is_offline=(plan != 0) & (uniform(own, _OFFLINE) < 0.05),
        is_incognito=uniform(own, _INCOGNITO) < 0.02,
        playlist_draw=_playlist_draw(uniform(own, _PLAYLIST)),
    )
    in_order = {name: value[order] for name, value in vars(found).items()}
    return Sessions(**{**in_order, "ends_before": ends})


def _counts(people: People, days: Integers, day_keys: Keys, habits: Habits) -> Integers:
    """How many sessions each listener has on each day: whole numbers around the listener's usual number."""
    is_weekend = (days + 3) % 7 >= 5  # day 0 was a Thursday
    usual = 7 / (5 + 2 * habits.weekend) * np.where(is_weekend, habits.weekend, 1.0)
    # Geometric: most days few, some days many, many days none.
    mean = people.sessions_a_day[:, None] * usual[None, :]
    draws = uniform(day_keys.ravel(), _COUNT).reshape(day_keys.shape)
    drawn = np.log1p(-draws) / np.log(mean / (1 + mean))
    return np.minimum(drawn, MOST_SESSIONS).astype(np.int64)


def _numbers(counts: Integers) -> Integers:
    """0, 1, … for each group of so many."""
    ends = np.cumsum(counts)
    return np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - counts, counts)


def _play_counts(draws: Floats) -> Integers:
    """Heavy-tailed: the median is three plays, and one session in a hundred has more than sixty."""
    return np.minimum(1 + 4.0 * ((1 - draws) ** -0.62 - 1), MOST_PLAYS).astype(np.int64)


def _slots(people: People, listener: Integers, own: Keys, habits: Habits) -> Integers:
    """The time slot of each session: mostly the listener's own, else anybody's."""
    overall = habits.overall(habits.time_slots)
    bounds = np.cumsum([overall[slot] for slot in TIME_SLOTS])
    anyones = np.searchsorted(bounds / bounds[-1], uniform(own, _SLOT), side="right")
    is_own = uniform(own, _SLOT_OWN) < _OWN_SLOT_SHARE
    return np.where(is_own, people.slot[listener], np.minimum(anyones, len(TIME_SLOTS) - 1))


def _moments(slot: Integers, own: Keys) -> Floats:
    """A moment of the listening day, in ms since its begin, by the hours of its slot."""
    hours = np.array([np.roll(hour_shares(name), -DAY_BEGINS_HOUR) for name in TIME_SLOTS])
    edges = np.concatenate([np.zeros((len(TIME_SLOTS), 1)), np.cumsum(hours, axis=1)], axis=1)
    draws = uniform(own, _HOUR)
    found = np.empty(len(own))
    for place in range(len(TIME_SLOTS)):
        of_slot = slot == place
        found[of_slot] = np.interp(draws[of_slot], edges[place], np.arange(25))
    return found * (DAY_MS / 24)


def _ends(listener: Integers, column: Integers, begin: Integers, day_end: Integers) -> Integers:
    """A session ends a minute before the listener's next one, or with the day."""
    ends = day_end.copy()
    if len(ends) > 1:
        is_same_day = (listener[1:] == listener[:-1]) & (column[1:] == column[:-1])
        ends[:-1] = np.where(is_same_day, np.minimum(begin[1:] - _MINUTE_MS, day_end[:-1]), day_end[:-1])
    return ends


def _devices(own_device: Integers, own: Keys, habits: Habits) -> Integers:
    bounds = np.cumsum([habits.devices[device] for device in DEVICES])
    anyones = np.searchsorted(bounds / bounds[-1], uniform(own, _DEVICE), side="right")
    is_own = uniform(own, _DEVICE_OWN) < _OWN_DEVICE_SHARE
    return np.where(is_own, own_device, np.minimum(anyones, len(DEVICES) - 1))


def _playlist_draw(draws: Floats) -> Floats:
    return np.where(draws < _PLAYLIST_SHARE, draws / _PLAYLIST_SHARE, -1.0)
