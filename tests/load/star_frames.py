"""A small catalogue as staged frames, and the content of a warehouse for comparisons."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import StructType

from etl.database import connect, fetch_rows
from etl.formats.contracts import AUDIO_FEATURES, STAGED
from etl.load import Run, RunInput

Rows = dict[str, list[dict[str, Any]]]

INPUT = RunInput("00000000000000aa", "kaggle", "dataset.csv", "tracks_by_genre", 10)


def make_run(run_id: str = "first", day: date = date(2026, 11, 1), inputs: tuple[RunInput, ...] = (INPUT,)) -> Run:
    return Run(
        run_id,
        "nightly_refresh",
        datetime(2026, 11, 1, 3, tzinfo=UTC),
        day,
        inputs,
        (date(1999, 1, 1), date(2020, 5, 1)),
    )


def make_catalogue() -> Rows:
    """Return four tracks: A1 and A2 are one recording, B is separate, one with a name-derived id had no id."""
    return {
        "dim_artist": [
            {"artist_id": "artist-x", "name": "X", "popularity": 50, "popularity_source": "derived", "source": "s"},
            {"artist_id": "artist-y", "name": "Y", "followers": 5_000_000_000, "source": "s"},
        ],
        "dim_album": [
            {
                "album_id": "album-1",
                "name": "One",
                "release_date": date(1999, 1, 1),
                "release_date_precision": "year",
                "source": "s",
            }
        ],
        "dim_track": [
            make_track("track-A1", recording_id="track-A1", album_id="album-1"),
            make_track("track-A2", recording_id="track-A1"),
            make_track("track-B", name='Bé; "q"', explicit=True, isrc="GBAYE0601498"),
            make_track("name:00", audio_features_type=None, newness_score=None, tempo=None, source="top_2000s"),
        ],
        "dim_audio_cluster": [make_cluster(0, "calm"), make_cluster(1, "loud")],
        "cluster_fit": [
            {
                "fit_id": "fit-1",
                "fitted_at": datetime(2026, 11, 1, tzinfo=UTC),
                "cluster_count": 2,
                "seed": 1,
                "sample_size": 3,
                "catalogue_size": 3,
                "inertia": 0.5,
                "feature_means": [0.5] * 9,
                "feature_deviations": [0.1] * 9,
            }
        ],
        "track_alias": [
            make_alias("spotify_id", "track-A1", "track-A1"),
            make_alias("spotify_id", "track-A2", "track-A2"),
            make_alias("isrc", "GBAYE0601498", "track-A1"),
            make_alias("isrc", "GBAYE0601498", "track-B"),
            make_alias("name", "name:00", "name:00"),
        ],
        "bridge_track_artist": [
            {"track_id": "track-A1", "artist_id": "artist-x", "position": 1},
            {"track_id": "track-A1", "artist_id": "artist-y", "position": 2},
            {"track_id": "track-A2", "artist_id": "artist-x", "position": 1},
            {"track_id": "track-B", "artist_id": "artist-y", "position": 1},
            {"track_id": "name:00", "artist_id": "artist-y", "position": 1},
        ],
        "bridge_track_genre": [
            {"track_id": "track-A1", "genre": "pop", "source": "s", "weight": 0.1 + 0.2},
            {"track_id": "track-A1", "genre": "rock", "source": "s", "weight": 0.7},
            {"track_id": "track-B", "genre": "rock", "source": "s", "weight": 1.0},
        ],
        "dim_playlist": [{"playlist_id": "list-1", "name": "List", "genre": "pop", "subgenre": "dance", "source": "s"}],
        "fact_playlist_track": [
            {"playlist_id": "list-1", "track_id": "track-A1", "occurrence": 1},
            {"playlist_id": "list-1", "track_id": "track-A1", "occurrence": 2},
            {"playlist_id": "list-1", "track_id": "track-B", "occurrence": 1},
        ],
        "user_record": [
            {"user_id": "user-1", "country": "DE", "source": "api", "valid_from": datetime(2026, 11, 1, 3, tzinfo=UTC)}
        ],
        "refresh_state": [{"kind": "track", "id": "track-B", "asked_at": datetime(2026, 11, 1, 3, tzinfo=UTC)}],
        "survey_response": [{"response_id": "r1", "moods": ["Calm", 'Sad, {or} "not"'], "subscription_plan": "None"}],
        "reconciliation": [
            {"from_id": "track-A2", "to_id": "track-A1", "method": "name", "score": 0.9, "source": "tracks_by_genre"}
        ],
        "input_key": [
            {"input_id": INPUT.input_id, "key_kind": "track", "key": "track-A1", "row_count": 4},
            {"input_id": INPUT.input_id, "key_kind": "track", "key": "track-B", "row_count": 2},
            {"input_id": INPUT.input_id, "key_kind": "track", "key": "name:00", "row_count": 1},
            {"input_id": INPUT.input_id, "key_kind": "survey_response", "key": "r1", "row_count": 1},
        ],
        "rejected_row": [
            {"input_id": INPUT.input_id, "row_number": 7, "reason": "no name", "row": '{"track_name": "NA"}'},
            {"input_id": INPUT.input_id, "row_number": 8, "reason": "fields missing", "row": '["x", "\\u0000"]'},
        ],
    }


def make_track(track_id: str, **values: Any) -> dict[str, Any]:
    defaults: dict[str, Any] = {
        "track_id": track_id,
        "recording_id": track_id,
        "name": f"Name of {track_id}",
        "release_date": date(1999, 1, 1),
        "release_date_precision": "year",
        "release_date_source": "s",
        "duration_ms": 180_000,
        "popularity": 40,
        "popularity_source": "tracks_by_genre",
        "audio_features_type": 1,
        "newness_score": 0.25,
        "key": 1,
        "mode": 0,
        "time_signature": 4,
        "source": "tracks_by_genre",
    }
    return {**defaults, **dict.fromkeys(AUDIO_FEATURES, 0.5), **values}


def make_cluster(number: int, name: str) -> dict[str, Any]:
    fitted = {"inertia": 1.0, "fitted_at": datetime(2026, 11, 1, tzinfo=UTC)}
    return {"audio_features_type": number, "name": name, **dict.fromkeys(AUDIO_FEATURES, 0.5), **fitted}


def make_alias(kind: str, value: str, track_id: str) -> dict[str, Any]:
    return {"alias_kind": kind, "alias_value": value, "track_id": track_id, "method": "id", "score": 1.0}


def create_frames(spark: SparkSession, staged: Mapping[str, list[dict[str, Any]]]) -> dict[str, DataFrame]:
    """Return rows as frames of ``schemas.STAGED``; missing columns are NULL."""
    return {
        name: spark.createDataFrame(pa.Table.from_pylist(rows, to_arrow_schema(STAGED[name])), STAGED[name]).coalesce(1)
        for name, rows in staged.items()
    }


class LocalFrame:
    """The methods of a DataFrame that the load uses, over one partition of rows in memory, without a session."""

    def __init__(self, schema: StructType, batches: list[pa.RecordBatch]) -> None:
        self.schema = schema
        self.batches = batches

    def select(self, *columns: str) -> "LocalFrame":
        return LocalFrame(self.schema, [batch.select(columns) for batch in self.batches])

    def mapInArrow(self, write: Callable[..., Any], schema: str) -> "LocalFrame":
        return LocalFrame(self.schema, list(write(iter(self.batches))))

    def collect(self) -> list[dict[str, Any]]:
        return [row for batch in self.batches for row in batch.to_pylist()]


def create_local_frames(staged: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Return the frames of ``create_frames`` without Spark: the load writes them with the code that executors run."""
    return {
        name: LocalFrame(STAGED[name], pa.Table.from_pylist(rows, to_arrow_schema(STAGED[name])).to_batches())
        for name, rows in staged.items()
    }


