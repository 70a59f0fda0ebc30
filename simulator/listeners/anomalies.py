"""Anomalous listeners: who they are, the episodes in which they behave anomalously, and the events of these episodes.

A listener has one kind of anomaly at most. Kind, episodes and events are draws from the listener's key, as everything
else: another interval or number of listeners changes none of them, and other listeners' events stay the same. What the
listener would otherwise do during an episode is left out. docs/simulator.md describes the kinds.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace

import numpy as np
import pyarrow as pa

from simulator.listeners import episode_plays
from simulator.listeners.activities import ACTIVITIES, Activities, encode_context, find_plays
from simulator.listeners.activities import MAX_PLATFORMS_PER_DEVICE as PLATFORM_COUNT
from simulator.listeners.episode_plays import EpisodePlays
from simulator.listeners.habits import PLANS
from simulator.listeners.hashed_draws import (
    Flags,
    Integers,
    Keys,
    draw_evenly,
    draw_uniform,
    hash_key,
    hash_keys,
)
from simulator.listeners.population import Listeners
from simulator.listeners.profiles import make_user_ids
from simulator.listeners.sessions import MAX_SESSIONS_PER_DAY, compute_day_begins
from simulator.listeners.timeline import HOUR_MS
from simulator.listeners.track_library import Library

ANOMALY_KINDS = tuple(episode_plays.MAKERS)
"""skips_beyond_plan, impossible_volume, overlapping_plays, impossible_travel, short_play_runs, shared_track_set and
sudden_change."""

_MAKERS = episode_plays.MAKERS | episode_plays.LOOKALIKE_MAKERS
_KINDS = tuple(_MAKERS)
"""The kinds of anomalies, then those of harmless behaviour that looks like one."""

EPISODE_SCHEMA = pa.schema(
    [
        ("user_id", pa.string()),
        ("kind", pa.string()),
        ("started_at", pa.timestamp("us", "UTC")),
        ("ended_at", pa.timestamp("us", "UTC")),
    ]
)
"""The columns of ``STAGED["anomaly_episode"]``."""

_LISTENERS_PER_RING = 10_000
_ACTIVE_DAY_RATE = 0.6
_BOUT_CYCLE_DAYS, _BOUT_DAYS = 28, 4
_FIRST_BEGIN_MS, _BEGIN_RANGE_MS = 4 * HOUR_MS, 10 * HOUR_MS
_LATEST_END_MS = 22 * HOUR_MS
"""So that an episode ends within its listening day, even when clocks change."""
_PLAYS_PER_SESSION_NUMBER = 250

_ANOMALOUS_DRAW, _LOOKALIKE_DRAW = 13, 14  # of the draws that are spread evenly over listeners
_KIND_DRAW, _BOUT_DRAW = 60, 61
_ACTIVE_DRAW, _BEGIN_DRAW = 1, 2
_DAY_KEY_BASE = 1 << 51


@dataclass(frozen=True)
class Episode:
    """An anomaly of a listener on a listening day."""

    listener: int
    """The index among the listeners."""
    day: int
    kind: str
    plan: int
    """The index in PLANS of the listener's plan on that day."""
    start_ms: int
    plays: EpisodePlays

    @property
    def end_ms(self) -> int:
        return self.start_ms + int((self.plays.offsets + self.plays.ms_played).max())


def draw_kinds(listeners: Listeners, seed: int, anomalous_fraction: float, lookalike_fraction: float = 0.0) -> Integers:
    """Return the index in _KINDS of each listener's kind, below ``len(ANOMALY_KINDS)`` for an anomaly; else -1.

    Those of a larger fraction include those of a smaller one, with the same kinds.
    """
    root = hash_key(seed, "anomalies")
    is_anomalous = draw_evenly(listeners.numbers, root, _ANOMALOUS_DRAW) < anomalous_fraction
    is_lookalike = draw_evenly(listeners.numbers, root, _LOOKALIKE_DRAW) < lookalike_fraction
    kind_draws = draw_uniform(listeners.keys, _KIND_DRAW)
    anomalies = (kind_draws * len(ANOMALY_KINDS)).astype(np.int64)
    lookalikes = len(ANOMALY_KINDS) + (kind_draws * len(episode_plays.LOOKALIKE_MAKERS)).astype(np.int64)
    return np.where(is_anomalous, anomalies, np.where(is_lookalike, lookalikes, -1))


