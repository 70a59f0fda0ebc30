"""Listeners by their numbers: who they are for good, and what they are at a time.

A listener is a function of the population's seed and a number. Plan, home and name may change, each once a year at
most, on a day of that year; all years since ``FIRST_YEAR`` are gone through, so that no interval changes the outcome.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from simulator.listeners import growth, personalities
from simulator.listeners.habits import (
    AGE_BANDS,
    AGES_AS_OF,
    DEVICES,
    GENDERS,
    GENRE_ANSWERS,
    PLANS,
    TIME_SLOTS,
    Fractions,
    Habits,
)
from simulator.listeners.hashed_draws import (
    Flags,
    Floats,
    Integers,
    Keys,
    choose_weighted,
    draw_evenly,
    draw_uniform,
    hash_key,
    hash_keys,
)
from simulator.listeners.homes import HOMES

FIRST_YEAR = 2009
EPOCH = date(1970, 1, 1)

_YEARLY_CHANGE_RATES = {"plan": 0.15, "home": 0.04, "name": 0.03}
"""The fraction of listeners a year that choose again; some choose the same."""

# Purposes of draws that are spread evenly over listeners.
(
    _PERSONALITY_DRAW,
    _TRAIT_DRAWS,
    _AGE_BAND_DRAW,
    _GENDER_DRAW,
    _PLAN_DRAW,
    _SLOT_DRAW,
    _DEVICE_DRAW,
    _HOME_DRAW,
    _ACTIVITY_DRAW,
) = 0, (1, 2, 3, 4), 5, 6, 7, 8, 9, 10, 11
_GENRE_ANSWER_DRAW = 12
# Purposes of draws from a listener's key.
_BIRTHDAY_DRAW, _GENRE_DRAW, _JOINED_DRAW, _SKIP_DRAW, _SHUFFLE_DRAW, _PLATFORM_DRAW, _NAME_DRAW = range(1, 8)
_CHANGE_DRAWS, _NEW_VALUE_DRAWS, _CHANGE_DAY_DRAWS = 20, 30, 40


@dataclass(frozen=True)
class Listeners:
    """Some listeners, an entry each in every array; places in ``habits``, ``HOMES`` and so on where a word is meant."""

    numbers: Integers
    keys: Keys
    traits: Floats
    age_bands: Integers
    birthdays: Integers
    """Days since 1970."""
    gender: Integers
    slot: Integers
    device: Integers
    sessions_per_day: Floats
    genre_answer: Integers
    """The place in GENRE_ANSWERS."""
    genre_draw: Floats
    skip_factor: Floats
    likes_shuffle: Floats
    platform_draw: Floats
    joined_days: Integers
    """The day of the first record, days since 1970; nothing is heard before it."""
    plans: Integers
    """A column a year since FIRST_YEAR: the plan from that year's change on; so for homes and names."""
    plan_days: Integers
    homes: Integers
    home_days: Integers
    names: Integers
    name_days: Integers
    churn_days: Integers
    """The first day without listening; ``growth.NEVER`` for those who stay."""
    is_growing: bool
    """Whether the listeners' activity changes over time, as ``growth`` describes it."""

    def find_members(self, days: Integers) -> Flags:
        """Return whether each listener (row) has signed up and not left on each of some days (column)."""
        is_member = days[None, :] >= self.joined_days[:, None]
        return is_member & (days[None, :] < self.churn_days[:, None]) if self.is_growing else is_member

    def find_changes(self) -> tuple[Integers, Integers]:
        """Who (the place in the arrays) changed something between signing up and leaving, and when, each pair once."""
        listener_indexes: list[Integers] = []
        change_days: list[Integers] = []
        for states, days in ((self.plans, self.plan_days), (self.homes, self.home_days), (self.names, self.name_days)):
            listener, year = np.nonzero(states[:, 1:] != states[:, :-1])
            listener_indexes.append(listener)
            change_days.append(days[listener, year + 1])
        listener, day = np.unique(np.stack([np.concatenate(listener_indexes), np.concatenate(change_days)]), axis=1)
        is_later = (day > self.joined_days[listener]) & (day < self.churn_days[listener])
        return listener[is_later], day[is_later]

    def find_state(self, listener_indexes: Integers, day: Integers) -> tuple[Integers, Integers, Integers]:
        """Plan, home and name of some listeners, each on a day of its own."""
        plan, home, name = (
            _find_state(states[listener_indexes], days[listener_indexes], day)
            for states, days in (
                (self.plans, self.plan_days),
                (self.homes, self.home_days),
                (self.names, self.name_days),
            )
        )
        return plan, home, name

    def find_plans(self, days: Integers) -> Integers:
        """The plan on each of some days (columns) for each listener (rows)."""
        return _find_states(self.plans, self.plan_days, days)

    def find_homes(self, days: Integers) -> Integers:
        """The place in HOMES on each of some days."""
        return _find_states(self.homes, self.home_days, days)


