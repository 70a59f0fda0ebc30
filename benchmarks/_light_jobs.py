"""Jobs that need no Spark, on made rows: ``python -m benchmarks._light_jobs NIGHT RUN_ID_END`` runs those of a night.

A night brings tracks, some of them new and some with another popularity, and a feed whose events reach into months that
the star has and into one that it has not.
"""

import logging
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import fastavro
import pyarrow as pa
from pyspark.sql.pandas.types import to_arrow_schema

from etl.config import Settings, settings
from etl.errors import ActionNeededError
from etl.extract.feed import receive_file
from etl.full_disk import explained_full_disk
from etl.jobs import events, marts
from etl.lake import Lake
from etl.load import Run, RunInput, load
from etl.schemas import AUDIO_FEATURES, STAGED
from etl.schemas.avro import contract

TRACKS, EVENTS = 5_000, 20_000
_FIRST = datetime(2026, 6, 1, 8, tzinfo=UTC)
_BETWEEN = timedelta(minutes=3)
_RECEIVED = datetime(2026, 11, 21, tzinfo=UTC)


def load_catalogue(night: int, settings: Settings, end: str = "") -> None:
    """Publish the tracks of a night."""
    count = TRACKS + night * TRACKS // 5
    tracks = [_track(number, (number + night) % 100) for number in range(count)]
    artist = {
        "artist_id": "artist",
        "name": "Artist",
        "popularity": night,
        "popularity_source": "made",
        "source": "made",
    }
    rows: dict[str, list[dict[str, Any]]] = {
        "dim_artist": [artist],
        "dim_track": tracks,
        "track_alias": [_alias(one["track_id"]) for one in tracks],
        "bridge_track_artist": [{"track_id": t["track_id"], "artist_id": "artist", "position": 1} for t in tracks],
        "bridge_track_genre": [_genre(one["track_id"]) for one in tracks],
        "input_key": [
            {"input_id": f"{night:016}", "key_kind": "track", "key": one["track_id"], "row_count": 1} for one in tracks
        ],
    }
    tables = {name: pa.Table.from_pylist(found, to_arrow_schema(STAGED[name])) for name, found in rows.items()}
    taken = RunInput(f"{night:016}", "kaggle", "tracks.csv", "tracks_by_genre", count)
    run_id = f"refresh.{night}{end}"
    load(tables, Run(run_id, "nightly_refresh", _RECEIVED, _day(night), (taken,)), settings.warehouse_url)


def receive(night: int, settings: Settings) -> None:
    """Bring the feed of a night into the lake."""
    feed = settings.state_dir / f"feed_{night}.avro"
    with explained_full_disk(settings):
        if not feed.exists():
            write_feed(feed, night)
        receive_file(feed, Lake(settings.lake_url), _RECEIVED)


def write_feed(path: Path, night: int) -> None:
    """Write the events of a night."""
    begins = _FIRST + night * _BETWEEN * EVENTS
    records = [_play(number, begins + number * _BETWEEN) for number in range(EVENTS)]
    draft = path.with_suffix(".part")
    with draft.open("wb") as file:
        fastavro.writer(file, contract("user_activity_2"), records)
    draft.replace(path)


def load_events(night: int, settings: Settings, end: str = "") -> None:
    """Load the feeds that the lake holds and the warehouse does not know."""
    run_id = f"events.{night}{end}"
    if events.plan_events(run_id, settings):
        events.load_events(run_id, _day(night), settings)


def build_marts(night: int, settings: Settings, end: str = "", what: str = marts.TOUCHED) -> None:
    """Bring the marts up to date."""
    marts.build_marts(f"marts.{night}{end}", what, None, settings)


def _day(night: int) -> Any:
    return (_RECEIVED + timedelta(days=night)).date()


def _track(number: int, popularity: int) -> dict[str, Any]:
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


def _alias(track_id: str) -> dict[str, Any]:
    return {"alias_kind": "spotify_id", "alias_value": track_id, "track_id": track_id, "method": "id", "score": 1.0}


def _genre(track_id: str) -> dict[str, Any]:
    return {"track_id": track_id, "genre": f"genre {int(track_id[5:]) % 20}", "source": "made", "weight": 1.0}


def _play(number: int, moment: datetime) -> dict[str, Any]:
    return {
        "userId": f"u{number % 97}",
        "eventTime": moment,
        "activityType": "PLAY" if number % 10 else "SKIP",
        "song": f"Track {number % TRACKS}",
        "songId": f"track{number % TRACKS:017}",
        "genre": "genre 1",
        "artist": "Artist",
        "artistId": "artist",
        "duration": 180_000,
        "userLocation": ("DE", "US", "JP")[number % 3],
        "startTime": moment,
        "endTime": moment + timedelta(seconds=170),
        "deviceType": "MOBILE",
    }


def main(night: int, end: str) -> int:
    """Run the jobs of a night.

    :returns: 0, or 1 where one failed with a sentence.
    """
    logging.basicConfig(format="%(message)s", level=logging.INFO, stream=sys.stdout)
    try:
        chosen = settings()
        load_catalogue(night, chosen, end)
        load_events(night, chosen, end)
        build_marts(night, chosen, end)
    except ActionNeededError as error:
        print(f"{type(error).__name__}: {error}", flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2]))
