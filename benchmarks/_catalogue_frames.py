"""A synthetic catalogue as staged frames: tracks of all fields with their artists, albums, genres and aliases."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import to_arrow_schema

from etl.formats.contracts import AUDIO_FEATURES, STAGED

_FILES_PER_TABLE = 4
_GENRE_COUNT = 114
_TRACKS_PER_ARTIST, _TRACKS_PER_ALBUM = 4, 8
_SOURCE = "tracks_by_genre"


def write_catalogue(folder: Path, track_count: int) -> None:
    """Write the staged rows of a catalogue as Parquet, tracks in random order of their ids."""
    rng = np.random.default_rng(1)
    numbers = np.arange(track_count, dtype=np.uint64)
    track_ids = _make_ids(numbers)
    artist_numbers = np.arange(max(track_count // _TRACKS_PER_ARTIST, 1), dtype=np.uint64)
    album_numbers = np.arange(max(track_count // _TRACKS_PER_ALBUM, 1), dtype=np.uint64)
    artist_ids, album_ids = _make_ids(artist_numbers + 10**9), _make_ids(album_numbers + 2 * 10**9)
    genres = pd.Series(rng.integers(0, _GENRE_COUNT, track_count)).map("genre {:03d}".format)
    tables = {
        "dim_artist": _make_artists(artist_ids, rng),
        "dim_album": pd.DataFrame({"album_id": album_ids, "name": "An album, " + album_ids.str[:6]}).assign(
            album_type="album", release_date=pd.Timestamp("1999-01-01"), release_date_precision="year"
        ),
        "dim_track": _make_tracks(track_ids, album_ids, genres, rng),
        "track_alias": _make_aliases(track_ids),
        "bridge_track_artist": pd.concat(
            _draw_artists(track_ids, artist_ids, position, rng) for position in (1, 2)
        ).drop_duplicates(["track_id", "artist_id"]),
        "bridge_track_genre": pd.DataFrame({"track_id": track_ids, "genre": genres, "weight": 1.0}),
    }
    for table, frame in tables.items():
        _write_table(folder / table, table, frame.assign(source=_SOURCE))


def read_catalogue(spark: SparkSession, folder: Path) -> dict[str, DataFrame]:
    """Return the frames for ``load_frames``."""
    return {
        path.name: spark.read.schema(STAGED[path.name]).parquet(str(path))
        for path in sorted(folder.iterdir())
        if path.name in STAGED
    }


def _make_ids(numbers: "np.typing.NDArray[np.uint64]") -> "pd.Series[str]":
    return pd.Series(numbers * np.uint64(0x9E3779B97F4A7C15)).map("{:022x}".format)


def _make_artists(artist_ids: "pd.Series[str]", rng: np.random.Generator) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "artist_id": artist_ids,
            "name": "An artist, " + artist_ids,
            "made_id": "name:" + artist_ids,
            "popularity": rng.integers(0, 101, len(artist_ids)),
            "followers": rng.integers(0, 10_000_000, len(artist_ids)),
        }
    ).assign(popularity_source="derived")


def _make_tracks(
    track_ids: "pd.Series[str]", album_ids: "pd.Series[str]", genres: "pd.Series[str]", rng: np.random.Generator
) -> pd.DataFrame:
    size = len(track_ids)
    frame = pd.DataFrame({"track_id": track_ids, "recording_id": track_ids, "primary_genre": genres})
    frame["name"] = "A song with a name of usual length, " + track_ids.str[:7]
    frame["album_id"] = album_ids.to_numpy()[rng.integers(0, len(album_ids), size)]
    frame["release_date"] = pd.to_datetime("1950-01-01") + pd.to_timedelta(rng.integers(0, 27_000, size), unit="D")
    frame["duration_ms"] = rng.integers(30_000, 600_000, size)
    frame["popularity"] = rng.integers(0, 101, size)
    frame["explicit"] = rng.random(size) < 0.1
    for feature in AUDIO_FEATURES:
        frame[feature] = rng.random(size)
    for name, upper_bound in (("key", 12), ("mode", 2), ("time_signature", 5)):
        frame[name] = rng.integers(0, upper_bound, size)
    frame["newness_score"] = rng.random(size)
    sources = ("release_date_source", "popularity_source", "audio_features_source")
    return frame.assign(release_date_precision="day", **dict.fromkeys(sources, _SOURCE))


def _make_aliases(track_ids: "pd.Series[str]") -> pd.DataFrame:
    """Return for each track its id and its name as aliases."""
    values = {"spotify_id": track_ids, "name": "name:" + track_ids}
    frames = [
        pd.DataFrame({"alias_kind": kind, "alias_value": aliases, "track_id": track_ids})
        for kind, aliases in values.items()
    ]
    return pd.concat(frames).assign(method="id", score=1.0)


def _draw_artists(
    track_ids: "pd.Series[str]", artist_ids: "pd.Series[str]", position: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Return an artist for each track at a position; only a third of the tracks has a second one."""
    is_credited = rng.random(len(track_ids)) < (1.0 if position == 1 else 0.33)
    drawn = artist_ids.to_numpy()[rng.integers(0, len(artist_ids), len(track_ids))]
    return pd.DataFrame({"track_id": track_ids, "artist_id": drawn})[is_credited].assign(position=position)


def _write_table(folder: Path, table: str, frame: pd.DataFrame) -> None:
    folder.mkdir(parents=True)
    schema = to_arrow_schema(STAGED[table])
    rows = pa.Table.from_pandas(frame.reindex(columns=schema.names), schema, preserve_index=False)
    size = -(-len(rows) // _FILES_PER_TABLE)
    for number in range(_FILES_PER_TABLE):
        pq.write_table(rows.slice(number * size, size), folder / f"{number}.parquet")
