"""The load of a feed beside a Polars script that does part of it, and beside COPY; a day's load on a large star.

    python -m benchmarks.events [--users N] [--hours H] [--only whole copy delta] [--history N]
        [--grown-by days users]

``whole``: feed files to published star, beside a script with Polars and COPY, which does some of the work more slowly
and some not at all (benchmarks/_events_by_polars.py lists both). ``copy``: the load's step on rows that have their keys
(laid ready in Arrow files) to published partitions, beside COPY of the same rows, as binary files sorted by time, into
a bare table, then the same indexes and constraints; COPY checks and counts nothing, but waits for the disk. ``delta``:
the next day of a feed into a star with ``--history`` events, grown by days (before it), then by users (on the day
before it, in the same month), beside a million grown by days. All are single: ours runs first in the first two, the
small star in the third, with cold caches.
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
from sqlalchemy import text

from benchmarks._events_by_polars import load_by_polars
from benchmarks.feed import made_up_tracks
from etl import arrow_files
from etl.avro.files import count_records
from etl.config import Settings, settings
from etl.jobs import events
from etl.lake import Lake, Received
from etl.load.events import EventLoad
from etl.load.migrate import migrate
from etl.load.partitions import Month
from etl.load.staging import Staging
from etl.simulate.listeners import feed, library, records
from etl.simulate.listeners.parameters import Parameters
from etl.spark import session
from etl.warehouse import connect, engine, rows
from launch import postgres
from launch.jars import lend_jars

_START = datetime(2026, 9, 1, tzinfo=UTC)
_MILLION = 1_000_000


class Place:
    """A lake, and a server with one database for each side."""

    def __init__(self, folder: Path, server: postgres.Server) -> None:
        self.folder, self.server = folder, server
        self.lake = Lake((folder / "lake").as_uri())

    def settings(self, url: str) -> Settings:
        return settings({**os.environ, "STATE_DIR": str(self.folder), "WAREHOUSE_URL": url})

    @contextmanager
    def warehouse(self, name: str) -> Iterator[str]:
        """A migrated warehouse with the catalogue that the feed was made from, gone afterwards."""
        self._as_superuser(f"create database {name} owner loader")
        url = self.server.url("loader", name)
        migrate(url)
        _fill(url, made_up_tracks())
        yield url
        self._as_superuser(f"drop database {name} with (force)")

    def _as_superuser(self, statement: str) -> None:
        place = engine(self.server.url("postgres", "postgres")).execution_options(isolation_level="AUTOCOMMIT")
        with place.connect() as connection:
            connection.execute(text(statement))

    def make_feed(self, input_id: str, users: int, start: datetime, hours: int) -> Received:
        """A feed of version 2 in the lake."""
        tracks = made_up_tracks()
        known = library.library(tracks, pd.DataFrame({"playlist": [], "track": []}, dtype="int64"))
        made = feed.Simulation(Parameters(users, start, start + timedelta(hours=hours)), known)
        url = f"{self.lake.url}/feed/{input_id}"
        with session(self.settings("postgresql://unused@127.0.0.1/none"), "feed", feed.SPARK_OPTIONS) as spark:
            feed.write_events(spark, made, records.words(spark, tracks, []), url)
        return self._note(input_id, url)

    def _note(self, input_id: str, url: str) -> Received:
        note = Received(
            input_id, "feed", input_id, "user_activity", "avro", "", (), 0, 0, "2026-11-21T00:00:00+00:00", url
        )
        return self.lake.note(replace(note, row_count=count_records(self.lake._files, url)))


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
    lend_jars(folder)
    server = postgres.start(folder)
    try:
        place = Place(folder, server)
        if {"whole", "copy"} & set(options.only):
            size = place.make_feed("whole", options.users, _START, options.hours).row_count
            print(f"a feed of {options.users:,} users, {options.hours} hours: {size:,} events")
            if "whole" in options.only:
                _whole(place, size)
            if "copy" in options.only:
                _copy(place, size)
        if "delta" in options.only:
            _delta(place, options.users, options.history, options.grown_by)
    finally:
        postgres.remove(folder)
        shutil.rmtree(folder, ignore_errors=True)


def _whole(place: Place, size: int) -> None:
    with place.warehouse("ours") as url, place.warehouse("theirs") as other_url:
        ours = _seconds(lambda: _load(place, url, "r"))
        theirs = _seconds(
            lambda: load_by_polars(sorted(Path(place.folder / "lake/feed/whole").glob("*.avro")), other_url)
        )
        counts = [_size(one) for one in (url, other_url)]
    print(
        f"{size:,} events, feed files to published star: ours {size / ours:,.0f}/s ({ours:.0f} s), "
        f"a script with Polars and COPY that does part of it {size / theirs:,.0f}/s ({theirs:.0f} s), "
        f"ratio {theirs / ours:.2f} goal >= 1.0, single, ours first; "
        f"events in the star {counts[0]:,} and {counts[1]:,}"
    )


def _copy(place: Place, size: int) -> None:
    with place.warehouse("ready") as url:
        with _timed_step(place.folder / "ready") as taken:
            _load(place, url, "r")
        bare = _copy_alone(url)
    step = sum(taken)
    print(
        f"load step of {size:,} rows with keys {size / step:,.0f}/s, COPY into a bare table, indexes, constraints "
        f"{size / bare:,.0f}/s, ratio {bare / step:.2f} goal >= 0.9, single, ours first"
    )


def _delta(place: Place, users: int, history: int, grown_by: list[str]) -> None:
    place.make_feed("first", users, _START, 24)
    place.make_feed("second", users, _START + timedelta(days=1), 24)
    little = _seconds_of_next_day(place, _MILLION, by_days=True)
    for name in grown_by:
        much = _seconds_of_next_day(place, history, by_days=name == "days")
        print(
            f"a day's feed with {history:,} events loaded, grown by {name}, beside {_MILLION:,}, which ran first "
            f"and cold: {much:.1f} s to {little:.1f} s, ratio {much / little:.2f} goal <= 1.2, single",
            flush=True,
        )


def _seconds_of_next_day(place: Place, history: int, by_days: bool) -> float:
    with place.warehouse("grown") as url:
        _load(place, url, "first", "first")
        _grow(url, history, by_days)
        return _seconds(lambda: _load(place, url, "second", "second"))


def _load(place: Place, url: str, run_id: str, name: str | None = None) -> None:
    """Load what the lake holds; of ``name`` alone, where one is given."""
    chosen = place.settings(url)
    if name:
        _mark_known(url, [one.input_id for one in place.lake.inputs(["feed"]) if one.input_id != name])
    events.plan_events(run_id, chosen)
    events.load_events(run_id, date(2026, 11, 21), chosen)


def _mark_known(url: str, input_ids: list[str]) -> None:
    """Let no load take these inputs; those that were marked before may be taken again."""
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


def _grow(url: str, size: int, by_days: bool) -> None:
    """Copy the loaded day, to earlier days or to further users, until there are ``size`` events more."""
    with connect(url) as connection:
        day = int(str(rows(connection, "select count(*) as n from warehouse.fact_event")[0]["n"]))
    copies: dict[Month, list[int]] = {}
    for number in range(1, -(-size // day) + 1):
        first = (_START - timedelta(days=number if by_days else 0)).date().replace(day=1)
        copies.setdefault(Month("fact_event", first), []).append(number)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda month: _grow_month(url, month, copies[month], by_days), copies))
    with connect(url) as connection:
        connection.execute(text("analyze warehouse.fact_event"))


def _grow_month(url: str, month: Month, numbers: list[int], by_days: bool) -> None:
    """Fill a month aside with copies of the loaded day, and with itself where that is its own; then attach it.

    Attached aside, it wakes no trigger: what grows is history, of which nothing is to be followed.
    """
    first, last = month.bounds
    with connect(url) as connection:
        connection.execute(text("set local maintenance_work_mem = '1GB'"))
        name, aside = f"warehouse.{month.name}", f"staging.{month.name}"
        is_own = bool(rows(connection, "select to_regclass(:name) is not null as it", name=name)[0]["it"])
        connection.execute(text(f"create table {aside} (like warehouse.fact_event including constraints)"))
        columns = ", ".join(
            str(row["name"])
            for row in rows(
                connection,
                "select column_name as name from information_schema.columns where table_schema = 'warehouse'"
                " and table_name = 'fact_event' and column_name not in ('event_id', 'event_time', 'user_key')"
                " order by ordinal_position",
            )
        )
        if is_own:
            connection.execute(text(f"insert into {aside} select * from {name}"))  # noqa: S608
        for number in numbers:
            shift = f"interval '{number} days'" if by_days else "interval '0'"
            user = "user_key" if by_days else f"user_key + {number * _MILLION}"
            connection.execute(
                text(
                    f"insert into {aside} (event_id, event_time, user_key, {columns})"  # noqa: S608
                    f" select (lpad(to_hex((extract(epoch from e.event_time - {shift}) * 1000)::bigint), 12, '0')"
                    f" || substr(md5(e.event_id::text || {number}), 1, 20))::uuid, e.event_time - {shift}, {user},"
                    f" {columns} from warehouse.fact_event as e where event_time >= :start and event_time < :end"
                ),
                {"start": _START, "end": _START + timedelta(days=1)},
            )
        if is_own:
            connection.execute(text(f"drop table {name}"))
        connection.execute(text(f"alter table {aside} set schema warehouse"))
        connection.execute(
            text(f"alter table warehouse.fact_event attach partition {name} for values from ('{first}') to ('{last}')")
        )


def _copy_alone(url: str) -> float:
    """Seconds of COPY into a bare table by as many connections as cores, then what a partition has."""
    with connect(url) as connection, tempfile.TemporaryDirectory() as folder:
        months = [str(row["name"]) for row in rows(connection, _MONTHS)]
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

        def copy(file: Path) -> None:
            with connect(url) as own, file.open("rb") as source:
                own.connection.cursor().copy_expert("copy staging.bare from stdin (format binary)", source, 1 << 20)

        def run(statement: str) -> None:
            with connect(url) as own:
                own.execute(text("set local maintenance_work_mem = '512MB'"))
                own.execute(text(statement))

        started = time.monotonic()
        with ThreadPoolExecutor(len(files)) as pool:
            list(pool.map(copy, files))
            list(pool.map(run, _INDEXES))
        run("alter table staging.bare add primary key using index bare_pkey, add check (event_time >= '2000-01-01')")
        return time.monotonic() - started


_MONTHS = "select relname as name from pg_class where relname ~ '^fact_event_[0-9_]+$' and relkind = 'r' order by 1"
_INDEXES = (
    "create unique index bare_pkey on staging.bare (event_id, event_time)",
    "create index bare_user on staging.bare (user_key, event_time)",
    "create index bare_time on staging.bare using brin (event_time)",
)


@contextmanager
def _timed_step(folder: Path) -> Iterator[list[float]]:
    """Seconds of the step of a load meanwhile, its rows laid ready in ``folder`` before."""
    taken: list[float] = []
    stage_events, publish_events = EventLoad.stage_events, EventLoad.publish_events

    def stage(load: EventLoad, write_all: Callable[[], object], first_days: dict[str, list[date]]) -> list[Month]:
        laid: list[tuple[int, dict[str, str]]] = []

        def lay(_: Staging, part: int, events: Mapping[str, Iterable[pa.RecordBatch]]) -> int:
            made = {table: list(batches) for table, batches in events.items()}
            urls = {table: f"{folder.as_uri()}/{table}-{part}.arrow" for table, rows in made.items() if rows}
            for table, url in urls.items():
                arrow_files.write(url, pa.Table.from_batches(made[table]))
            laid.append((part, urls))
            return 0

        def write(one: tuple[int, dict[str, str]]) -> int:
            part, urls = one
            return load.staging.write_events(part, {t: arrow_files.read(url).to_batches() for t, url in urls.items()})

        with patch.object(Staging, "write_events", lay):
            write_all()
        started = time.monotonic()
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            months = stage_events(load, lambda: list(pool.map(write, laid)), first_days)
        taken.append(time.monotonic() - started)
        return months

    def publish(load: EventLoad, *arguments: Any) -> dict[str, int]:
        started = time.monotonic()
        written = publish_events(load, *arguments)
        taken.append(time.monotonic() - started)
        return written

    with patch.object(EventLoad, "stage_events", stage), patch.object(EventLoad, "publish_events", publish):
        yield taken


def _seconds(work: "object") -> float:
    started = time.monotonic()
    work()  # type: ignore[operator]
    return time.monotonic() - started


def _size(url: str) -> int:
    with connect(url) as connection:
        return int(str(rows(connection, "select count(*) as n from warehouse.fact_event")[0]["n"]))


def _fill(url: str, tracks: pd.DataFrame) -> None:
    """The catalogue's tracks and artists as the star has them."""
    artists = sorted(set(tracks["artist_id"]))
    numbers = {id_: number for number, id_ in enumerate(artists, 1)}
    with connect(url) as connection:
        raw = connection.connection.cursor()
        for name, lines in {
            "warehouse.dim_artist (artist_key, artist_id, name, source)": (
                f"{number}\t{id_}\t{id_}\tmade_up" for id_, number in numbers.items()
            ),
            "warehouse.dim_track (track_key, recording_key, album_key, track_id, name, source)": (
                f"{n}\t{n}\t-1\t{row.track_id}\t{row.name}\tmade_up"
                for n, row in enumerate(tracks.itertuples(index=False), 1)
            ),
            "warehouse.track_alias": (f"spotify_id\t{id_}\t{n}\tid\t1" for n, id_ in enumerate(tracks["track_id"], 1)),
            "warehouse.bridge_track_artist": (
                f"{n}\t{numbers[id_]}\t1" for n, id_ in enumerate(tracks["artist_id"], 1)
            ),
        }.items():
            raw.copy_expert(f"copy {name} from stdin", StringIO("\n".join(lines) + "\n"))
        connection.execute(text("analyze"))


if __name__ == "__main__":
    main()
