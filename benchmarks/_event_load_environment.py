"""A lake with synthetic feeds, and warehouses with their catalogue, for measurements of the load of events."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from pathlib import Path

import pandas as pd
from fsspec.core import url_to_fs
from sqlalchemy import text

from benchmarks._fresh_warehouses import FreshWarehouses
from benchmarks.feed import make_synthetic_tracks
from etl.database import connect, fetch_rows
from etl.engines.spark import open_session
from etl.formats.avro.container_files import count_records
from etl.jobs import events
from etl.settings import Settings, read_settings
from etl.storage.inputs import ReceivedInput
from etl.storage.lake import Lake
from launch import postgres
from simulator.listeners import activity_records, feed, track_library
from simulator.listeners.parameters import InjectedErrorRates, Parameters
from simulator.listeners.simulation import Simulation

FEED_START = datetime(2026, 9, 1, tzinfo=UTC)


class LoadEnvironment:
    """A lake, and a server with a database for each measurement."""

    def __init__(self, folder: Path, warehouses: postgres.Server | FreshWarehouses) -> None:
        """
        :param warehouses: those of a server that has several environments, or a server with this one alone.
        """
        self.folder = folder
        self._warehouses = warehouses if isinstance(warehouses, FreshWarehouses) else FreshWarehouses(warehouses)
        self.lake = Lake((folder / "lake").as_uri())

    def make_settings(self, url: str) -> Settings:
        return read_settings({**os.environ, "STATE_DIR": str(self.folder), "WAREHOUSE_URL": url})

    @contextmanager
    def create_warehouse(self) -> Iterator[str]:
        """Open a fresh warehouse with the feed's catalogue after a checkpoint; it is dropped at the end."""
        with self._warehouses.create_warehouse() as url:
            _insert_catalogue(url, make_synthetic_tracks())
            self._warehouses.run_as_superuser("checkpoint")
            yield url

    def make_feed(
        self,
        input_id: str,
        users: int,
        start: datetime,
        hours: int,
        injected_errors: InjectedErrorRates = InjectedErrorRates(),  # noqa: B008 (immutable)
    ) -> ReceivedInput:
        """Write a feed of version 2 into the lake."""
        tracks = make_synthetic_tracks()
        small_library = track_library.build_library(tracks, pd.DataFrame({"playlist": [], "track": []}, dtype="int64"))
        end = start + timedelta(hours=hours)
        simulation = Simulation(Parameters(users, start, end, dirt=injected_errors), small_library)
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


def load_feed(environment: LoadEnvironment, url: str, run_id: str, name: str | None = None) -> None:
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


def sum_events(url: str) -> dict[str, object]:
    """Return what two loads of the same feed have in common: numbers of events, and sums over their columns."""
    statement = """
        select
            count(*) as events, count(distinct event_time) as times, count(distinct user_key) as users,
            sum(date_key::bigint) as dates, sum(utc_date_key::bigint) as utc_dates, sum(local_hour) as hours,
            sum(extract(epoch from local_time)) as local_times, sum(ms_played::bigint) as ms_played,
            sum(track_key::bigint) as tracks, sum(artist_key::bigint) as artists,
            count(*) filter (where is_skipped) as skips, count(continent) as continents
        from warehouse.fact_event
    """
    with connect(url) as connection:
        return dict(fetch_rows(connection, statement)[0])


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
