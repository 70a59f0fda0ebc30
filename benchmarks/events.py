"""The load of a feed beside a Polars script that does part of it, and beside COPY; a day's load on a large star.

    python -m benchmarks.events [--users N] [--hours H] [--only whole copy delta] [--history N]
        [--grown-by days users]

``whole``: feed files to published star, beside a script with Polars and COPY, which does some of the work more slowly
and some not at all (benchmarks/_polars_event_load.py lists both). ``copy``: the load's step from rows with keys (in
Arrow files) to published partitions, beside COPY of the same rows, as binary files sorted by time, into a bare table,
then the same indexes and constraints; COPY checks and counts nothing, but waits for the disk. ``delta``: the next day
of a feed into a star with ``--history`` events, grown by days (before it), then by users (on the day before it, in the
same month), beside a million grown by days. Each measurement is single: the load runs first in the first two, the small
star in the third, with cold caches.
"""

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import version
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pandas as pd
import pyarrow as pa
from fsspec.core import url_to_fs
from sqlalchemy import text

from benchmarks._polars_event_load import load_with_polars
from benchmarks.feed import make_synthetic_tracks
from etl.database import connect, fetch_rows, make_engine
from etl.engines.spark import open_session
from etl.formats.avro.container_files import count_records
from etl.jobs import events
from etl.load.event_load import EventLoad
from etl.load.migrate import migrate_warehouse
from etl.load.partitions import Month
from etl.load.staging import StagingWriter
from etl.settings import Settings, read_settings
from etl.storage import arrow_files
from etl.storage.inputs import ReceivedInput
from etl.storage.lake import Lake
from launch import postgres
from launch.spark_jars import link_jars
from simulator.listeners import activity_records, feed, track_library
from simulator.listeners.parameters import Parameters

_FEED_START = datetime(2026, 9, 1, tzinfo=UTC)
_MILLION = 1_000_000


class LoadEnvironment:
    """A lake, and a server with one database for each side."""

    def __init__(self, folder: Path, server: postgres.Server) -> None:
        self.folder, self.server = folder, server
        self.lake = Lake((folder / "lake").as_uri())

    def make_settings(self, url: str) -> Settings:
        return read_settings({**os.environ, "STATE_DIR": str(self.folder), "WAREHOUSE_URL": url})

    @contextmanager
    def create_warehouse(self, name: str) -> Iterator[str]:
        """Open a migrated warehouse with the feed's catalogue, dropped at the end."""
        self._run_as_superuser(f"create database {name} owner loader")
        url = self.server.build_url("loader", name)
        migrate_warehouse(url)
        _insert_catalogue(url, make_synthetic_tracks())
        yield url
        self._run_as_superuser(f"drop database {name} with (force)")

    def _run_as_superuser(self, statement: str) -> None:
        admin_engine = make_engine(self.server.build_url("postgres", "postgres")).execution_options(
            isolation_level="AUTOCOMMIT"
        )
        with admin_engine.connect() as connection:
            connection.execute(text(statement))

    def make_feed(self, input_id: str, users: int, start: datetime, hours: int) -> ReceivedInput:
        """Write a feed of version 2 into the lake."""
        tracks = make_synthetic_tracks()
        small_library = track_library.build_library(tracks, pd.DataFrame({"playlist": [], "track": []}, dtype="int64"))
        simulation = feed.Simulation(Parameters(users, start, start + timedelta(hours=hours)), small_library)
        url = f"{self.lake.url}/feed/{input_id}"
        with open_session(
            self.make_settings("postgresql://unused@127.0.0.1/none"), "feed", feed.SPARK_OPTIONS
        ) as spark:
            feed.write_events(spark, simulation, activity_records.make_lookup_tables(spark, tracks, []), url)
        return self._write_manifest(input_id, url)

    def _write_manifest(self, input_id: str, url: str) -> ReceivedInput:
        manifest = ReceivedInput(
            input_id, "feed", input_id, "user_activity", "avro", "", (), 0, 0, "2026-11-21T00:00:00+00:00", url
        )
        return self.lake.inputs.store_manifest(replace(manifest, row_count=count_records(url_to_fs(url)[0], url)))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--hours", type=int, default=72)
    parser.add_argument("--only", nargs="+", default=["whole", "copy"], choices=["whole", "copy", "delta"])
    parser.add_argument("--history", type=int, default=20 * _MILLION, help="events that the larger star has before")
    parser.add_argument("--grown-by", nargs="+", default=["days", "users"], choices=["days", "users"])
    options = parser.parse_args()
    versions = ", ".join(
        f"{name} {version(name)}" for name in ("datafusion", "pgpq", "polars", "adbc-driver-postgresql")
    )
    print(f"{versions}, {os.cpu_count()} cores")
    folder = Path(tempfile.mkdtemp())
    link_jars(folder)
    server = postgres.start_server(folder)
    try:
        environment = LoadEnvironment(folder, server)
        if {"whole", "copy"} & set(options.only):
            size = environment.make_feed("whole", options.users, _FEED_START, options.hours).row_count
            print(f"a feed of {options.users:,} users, {options.hours} hours: {size:,} events")
            if "whole" in options.only:
                _measure_whole_load(environment, size)
            if "copy" in options.only:
                _measure_copy(environment, size)
        if "delta" in options.only:
            _measure_delta(environment, options.users, options.history, options.grown_by)
    finally:
        postgres.remove_servers(folder)
        shutil.rmtree(folder, ignore_errors=True)


