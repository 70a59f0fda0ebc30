"""What may change once a year for each listener: when it changes, and what it is on a day."""

from datetime import date

import numpy as np

from simulator.listeners.hashed_draws import Flags, Floats, Integers, Keys, draw_uniform, hash_keys

FIRST_YEAR = 2009
EPOCH = date(1970, 1, 1)

_YEARLY_CHANGE_RATES = {"plan": 0.15, "home": 0.04, "name": 0.03}
"""The fraction of listeners a year that choose again; some choose the same."""

# Purposes of draws.
_CHANGE_DRAWS, _CHANGE_DAY_DRAWS = 20, 40


def draw_changes(listener_keys: Keys, years: int) -> tuple[dict[str, Flags], dict[str, Integers]]:
    """Draw, by kind, whether a listener (row) changes in a year (column), and the day of the change since ``EPOCH``."""
    changes_by_kind = {
        kind: draw_yearly(listener_keys, _CHANGE_DRAWS + index, years) < rate
        for index, (kind, rate) in enumerate(_YEARLY_CHANGE_RATES.items())
    }
    for is_changed in changes_by_kind.values():
        is_changed[:, 0] = False  # so that the first column is a listener's first state
    year_starts = np.array([(date(FIRST_YEAR + year, 1, 1) - EPOCH).days for year in range(years)])
    days = {
        kind: year_starts + (draw_yearly(listener_keys, _CHANGE_DAY_DRAWS + index, years) * 365).astype(np.int64)
        for index, kind in enumerate(_YEARLY_CHANGE_RATES)
    }
    return changes_by_kind, days


def draw_yearly(listener_keys: Keys, purpose: int, years: int) -> Floats:
    """A draw a listener (row) and year (column)."""
    return draw_uniform(hash_keys(listener_keys[:, None], np.arange(years)[None, :]), purpose)


def compute_yearly_states(first_states: Integers, choices: Integers, is_changed: Flags) -> Integers:
    """The state after each year: the newest choice so far, else the first state."""
    years = np.where(is_changed, np.arange(choices.shape[1])[None, :], -1)
    newest = np.maximum.accumulate(years, axis=1)
    newest_choices = np.take_along_axis(choices, np.maximum(newest, 0), axis=1)
    return np.where(newest >= 0, newest_choices, first_states[:, None])


def find_states(states: Integers, change_days: Integers, days: Integers) -> Integers:
    """Return the state of each listener (rows) on each of some days (columns)."""
    years = days.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970 - FIRST_YEAR
    is_before = days[None, :] < change_days[:, years]
    return np.take_along_axis(states, np.maximum(years[None, :] - is_before, 0), axis=1)


def find_state(states: Integers, change_days: Integers, day: Integers) -> Integers:
    """Return the state of each listener on a day of its own."""
    year = day.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970 - FIRST_YEAR
    # After the last year nothing changes: those who sign up then have no record yet.
    rows, year = np.arange(len(day)), np.clip(year, 0, states.shape[1] - 1)
    return states[rows, np.maximum(year - (day < change_days[rows, year]), 0)]
