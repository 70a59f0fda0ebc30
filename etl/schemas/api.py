"""The API's answers as they lie in the lake, and what is remembered of them, as Spark schemas."""

from pyspark.sql.types import (
    ArrayType,
    BooleanType,
    DataType,
    DateType,
    IntegerType,
    LongType,
    MapType,
    StringType,
    StructType,
    TimestampType,
)

from etl.schemas.columns import MEASURES, STRINGS, schema

ANSWER = schema(
    number=LongType(),
    asked_at=TimestampType(),
    account=StringType(),
    endpoint=StringType(),
    path=StringType(),
    query=MapType(StringType(), StringType()),
    status=IntegerType(),
    playlist_id=StringType(),
    snapshot_id=StringType(),
    body=StringType(),
)
"""One answer of the Spotify API as it lies in the lake: a line of an input, ``number`` its place, ``body`` its JSON."""

PAGES = ("my_playlists", "playlist_items", "saved_tracks", "recently_played")
"""Endpoints whose answers hold a list of things ``items``; that of followed_artists stands one object deeper."""

BATCHES = ("tracks", "albums", "artists", "audio_features")
"""Endpoints that are asked for many things at once; their answers hold a list of the endpoint's name."""

EVENT_ENDPOINTS = ("saved_tracks", "followed_artists", "recently_played")
"""What tells of something that the account did."""

_ENTRY = schema(track_id=StringType(), added_at=TimestampType())


def _dated(value: DataType) -> StructType:
    return schema(asked_at=TimestampType(), value=value)


MEMORY: dict[str, StructType] = {
    "api_track": schema(
        track_id=StringType(),
        told=schema(
            asked_at=TimestampType(),
            name=StringType(),
            artist_ids=STRINGS,
            artist_names=STRINGS,
            album_id=StringType(),
            album_name=StringType(),
            album_type=StringType(),
            release_date=DateType(),
            release_date_precision=StringType(),
            duration_ms=IntegerType(),
            explicit=BooleanType(),
        ),
        isrc=_dated(StringType()),
        popularity=_dated(IntegerType()),
        linked_id=_dated(StringType()),
        measures=_dated(schema(**MEASURES)),
    ),
    "api_artist": schema(
        artist_id=StringType(),
        told=schema(asked_at=TimestampType(), name=StringType()),
        popularity=_dated(IntegerType()),
        followers=_dated(LongType()),
    ),
    "api_playlist": schema(
        playlist_id=StringType(),
        told=schema(asked_at=TimestampType(), name=StringType(), owner_id=StringType()),
        items=schema(asked_at=TimestampType(), snapshot_id=StringType(), entries=ArrayType(_ENTRY, containsNull=False)),
    ),
}
"""What all answers of the API so far say: the newest word on each thing, with the time of the answer that gave it.
``told`` is NULL where only the items of a playlist were read, ``items`` where they never were to the end."""
