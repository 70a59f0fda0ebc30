"""Rows of small numbers as records of UserActivity: Spark joins the words that the numbers stand for.

The distinct words are few (tracks, playlists, homes, contexts) and the rows are many, so the words are broadcast.
"""

from dataclasses import dataclass

import pandas as pd
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from etl.formats.contracts.avro import load_contract
from simulator.listeners.activities import (
    ACTIVITIES,
    BROKEN_KINDS,
    FIRST_BROKEN,
    MAX_PLATFORMS_PER_DEVICE,
    PLATFORMS,
    REASONS_END,
    REASONS_START,
    encode_context,
)
from simulator.listeners.habits import DEVICES, PLANS
from simulator.listeners.homes import HOMES

_TRACK_SCHEMA = (
    "track int, song string, songId string, genre string, artist string, artistId string, duration int, "
    "valence float, tempo float, acousticness float, energy float, danceability float"
)
_CONTEXT_SCHEMA = (
    "context int, context_record struct<platform: string, reasonStart: string, reasonEnd: string, "
    "isShuffle: boolean, isOffline: boolean, isIncognito: boolean>"
)
_HOME_SCHEMA = "home int, userLocation string, country string, continent string, timezone string"
_MEASURES = ("valence", "tempo", "acousticness", "energy", "danceability")


@dataclass(frozen=True)
class LookupTables:
    """Spark frames with a row for each number."""

    tracks: DataFrame
    playlists: DataFrame
    homes: DataFrame
    contexts: DataFrame


def make_lookup_tables(spark: SparkSession, tracks: pd.DataFrame, playlist_ids: list[str]) -> LookupTables:
    """Return the frames that resolve the numbers of a simulation.

    :param tracks: ``track_library.TRACK_COLUMNS``, in the library's order.
    """
    track_rows = pd.DataFrame(
        {
            "track": range(len(tracks)),
            "song": tracks["name"],
            "songId": tracks["track_id"],
            "genre": tracks["genre"],
            "artist": tracks["artist"],
            "artistId": tracks["artist_id"],
            "duration": tracks["duration_ms"].astype("int32"),
            **{name: tracks[name].astype("float32") for name in _MEASURES},
        }
    )
    homes = [(index, home.country, home.country, home.continent, home.timezone) for index, home in enumerate(HOMES)]
    return LookupTables(
        tracks=spark.createDataFrame(track_rows.astype(object).where(track_rows.notna(), None), _TRACK_SCHEMA),
        playlists=spark.createDataFrame(list(enumerate(playlist_ids)), "playlist int, playlistId string"),
        homes=spark.createDataFrame(homes, _HOME_SCHEMA),
        contexts=spark.createDataFrame(list_contexts(), _CONTEXT_SCHEMA),
    )


def make_user_activity_records(
    rows: DataFrame, population: str, lookup_tables: LookupTables, version: int
) -> DataFrame:
    """Return records of UserActivity in a version of the contract."""
    joined = rows
    for frame, key in (
        (lookup_tables.tracks, "track"),
        (lookup_tables.homes, "home"),
        (lookup_tables.contexts, "context"),
        (lookup_tables.playlists, "playlist"),
    ):
        joined = joined.join(F.broadcast(frame), on=key, how="left")
    fields = [field["name"] for field in load_contract(f"user_activity_{version}")["fields"]]
    columns = _make_field_columns(population)
    return joined.select(*(columns[name].alias(name) for name in fields))


def _make_field_columns(population: str) -> dict[str, Column]:
    """Return the columns of the contract's fields."""
    is_follow = F.col("activity") == ACTIVITIES.index("FOLLOW")
    is_play = F.col("activity") == ACTIVITIES.index("PLAY")
    end_ms = F.col("at") + F.col("ms_played")
    user_id = F.concat(F.lit(f"madeup-{population}-"), F.col("number").cast("string"))
    song_fields = {name: F.when(~is_follow, F.col(name)) for name in ("song", "songId", "duration", *_MEASURES)}
    return {
        "userId": F.when(_is_broken("empty_user_id"), F.lit("")).otherwise(user_id),
        "eventTime": F.timestamp_millis("at"),
        "activityType": _lookup_word(ACTIVITIES, "activity"),
        "genre": F.col("genre"),
        "artist": F.col("artist"),
        "artistId": F.col("artistId"),
        "playlistId": F.col("playlistId"),
        "userLocation": F.col("userLocation"),
        "startTime": F.timestamp_millis("at"),
        "endTime": F.timestamp_millis(F.when(_is_broken("ends_before_start"), F.col("at") - 60_000).otherwise(end_ms)),
        "deviceType": _lookup_word(DEVICES, "device"),
        **song_fields,
        "duration": F.when(_is_broken("negative_duration"), F.lit(-1)).otherwise(song_fields["duration"]),
        "eventId": F.concat(F.lit(f"{population}-"), F.lower(F.hex("code"))),
        "subscriptionType": _lookup_word(PLANS, "plan"),
        "country": F.col("country"),
        "continent": F.col("continent"),
        "timezone": F.col("timezone"),
        "msPlayed": F.when(is_play, F.col("ms_played")),
        "context": F.col("context_record"),
    }


def _is_broken(kind: str) -> Column:
    return F.col("dirt") == FIRST_BROKEN + BROKEN_KINDS.index(kind)


def _lookup_word(values: tuple[str, ...], column: str) -> Column:
    """Return the word at the index in ``column``."""
    return F.get(F.array(*map(F.lit, values)), F.col(column))


def list_contexts() -> list[tuple[int, tuple[object, ...]]]:
    """Return the number of each listening context, and the values of its fields."""
    return [
        (
            encode_context(device * MAX_PLATFORMS_PER_DEVICE + platform_index, start, end, flags),
            (platform, REASONS_START[start], REASONS_END[end], bool(flags & 4), bool(flags & 2), bool(flags & 1)),
        )
        for device, device_name in enumerate(DEVICES)
        for platform_index, platform in enumerate(PLATFORMS[device_name])
        for start in range(len(REASONS_START))
        for end in range(len(REASONS_END))
        for flags in range(8)
    ]
