"""Listeners by their numbers: who they are for good, and what they are at a time.

A listener is a function of the population's seed and a number. Plan, home and name may change, each once a year at
most, on a day of that year; all years since ``FIRST_YEAR`` are gone through, so that no interval changes the outcome.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from etl.simulate.listeners import personalities
from etl.simulate.listeners.chance import Flags, Floats, Integers, Keys, choose, key_of, keys, spread, uniform
from etl.simulate.listeners.habits import (
    AGE_BANDS,
    AGES_AS_OF,
    DEVICES,
    GENDERS,
    GENRE_ANSWERS,
    PLANS,
    TIME_SLOTS,
    Habits,
    Shares,
)
from etl.simulate.listeners.homes import HOMES

FIRST_YEAR = 2009
EPOCH = date(1970, 1, 1)

_CHANGE_SHARES = {"plan": 0.15, "home": 0.04, "name": 0.03}
"""How many listeners a year choose anew; some choose what they had."""

# Purposes of draws that are spread evenly over listeners.
_KIND, _PLACES, _AGE, _GENDER, _PLAN, _SLOT, _DEVICE, _HOME, _ACTIVITY = 0, (1, 2, 3, 4), 5, 6, 7, 8, 9, 10, 11
_GENRE_ANSWER = 12
# Purposes of draws from a listener's key.
_AGE_PLACE, _GENRE, _JOINED, _SKIPS, _SHUFFLE, _PLATFORM, _NAME = range(1, 8)
_CHANGES, _NEW, _DAY = 20, 30, 40


@dataclass(frozen=True)
class People:
    """Some listeners, an entry each in every array; places in ``habits``, ``HOMES`` and so on where a word is meant."""

    numbers: Integers
    keys: Keys
    traits: Floats
    age_band: Integers
    birthdays: Integers
    """Days since 1970."""
    gender: Integers
    slot: Integers
    device: Integers
    sessions_a_day: Floats
    genre_answer: Integers
    """The place in GENRE_ANSWERS."""
    genre_draw: Floats
    skip_factor: Floats
    likes_shuffle: Floats
    platform_draw: Floats
    joined: Integers
    """The day of the first record, days since 1970; nothing is heard before it."""
    plans: Integers
    """A column a year since FIRST_YEAR: the plan from that year's change on; so for homes and names."""
    plan_days: Integers
    homes: Integers
    home_days: Integers
    names: Integers
    name_days: Integers

    def changes(self) -> tuple[Integers, Integers]:
        """Who (the place in the arrays) changed something after signing up, and on which day, each pair once."""
        who: list[Integers] = []
        when: list[Integers] = []
        for states, days in ((self.plans, self.plan_days), (self.homes, self.home_days), (self.names, self.name_days)):
            listener, year = np.nonzero(states[:, 1:] != states[:, :-1])
            who.append(listener)
            when.append(days[listener, year + 1])
        listener, day = np.unique(np.stack([np.concatenate(who), np.concatenate(when)]), axis=1)
        is_later = day > self.joined[listener]
        return listener[is_later], day[is_later]

    def at(self, listener: Integers, day: Integers) -> tuple[Integers, Integers, Integers]:
        """Plan, home and name of some listeners, each on a day of its own."""
        plan, home, name = (
            _state_at(states[listener], days[listener], day)
            for states, days in (
                (self.plans, self.plan_days),
                (self.homes, self.home_days),
                (self.names, self.name_days),
            )
        )
        return plan, home, name

    def plan_on(self, days: Integers) -> Integers:
        """The plan on each of some days (columns) for each listener (rows)."""
        return _state_on(self.plans, self.plan_days, days)

    def home_on(self, days: Integers) -> Integers:
        """The place in HOMES on each of some days."""
        return _state_on(self.homes, self.home_days, days)