def select_rows(url: str, statement: str, **parameters: object) -> list[dict[str, Any]]:
    with connect(url) as connection:
        return fetch_rows(connection, statement, **parameters)


def compute_checksums(url: str) -> dict[str, str]:
    """Return a checksum of each table of the star and the audit, including keys and without times of runs."""
    names = select_rows(
        url,
        "select schemaname || '.' || tablename as name from pg_tables where schemaname in ('warehouse', 'audit')",
    )
    return {name: _checksum(url, name) for name in sorted(row["name"] for row in names)}


def _checksum(url: str, name: str) -> str:
    line = "t.run_id || t.result || t.reference_date" if name == "audit.run" else "t::text"
    lines = f"select {line} as line from {name} as t"
    (row,) = select_rows(url, f"select md5(string_agg(line, '|' order by line)) as checksum from ({lines}) as lines")
    return str(row["checksum"])


def compute_star_checksums(url: str) -> dict[str, str]:
    """Return the checksums of the star only."""
    return {name: checksum for name, checksum in compute_checksums(url).items() if name.startswith("warehouse.")}


def select_row_locations(url: str) -> list[dict[str, Any]]:
    """Return the location and the transaction of each row of the star: both change if a row is written."""
    query = "select '{0}' as name, ctid::text, xmin::text from {0}"
    return [row for name in compute_star_checksums(url) for row in select_rows(url, query.format(name))]
