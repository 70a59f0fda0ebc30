"""Sessions a day of simulated listeners, without their plays: what forecasts are measured on needs no more."""

from datetime import UTC, date, datetime, time

import numpy as np
import pandas as pd

from simulator.listeners import personalities
from simulator.listeners.homes import HOMES
from simulator.listeners.parameters import Parameters
from simulator.listeners.population import make_listeners
from simulator.listeners.sessions import generate_sessions

_EPOCH = date(1970, 1, 1)
_BLOCK = 100
_FREE_PLAN = 0
_LEAST_MEAN = 3.0


def count_sessions(users: int, first_day: date, last_day: date, seed: int, growing_since: date | None) -> pd.DataFrame:
    """Return sessions by continent and plan, a column each, on each listening day; nearly silent columns are left out.

    Outages are not simulated: a day with one is a missing load in the product.
    """
    start, end = (datetime.combine(day, time(), UTC) for day in (first_day, last_day))
    parameters = Parameters(users, start, end, seed, growing_since=growing_since)
    habits, weights = parameters.effective_habits, personalities.compute_weights(parameters.mix)
    days = np.arange((first_day - _EPOCH).days, (last_day - _EPOCH).days + 1)
    continents = np.array([home.continent for home in HOMES])
    counts: list[pd.Series] = []
    for first in range(0, users, _BLOCK):
        numbers = np.arange(first, min(first + _BLOCK, users))
        listeners = make_listeners(seed, numbers, habits, weights, last_day.year + 1, growing_since)
        sessions = generate_sessions(listeners, days, habits, (0, np.iinfo(np.int64).max))
        plans = np.where(sessions.plan == _FREE_PLAN, "/free", "/premium")
        segments = pd.Series(continents[sessions.home]) + plans
        counts.append(pd.DataFrame({"day": sessions.day, "segment": segments}).value_counts())
    table = pd.concat(counts).groupby(level=["day", "segment"]).sum().unstack().reindex(days).fillna(0)
    table.index = pd.DatetimeIndex(days.astype("datetime64[D]"))
    return table.loc[:, table.mean() > _LEAST_MEAN]