def people(seed: int, numbers: Integers, habits: Habits, mix_shares: tuple[float, ...], last_year: int) -> People:
    """The listeners of some numbers.

    :param last_year: changes are drawn up to it.
    """
    root = key_of(seed, "listeners")
    own = keys(root, numbers)

    def even(purpose: int) -> Floats:
        return spread(numbers, root, purpose)

    age_band = choose(even(_AGE), [habits.age_bands[band] for band in AGE_BANDS])
    birthdays = _birthdays(age_band, uniform(own, _AGE_PLACE))
    plan_table = _table(habits.plans, PLANS)
    first = {"plan": _pick(plan_table, age_band, even(_PLAN)), "home": choose(even(_HOME), [h.weight for h in HOMES])}
    years = last_year - FIRST_YEAR + 1
    new_plans = _pick_columns(plan_table, age_band, _yearly(own, _NEW, years))
    new_homes = choose(_yearly(own, _NEW + 1, years), [h.weight for h in HOMES])
    new_names = (_yearly(own, _NEW + 2, years) * (1 << 40)).astype(np.int64)
    first_names = (uniform(own, _NAME) * (1 << 40)).astype(np.int64)
    change = {
        what: _yearly(own, _CHANGES + place, years) < share
        for place, (what, share) in enumerate(_CHANGE_SHARES.items())
    }
    for is_changed in change.values():
        is_changed[:, 0] = False  # so that the first column is what a listener began with
    year_starts = np.array([(date(FIRST_YEAR + year, 1, 1) - EPOCH).days for year in range(years)])
    days = {
        what: year_starts + (_yearly(own, _DAY + place, years) * 365).astype(np.int64)
        for place, what in enumerate(_CHANGE_SHARES)
    }
    return People(
        numbers=numbers,
        keys=own,
        traits=personalities.traits_of(even(_KIND), np.stack([even(p) for p in _PLACES], axis=1), mix_shares),
        age_band=age_band,
        birthdays=birthdays,
        gender=_pick(_table(habits.genders, GENDERS), age_band, even(_GENDER)),
        slot=_pick(_table(habits.time_slots, TIME_SLOTS), age_band, even(_SLOT)),
        device=choose(even(_DEVICE), [habits.devices[device] for device in DEVICES]),
        sessions_a_day=_sessions_a_day(even(_ACTIVITY)),
        genre_answer=_pick(_table(habits.genres, GENRE_ANSWERS), age_band, even(_GENRE_ANSWER)),
        genre_draw=uniform(own, _GENRE),
        skip_factor=_skip_factor(uniform(own, _SKIPS)),
        likes_shuffle=uniform(own, _SHUFFLE),
        platform_draw=uniform(own, _PLATFORM),
        joined=_joined(birthdays, uniform(own, _JOINED)),
        plans=_followed(first["plan"], new_plans, change["plan"]),
        plan_days=days["plan"],
        homes=_followed(first["home"], new_homes, change["home"]),
        home_days=days["home"],
        names=_followed(first_names, new_names, change["name"]),
        name_days=days["name"],
    )


def _yearly(own: Keys, purpose: int, years: int) -> Floats:
    """A draw a listener (row) and year (column)."""
    return uniform(keys(own[:, None], np.arange(years)[None, :]), purpose)


def _followed(first: Integers, chosen: Integers, is_changed: Flags) -> Integers:
    """The state after each year: the newest choice so far, else the first state."""
    years = np.where(is_changed, np.arange(chosen.shape[1])[None, :], -1)
    newest = np.maximum.accumulate(years, axis=1)
    taken = np.take_along_axis(chosen, np.maximum(newest, 0), axis=1)
    return np.where(newest >= 0, taken, first[:, None])


def _state_on(states: Integers, change_days: Integers, days: Integers) -> Integers:
    years = days.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970 - FIRST_YEAR
    is_before = days[None, :] < change_days[:, years]
    return np.take_along_axis(states, np.maximum(years[None, :] - is_before, 0), axis=1)


def _state_at(states: Integers, change_days: Integers, day: Integers) -> Integers:
    year = day.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970 - FIRST_YEAR
    rows, year = np.arange(len(day)), np.maximum(year, 0)
    return states[rows, np.maximum(year - (day < change_days[rows, year]), 0)]


def _table(by_band: Mapping[str, Shares], answers: tuple[str, ...]) -> Floats:
    """Cumulated shares: a row an age band, a column an answer."""
    rows = np.array([[by_band[band][answer] for answer in answers] for band in AGE_BANDS])
    return np.asarray(np.cumsum(rows, axis=1) / rows.sum(axis=1, keepdims=True))


def _pick(table: Floats, age_band: Integers, draws: Floats) -> Integers:
    return np.asarray((draws[:, None] >= table[age_band][:, :-1]).sum(axis=1), np.int64)


def _pick_columns(table: Floats, age_band: Integers, draws: Floats) -> Integers:
    return np.asarray((draws[:, :, None] >= table[age_band][:, None, :-1]).sum(axis=2), np.int64)


def _birthdays(age_band: Integers, draws: Floats) -> Integers:
    """Few are at the edges of a band, so that a year more or less moves few to the next one."""
    low, high = (np.array([bounds[end] for bounds in AGE_BANDS.values()])[age_band] for end in (0, 1))
    humped = 0.5 - np.sin(np.arcsin(1 - 2 * draws) / 3)  # inverse of 3x² - 2x³
    ages = low + humped * (high - low)
    return np.asarray((AGES_AS_OF - EPOCH).days - (ages * 365.2425).astype(np.int64) - 1)


def _joined(birthdays: Integers, draws: Floats) -> Integers:
    """In the first two years there were; children at five."""
    return np.maximum((date(2007, 1, 1) - EPOCH).days + (draws * 700).astype(np.int64), birthdays + 5 * 366)


def _sessions_a_day(draws: Floats) -> Floats:
    """Most listen once or twice a day, a few all day long."""
    return np.asarray(np.minimum(0.5 + 0.75 * -np.log1p(-draws), 5.0))


def _skip_factor(draws: Floats) -> Floats:
    """How often a listener skips, to the average: 0.3 to 1.7."""
    return np.asarray(0.3 + 1.4 * draws)