def make_listeners(
    seed: int,
    numbers: Integers,
    habits: Habits,
    personality_weights: tuple[float, ...],
    last_year: int,
    growing_since: date | None = None,
) -> Listeners:
    """Return the listeners with some numbers.

    :param last_year: the last year for which changes are drawn.
    :param growing_since: as ``Parameters.growing_since``.
    """
    root = hash_key(seed, "listeners")
    listener_keys = hash_keys(root, numbers)

    def draw(purpose: int) -> Floats:
        return draw_evenly(numbers, root, purpose)

    age_band, birthdays = _draw_ages(numbers, root, habits)
    plan_table = _cumulate_fractions(habits.plans, PLANS)
    first_states = {
        "plan": _pick_answers(plan_table, age_band, draw(_PLAN_DRAW)),
        "home": choose_weighted(draw(_HOME_DRAW), [home.weight for home in HOMES]),
    }
    years = last_year - FIRST_YEAR + 1
    changes_by_kind, days = _draw_changes(listener_keys, years)
    new_plans = _pick_yearly_answers(plan_table, age_band, _draw_yearly(listener_keys, _NEW_VALUE_DRAWS, years))
    new_homes = choose_weighted(
        _draw_yearly(listener_keys, _NEW_VALUE_DRAWS + 1, years), [home.weight for home in HOMES]
    )
    new_names = (_draw_yearly(listener_keys, _NEW_VALUE_DRAWS + 2, years) * (1 << 40)).astype(np.int64)
    joined_days, churn_days = _draw_membership(listener_keys, birthdays, growing_since)
    first_names = (draw_uniform(listener_keys, _NAME_DRAW) * (1 << 40)).astype(np.int64)
    return Listeners(
        numbers=numbers,
        keys=listener_keys,
        traits=personalities.draw_traits(
            draw(_PERSONALITY_DRAW), np.stack([draw(purpose) for purpose in _TRAIT_DRAWS], axis=1), personality_weights
        ),
        age_bands=age_band,
        birthdays=birthdays,
        gender=_pick_answers(_cumulate_fractions(habits.genders, GENDERS), age_band, draw(_GENDER_DRAW)),
        slot=_pick_answers(_cumulate_fractions(habits.time_slots, TIME_SLOTS), age_band, draw(_SLOT_DRAW)),
        device=choose_weighted(draw(_DEVICE_DRAW), [habits.devices[device] for device in DEVICES]),
        sessions_per_day=_draw_sessions_per_day(draw(_ACTIVITY_DRAW)),
        genre_answer=_pick_answers(
            _cumulate_fractions(habits.genres, GENRE_ANSWERS), age_band, draw(_GENRE_ANSWER_DRAW)
        ),
        genre_draw=draw_uniform(listener_keys, _GENRE_DRAW),
        skip_factor=_draw_skip_factor(draw_uniform(listener_keys, _SKIP_DRAW)),
        likes_shuffle=draw_uniform(listener_keys, _SHUFFLE_DRAW),
        platform_draw=draw_uniform(listener_keys, _PLATFORM_DRAW),
        joined_days=joined_days,
        plans=_compute_yearly_states(first_states["plan"], new_plans, changes_by_kind["plan"]),
        plan_days=days["plan"],
        homes=_compute_yearly_states(first_states["home"], new_homes, changes_by_kind["home"]),
        home_days=days["home"],
        names=_compute_yearly_states(first_names, new_names, changes_by_kind["name"]),
        name_days=days["name"],
        churn_days=churn_days,
        is_growing=growing_since is not None,
    )


def find_members(seed: int, numbers: Integers, habits: Habits, growing_since: date, days: Integers) -> Integers:
    """Return the numbers of a growing population's listeners who have signed up and not left on one of some days.

    ``make_listeners`` needs most of its time for what they do not depend on.
    """
    root = hash_key(seed, "listeners")
    _, birthdays = _draw_ages(numbers, root, habits)
    joined_days, churn_days = _draw_membership(hash_keys(root, numbers), birthdays, growing_since)
    return np.asarray(numbers[(joined_days <= days[-1]) & (churn_days > days[0])], np.int64)


def _draw_ages(numbers: Integers, root: np.uint64, habits: Habits) -> tuple[Integers, Integers]:
    """Return the index of each listener's age band, and the birthday."""
    age_band = choose_weighted(
        draw_evenly(numbers, root, _AGE_BAND_DRAW), [habits.age_bands[band] for band in AGE_BANDS]
    )
    return age_band, _draw_birthdays(age_band, draw_uniform(hash_keys(root, numbers), _BIRTHDAY_DRAW))