def limit_plans(listeners: Listeners, kinds: Integers) -> Listeners:
    """Return the listeners; those whose anomaly is against the free plan never have another plan."""
    is_limited = kinds == ANOMALY_KINDS.index("skips_beyond_plan")
    return replace(listeners, plans=np.where(is_limited[:, None], PLANS.index("free"), listeners.plans))


def iterate_episodes(
    listeners: Listeners, kinds: Integers, days: Integers, seed: int, library: Library
) -> Iterator[Episode]:
    """Yield the episodes of some listeners on some listening days, harmless ones too."""
    anomalous = np.flatnonzero(kinds >= 0)
    if not len(anomalous):
        return
    homes = listeners.find_homes(days)[anomalous]
    plans = listeners.find_plans(days)[anomalous]
    begins = compute_day_begins(homes, days)
    day_keys = hash_keys(listeners.keys[anomalous][:, None], _DAY_KEY_BASE + days[None, :])
    is_active = _find_active_days(listeners, anomalous, kinds, days, day_keys)
    for row, column in zip(*np.nonzero(is_active), strict=True):
        listener, day_key = int(anomalous[row]), day_keys[row, column]
        kind = _KINDS[kinds[listener]]
        ring_key = hash_key(seed, "ring", int(listeners.numbers[listener]) // _LISTENERS_PER_RING)
        home, day = int(homes[row, column]), int(days[column])
        plays = _MAKERS[kind](day_key, episode_plays.Setting(library, home, day, ring_key))
        delay = _FIRST_BEGIN_MS + draw_uniform(np.array([day_key]), _BEGIN_DRAW)[0] * _BEGIN_RANGE_MS
        if kind == "sudden_change":
            delay = HOUR_MS  # it fills most of the day
        yield Episode(
            listener=listener,
            day=day,
            kind=kind,
            plan=int(plans[row, column]),
            start_ms=int(begins[row, column] + delay),
            plays=plays.limit_length(int(_LATEST_END_MS - delay)),
        )


def _find_active_days(
    listeners: Listeners, anomalous: Integers, kinds: Integers, days: Integers, day_keys: Keys
) -> Flags:
    """Return whether each anomalous listener (row) has an episode on each day (column).

    A sudden change lasts for a few days of four weeks, so that it has a baseline; others come on most days.
    """
    is_drawn = draw_uniform(day_keys.ravel(), _ACTIVE_DRAW).reshape(day_keys.shape) < _ACTIVE_DAY_RATE
    shifts = (draw_uniform(listeners.keys[anomalous], _BOUT_DRAW) * _BOUT_CYCLE_DAYS).astype(np.int64)
    is_bout = (days[None, :] + shifts[:, None]) % _BOUT_CYCLE_DAYS >= _BOUT_CYCLE_DAYS - _BOUT_DAYS
    is_sudden = (kinds[anomalous] == ANOMALY_KINDS.index("sudden_change"))[:, None]
    return np.asarray(np.where(is_sudden, is_bout, is_drawn) & listeners.find_members(days)[anomalous])


def add_episodes(
    rows: Activities, listeners: Listeners, episodes: list[Episode], interval: tuple[int, int]
) -> Activities:
    """Return the rows with those of the episodes in place of what the listeners do meanwhile.

    :param interval: begin and exclusive end, UTC, ms since 1970.
    """
    if not episodes:
        return rows
    added = [_make_rows(episode, listeners, interval) for episode in episodes]
    kept = rows.select_rows(np.flatnonzero(~_find_replaced_rows(rows, listeners, episodes)))
    combined = Activities(
        **{
            field.name: np.concatenate([getattr(part, field.name) for part in (kept, *added)])
            for field in fields(Activities)
        }
    )
    # Ordinary rows are in this order already, and the sort is stable.
    return combined.select_rows(np.lexsort((combined.at, combined.number)))


def _find_replaced_rows(rows: Activities, listeners: Listeners, episodes: list[Episode]) -> Flags:
    """Return the rows of plays that overlap an episode of their listener."""
    is_replaced = np.zeros(len(rows.at), bool)
    if not len(rows.at):
        return is_replaced
    play_index = find_plays(rows)
    starts = rows.at[play_index]
    ends = starts + rows.ms_played[play_index]
    for episode in episodes:
        first, last = np.searchsorted(rows.number, listeners.numbers[episode.listener] + np.array([0, 1]))
        own = slice(first, last)
        is_replaced[own] |= (starts[own] <= episode.end_ms) & (ends[own] >= episode.start_ms)
    return is_replaced


def _make_rows(episode: Episode, listeners: Listeners, interval: tuple[int, int]) -> Activities:
    """Return the rows of an episode within the interval: its PLAYs, and the SKIPs that end some of them."""
    plays = episode.plays
    indexes = np.concatenate([np.arange(len(plays.offsets)), np.flatnonzero(plays.is_skipped)])
    skip_count = int(plays.is_skipped.sum())
    is_skip = np.arange(len(indexes)) >= len(plays.offsets)
    activity = np.where(is_skip, ACTIVITIES.index("SKIP"), ACTIVITIES.index("PLAY"))
    starts = episode.start_ms + plays.offsets
    device = int(listeners.device[episode.listener])
    contexts = [
        encode_context(device * PLATFORM_COUNT, 2, 1 if is_skipped else 0, 4 if episode.plan == 0 else 0)
        for is_skipped in plays.is_skipped
    ]
    number = int(listeners.numbers[episode.listener])
    session, play_index = np.divmod(indexes, _PLAYS_PER_SESSION_NUMBER)
    code_within_day = ((MAX_SESSIONS_PER_DAY + session) << 11) | (play_index << 3) | activity
    size = len(plays.offsets) + skip_count
    rows = Activities(
        number=np.full(size, number),
        code=(((number << 16) | episode.day) << 15) | code_within_day,
        activity=activity,
        at=np.where(is_skip, starts[indexes] + plays.ms_played[indexes], starts[indexes]),
        ms_played=np.where(is_skip, 0, plays.ms_played[indexes]),
        track=plays.tracks[indexes],
        playlist=np.full(size, -1),
        home=plays.homes[indexes],
        plan=np.full(size, episode.plan),
        device=np.full(size, device),
        context=np.where(is_skip, -1, np.array(contexts)[indexes]),
        dirt=np.zeros(size, np.int64),
    )
    is_within = (starts[indexes] >= interval[0]) & (rows.at >= interval[0]) & (rows.at < interval[1])
    return rows.select_rows(np.flatnonzero(is_within))


def make_episode_batch(
    listeners: Listeners, episodes: list[Episode], population: str, interval: tuple[int, int]
) -> pa.RecordBatch:
    """Return the anomalous episodes that begin within an interval, as rows of ``EPISODE_SCHEMA``."""
    begun = [
        episode
        for episode in episodes
        if episode.kind in ANOMALY_KINDS and interval[0] <= episode.start_ms < interval[1]
    ]
    user_ids = make_user_ids(listeners, population)
    columns: list[list[object]] = [
        [str(user_ids[episode.listener]) for episode in begun],
        [episode.kind for episode in begun],
        [episode.start_ms * 1000 for episode in begun],
        [episode.end_ms * 1000 for episode in begun],
    ]
    arrays = [pa.array(column, field.type) for column, field in zip(columns, EPISODE_SCHEMA, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=EPISODE_SCHEMA)