def _measure_whole_load(environment: LoadEnvironment, size: int) -> None:
    with environment.create_warehouse("ours") as url, environment.create_warehouse("theirs") as other_url:
        ours = _time_call(lambda: _load_events(environment, url, "r"))
        theirs = _time_call(
            lambda: load_with_polars(sorted(Path(environment.folder / "lake/feed/whole").glob("*.avro")), other_url)
        )
        counts = [_count_events(database_url) for database_url in (url, other_url)]
    print(
        f"{size:,} events, feed files to published star: ours {size / ours:,.0f}/s ({ours:.0f} s), "
        f"a script with Polars and COPY that does part of it {size / theirs:,.0f}/s ({theirs:.0f} s), "
        f"ratio {theirs / ours:.2f} goal >= 1.0, single, ours first; "
        f"events in the star {counts[0]:,} and {counts[1]:,}"
    )


def _measure_copy(environment: LoadEnvironment, size: int) -> None:
    with environment.create_warehouse("ready") as url:
        with _time_load_step(environment.folder / "ready") as step_seconds:
            _load_events(environment, url, "r")
        bare_seconds = _time_bare_copy(url)
    step = sum(step_seconds)
    print(
        f"load step of {size:,} rows with keys {size / step:,.0f}/s, COPY into a bare table, indexes, constraints "
        f"{size / bare_seconds:,.0f}/s, ratio {bare_seconds / step:.2f} goal >= 0.9, single, ours first"
    )


def _measure_delta(environment: LoadEnvironment, users: int, history: int, grown_by: list[str]) -> None:
    environment.make_feed("first", users, _FEED_START, 24)
    environment.make_feed("second", users, _FEED_START + timedelta(days=1), 24)
    small_seconds = _time_next_day(environment, _MILLION, by_days=True)
    for name in grown_by:
        large_seconds = _time_next_day(environment, history, by_days=name == "days")
        print(
            f"a day's feed with {history:,} events loaded, grown by {name}, beside {_MILLION:,}, which ran first "
            f"and cold: {large_seconds:.1f} s to {small_seconds:.1f} s, ratio {large_seconds / small_seconds:.2f} "
            "goal <= 1.2, single",
            flush=True,
        )


def _time_next_day(environment: LoadEnvironment, history: int, by_days: bool) -> float:
    with environment.create_warehouse("grown") as url:
        _load_events(environment, url, "first", "first")
        _grow_history(url, history, by_days)
        return _time_call(lambda: _load_events(environment, url, "second", "second"))


def _load_events(environment: LoadEnvironment, url: str, run_id: str, name: str | None = None) -> None:
    """Load the inputs of the lake, or only the input ``name``."""
    load_settings = environment.make_settings(url)
    if name:
        _mark_loaded(
            url,
            [
                received.input_id
                for received in environment.lake.inputs.find_inputs(["feed"])
                if received.input_id != name
            ],
        )
    events.plan_events(run_id, load_settings)
    events.load_events(run_id, date(2026, 11, 21), load_settings)


def _mark_loaded(url: str, input_ids: list[str]) -> None:
    """Mark inputs as loaded, so that no load takes them; inputs that were marked earlier become available."""
    with connect(url) as connection:
        connection.execute(text("delete from audit.run_input where run_id = 'known'"))
        connection.execute(
            text(
                "insert into audit.run (run_id, job, started_at, finished_at, result)"
                " values ('known', 'load_events', now(), now(), 'published') on conflict do nothing"
            )
        )
        connection.execute(
            text(
                "insert into audit.run_input"
                " select 'known', id, 'feed', id, 'user_activity', 0 from unnest(cast(:ids as text[])) as id"
            ),
            {"ids": input_ids},
        )


def _grow_history(url: str, size: int, by_days: bool) -> None:
    """Copy the loaded day to earlier days or to further users, until the star has ``size`` more events."""
    with connect(url) as connection:
        day = int(str(fetch_rows(connection, "select count(*) as n from warehouse.fact_event")[0]["n"]))
    copies: dict[Month, list[int]] = {}
    for number in range(1, -(-size // day) + 1):
        first = (_FEED_START - timedelta(days=number if by_days else 0)).date().replace(day=1)
        copies.setdefault(Month("fact_event", first), []).append(number)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda month: _grow_month(url, month, copies[month], by_days), copies))
    with connect(url) as connection:
        connection.execute(text("analyze warehouse.fact_event"))


