"""Outages of a growing population's service: whole hours in which no listener plays anything.

A play that an outage would interrupt does not take place, and neither does what belongs to it.
"""

import numpy as np

from simulator.listeners.activities import Activities, find_plays
from simulator.listeners.hashed_draws import Integers, draw_uniform, hash_key, hash_keys
from simulator.listeners.sessions import DAY_MS
from simulator.listeners.timeline import HOUR_MS

_OUTAGES_PER_DAY = 1 / 30
_MAX_HOURS = 6
_OUTAGE_DRAW, _BEGIN_DRAW, _LENGTH_DRAW = 1, 2, 3


def find_outages(seed: int, days: Integers) -> tuple[Integers, Integers]:
    """Return the begins and ends of the outages that begin on some days of UTC, in order; UTC, ms since 1970."""
    keys = hash_keys(hash_key(seed, "outages"), days)
    is_outage = draw_uniform(keys, _OUTAGE_DRAW) < _OUTAGES_PER_DAY
    first_hours = (draw_uniform(keys[is_outage], _BEGIN_DRAW) * 24).astype(np.int64)
    hours = 1 + (draw_uniform(keys[is_outage], _LENGTH_DRAW) ** 2 * _MAX_HOURS).astype(np.int64)
    begins = days[is_outage] * DAY_MS + first_hours * HOUR_MS
    return begins, begins + hours * HOUR_MS


def remove_plays(rows: Activities, outages: tuple[Integers, Integers]) -> Activities:
    """Return the rows without plays that overlap an outage, and without what belongs to these plays."""
    if not len(outages[0]) or not len(rows.at):
        return rows
    play = find_plays(rows)
    starts = rows.at[play]
    ends = starts + rows.ms_played[play]
    is_lost = np.zeros(len(starts), bool)
    for outage_begin, outage_end in zip(*outages, strict=True):
        is_lost |= (starts < outage_end) & (ends > outage_begin)
    return rows.select_rows(np.flatnonzero(~is_lost))
