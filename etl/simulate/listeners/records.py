"""Rows of small numbers as records of UserActivity: Spark looks up what the numbers mean.

Words are few (tracks, playlists, homes, contexts) and rows are many, so the words are broadcast and joined.
"""

from dataclasses import dataclass

import pandas as pd
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from etl.schemas.avro import contract
from etl.simulate.listeners.activities import (
    ACTIVITIES,
    BROKEN_WAYS,
    FIRST_BROKEN,
    MOST_PLATFORMS,
    PLATFORMS,
    REASONS_END,
    REASONS_START,
    context_of,
)
from etl.simulate.listeners.habits import DEVICES, PLANS
from etl.simulate.listeners.homes import HOMES

_TRACK = (
    "track int, song string, songId string, genre string, artist string, artistId string, duration int, "
    "valence float, tempo float, acousticness float, energy float, danceability float"
)
_CONTEXT = (
    "context int, context_record struct<platform: string, reasonStart: string, reasonEnd: string, "
    "isShuffle: boolean, isOffline: boolean, isIncognito: boolean>"
)
_HOME = "home int, userLocation string, country string, continent string, timezone string"
_MEASURES = ("valence", "tempo", "acousticness", "energy", "danceability")


@dataclass(frozen=True)
class Words:
    """Frames with a line for each number."""

    tracks: DataFrame
    playlists: DataFrame
    homes: DataFrame
    contexts: DataFrame


def words(spark: SparkSession, tracks: pd.DataFrame, playlist_ids: list[str]) -> Words:
    """What the numbers of a simulation mean.

    :param tracks: ``library.COLUMNS``, in the library's order.
    """
    named = pd.DataFrame(
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
    homes = [(n, h.country, h.country, h.continent, h.timezone) for n, h in enumerate(HOMES)]
    return Words(
        tracks=spark.createDataFrame(named.astype(object).where(named.notna(), None), _TRACK),
        playlists=spark.createDataFrame(list(enumerate(playlist_ids)), "playlist int, playlistId string"),
        homes=spark.createDataFrame(homes, _HOME),
        contexts=spark.createDataFrame(_contexts(), _CONTEXT),
    )


def user_activity(rows: DataFrame, population: str, words: Words, version: int) -> DataFrame:
    """Records of UserActivity of a version."""
    joined = rows
    for frame, key in (
        (words.tracks, "track"),
        (words.homes, "home"),
        (words.contexts, "context"),
        (words.playlists, "playlist"),
    ):
        joined = joined.join(F.broadcast(frame), on=key, how="left")
    fields = [field["name"] for field in contract(f"user_activity_{version}")["fields"]]
    columns = _columns(population)
    return joined.select(*(columns[name].alias(name) for name in fields))


def _columns(population: str) -> dict[str, Column]:
    """The fields of the contract."""
    is_follow = F.col("activity") == ACTIVITIES.index("FOLLOW")
    is_play = F.col("activity") == ACTIVITIES.index("PLAY")
    ends = F.col("at") + F.col("ms_played")
    user_id = F.concat(F.lit(f"madeup-{population}-"), F.col("number").cast("string"))
    song_fields = {name: F.when(~is_follow, F.col(name)) for name in ("song", "songId", "duration", *_MEASURES)}
    return {
        "userId": F.when(_is_broken("empty_user_id"), F.lit("")).otherwise(user_id),
        "eventTime": F.timestamp_millis("at"),
        "activityType": _word(ACTIVITIES, "activity"),
        "genre": F.col("genre"),
        "artist": F.col("artist"),
        "artistId": F.col("artistId"),
        "playlistId": F.col("playlistId"),
        "userLocation": F.col("userLocation"),
        "startTime": F.timestamp_millis("at"),
        "endTime": F.timestamp_millis(F.when(_is_broken("ends_before_start"), F.col("at") - 60_000).otherwise(ends)),
        "deviceType": _word(DEVICES, "device"),
        **song_fields,
        "duration": F.when(_is_broken("negative_duration"), F.lit(-1)).otherwise(song_fields["duration"]),
        "eventId": F.concat(F.lit(f"{population}-"), F.lower(F.hex("code"))),
        "subscriptionType": _word(PLANS, "plan"),
        "country": F.col("country"),
        "continent": F.col("continent"),
        "timezone": F.col("timezone"),
        "msPlayed": F.when(is_play, F.col("ms_played")),
        "context": F.col("context_record"),
    }


def _is_broken(way: str) -> Column:
    return F.col("dirt") == FIRST_BROKEN + BROKEN_WAYS.index(way)


def _word(words: tuple[str, ...], column: str) -> Column:
    """The word whose place in ``words`` the column holds."""
    return F.get(F.array(*map(F.lit, words)), F.col(column))


def _contexts() -> list[tuple[int, tuple[object, ...]]]:
    return [
        (
            context_of(device * MOST_PLATFORMS + place, start, end, flags),
            (platform, REASONS_START[start], REASONS_END[end], bool(flags & 4), bool(flags & 2), bool(flags & 1)),
        )
        for device, name in enumerate(DEVICES)
        for place, platform in enumerate(PLATFORMS[name])
        for start in range(len(REASONS_START))
        for end in range(len(REASONS_END))
        for flags in range(8)
    ]
