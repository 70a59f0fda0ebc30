"""Listeners and what they do, as Spark frames of the contracts, made in parallel and in bulk.

Workers make rows of small numbers by chunks of listeners and days; Spark looks up what the numbers mean and writes Avro
by itself. Where a chunk begins changes nothing in what is made.
"""

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

import numpy as np
import pyarrow as pa
from fsspec.core import url_to_fs
from pyspark.sql import DataFrame, Observation, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import from_arrow_schema
from pyspark.sql.types import StructType

from etl.schemas.avro import contract
from etl.simulate.listeners import activities, personalities, profiles, records
from etl.simulate.listeners.activities import DISORDER, DUPLICATE, FIRST_BROKEN, LATE, NUMBERS
from etl.simulate.listeners.chance import Integers, key_of
from etl.simulate.listeners.library import Library
from etl.simulate.listeners.parameters import DIRT_KINDS, Parameters
from etl.simulate.listeners.people import People, people
from etl.simulate.listeners.sessions import DAY_MS
from etl.simulate.listeners.timeline import HOUR_MS

_ROWS_A_CHUNK = 60_000
_ROWS_A_LISTENER_AND_DAY = 12
_LONGEST_CHUNK_DAYS = 64
_LISTENERS_A_BLOCK = 10_000
_PARTITIONS_A_CORE = 2
_DAY = "at div 86400000"

UNKNOWN_TRACKS = 500
"""How many tracks that no catalogue holds there are to choose from, where dirt asks for them."""

SPARK_OPTIONS = {"spark.sql.execution.arrow.maxRecordsPerBatch": "100000"}
"""What a session that makes a feed is started with."""


@dataclass(frozen=True)
class Written:
    """What was written: all records, and how many of them are wrong on purpose, by kind."""

    records: int
    dirt: dict[str, int]


@dataclass(frozen=True)
class Simulation:
    """A simulation as workers need it: parameters and sorted catalogue."""

    parameters: Parameters
    library: Library
    cut: tuple[int, int] | None = None
    """Time and code of the last row, where a number of records ends the feed."""

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
        # From 14:00 UTC of the day before, where clocks are 14 h ahead, to 16:00 of the day after: 12 h behind.
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


def within_records(spark: SparkSession, simulation: Simulation) -> Simulation:
    """The simulation, ended where it has made the wanted number of records; unchanged where none is wanted."""
    wanted = simulation.parameters.records
    if wanted is None:
        return simulation
    rows = numbers(spark, simulation).where(F.col("dirt") != DUPLICATE)
    for day in sorted(rows.groupBy(F.expr(_DAY).alias("day")).count().collect()):
        if day["count"] >= wanted:
            of_day = rows.where(F.expr(_DAY) == day["day"]).select("at", "code").orderBy("at", "code").limit(wanted)
            last = of_day.orderBy(F.desc("at"), F.desc("code")).take(1)
            return replace(simulation, cut=(last[0]["at"], last[0]["code"]))
        wanted -= day["count"]
    return simulation


def write_events(spark: SparkSession, simulation: Simulation, words: records.Words, url: str) -> Written:
    """Write the records of UserActivity into a folder; late ones into files that come after the others.

    :returns: what was written, counted on the way.
    """
    rows = _cut(numbers(spark, simulation), simulation)
    counted = _write_counted(rows.where(F.col("dirt") != LATE), simulation, words, url, "overwrite")
    if simulation.parameters.dirt.late:
        late = _write_counted(rows.where(F.col("dirt") == LATE), simulation, words, f"{url}/late", "overwrite")
        _move_behind(url)
        counted = {name: count + late[name] for name, count in counted.items()}
    return Written(counted.pop("records"), {kind: counted[kind] for kind in DIRT_KINDS})


def _write_counted(
    rows: DataFrame, simulation: Simulation, words: records.Words, url: str, mode: str
) -> dict[str, int]:
    found = Observation()
    kinds = {"duplicate": DUPLICATE, "late": LATE, "disorder": DISORDER}
    is_unknown = F.col("track") >= simulation.library.known_tracks
    counts = {
        **{kind: F.count_if(F.col("dirt") == value) for kind, value in kinds.items()},
        "unknown_track": F.count_if(is_unknown),
        "broken": F.count_if(F.col("dirt") >= FIRST_BROKEN),
    }
    observed = rows.observe(found, F.count(F.lit(1)).alias("records"), *(c.alias(name) for name, c in counts.items()))
    version = simulation.parameters.schema_version
    write(records.user_activity(observed, simulation.population, words, version), f"user_activity_{version}", url, mode)
    return {name: int(count) for name, count in found.get.items()}


def _move_behind(url: str) -> None:
    """Move the files of the folder ``late`` up, under names that come after those of Spark's own files."""
    files, path = url_to_fs(url)
    for number, one in enumerate(sorted(files.glob(f"{path}/late/*.avro"))):
        files.mv(one, f"{path}/part-late-{number:05d}.avro")
    files.rm(f"{path}/late", recursive=True)


def _cut(rows: DataFrame, simulation: Simulation) -> DataFrame:
    if simulation.cut is None:
        return rows
    at, code = simulation.cut
    return rows.where((F.col("at") < at) | ((F.col("at") == at) & (F.col("code") <= code)))


def write(frame: DataFrame, contract_name: str, url: str, mode: str = "overwrite") -> None:
    """Write records as Avro files of a contract into a folder."""
    writer = frame.write.format("avro").option("avroSchema", json.dumps(contract(contract_name)))
    writer.mode(mode).save(url)


def _dealt(spark: SparkSession, count: int, partitions: int | None = None) -> DataFrame:
    chosen = partitions or min(count, spark.sparkContext.defaultParallelism * _PARTITIONS_A_CORE)
    return spark.range(0, count, 1, chosen)


def _blocks(simulation: Simulation) -> int:
    return math.ceil(simulation.parameters.users / _LISTENERS_A_BLOCK)


def _schema(schema: pa.Schema) -> StructType:
    return from_arrow_schema(schema)


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
