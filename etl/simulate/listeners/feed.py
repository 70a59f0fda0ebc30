"""Listeners and what they do, as Spark frames of the contracts, made in parallel and in bulk.

Workers make rows of small numbers by chunks of listeners and days; Spark looks up what the numbers mean and writes Avro
by itself. Where a chunk begins changes nothing in what is made.
"""

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_schema
from pyspark.sql.types import StructType

from etl.schemas.avro import contract
from etl.simulate.listeners import activities, personalities, profiles, records
from etl.simulate.listeners.activities import NUMBERS
from etl.simulate.listeners.chance import Integers, key_of
from etl.simulate.listeners.library import Library
from etl.simulate.listeners.parameters import Parameters
from etl.simulate.listeners.people import People, people
from etl.simulate.listeners.sessions import DAY_MS
from etl.simulate.listeners.timeline import HOUR_MS

_ROWS_A_CHUNK = 60_000
_ROWS_A_LISTENER_AND_DAY = 12
_LONGEST_CHUNK_DAYS = 64
_LISTENERS_A_BLOCK = 10_000
_PARTITIONS_A_CORE = 2
_CODEC = "snappy"


@dataclass(frozen=True)
class Simulation:
    """A simulation as workers need it: parameters and sorted catalogue."""

    parameters: Parameters
    library: Library

    @cached_property
    def population(self) -> str:
        return self.parameters.population(self.library.fingerprint)

    def people(self, first: int, last: int) -> People:
        """Listeners ``first`` to before ``last``."""
        chosen = self.parameters
        shares = personalities.shares(chosen.mix)
        # The same years for every interval would do; these are enough for this one.
        return people(chosen.seed, np.arange(first, last), chosen.asked, shares, chosen.end.year + 1)

    @cached_property
    def days(self) -> Integers:
        """The listening days that may reach into the interval, wherever a listener lives."""
        # From 14:00 UTC of the day before, where clocks are 14 h ahead, to 16:00 of the day after, where they are 12 behind.
        first = (_milliseconds(self.parameters.start) - 40 * HOUR_MS) // DAY_MS + 1
        last = -(-(_milliseconds(self.parameters.end) + 10 * HOUR_MS) // DAY_MS) - 1
        return np.arange(first, last + 1)

    @cached_property
    def chunks(self) -> tuple[int, int, int]:
        """How many chunks there are, and listeners and days of each."""
        days = min(len(self.days), _LONGEST_CHUNK_DAYS)
        listeners = max(_ROWS_A_CHUNK // (days * _ROWS_A_LISTENER_AND_DAY), 1)
        return (
            math.ceil(self.parameters.users / listeners) * math.ceil(len(self.days) / days),
            listeners,
            days,
        )

    def rows(self, chunk: int) -> activities.Activities:
        """What happens in a chunk."""
        _, listeners, days = self.chunks
        of_listeners, of_days = divmod(chunk, math.ceil(len(self.days) / days))
        first = of_listeners * listeners
        who = self.people(first, min(first + listeners, self.parameters.users))
        when = self.days[of_days * days : (of_days + 1) * days]
        chosen = self.parameters
        interval = _milliseconds(chosen.start), _milliseconds(chosen.end)
        inside = activities.activities(who, when, chosen.asked, self.library, chosen.dirt, interval)
        if chosen.dirt.is_clean:
            return inside
        root = key_of(chosen.seed, "dirt")
        return activities.soiled(inside, chosen.dirt, root, self.library.known_tracks)

    def numbers(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """What happens in the chunks whose numbers come in: ``activities.COLUMNS``."""
        for chunk in profiles.in_batches(batches):
            made = activities.batch(self.rows(chunk))
            if made.num_rows:
                yield made

    def users(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Records of the listeners whose blocks' numbers come in: ``profiles.USER``."""
        end = _milliseconds(self.parameters.end)
        for block in profiles.in_batches(batches):
            yield profiles.users(self._block(block), self.population, self.library, end)

    def truth(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The truth about the listeners whose blocks' numbers come in: ``profiles.TRUTH``."""
        for block in profiles.in_batches(batches):
            yield profiles.truth(self._block(block), self.population, self.parameters.seed)

    def _block(self, block: int) -> People:
        first = block * _LISTENERS_A_BLOCK
        return self.people(first, min(first + _LISTENERS_A_BLOCK, self.parameters.users))


def numbers(spark: SparkSession, simulation: Simulation, partitions: int | None = None) -> DataFrame:
    """All rows of a simulation as small numbers: ``activities.COLUMNS``.

    :param partitions: None: a few for each core.
    """
    return _dealt(spark, simulation.chunks[0], partitions).mapInArrow(simulation.numbers, _schema(NUMBERS))


def users(spark: SparkSession, simulation: Simulation) -> DataFrame:
    """The records of the contract ``user``."""
    return _dealt(spark, _blocks(simulation)).mapInArrow(simulation.users, _schema(profiles.USER))


def truth(spark: SparkSession, simulation: Simulation) -> DataFrame:
    """Personality and traits of each listener: ``STAGED["listener"]``."""
    return _dealt(spark, _blocks(simulation)).mapInArrow(simulation.truth, _schema(profiles.TRUTH))


def events(rows: DataFrame, simulation: Simulation, words: records.Words) -> DataFrame:
    """Rows of numbers as records of UserActivity."""
    return records.user_activity(rows, simulation.population, words, simulation.parameters.schema_version)


def write(frame: DataFrame, contract_name: str, url: str, mode: str = "overwrite") -> None:
    """Write records as Avro files of a contract into a folder."""
    writer = frame.write.format("avro").option("avroSchema", json.dumps(contract(contract_name)))
    writer.option("compression", _CODEC).mode(mode).save(url)


def _dealt(spark: SparkSession, count: int, partitions: int | None = None) -> DataFrame:
    chosen = partitions or min(count, spark.sparkContext.defaultParallelism * _PARTITIONS_A_CORE)
    return spark.range(0, count, 1, chosen)


def _blocks(simulation: Simulation) -> int:
    return math.ceil(simulation.parameters.users / _LISTENERS_A_BLOCK)


def _schema(schema: pa.Schema) -> StructType:
    return from_arrow_schema(schema)


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
