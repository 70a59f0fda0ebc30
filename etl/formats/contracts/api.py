"""API responses in the lake, and the latest state of API resources, as Spark schemas."""

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

from etl.formats.contracts.columns import MEASURES, STRINGS, build_schema

API_RESPONSE = build_schema(
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
"""One response of the Spotify API, as a line of an input: ``number`` is its position, ``body`` its JSON."""

PAGE_ENDPOINTS = ("my_playlists", "playlist_items", "saved_tracks", "recently_played")
"""Endpoints whose responses have a list ``items``. followed_artists has it one object deeper, in ``artists``."""

BATCH_ENDPOINTS = ("tracks", "albums", "artists", "audio_features")
"""Endpoints that return many resources at once, in a list with the endpoint's name."""

FEATURE_ENDPOINT = "provider_features"
"""The request for audio features of a service other than Spotify; its responses have a list ``content``."""

ID_LIST_ENDPOINTS = (*BATCH_ENDPOINTS, FEATURE_ENDPOINT)
"""Endpoints that take many ids in one request."""

EVENT_ENDPOINTS = ("saved_tracks", "followed_artists", "recently_played")
"""Endpoints whose items are events of the account."""

_PLAYLIST_ENTRY = build_schema(track_id=StringType(), added_at=TimestampType())


def _add_asked_at(value: DataType) -> StructType:
    return build_schema(asked_at=TimestampType(), value=value)


LATEST_STATE: dict[str, StructType] = {
    "api_track": build_schema(
        track_id=StringType(),
        told=build_schema(
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
        isrc=_add_asked_at(StringType()),
        popularity=_add_asked_at(IntegerType()),
        linked_id=_add_asked_at(StringType()),
        measures=_add_asked_at(build_schema(**MEASURES)),
    ),
    "api_artist": build_schema(
        artist_id=StringType(),
        told=build_schema(asked_at=TimestampType(), name=StringType()),
        popularity=_add_asked_at(IntegerType()),
        followers=_add_asked_at(LongType()),
    ),
    "api_playlist": build_schema(
        playlist_id=StringType(),
        told=build_schema(asked_at=TimestampType(), name=StringType(), owner_id=StringType()),
        items=build_schema(
            asked_at=TimestampType(), snapshot_id=StringType(), entries=ArrayType(_PLAYLIST_ENTRY, containsNull=False)
        ),
    ),
    "provider_features": build_schema(
        track_id=StringType(), source=StringType(), asked_at=TimestampType(), measures=build_schema(**MEASURES)
    ),
}
"""The latest state of each API resource in all responses so far, with the time of the response that returned it.
``told`` is NULL if only the items of a playlist were fetched, ``items`` if they were never fetched completely.
``provider_features`` has a row for each track and source of a service that is asked for audio features alone."""
