"""The events of simulated listeners as a stream: those of the same simulation's feed, in the order of their times.

A block has the messages of one UTC day. Listening days are generated one after another, as late as possible, so that
the memory of a stream depends on the number of listeners and not on its interval.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property

import numpy as np

from etl.errors import ActionNeededError
from etl.formats.contracts.avro import load_contract
from etl.streams.messages import SCHEMA_VERSION
from etl.streams.topics import choose_partition
from simulator.listeners.activities import CLEAN, DUPLICATE, FIRST_BROKEN, LATE, OUT_OF_ORDER, Activities
from simulator.listeners.hashed_draws import Integers, draw_uniform, hash_key, hash_keys
from simulator.listeners.homes import HOMES
from simulator.listeners.sessions import DAY_MS
from simulator.listeners.simulation import Simulation
from simulator.listeners.timeline import HOUR_MS
from simulator.streams.activity_tables import Words, make_activity_table
from simulator.streams.avro_values import encode_rows
from simulator.streams.blocks import Messages

MAX_USERS = 200_000
"""A stream has the events of about three days in memory, three kilobytes for each listener."""

UNDECODABLE_KINDS = ("cut", "random", "unknown_version", "no_header", "empty")
"""What a message that cannot be decoded is: half of a value, random bytes, a value with the header of an unknown
version or without a header, no bytes."""

UNDECODABLE = -1
"""The value of ``Activities.dirt`` of events that are sent undecodable."""
_UNKNOWN_VERSION = b"99"
_DUPLICATE_MS = 60_000
_DISORDER_PLACES = 7.5
_FIRST_BEGIN_MS, _LAST_END_MS = -10 * HOUR_MS, 40 * HOUR_MS
"""A listening day, from 04:00 to 04:00 local time, lies between these times of its date in UTC in every timezone."""
_ERROR_DRAW, _DELAY_DRAW, _KIND_DRAW = 1, 3, 4


@dataclass(frozen=True)
class StreamErrors:
    """Injected errors that only streams have: the longest delay of late events, and the fraction of undecodable ones.

    The other fractions are ``Parameters.dirt``.
    """

    late_minutes: float = 60.0
    undecodable: float = 0.0


@dataclass(frozen=True)
class _ListeningDay(Simulation):
    """One listening day of a simulation."""

    day: int = 0

    @cached_property
    def listening_days(self) -> Integers:
        return np.array([self.day])


@dataclass(frozen=True)
class ListenerBlock:
    """The messages of a UTC day."""

    number: int
    due_ms: Integers
    rows: Activities
    population: str
    words: Words
    known_track_count: int
    error_key: np.uint64

    def encode_messages(self, first: int, end: int) -> Messages:
        """Return the messages from the index ``first`` to before ``end``."""
        rows = self.rows.select_rows(np.arange(first, end))
        table = make_activity_table(rows, self.population, self.words)
        values = encode_rows(table, _CONTRACT)
        user_ids: list[str] = table["userId"].to_pylist()
        messages = Messages(
            values,
            [user_id.encode() for user_id in user_ids],
            _PARTITIONS_OF_HOMES[rows.home].tolist(),
            [_VERSION] * len(values),
        )
        self._spoil_messages(messages, rows)
        return messages

    def count_errors(self, first: int, end: int) -> dict[str, int]:
        """Return how many messages from ``first`` to before ``end`` have an injected error, by kind."""
        dirt = self.rows.dirt[first:end]
        counts = {
            "duplicate": dirt == DUPLICATE,
            "late": dirt == LATE,
            "disorder": dirt == OUT_OF_ORDER,
            "unknown_track": self.rows.track[first:end] >= self.known_track_count,
            "broken": dirt >= FIRST_BROKEN,
            "undecodable": dirt == UNDECODABLE,
        }
        return {kind: int(np.count_nonzero(flags)) for kind, flags in counts.items()}

    def _spoil_messages(self, messages: Messages, rows: Activities) -> None:
        """Make those messages undecodable that are to be so."""
        spoiled = np.flatnonzero(rows.dirt == UNDECODABLE)
        draws = draw_uniform(hash_keys(self.error_key, rows.code[spoiled]), _KIND_DRAW)
        for index, kind_index in zip(spoiled.tolist(), (draws * len(UNDECODABLE_KINDS)).astype(int), strict=True):
            kind = UNDECODABLE_KINDS[kind_index]
            if kind == "cut":
                messages.values[index] = messages.values[index][: len(messages.values[index]) // 2]
            elif kind == "random":
                messages.values[index] = hashlib.sha256(messages.values[index]).digest()
            elif kind == "empty":
                messages.values[index] = b""
            else:
                messages.versions[index] = _UNKNOWN_VERSION if kind == "unknown_version" else None


class ListenerSource:
    """The stream of a simulation."""

    def __init__(self, simulation: Simulation, words: Words, errors: StreamErrors) -> None:
        """
        :param simulation: its ``parameters.records`` are not used.
        :raises ActionNeededError: if there are too many listeners, or the fractions of errors exceed 1.
        """
        parameters = simulation.parameters
        if parameters.users > MAX_USERS:
            raise ActionNeededError(f"A stream can have at most {MAX_USERS:,} listeners, not {parameters.users:,}.")
        rates = sum(getattr(parameters.dirt, field.name) for field in fields(parameters.dirt)) + errors.undecodable
        if not 0 <= errors.undecodable <= 1 or rates > 1:
            raise ActionNeededError("Fractions of injected errors must lie between 0 and 1 and add up to at most 1.")
        if not 0 <= errors.late_minutes <= _MAX_LATE_MINUTES:
            raise ActionNeededError(f"Late events can be up to {_MAX_LATE_MINUTES:,} minutes late.")
        self._simulation, self._words, self._errors = simulation, words, errors
        self._error_key = hash_key(parameters.seed, "dirt")
        self._longest_delay_ms = max(round(errors.late_minutes * 60_000), _DUPLICATE_MS)

    @property
    def undecodable_count(self) -> int:
        """Return 0: all events can be sent."""
        return 0

    @property
    def first_number(self) -> int:
        """Return the number of the first block: the UTC day of the interval's start, in days since 1970."""
        return int(self._simulation.parameters.start.timestamp() // 86_400)

    def iterate_blocks(self, first_number: int) -> Iterator[ListenerBlock]:
        """Yield the blocks from a number on, without those that have no messages."""
        days = self._simulation.listening_days
        earliest = (first_number * DAY_MS - _LAST_END_MS - self._longest_delay_ms) // DAY_MS
        day, last_day = max(int(days[0]), earliest), int(days[-1])
        rows, due_ms = self._generate_day(day)
        number = first_number
        while day < last_day or len(due_ms):
            end_ms = (number + 1) * DAY_MS
            while day < last_day and (day + 1) * DAY_MS + _FIRST_BEGIN_MS < end_ms:
                day += 1
                more_rows, more_due_ms = self._generate_day(day)
                rows, due_ms = _concatenate(rows, more_rows), np.concatenate([due_ms, more_due_ms])
            is_of_block = (due_ms >= number * DAY_MS) & (due_ms < end_ms)
            if is_of_block.any():
                yield self._make_block(number, rows.select_rows(np.flatnonzero(is_of_block)), due_ms[is_of_block])
            later = np.flatnonzero(due_ms >= end_ms)
            rows, due_ms = rows.select_rows(later), due_ms[later]
            number += 1

    def _generate_day(self, day: int) -> tuple[Activities, Integers]:
        """Return the rows of a listening day, and when each is due."""
        parameters = self._simulation.parameters
        # Listeners are generated up to the interval's last year, which may be far off.
        end_of_day = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day + 2)
        end = max(min(parameters.end, end_of_day), parameters.start + timedelta(milliseconds=1))
        one_day = _ListeningDay(replace(parameters, end=end, records=None), self._simulation.library, day=day)
        chunks = [one_day.generate_rows(chunk) for chunk in range(one_day.chunk_layout[0])]
        rows = _concatenate(*chunks)
        keys = hash_keys(self._error_key, rows.code)
        is_free_of_errors = (rows.dirt == CLEAN) & (rows.track < self._simulation.library.known_track_count)
        # The first copy of a duplicate is clean, too.
        is_free_of_errors &= ~np.isin(rows.code, rows.code[rows.dirt == DUPLICATE])
        # inject_errors uses the lowest values of the same draw for its kinds.
        is_undecodable = draw_uniform(keys, _ERROR_DRAW) >= 1 - self._errors.undecodable
        rows.dirt[is_free_of_errors & is_undecodable] = UNDECODABLE
        longest_ms = np.where(rows.dirt == LATE, self._longest_late_ms, np.where(rows.dirt == DUPLICATE, 60_000, 0))
        delays = np.ceil(draw_uniform(keys, _DELAY_DRAW) * longest_ms).astype(np.int64)
        return rows, rows.at + delays

    @property
    def _longest_late_ms(self) -> int:
        return round(self._errors.late_minutes * 60_000)

    def _make_block(self, number: int, rows: Activities, due_ms: Integers) -> ListenerBlock:
        order = np.lexsort((rows.dirt == DUPLICATE, rows.code, due_ms))
        places = np.arange(len(order)) + np.where(rows.dirt[order] == OUT_OF_ORDER, _DISORDER_PLACES, 0)
        order = order[np.argsort(places, kind="stable")]
        return ListenerBlock(
            number=number,
            due_ms=np.maximum.accumulate(due_ms[order]),
            rows=rows.select_rows(order),
            population=self._simulation.population_id,
            words=self._words,
            known_track_count=self._simulation.library.known_track_count,
            error_key=self._error_key,
        )


def _concatenate(*parts: Activities) -> Activities:
    return Activities(
        **{field.name: np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Activities)}
    )


_MAX_LATE_MINUTES = 7 * 24 * 60
_CONTRACT = load_contract(f"user_activity_{SCHEMA_VERSION}")
_VERSION = SCHEMA_VERSION.encode()
_PARTITIONS_OF_HOMES = np.array([choose_partition("", home.continent, home.country) for home in HOMES])
