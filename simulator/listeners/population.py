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
from simulator.listeners.yearly_states import (
    EPOCH,
    FIRST_YEAR,
    compute_yearly_states,
    draw_changes,
    draw_yearly,
    find_state,
    find_states,
)

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
_NEW_VALUE_DRAWS = 30


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
            find_state(states[listener_indexes], days[listener_indexes], day)
            for states, days in (
                (self.plans, self.plan_days),
                (self.homes, self.home_days),
                (self.names, self.name_days),
            )
        )
        return plan, home, name

    def find_plans(self, days: Integers) -> Integers:
        """The plan on each of some days (columns) for each listener (rows)."""
        return find_states(self.plans, self.plan_days, days)

    def find_homes(self, days: Integers) -> Integers:
        """The place in HOMES on each of some days."""
        return find_states(self.homes, self.home_days, days)


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
        "name": (draw_uniform(listener_keys, _NAME_DRAW) * (1 << 40)).astype(np.int64),
    }
    states, days = _draw_yearly_states(listener_keys, first_states, plan_table, age_band, last_year)
    joined_days, churn_days = _draw_membership(listener_keys, birthdays, growing_since)
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
        plans=states["plan"],
        plan_days=days["plan"],
        homes=states["home"],
        home_days=days["home"],
        names=states["name"],
        name_days=days["name"],
        churn_days=churn_days,
        is_growing=growing_since is not None,
    )


def _draw_yearly_states(
    listener_keys: Keys,
    first_states: Mapping[str, Integers],
    plan_table: Floats,
    age_band: Integers,
    last_year: int,
) -> tuple[dict[str, Integers], dict[str, Integers]]:
    """Return the plan, home and name of each listener (rows) and year (columns), and the days of their changes."""
    years = last_year - FIRST_YEAR + 1
    is_changed, days = draw_changes(listener_keys, years)
    draws = {
        kind: draw_yearly(listener_keys, _NEW_VALUE_DRAWS + place, years)
        for place, kind in enumerate(("plan", "home", "name"))
    }
    choices = {
        "plan": _pick_yearly_answers(plan_table, age_band, draws["plan"]),
        "home": choose_weighted(draws["home"], [home.weight for home in HOMES]),
        "name": (draws["name"] * (1 << 40)).astype(np.int64),
    }
    states = {kind: compute_yearly_states(first_states[kind], choices[kind], is_changed[kind]) for kind in first_states}
    return states, days


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
