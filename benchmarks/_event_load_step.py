"""The load's step from rows with keys to published partitions, beside COPY of the same rows into a bare table."""

import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pyarrow as pa
from sqlalchemy import text

from etl.database import connect, fetch_rows
from etl.load.event_load import EventLoad
from etl.load.partitions import Month
from etl.load.staging import StagingWriter
from etl.storage import arrow_files


def time_bare_copy(url: str) -> float:
    """Return the seconds of COPY into a bare table by one connection a core, then of its indexes and constraints."""
    with connect(url) as connection, tempfile.TemporaryDirectory() as folder:
        months = [str(row["name"]) for row in fetch_rows(connection, _MONTHS_QUERY)]
        (month,) = months[-1:]
        files = [Path(folder) / f"{number}.bin" for number in range(os.cpu_count() or 1)]
        raw = connection.connection.cursor()
        for number, file in enumerate(files):
            with file.open("wb") as target:
                raw.copy_expert(
                    "copy (select * from warehouse.fact_event"  # noqa: S608
                    f" where abs(hashtext(event_id::text)) % {len(files)} = {number}"
                    " order by event_time) to stdout (format binary)",
                    target,
                    1 << 20,
                )
        connection.execute(text(f"create table staging.bare (like warehouse.{month} including constraints)"))
        connection.connection.commit()

        def copy_file(file: Path) -> None:
            with connect(url) as copy_connection, file.open("rb") as source:
                copy_connection.connection.cursor().copy_expert(
                    "copy staging.bare from stdin (format binary)", source, 1 << 20
                )

        def run_statement(statement: str) -> None:
            with connect(url) as statement_connection:
                statement_connection.execute(text("set local maintenance_work_mem = '512MB'"))
                statement_connection.execute(text(statement))

        started = time.monotonic()
        with ThreadPoolExecutor(len(files)) as pool:
            list(pool.map(copy_file, files))
            list(pool.map(run_statement, _INDEX_STATEMENTS))
        run_statement(
            "alter table staging.bare add primary key using index bare_pkey, add check (event_time >= '2000-01-01')"
        )
        seconds = time.monotonic() - started
        run_statement("drop table staging.bare")
        return seconds


_MONTHS_QUERY = (
    "select relname as name from pg_class where relname ~ '^fact_event_[0-9_]+$' and relkind = 'r' order by 1"
)
_INDEX_STATEMENTS = (
    "create unique index bare_pkey on staging.bare (event_id, event_time)",
    "create index bare_user on staging.bare (user_key, event_time)",
    "create index bare_time on staging.bare using brin (event_time)",
)


@contextmanager
def time_load_step(folder: Path) -> Iterator[list[float]]:
    """Open a measurement of the load's step, in seconds; the rows of the step are ready in ``folder``."""
    step_seconds: list[float] = []
    stage_events, publish_events = EventLoad.stage_events, EventLoad.publish_events

    def stage_timed(load: EventLoad, write_all: Callable[[], object], first_days: dict[str, list[date]]) -> list[Month]:
        prepared: list[tuple[int, dict[str, str]]] = []

        def write_prepared(_: StagingWriter, chunk: int, events: Mapping[str, Iterable[pa.RecordBatch]]) -> int:
            batches_by_table = {table: list(batches) for table, batches in events.items()}
            urls = {
                table: f"{folder.as_uri()}/{table}-{chunk}.arrow" for table, rows in batches_by_table.items() if rows
            }
            for table, url in urls.items():
                arrow_files.write_table(url, pa.Table.from_batches(batches_by_table[table]))
            prepared.append((chunk, urls))
            return 0

        def stage_prepared(prepared_chunk: tuple[int, dict[str, str]]) -> int:
            chunk, urls = prepared_chunk
            return load.staging_writer.write_events(
                chunk, {table: arrow_files.read_table(url).to_batches() for table, url in urls.items()}
            )

        with patch.object(StagingWriter, "write_events", write_prepared):
            write_all()
        started = time.monotonic()
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            months = stage_events(load, lambda: list(pool.map(stage_prepared, prepared)), first_days)
        step_seconds.append(time.monotonic() - started)
        return months

    def publish_timed(load: EventLoad, *arguments: Any) -> dict[str, int]:
        started = time.monotonic()
        written = publish_events(load, *arguments)
        step_seconds.append(time.monotonic() - started)
        return written

    with patch.object(EventLoad, "stage_events", stage_timed), patch.object(EventLoad, "publish_events", publish_timed):
        yield step_seconds
