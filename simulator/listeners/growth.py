"""A growing population: when listeners sign up and leave, and how much each listens at a time.

A service opens on a day. A part of its listeners signs up in the first weeks, the others over the years after it; each
leaves after a time of their own. How much a listener listens drifts, and follows the year of their country
(``yearly_rhythm``). All of it depends on the listener and the opening day only. docs/simulator.md has the figures.
"""

import numpy as np

from simulator.listeners.hashed_draws import Floats, Integers, Keys, draw_uniform, hash_keys
from simulator.listeners.yearly_rhythm import compute_yearly_factors

NEVER = np.iinfo(np.int64).max
"""The day on which those leave who stay for good."""

_OPENING_FRACTION, _OPENING_DAYS, _SIGN_UP_DAYS = 0.2, 28, 4 * 365
_CHURN_SCALE_DAYS = 365.0
_DRIFT_DAYS_AND_SIZES = ((28, 0.2), (112, 0.3), (448, 0.4))
"""Days between two random levels, and how far they lie from the mean at most; together less than 1."""

_SIGN_UP_DRAW, _CHURN_DRAW, _LEVEL_DRAW = 8, 9, 1
_LEVEL_KEY_BASE, _LEVELS_PER_PACE = 1 << 52, 1 << 32


def draw_sign_up_days(listener_keys: Keys, opening_day: int) -> Integers:
    """Return the day on which each listener signs up, days since 1970."""
    draws = draw_uniform(listener_keys, _SIGN_UP_DRAW)
    in_opening = draws / _OPENING_FRACTION * _OPENING_DAYS
    after_opening = _OPENING_DAYS + (draws - _OPENING_FRACTION) / (1 - _OPENING_FRACTION) * _SIGN_UP_DAYS
    return opening_day + np.where(draws < _OPENING_FRACTION, in_opening, after_opening).astype(np.int64)


def draw_churn_days(listener_keys: Keys, sign_up_days: Integers) -> Integers:
    """Return the first day on which each listener does not listen any more, days since 1970; NEVER after a century.

    The time until then has a Pareto distribution of the second kind with the shape 1/2, after the Pareto/NBD model of
    customers who leave (Schmittlein, Morrison and Colombo, 1987): 1/√2 stay for a year, 1/√3 for two.
    """
    days = _CHURN_SCALE_DAYS * (1 / (1 - draw_uniform(listener_keys, _CHURN_DRAW)) ** 2 - 1)
    stays = days > 100 * _CHURN_SCALE_DAYS
    return np.where(stays, NEVER, sign_up_days + 1 + np.where(stays, 0, days).astype(np.int64))


def compute_activity_factors(listener_keys: Keys, homes: Integers, days: Integers) -> Floats:
    """Return how much each listener (row) listens on each of some consecutive days (column), as a ratio to the usual.

    :param homes: the index in HOMES of each listener and day.
    """
    return compute_yearly_factors(homes, days) * _compute_levels(listener_keys, days)


def _compute_levels(listener_keys: Keys, days: Integers) -> Floats:
    """Return levels around 1 that drift: sums of random levels every few weeks, months and years, with lines between.

    Sums and products of single numbers only: their results do not depend on the size of the arrays.
    """
    levels = np.ones((len(listener_keys), len(days)))
    for pace, (period, size) in enumerate(_DRIFT_DAYS_AND_SIZES):
        first, last = int(days[0]) // period, int(days[-1]) // period + 1
        keys = hash_keys(
            listener_keys[:, None], _LEVEL_KEY_BASE + pace * _LEVELS_PER_PACE + np.arange(first, last + 1)[None, :]
        )
        drawn = size * (2 * draw_uniform(keys, _LEVEL_DRAW) - 1)
        index, progress = days // period - first, days % period / period
        levels += drawn[:, index] * (1 - progress) + drawn[:, index + 1] * progress
    return levels
