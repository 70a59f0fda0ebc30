"""A simulation as workers need it: the rows of its chunks of listeners and days, its users, and the truth about them.

The limits of the chunks do not affect the rows.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property

import numpy as np
import pyarrow as pa

from simulator.listeners import activities, anomalies, outages, personalities, profiles
from simulator.listeners.hashed_draws import Integers, hash_key
from simulator.listeners.homes import HOMES
from simulator.listeners.parameters import Parameters
from simulator.listeners.population import Listeners, find_members, make_listeners
from simulator.listeners.sessions import DAY_MS
from simulator.listeners.timeline import HOUR_MS
from simulator.listeners.track_library import Library
from simulator.listeners.yearly_rhythm import find_holidays
from simulator.listeners.yearly_states import EPOCH

_ROWS_PER_CHUNK = 60_000
_ROWS_PER_LISTENER_DAY, _ROWS_PER_GROWING_LISTENER_DAY = 12, 4
_LONGEST_CHUNK_DAYS = 64
LISTENERS_PER_BLOCK = 10_000

_UTC_TIMESTAMP = pa.timestamp("us", "UTC")
OUTAGE_SCHEMA = pa.schema([("population", pa.string()), ("started_at", _UTC_TIMESTAMP), ("ended_at", _UTC_TIMESTAMP)])
"""The columns of ``STAGED["outage"]``, as ``list_outages`` returns them."""
HOLIDAY_SCHEMA = pa.schema([("country", pa.string()), ("holiday_date", pa.date32())])
"""The columns of ``STAGED["holiday"]``, as ``list_holidays`` returns them."""


@dataclass(frozen=True)
class Simulation:
    """A simulation as workers need it: its parameters and the sorted catalogue."""

    parameters: Parameters
    library: Library
    cut: tuple[int, int] | None = None
    """Time and code of the last row, if a number of records ends the feed."""

    @cached_property
    def population_id(self) -> str:
        return self.parameters.compute_population_id(self.library.fingerprint)

    def make_listeners(self, first_index: int, last_index: int, days: Integers | None = None) -> Listeners:
        """Return the listeners from ``first_index`` to before ``last_index``.

        :param days: without the listeners of a growing population who listen on none of these consecutive days.
        """
        parameters = self.parameters
        habits, opened_on = parameters.effective_habits, parameters.growing_since
        numbers = np.arange(first_index, last_index)
        if opened_on and days is not None:
            numbers = find_members(parameters.seed, numbers, habits, opened_on, days)
        personality_weights = personalities.compute_weights(parameters.mix)
        # Listeners do not depend on the last year; it only has to cover the interval.
        last_year = parameters.end.year + 1
        listeners = make_listeners(parameters.seed, numbers, habits, personality_weights, last_year, opened_on)
        return (
            anomalies.limit_plans(listeners, self._draw_kinds(listeners)) if parameters.anomalous_share else listeners
        )

    @cached_property
    def listening_days(self) -> Integers:
        """Return the listening days that may reach into the interval in any timezone."""
        # From 14:00 UTC of the day before, where clocks are 14 h ahead, to 16:00 of the day after (12 h behind).
        first_day = (_to_epoch_ms(self.parameters.start) - 40 * HOUR_MS) // DAY_MS + 1
        last_day = -(-(_to_epoch_ms(self.parameters.end) + 10 * HOUR_MS) // DAY_MS) - 1
        return np.arange(first_day, last_day + 1)

    @cached_property
    def chunk_layout(self) -> tuple[int, int, int]:
        """Return the number of chunks, and the listeners and days of each."""
        days = min(len(self.listening_days), _LONGEST_CHUNK_DAYS)
        rows_per_day = _ROWS_PER_GROWING_LISTENER_DAY if self.parameters.growing_since else _ROWS_PER_LISTENER_DAY
        listeners = max(_ROWS_PER_CHUNK // (days * rows_per_day), 1)
        return (
            math.ceil(self.parameters.users / listeners) * math.ceil(len(self.listening_days) / days),
            listeners,
            days,
        )

    def generate_rows(self, chunk: int) -> activities.Activities:
        """Return the rows of a chunk."""
        _, listeners, days = self.chunk_layout
        listener_block, day_block = divmod(chunk, math.ceil(len(self.listening_days) / days))
        first_index = listener_block * listeners
        days_of_chunk = self.listening_days[day_block * days : (day_block + 1) * days]
        parameters = self.parameters
        last_index = min(first_index + listeners, parameters.users)
        listeners_of_chunk = self.make_listeners(first_index, last_index, days_of_chunk)
        clean_rows = activities.generate_activities(
            listeners_of_chunk,
            days_of_chunk,
            parameters.effective_habits,
            self.library,
            parameters.dirt,
            self._interval_ms,
        )
        clean_rows = outages.remove_plays(clean_rows, self._find_outages(days_of_chunk))
        episodes = self._make_episodes(listeners_of_chunk, days_of_chunk)
        clean_rows = anomalies.add_episodes(clean_rows, listeners_of_chunk, episodes, self._interval_ms)
        if parameters.dirt.is_clean:
            return clean_rows
        root = hash_key(parameters.seed, "dirt")
        return activities.inject_errors(clean_rows, parameters.dirt, root, self.library.known_track_count)

    def generate_batches(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield the rows of the chunks with the given indexes: ``activities.COLUMNS``."""
        for chunk in profiles.read_chunk_indexes(batches):
            batch = activities.to_record_batch(self.generate_rows(chunk))
            if batch.num_rows:
                yield batch

    def make_user_batches(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield the user records of the chunks of listeners with the given indexes: ``profiles.USER_SCHEMA``."""
        end = _to_epoch_ms(self.parameters.end)
        for block in profiles.read_chunk_indexes(batches):
            yield profiles.make_user_batch(self._make_block(block), self.population_id, self.library, end)

    def make_truth_batches(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield the truth about the chunks of listeners with the given indexes: ``profiles.TRUTH_SCHEMA``."""
        for block in profiles.read_chunk_indexes(batches):
            yield profiles.make_truth_batch(self._make_block(block), self.population_id, self.parameters.seed)

    def make_episode_batches(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield the anomalous episodes of the chunks of listeners with the given indexes: ``EPISODE_SCHEMA``."""
        for block in profiles.read_chunk_indexes(batches):
            listeners = self._make_block(block)
            episodes = self._make_episodes(listeners, self.listening_days)
            yield anomalies.make_episode_batch(listeners, episodes, self.population_id, self._interval_ms)

    def list_outages(self) -> list[tuple[str, datetime, datetime]]:
        """Return population, begin and end of each outage that touches the interval, whole."""
        start_ms, end_ms = self._interval_ms
        begins, ends = self._find_outages(self.listening_days)
        return [
            (self.population_id, _to_datetime(begin), _to_datetime(end))
            for begin, end in zip(begins.tolist(), ends.tolist(), strict=True)
            if begin < end_ms and end > start_ms
        ]

    def list_holidays(self) -> list[tuple[str, date]]:
        """Return country and date of the holidays of the interval's years; without growth there are none."""
        if self.parameters.growing_since is None:
            return []
        years = range(self.parameters.start.year, self.parameters.end.year + 1)
        countries = sorted({home.country for home in HOMES})
        return [(country, day) for country in countries for year in years for day in find_holidays(country, year)]

    @property
    def _interval_ms(self) -> tuple[int, int]:
        return _to_epoch_ms(self.parameters.start), _to_epoch_ms(self.parameters.end)

    def _draw_kinds(self, listeners: Listeners) -> Integers:
        parameters = self.parameters
        return anomalies.draw_kinds(listeners, parameters.seed, parameters.anomalous_share, parameters.lookalike_share)

    def _make_episodes(self, listeners: Listeners, days: Integers) -> list[anomalies.Episode]:
        kinds = self._draw_kinds(listeners)
        begins, ends = self._find_outages(days)
        return [
            episode
            for episode in anomalies.iterate_episodes(listeners, kinds, days, self.parameters.seed, self.library)
            if not ((begins <= episode.end_ms) & (ends > episode.start_ms)).any()
        ]

    def _find_outages(self, listening_days: Integers) -> tuple[Integers, Integers]:
        """Return begins and ends of the outages that can touch some consecutive listening days."""
        opened_on, no_days = self.parameters.growing_since, np.zeros(0, np.int64)
        if opened_on is None:
            return no_days, no_days
        first_day = max(int(listening_days[0]) - 1, (opened_on - EPOCH).days)
        return outages.find_outages(self.parameters.seed, np.arange(first_day, int(listening_days[-1]) + 2))

    def _make_block(self, block: int) -> Listeners:
        first_index = block * LISTENERS_PER_BLOCK
        return self.make_listeners(first_index, min(first_index + LISTENERS_PER_BLOCK, self.parameters.users))


def _to_epoch_ms(timestamp: datetime) -> int:
    return round(timestamp.timestamp() * 1000)


def _to_datetime(epoch_ms: int) -> datetime:
    return datetime.fromtimestamp(epoch_ms / 1000, UTC)
