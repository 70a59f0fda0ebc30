"""Listeners and their events as Spark frames of the contracts, generated in parallel and in bulk.

Workers generate rows of small numbers by chunks of listeners and days. Spark joins the words that the numbers stand
for and writes Avro itself. The limits of the chunks do not affect the records.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

import numpy as np
import pyarrow as pa
from fsspec.core import url_to_fs
from pyspark.sql import Column, DataFrame, Observation, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import from_arrow_schema
from pyspark.sql.types import StructType

from etl.formats.contracts.avro import write_avro
from simulator.listeners import activities, activity_records, personalities, profiles
from simulator.listeners.activities import ACTIVITY_SCHEMA, DUPLICATE, FIRST_BROKEN, LATE, OUT_OF_ORDER
from simulator.listeners.hashed_draws import Integers, hash_key
from simulator.listeners.parameters import INJECTED_ERROR_KINDS, Parameters
from simulator.listeners.population import Listeners, make_listeners
from simulator.listeners.sessions import DAY_MS
from simulator.listeners.timeline import HOUR_MS
from simulator.listeners.track_library import Library

_ROWS_PER_CHUNK = 60_000
_ROWS_PER_LISTENER_DAY = 12
_LONGEST_CHUNK_DAYS = 64
_LISTENERS_PER_BLOCK = 10_000
_PARTITIONS_PER_CORE = 2
_UTC_DAY = "at div 86400000"

UNKNOWN_TRACK_COUNT = 500
"""The number of tracks without a catalogue entry, for events with an injected unknown track."""

SPARK_OPTIONS = {
    "spark.sql.execution.arrow.maxRecordsPerBatch": "100000",
    # The JVM never compiles a method of more than 8,000 bytes; one method for all of these joins would be longer.
    "spark.sql.codegen.hugeMethodLimit": "8000",
}
"""Spark options of a session that generates a feed."""


@dataclass(frozen=True)
class WriteResult:
    """The numbers of written records: in total, and with an injected error by kind."""

    record_count: int
    injected_errors: dict[str, int]


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

    def make_listeners(self, first_index: int, last_index: int) -> Listeners:
        """Return the listeners from ``first_index`` to before ``last_index``."""
        parameters = self.parameters
        personality_weights = personalities.compute_weights(parameters.mix)
        # Listeners do not depend on the last year; it only has to cover the interval.
        return make_listeners(
            parameters.seed,
            np.arange(first_index, last_index),
            parameters.effective_habits,
            personality_weights,
            parameters.end.year + 1,
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
        listeners = max(_ROWS_PER_CHUNK // (days * _ROWS_PER_LISTENER_DAY), 1)
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
        listeners_of_chunk = self.make_listeners(first_index, min(first_index + listeners, self.parameters.users))
        days_of_chunk = self.listening_days[day_block * days : (day_block + 1) * days]
        parameters = self.parameters
        interval = _to_epoch_ms(parameters.start), _to_epoch_ms(parameters.end)
        clean_rows = activities.generate_activities(
            listeners_of_chunk, days_of_chunk, parameters.effective_habits, self.library, parameters.dirt, interval
        )
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

    def _make_block(self, block: int) -> Listeners:
        first_index = block * _LISTENERS_PER_BLOCK
        return self.make_listeners(first_index, min(first_index + _LISTENERS_PER_BLOCK, self.parameters.users))


def generate_activity_rows(spark: SparkSession, simulation: Simulation, partitions: int | None = None) -> DataFrame:
    """Return all rows of a simulation as small numbers: ``activities.COLUMNS``.

    :param partitions: None: a few for each core.
    """
    return _distribute_indexes(spark, simulation.chunk_layout[0], partitions).mapInArrow(
        simulation.generate_batches, _to_spark_schema(ACTIVITY_SCHEMA)
    )


def make_user_records(spark: SparkSession, simulation: Simulation) -> DataFrame:
    """Return the records of the contract ``user``."""
    return _distribute_indexes(spark, _count_blocks(simulation)).mapInArrow(
        simulation.make_user_batches, _to_spark_schema(profiles.USER_SCHEMA)
    )


def make_truth_rows(spark: SparkSession, simulation: Simulation) -> DataFrame:
    """Return personality and traits of each listener: ``STAGED["listener"]``."""
    return _distribute_indexes(spark, _count_blocks(simulation)).mapInArrow(
        simulation.make_truth_batches, _to_spark_schema(profiles.TRUTH_SCHEMA)
    )


def limit_records(spark: SparkSession, simulation: Simulation) -> Simulation:
    """Return the simulation, ended at the requested number of records; unchanged without one."""
    remaining = simulation.parameters.records
    if remaining is None:
        return simulation
    rows = generate_activity_rows(spark, simulation).where(F.col("dirt") != DUPLICATE)
    for day in sorted(rows.groupBy(F.expr(_UTC_DAY).alias("day")).count().collect()):
        if day["count"] >= remaining:
            rows_of_day = (
                rows.where(F.expr(_UTC_DAY) == day["day"]).select("at", "code").orderBy("at", "code").limit(remaining)
            )
            last = rows_of_day.orderBy(F.desc("at"), F.desc("code")).take(1)
            return replace(simulation, cut=(last[0]["at"], last[0]["code"]))
        remaining -= day["count"]
    return simulation


def write_events(
    spark: SparkSession,
    simulation: Simulation,
    lookup_tables: activity_records.LookupTables,
    url: str,
    contract_name: str | None = None,
    project: Callable[[DataFrame], DataFrame] | None = None,
) -> WriteResult:
    """Write the events as Avro files into a folder; late events go into files that sort after the others.

    :param contract_name: None: UserActivity in the version of the parameters.
    :param project: converts records of UserActivity to another contract; None writes UserActivity.
    :returns: the numbers of written records, counted while they are written.
    """
    version = simulation.parameters.schema_version
    rows = _cut_after_last_row(generate_activity_rows(spark, simulation), simulation)

    def write_rows(condition: Column, folder_url: str) -> dict[str, int]:
        observation = Observation()
        observed = _observe_counts(rows.where(condition), observation, simulation)
        records = activity_records.make_user_activity_records(
            observed, simulation.population_id, lookup_tables, version
        )
        write_avro(project(records) if project else records, contract_name or f"user_activity_{version}", folder_url)
        return {name: int(count) for name, count in observation.get.items()}

    counts = write_rows(F.col("dirt") != LATE, url)
    if simulation.parameters.dirt.late:
        late_counts = write_rows(F.col("dirt") == LATE, f"{url}/late")
        _move_late_files_last(url)
        counts = {name: count + late_counts[name] for name, count in counts.items()}
    return WriteResult(counts.pop("records"), {kind: counts[kind] for kind in INJECTED_ERROR_KINDS})


def _observe_counts(rows: DataFrame, observation: Observation, simulation: Simulation) -> DataFrame:
    """Return the rows with an observation that counts them in total and by injected error when they are written."""
    kinds = {"duplicate": DUPLICATE, "late": LATE, "disorder": OUT_OF_ORDER}
    is_unknown = F.col("track") >= simulation.library.known_track_count
    counts = {
        **{kind: F.count_if(F.col("dirt") == value) for kind, value in kinds.items()},
        "unknown_track": F.count_if(is_unknown),
        "broken": F.count_if(F.col("dirt") >= FIRST_BROKEN),
    }
    return rows.observe(
        observation, F.count(F.lit(1)).alias("records"), *(column.alias(name) for name, column in counts.items())
    )


def _move_late_files_last(url: str) -> None:
    """Move the files of the folder ``late`` up, under names that sort after those of Spark's own files."""
    files, path = url_to_fs(url)
    for index, file_path in enumerate(sorted(files.glob(f"{path}/late/*.avro"))):
        files.mv(file_path, f"{path}/part-late-{index:05d}.avro")
    files.rm(f"{path}/late", recursive=True)


def _cut_after_last_row(rows: DataFrame, simulation: Simulation) -> DataFrame:
    if simulation.cut is None:
        return rows
    last_at, last_code = simulation.cut
    return rows.where((F.col("at") < last_at) | ((F.col("at") == last_at) & (F.col("code") <= last_code)))


def _distribute_indexes(spark: SparkSession, count: int, partitions: int | None = None) -> DataFrame:
    partition_count = partitions or min(count, spark.sparkContext.defaultParallelism * _PARTITIONS_PER_CORE)
    return spark.range(0, count, 1, partition_count)


def _count_blocks(simulation: Simulation) -> int:
    return math.ceil(simulation.parameters.users / _LISTENERS_PER_BLOCK)


def _to_spark_schema(schema: pa.Schema) -> StructType:
    return from_arrow_schema(schema)


def _to_epoch_ms(timestamp: datetime) -> int:
    return round(timestamp.timestamp() * 1000)
