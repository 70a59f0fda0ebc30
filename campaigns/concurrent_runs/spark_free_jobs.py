"""Jobs that need no Spark, on synthetic rows.

    python -m campaigns.concurrent_runs.spark_free_jobs DAY RUN_ID_END

The command runs the jobs of a simulated day. A day brings tracks, some of them new and some with another popularity,
and a feed whose events are in months that the star already has and in a new one.
"""

import logging
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import fastavro
import pyarrow as pa
from pyspark.sql.pandas.types import to_arrow_schema

from etl.errors import ActionNeededError
from etl.extract.feed import receive_file
from etl.formats.contracts import AUDIO_FEATURES, STAGED
from etl.formats.contracts.avro import load_contract
from etl.jobs import events, marts
from etl.load import Run, RunInput, load_frames
from etl.settings import Settings, read_settings
from etl.storage.full_disk import explain_full_disk
from etl.storage.lake import Lake

TRACK_COUNT, EVENT_COUNT = 5_000, 20_000
_FIRST_EVENT_TIME = datetime(2026, 6, 1, 8, tzinfo=UTC)
_EVENT_INTERVAL = timedelta(minutes=3)
_RECEIVED_AT = datetime(2026, 11, 21, tzinfo=UTC)


def load_catalogue(day: int, settings: Settings, run_suffix: str = "") -> None:
    """Publish the tracks of a simulated day."""
    count = TRACK_COUNT + day * TRACK_COUNT // 5
    tracks = [_make_track(number, (number + day) % 100) for number in range(count)]
    artist = {
        "artist_id": "artist",
        "name": "Artist",
        "popularity": day,
        "popularity_source": "made",
        "source": "made",
    }
    rows: dict[str, list[dict[str, Any]]] = {
        "dim_artist": [artist],
        "dim_track": tracks,
        "track_alias": [_make_alias(track["track_id"]) for track in tracks],
        "bridge_track_artist": [
            {"track_id": track_row["track_id"], "artist_id": "artist", "position": 1} for track_row in tracks
        ],
        "bridge_track_genre": [_make_genre(track["track_id"]) for track in tracks],
        "input_key": [
            {"input_id": f"{day:016}", "key_kind": "track", "key": track["track_id"], "row_count": 1}
            for track in tracks
        ],
    }
    tables = {
        name: pa.Table.from_pylist(table_rows, to_arrow_schema(STAGED[name])) for name, table_rows in rows.items()
    }
    run_input = RunInput(f"{day:016}", "kaggle", "tracks.csv", "tracks_by_genre", count)
    run_id = f"refresh.{day}{run_suffix}"
    load_frames(
        tables, Run(run_id, "nightly_refresh", _RECEIVED_AT, _get_date(day), (run_input,)), settings.warehouse_url
    )


def receive_feed(day: int, settings: Settings) -> None:
    """Receive the feed of a simulated day into the lake."""
    feed = settings.state_dir / f"feed_{day}.avro"
    with explain_full_disk(settings):
        if not feed.exists():
            write_feed(feed, day)
        receive_file(feed, Lake(settings.lake_url), _RECEIVED_AT)


def write_feed(path: Path, day: int) -> None:
    """Write the events of a simulated day."""
    begins = _FIRST_EVENT_TIME + day * _EVENT_INTERVAL * EVENT_COUNT
    records = [_make_play(number, begins + number * _EVENT_INTERVAL) for number in range(EVENT_COUNT)]
    draft = path.with_suffix(".part")
    with draft.open("wb") as file:
        fastavro.writer(file, load_contract("user_activity_2"), records)
    draft.replace(path)


def load_events(day: int, settings: Settings, run_suffix: str = "") -> None:
    """Load the feeds of the lake that the warehouse has not loaded."""
    run_id = f"events.{day}{run_suffix}"
    if events.plan_events(run_id, settings):
        events.load_events(run_id, _get_date(day), settings)


def build_marts(day: int, settings: Settings, run_suffix: str = "", scope: str = marts.CHANGED) -> None:
    """Build the marts of a scope."""
    marts.build_marts(f"marts.{day}{run_suffix}", scope, None, settings)


def _get_date(day: int) -> Any:
    return (_RECEIVED_AT + timedelta(days=day)).date()


def _make_track(number: int, popularity: int) -> dict[str, Any]:
    track_id = f"track{number:017}"
    return {
        "track_id": track_id,
        "recording_id": track_id,
        "name": f"Track {number}",
        "duration_ms": 180_000,
        "popularity": popularity,
        "popularity_source": "made",
        "source": "made",
        **dict.fromkeys(AUDIO_FEATURES, 0.5),
    }


def _make_alias(track_id: str) -> dict[str, Any]:
    return {"alias_kind": "spotify_id", "alias_value": track_id, "track_id": track_id, "method": "id", "score": 1.0}


def _make_genre(track_id: str) -> dict[str, Any]:
    return {"track_id": track_id, "genre": f"genre {int(track_id[5:]) % 20}", "source": "made", "weight": 1.0}


def _make_play(number: int, event_time: datetime) -> dict[str, Any]:
    return {
        "userId": f"u{number % 97}",
        "eventTime": event_time,
        "activityType": "PLAY" if number % 10 else "SKIP",
        "song": f"Track {number % TRACK_COUNT}",
        "songId": f"track{number % TRACK_COUNT:017}",
        "genre": "genre 1",
        "artist": "Artist",
        "artistId": "artist",
        "duration": 180_000,
        "userLocation": ("DE", "US", "JP")[number % 3],
        "startTime": event_time,
        "endTime": event_time + timedelta(seconds=170),
        "deviceType": "MOBILE",
    }


def run_jobs(day: int, run_suffix: str) -> int:
    """Run the jobs of a simulated day.

    :returns: 0, or 1 if a job failed with a message.
    """
    logging.basicConfig(format="%(message)s", level=logging.INFO, stream=sys.stdout)
    try:
        job_settings = read_settings()
        load_catalogue(day, job_settings, run_suffix)
        load_events(day, job_settings, run_suffix)
        build_marts(day, job_settings, run_suffix)
    except ActionNeededError as error:
        print(f"{type(error).__name__}: {error}", flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(run_jobs(int(sys.argv[1]), sys.argv[2]))