def _draw_changes(listener_keys: Keys, years: int) -> tuple[dict[str, Flags], dict[str, Integers]]:
    """Draw, by kind, whether a listener (row) changes in a year (column), and the day of the change since ``EPOCH``."""
    changes_by_kind = {
        kind: _draw_yearly(listener_keys, _CHANGE_DRAWS + index, years) < rate
        for index, (kind, rate) in enumerate(_YEARLY_CHANGE_RATES.items())
    }
    for is_changed in changes_by_kind.values():
        is_changed[:, 0] = False  # so that the first column is a listener's first state
    year_starts = np.array([(date(FIRST_YEAR + year, 1, 1) - EPOCH).days for year in range(years)])
    days = {
        kind: year_starts + (_draw_yearly(listener_keys, _CHANGE_DAY_DRAWS + index, years) * 365).astype(np.int64)
        for index, kind in enumerate(_YEARLY_CHANGE_RATES)
    }
    return changes_by_kind, days


def _draw_yearly(listener_keys: Keys, purpose: int, years: int) -> Floats:
    """A draw a listener (row) and year (column)."""
    return draw_uniform(hash_keys(listener_keys[:, None], np.arange(years)[None, :]), purpose)


def _compute_yearly_states(first_states: Integers, choices: Integers, is_changed: Flags) -> Integers:
    """The state after each year: the newest choice so far, else the first state."""
    years = np.where(is_changed, np.arange(choices.shape[1])[None, :], -1)
    newest = np.maximum.accumulate(years, axis=1)
    newest_choices = np.take_along_axis(choices, np.maximum(newest, 0), axis=1)
    return np.where(newest >= 0, newest_choices, first_states[:, None])


def _find_states(states: Integers, change_days: Integers, days: Integers) -> Integers:
    years = days.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970 - FIRST_YEAR
    is_before = days[None, :] < change_days[:, years]
    return np.take_along_axis(states, np.maximum(years[None, :] - is_before, 0), axis=1)


def _find_state(states: Integers, change_days: Integers, day: Integers) -> Integers:
    year = day.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970 - FIRST_YEAR
    # After the last year nothing changes: those who sign up then have no record yet.
    rows, year = np.arange(len(day)), np.clip(year, 0, states.shape[1] - 1)
    return states[rows, np.maximum(year - (day < change_days[rows, year]), 0)]


def _cumulate_fractions(fractions_by_band: Mapping[str, Fractions], answers: tuple[str, ...]) -> Floats:
    """Cumulated shares: a row an age band, a column an answer."""
    rows = np.array([[fractions_by_band[band][answer] for answer in answers] for band in AGE_BANDS])
    return np.asarray(np.cumsum(rows, axis=1) / rows.sum(axis=1, keepdims=True))


def _pick_answers(cumulated: Floats, age_band: Integers, draws: Floats) -> Integers:
    return np.asarray((draws[:, None] >= cumulated[age_band][:, :-1]).sum(axis=1), np.int64)


def _pick_yearly_answers(cumulated: Floats, age_band: Integers, draws: Floats) -> Integers:
    return np.asarray((draws[:, :, None] >= cumulated[age_band][:, None, :-1]).sum(axis=2), np.int64)


def _draw_birthdays(age_band: Integers, draws: Floats) -> Integers:
    """Few are at the edges of a band, so that a year more or less moves few to the next one."""
    low, high = (np.array([bounds[end] for bounds in AGE_BANDS.values()])[age_band] for end in (0, 1))
    bell_shaped = 0.5 - np.sin(np.arcsin(1 - 2 * draws) / 3)  # inverse of 3x² - 2x³
    ages = low + bell_shaped * (high - low)
    return np.asarray((AGES_AS_OF - EPOCH).days - (ages * 365.2425).astype(np.int64) - 1)


def _draw_membership(listener_keys: Keys, birthdays: Integers, growing_since: date | None) -> tuple[Integers, Integers]:
    """Return when listeners sign up and leave: without growth in the first two years, for good; children at five."""
    if growing_since is None:
        draws = draw_uniform(listener_keys, _JOINED_DRAW)
        joined_days = np.maximum((date(2007, 1, 1) - EPOCH).days + (draws * 700).astype(np.int64), birthdays + 5 * 366)
        return joined_days, np.full(len(joined_days), growth.NEVER)
    sign_up_days = growth.draw_sign_up_days(listener_keys, (growing_since - EPOCH).days)
    joined_days = np.maximum(sign_up_days, birthdays + 5 * 366)
    return joined_days, growth.draw_churn_days(listener_keys, joined_days)


def _draw_sessions_per_day(draws: Floats) -> Floats:
    """Most listen once or twice a day, a few all day long."""
    return np.asarray(np.minimum(0.5 + 0.75 * -np.log1p(-draws), 5.0))


def _draw_skip_factor(draws: Floats) -> Floats:
    """How often a listener skips, to the average: 0.3 to 1.7."""
    return np.asarray(0.3 + 1.4 * draws)