def _grow_month(url: str, month: Month, numbers: list[int], by_days: bool) -> None:
    """Fill a month's shadow table with copies of the loaded day, and with the month's own rows; then attach it.

    Attaching a filled table fires no trigger: the copies are history, which the marts must not follow.
    """
    first, last = month.time_bounds
    with connect(url) as connection:
        connection.execute(text("set local maintenance_work_mem = '1GB'"))
        name, shadow_table = f"warehouse.{month.partition_name}", f"staging.{month.partition_name}"
        exists_already = bool(fetch_rows(connection, "select to_regclass(:name) is not null as it", name=name)[0]["it"])
        connection.execute(text(f"create table {shadow_table} (like warehouse.fact_event including constraints)"))
        columns = ", ".join(
            str(row["name"])
            for row in fetch_rows(
                connection,
                "select column_name as name from information_schema.columns where table_schema = 'warehouse'"
                " and table_name = 'fact_event' and column_name not in ('event_id', 'event_time', 'user_key')"
                " order by ordinal_position",
            )
        )
        if exists_already:
            connection.execute(text(f"insert into {shadow_table} select * from {name}"))  # noqa: S608
        for number in numbers:
            shift = f"interval '{number} days'" if by_days else "interval '0'"
            user_expression = "user_key" if by_days else f"user_key + {number * _MILLION}"
            connection.execute(
                text(
                    f"insert into {shadow_table} (event_id, event_time, user_key, {columns})"  # noqa: S608
                    f" select (lpad(to_hex((extract(epoch from e.event_time - {shift}) * 1000)::bigint), 12, '0')"
                    f" || substr(md5(e.event_id::text || {number}), 1, 20))::uuid, e.event_time - {shift},"
                    f" {user_expression}, {columns} from warehouse.fact_event as e"
                    " where event_time >= :start and event_time < :end"
                ),
                {"start": _FEED_START, "end": _FEED_START + timedelta(days=1)},
            )
        if exists_already:
            connection.execute(text(f"drop table {name}"))
        connection.execute(text(f"alter table {shadow_table} set schema warehouse"))
        connection.execute(
            text(f"alter table warehouse.fact_event attach partition {name} for values from ('{first}') to ('{last}')")
        )


def _time_bare_copy(url: str) -> float:
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
        return time.monotonic() - started


_MONTHS_QUERY = (
    "select relname as name from pg_class where relname ~ '^fact_event_[0-9_]+$' and relkind = 'r' order by 1"
)
_INDEX_STATEMENTS = (
    "create unique index bare_pkey on staging.bare (event_id, event_time)",
    "create index bare_user on staging.bare (user_key, event_time)",
    "create index bare_time on staging.bare using brin (event_time)",
)


@contextmanager
def _time_load_step(folder: Path) -> Iterator[list[float]]:
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


def _time_call(work: "object") -> float:
    started = time.monotonic()
    work()  # type: ignore[operator]
    return time.monotonic() - started


def _count_events(url: str) -> int:
    with connect(url) as connection:
        return int(str(fetch_rows(connection, "select count(*) as n from warehouse.fact_event")[0]["n"]))


def _insert_catalogue(url: str, tracks: pd.DataFrame) -> None:
    """Insert the catalogue's tracks and artists as the star stores them."""
    artists = sorted(set(tracks["artist_id"]))
    numbers = {artist_id: number for number, artist_id in enumerate(artists, 1)}
    with connect(url) as connection:
        raw = connection.connection.cursor()
        for name, lines in {
            "warehouse.dim_artist (artist_key, artist_id, name, source)": (
                f"{number}\t{artist_id}\t{artist_id}\tmade_up" for artist_id, number in numbers.items()
            ),
            "warehouse.dim_track (track_key, recording_key, album_key, track_id, name, source)": (
                f"{key}\t{key}\t-1\t{row.track_id}\t{row.name}\tmade_up"
                for key, row in enumerate(tracks.itertuples(index=False), 1)
            ),
            "warehouse.track_alias": (
                f"spotify_id\t{track_id}\t{key}\tid\t1" for key, track_id in enumerate(tracks["track_id"], 1)
            ),
            "warehouse.bridge_track_artist": (
                f"{key}\t{numbers[artist_id]}\t1" for key, artist_id in enumerate(tracks["artist_id"], 1)
            ),
        }.items():
            raw.copy_expert(f"copy {name} from stdin", StringIO("\n".join(lines) + "\n"))
        connection.execute(text("analyze"))


if __name__ == "__main__":
    main()
