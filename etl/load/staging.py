"""All frames of a load into staging, in parallel, by COPY from Spark's executors."""

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

from etl.load.copy import RESULT, CopyError, Target
from etl.load.run import Run
from etl.schemas import STAGED
from etl.warehouse import empty_staging, explained_code, libpq_url

log = logging.getLogger(__name__)

_FRAMES_AT_ONCE = 2
_CODE = re.compile(r"COPY into (?P<table>\S+): (?P<message>.*?) \[SQLSTATE (?P<code>\w*)\]", re.DOTALL)


@dataclass(frozen=True)
class Staging:
    """The staging tables of one load, as a part of its work sees them."""

    url: str = field(repr=False)
    load_id: str

    def write(self, table: str, part: int, batches: Iterable[pa.RecordBatch]) -> int:
        """Write a part of a frame, once however often it is tried.

        :param batches: columns of the table.
        :param part: the number of the part among all of the table's.
        :returns: the number of rows.
        :raises EtlError: where PostgreSQL refuses, as ``warehouse.explained_code`` says.
        """
        target = Target(libpq_url(self.url), self.load_id, table, tuple(STAGED[table].fieldNames()))
        try:
            return sum(answer["row_count"][0].as_py() for answer in target.write(batches, part))
        except CopyError as error:
            _explain(error, self.url)
            raise

    def write_events(self, part: int, events: Mapping[str, Iterable[pa.RecordBatch]]) -> int:
        """Write a part of the events; once they are there, how many there are, into ``staging.arrival``.

        :param events: rows of the fact tables, by table.
        :returns: the number of rows.
        :raises EtlError: as ``write`` does.
        """
        arrivals = []
        for table, batches in events.items():
            rows = pa.Table.from_batches(batches, to_arrow_schema(STAGED[table]))
            self.write(table, part, rows.to_batches())
            arrivals.append(_arrival(table, rows))
        arrived = pa.concat_tables(arrivals)
        self.write("arrival", part, arrived.to_batches())
        return int(pc.sum(arrived["row_count"]).as_py() or 0)


def begin(connection: Connection, load_id: str, run: Run, tables: list[str]) -> None:
    """Make staging ready for a load, whatever an earlier one left; commits."""
    connection.execute(text("set local lock_timeout = '60s'"))
    empty_staging(connection)
    connection.execute(
        text("insert into staging.load values (:load_id, :run_id, :reference_date, :table_names)"),
        {"load_id": load_id, "run_id": run.run_id, "reference_date": run.reference_date, "table_names": tables},
    )
    connection.commit()


def stage(frames: Mapping[str, DataFrame | pa.Table], load_id: str, url: str) -> dict[str, int]:
    """Write frames into the staging tables of their names; of Spark its executors do, of Arrow this process.

    :param load_id: the load that ``begin`` began.
    :returns: rows by table.
    :raises EtlError: where PostgreSQL refuses, as ``warehouse.explained_code`` says.
    """
    # The largest first: the small ones then fill the cores that its last partitions leave.
    names = sorted(frames, key=list(STAGED).index)
    with ThreadPoolExecutor(_FRAMES_AT_ONCE) as pool:
        futures = {name: pool.submit(_stage_frame, name, frames[name], load_id, url) for name in names}
        try:
            return {name: future.result() for name, future in futures.items()}
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def analyse(connection: Connection, tables: list[str]) -> None:
    """Tell the planner what staging holds; commits."""
    for table in tables:
        connection.execute(text(f"analyze staging.{table}"))
    connection.commit()


def _stage_frame(table: str, frame: DataFrame | pa.Table, load_id: str, url: str) -> int:
    columns = tuple(STAGED[table].fieldNames())
    if isinstance(frame, pa.Table):
        return Staging(url, load_id).write(table, 0, frame.select(columns).to_batches())
    _require_columns(table, frame)
    target = Target(libpq_url(url), load_id, table, columns)
    try:
        parts = frame.select(*columns).mapInArrow(target.write, RESULT).collect()
    except PySparkException as error:
        _explain(error, url)
        raise
    row_count: int = sum(part["row_count"] for part in parts)
    log.info("staging.%s: %d rows in %d parts.", table, row_count, len(parts))
    return row_count


def _arrival(table: str, events: pa.Table) -> pa.Table:
    """Rows of ``staging.arrival`` for staged events."""
    counted = events.group_by(["input_key", "source", "utc_date_key"]).aggregate(
        [([], "count_all"), ("event_time", "min"), ("event_time", "max")]
    )
    names = {"count_all": "row_count", "event_time_min": "first_event_time", "event_time_max": "last_event_time"}
    of_table = pa.array([table] * len(counted), pa.string())
    return counted.rename_columns(names).add_column(0, "table_name", of_table)


def _explain(error: Exception, url: str) -> None:
    """Raise what to do about a COPY that failed, where it is known."""
    found = _CODE.search(str(error))
    explanation = found and explained_code(found["code"].replace("None", ""), found["message"], url)
    if explanation:
        raise explanation from error


def _require_columns(table: str, frame: DataFrame) -> None:
    given = {field.name: field.dataType.simpleString() for field in frame.schema}
    wanted = {field.name: field.dataType.simpleString() for field in STAGED[table]}
    if given != wanted:
        wrong = sorted(set(given.items()) ^ set(wanted.items()))
        raise TypeError(f"The frame {table} is not as schemas.STAGED says: {wrong}")
