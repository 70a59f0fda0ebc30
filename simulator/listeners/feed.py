"""Listeners and their events as Spark frames of the contracts, generated in parallel and in bulk.

Workers generate rows of small numbers by chunks of listeners and days. Spark joins the words that the numbers stand
for and writes Avro itself. The limits of the chunks do not affect the records.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
from fsspec.core import url_to_fs
from pyspark.sql import Column, DataFrame, Observation, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import from_arrow_schema
from pyspark.sql.types import StructType

from etl.formats.contracts.avro import write_avro
from simulator.listeners import activity_records, anomalies, profiles
from simulator.listeners.activities import ACTIVITY_SCHEMA, DUPLICATE, FIRST_BROKEN, LATE, OUT_OF_ORDER
from simulator.listeners.parameters import INJECTED_ERROR_KINDS
from simulator.listeners.simulation import HOLIDAY_SCHEMA, LISTENERS_PER_BLOCK, OUTAGE_SCHEMA, Simulation

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


def make_truth_tables(simulation: Simulation) -> dict[str, pa.Table]:
    """Return the truth about a simulation's listeners: their traits, anomalous episodes, outages and holidays.

    :returns: rows by table of the schema simulation.
    """
    blocks = pa.record_batch({"block": pa.array(range(_count_blocks(simulation)), pa.int64())})
    return {
        "listener": pa.Table.from_batches(simulation.make_truth_batches([blocks]), profiles.TRUTH_SCHEMA),
        "anomaly_episode": pa.Table.from_batches(simulation.make_episode_batches([blocks]), anomalies.EPISODE_SCHEMA),
        "outage": _to_table(simulation.list_outages(), OUTAGE_SCHEMA),
        "holiday": _to_table(simulation.list_holidays(), HOLIDAY_SCHEMA),
    }


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
    return math.ceil(simulation.parameters.users / LISTENERS_PER_BLOCK)


def _to_table(rows: Sequence[tuple[object, ...]], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in rows], schema)


def _to_spark_schema(schema: pa.Schema) -> StructType:
    return from_arrow_schema(schema)
