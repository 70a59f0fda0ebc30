"""Staging of the frames of a load, in parallel, by COPY from Spark's executors."""

import logging
import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame
from pyspark.sql.pandas.types import to_arrow_schema
from sqlalchemy import Connection, text

from etl.database import clear_staging, explain_sqlstate, libpq_url
from etl.database.run_records import Run
from etl.formats.contracts import STAGED
from etl.load.staging_copy import RESULT_SCHEMA, CopyError, CopyTarget

log = logging.getLogger(__name__)

_FRAMES_AT_ONCE = 2
_COPY_ERROR = re.compile(r"COPY into (?P<table>\S+): (?P<message>.*?) \[SQLSTATE (?P<code>\w*)\]", re.DOTALL)


@dataclass(frozen=True)
class StagingWriter:
    """Writes chunks into the staging tables of one load; it can be sent to other processes."""

    url: str = field(repr=False)
    load_id: str

    def write_chunk(self, table: str, chunk_number: int, batches: Iterable[pa.RecordBatch]) -> int:
        """Write a chunk of a table exactly once, however often it is tried.

        :param chunk_number: the number of the chunk among all chunks of the table.
        :param batches: with the columns of the table.
        :returns: the number of rows.
        :raises EtlError: if PostgreSQL rejects them, as ``connection.explain_sqlstate`` decides.
        """
        target = CopyTarget(libpq_url(self.url), self.load_id, table, tuple(STAGED[table].fieldNames()))
        try:
            return sum(result["row_count"][0].as_py() for result in target.write_partition(batches, chunk_number))
        except CopyError as error:
            _raise_explained(error, self.url)
            raise

    def write_events(self, chunk_number: int, events: Mapping[str, Iterable[pa.RecordBatch]]) -> int:
        """Write a chunk of events, then their counts into ``staging.arrival``.

        :param events: rows of the fact tables, by table.
        :returns: the number of rows.
        :raises EtlError: as ``write_chunk`` does.
        """
        arrivals = []
        for table, batches in events.items():
            event_table = pa.Table.from_batches(batches, to_arrow_schema(STAGED[table]))
            self.write_chunk(table, chunk_number, event_table.to_batches())
            arrivals.append(_count_arrivals(table, event_table))
        arrival_table = pa.concat_tables(arrivals)
        self.write_chunk("arrival", chunk_number, arrival_table.to_batches())
        return int(pc.sum(arrival_table["row_count"]).as_py() or 0)


def prepare_load(connection: Connection, load_id: str, run: Run, tables: list[str]) -> None:
    """Clear staging of leftovers and register a load; commits."""
    connection.execute(text("set local lock_timeout = '60s'"))
    clear_staging(connection)
    connection.execute(
        text("""
            insert into staging.load (load_id, run_id, reference_date, table_names, has_changes_only)
            values (:load_id, :run_id, :reference_date, :table_names, :has_changes_only)
        """),
        {
            "load_id": load_id,
            "run_id": run.run_id,
            "reference_date": run.reference_date,
            "table_names": tables,
            "has_changes_only": run.updated_state_id is not None,
        },
    )
    connection.commit()


def stage_frames(frames: Mapping[str, DataFrame | pa.Table], load_id: str, url: str) -> dict[str, int]:
    """Write frames into the staging tables of their names: Spark frames from executors, Arrow tables from this process.

    :param load_id: as given to ``prepare_load``.
    :returns: rows by table.
    :raises EtlError: if PostgreSQL rejects them, as ``connection.explain_sqlstate`` decides.
    """
    # The largest frame first: the small ones then use the cores that its last partitions leave idle.
    names = sorted(frames, key=list(STAGED).index)
    with ThreadPoolExecutor(_FRAMES_AT_ONCE) as pool:
        futures = {name: pool.submit(_stage_frame, name, frames[name], load_id, url) for name in names}
        try:
            return {name: future.result() for name, future in futures.items()}
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def update_statistics(connection: Connection, tables: list[str]) -> None:
    """Update the planner's statistics of staging tables; commits."""
    for table in tables:
        connection.execute(text(f"analyze staging.{table}"))
    connection.commit()


def _stage_frame(table: str, frame: DataFrame | pa.Table, load_id: str, url: str) -> int:
    columns = tuple(STAGED[table].fieldNames())
    if isinstance(frame, pa.Table):
        return StagingWriter(url, load_id).write_chunk(table, 0, frame.select(columns).to_batches())
    _require_columns(table, frame)
    target = CopyTarget(libpq_url(url), load_id, table, columns)
    try:
        copy_results = frame.select(*columns).mapInArrow(target.write_partition, RESULT_SCHEMA).collect()
    except PySparkException as error:
        _raise_explained(error, url)
        raise
    row_count: int = sum(copy_result["row_count"] for copy_result in copy_results)
    log.info("staging.%s: %d rows in %d partitions.", table, row_count, len(copy_results))
    return row_count


def _count_arrivals(table: str, events: pa.Table) -> pa.Table:
    """Return the rows of ``staging.arrival`` for staged events."""
    counts = events.group_by(["input_key", "source", "utc_date_key"]).aggregate(
        [([], "count_all"), ("event_time", "min"), ("event_time", "max")]
    )
    names = {"count_all": "row_count", "event_time_min": "first_event_time", "event_time_max": "last_event_time"}
    table_names = pa.array([table] * len(counts), pa.string())
    return counts.rename_columns(names).add_column(0, "table_name", table_names)


def _raise_explained(error: Exception, url: str) -> None:
    """Raise an error with a remedy for a failed COPY, if there is one."""
    match = _COPY_ERROR.search(str(error))
    explanation = match and explain_sqlstate(match["code"].replace("None", ""), match["message"], url)
    if explanation:
        raise explanation from error


def _require_columns(table: str, frame: DataFrame) -> None:
    actual_columns = {field.name: field.dataType.simpleString() for field in frame.schema}
    expected_columns = {field.name: field.dataType.simpleString() for field in STAGED[table]}
    if actual_columns != expected_columns:
        differences = sorted(set(actual_columns.items()) ^ set(expected_columns.items()))
        raise TypeError(f"The frame {table} has not the columns of contracts.STAGED: {differences}")
