"""The columns of every frame that crosses a folder's border, as Spark schemas.

``TRACK_ROW``, ``ARTIST_ROW`` and ``SURVEY_ROW`` are what a source's parser makes of its input; ``REJECTED_ROW``
is what it refuses. The schemas in ``STAGED`` are what transforms hand to the load, named for the table that
each one fills: one concept has one name from here to the star.
"""

from pyspark.sql.types import (
    ArrayType,
    BinaryType,
    BooleanType,
    DataType,
    DateType,
    DoubleType,
    IntegerType,
    LongType,
    MapType,
    ShortType,
    StringType,
    StructType,
    TimestampNTZType,
    TimestampType,
)

from etl.schemas.columns import schema

AUDIO_FEATURES = (
    "danceability",
    "energy",
    "loudness",
    "speechiness",
    "acousticness",
    "instrumentalness",
    "liveness",
    "valence",
    "tempo",
)
"""The nine measures that clusters are made of: 0 to 1, but loudness (dB) and tempo (beats a minute)."""

OTHER_AUDIO_MEASURES = ("key", "mode", "time_signature")
"""Musical key (0 = C), mode (0 minor, 1 major) and beats in a bar: stored beside the features, never clustered."""

SOURCE_RANK = (
    "api",
    "tracks_1921_2020",
    "artists_1921_2020",
    "tracks_by_genre",
    "playlist_songs",
    "top_2000s",
    "made_up",
)
"""Sources, best first: where two of them know a field, the earlier one wins (docs/rules.md)."""

_STRINGS = ArrayType(StringType(), containsNull=False)


def _doubles(names: tuple[str, ...]) -> dict[str, DataType]:
    return {name: DoubleType() for name in names}


def _integers(names: tuple[str, ...]) -> dict[str, DataType]:
    return {name: IntegerType() for name in names}


_MEASURES: dict[str, DataType] = {**_doubles(AUDIO_FEATURES), **_integers(OTHER_AUDIO_MEASURES)}

TRACK_ROW = schema(
    input_id=StringType(),
    source=StringType(),
    row_number=LongType(),
    track_id=StringType(),
    name=StringType(),
    artist_names=_STRINGS,
    artist_ids=_STRINGS,
    album_id=StringType(),
    album_name=StringType(),
    album_type=StringType(),
    release_date=DateType(),
    release_date_precision=StringType(),
    duration_ms=IntegerType(),
    explicit=BooleanType(),
    isrc=StringType(),
    popularity=IntegerType(),
    genres=_STRINGS,
    playlist_id=StringType(),
    playlist_name=StringType(),
    playlist_genre=StringType(),
    playlist_subgenre=StringType(),
    **_MEASURES,
)
"""One accepted row about a track. ``input_id`` is NULL where the row is what several inputs say (the API's memory);
``track_id`` is NULL where the source has none; ``artist_ids`` is NULL or as long
as ``artist_names``; a date known to the year or month stands on its first day."""

ARTIST_ROW = schema(
    input_id=StringType(),
    source=StringType(),
    row_number=LongType(),
    artist_id=StringType(),
    name=StringType(),
    popularity=IntegerType(),
    followers=LongType(),
    genres=_STRINGS,
)

SURVEY_ROW = schema(
    input_id=StringType(),
    row_number=LongType(),
    response_id=StringType(),
    age_band=StringType(),
    gender=StringType(),
    usage_period=StringType(),
    listening_devices=_STRINGS,
    subscription_plan=StringType(),
    premium_willingness=BooleanType(),
    preferred_premium_plan=StringType(),
    preferred_content=StringType(),
    favourite_genre=StringType(),
    time_slot=StringType(),
    moods=_STRINGS,
    listening_contexts=_STRINGS,
    discovery_methods=_STRINGS,
    recommendation_rating=IntegerType(),
    podcast_frequency=StringType(),
    podcast_genre=StringType(),
    podcast_format=StringType(),
    podcast_host_preference=StringType(),
    podcast_duration=StringType(),
    podcast_variety=StringType(),
)
"""One survey answer; ``response_id`` is a hash of all its answers."""

REJECTED_ROW = schema(
    input_id=StringType(),
    row_number=LongType(),
    reason=StringType(),
    row=StringType(),
)
"""A refused row: why, and the row as received (a JSON object, or an array where it does not fit the header)."""

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

_ENTRY = schema(track_id=StringType(), added_at=TimestampType())


def _dated(value: DataType) -> StructType:
    return schema(asked_at=TimestampType(), value=value)


MEMORY: dict[str, StructType] = {
    "api_track": schema(
        track_id=StringType(),
        told=schema(
            asked_at=TimestampType(),
            name=StringType(),
            artist_ids=_STRINGS,
            artist_names=_STRINGS,
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
        measures=_dated(schema(**_MEASURES)),
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

_USER_RECORD = schema(
    user_id=StringType(),
    valid_from=TimestampType(),
    source=StringType(),
    username=StringType(),
    birthdate=DateType(),
    gender=StringType(),
    country=StringType(),
    continent=StringType(),
    timezone=StringType(),
    favourite_genre=StringType(),
    subscription_plan=StringType(),
)

CATALOGUE: dict[str, StructType] = {
    "dim_artist": schema(
        artist_id=StringType(),
        name=StringType(),
        popularity=IntegerType(),
        popularity_source=StringType(),
        followers=LongType(),
        source=StringType(),
    ),
    "dim_album": schema(
        album_id=StringType(),
        name=StringType(),
        album_type=StringType(),
        release_date=DateType(),
        release_date_precision=StringType(),
        source=StringType(),
    ),
    "dim_track": schema(
        track_id=StringType(),
        recording_id=StringType(),
        name=StringType(),
        album_id=StringType(),
        release_date=DateType(),
        release_date_precision=StringType(),
        release_date_source=StringType(),
        duration_ms=IntegerType(),
        explicit=BooleanType(),
        isrc=StringType(),
        popularity=IntegerType(),
        popularity_source=StringType(),
        primary_genre=StringType(),
        **_MEASURES,
        audio_features_source=StringType(),
        audio_features_type=IntegerType(),
        newness_score=DoubleType(),
        source=StringType(),
    ),
    "dim_audio_cluster": schema(
        audio_features_type=IntegerType(),
        name=StringType(),
        **_doubles(AUDIO_FEATURES),
        inertia=DoubleType(),
        fitted_at=TimestampType(),
    ),
    "cluster_fit": schema(
        fit_id=StringType(),
        fitted_at=TimestampType(),
        cluster_count=IntegerType(),
        seed=LongType(),
        sample_size=LongType(),
        catalogue_size=LongType(),
        inertia=DoubleType(),
        feature_means=ArrayType(DoubleType(), containsNull=False),
        feature_deviations=ArrayType(DoubleType(), containsNull=False),
    ),
    "track_alias": schema(
        alias_kind=StringType(),
        alias_value=StringType(),
        track_id=StringType(),
        method=StringType(),
        score=DoubleType(),
    ),
    "bridge_track_artist": schema(track_id=StringType(), artist_id=StringType(), position=IntegerType()),
    "bridge_track_genre": schema(track_id=StringType(), genre=StringType(), source=StringType(), weight=DoubleType()),
    "dim_playlist": schema(
        playlist_id=StringType(),
        name=StringType(),
        owner_id=StringType(),
        snapshot_id=StringType(),
        genre=StringType(),
        subgenre=StringType(),
        source=StringType(),
    ),
    "fact_playlist_track": schema(
        playlist_id=StringType(), track_id=StringType(), occurrence=IntegerType(), added_at=TimestampType()
    ),
    "user_record": _USER_RECORD,
    "refresh_state": schema(kind=StringType(), id=StringType(), asked_at=TimestampType()),
    "survey_response": StructType([f for f in SURVEY_ROW.fields if f.name not in ("input_id", "row_number")]),
    "reconciliation": schema(
        from_id=StringType(),
        to_id=StringType(),
        method=StringType(),
        score=DoubleType(),
        source=StringType(),
    ),
    "input_key": schema(input_id=StringType(), key_kind=StringType(), key=StringType(), row_count=LongType()),
    "rejected_row": REJECTED_ROW,
}
"""What a load of the catalogue takes.

- ``recording_id`` is the smallest track id of the recording.
- ``reconciliation`` has one line for each id or id-less row that was recognised as something known (from → to).
- ``input_key`` has a line for each (input, key published) with the number of accepted rows that carry it; ``key_kind``
  is track, artist, playlist, user or survey_response and names the staged table where ``key`` is found (a track's key
  may be an alias).
- ``dim_audio_cluster`` (centroids in the features' own units) and ``cluster_fit`` (one line: what scales a track before
  it is compared with the centroids) hold rows only on a night that fitted anew.
"""

_MOMENT: dict[str, DataType] = {
    "event_id": BinaryType(),
    "event_time": TimestampType(),
    "started_at": TimestampType(),
    "ended_at": TimestampType(),
    "local_time": TimestampNTZType(),
    "user_key": IntegerType(),
}
_WHAT: dict[str, DataType] = {
    "context_key": IntegerType(),
    "date_key": IntegerType(),
    "utc_date_key": IntegerType(),
    "ms_played": IntegerType(),
    "input_key": IntegerType(),
    "local_hour": ShortType(),
    "is_skipped": BooleanType(),
    "is_home_time": BooleanType(),
}
_WHERE: dict[str, DataType] = {
    "activity_type": StringType(),
    "device_type": StringType(),
    "country": StringType(),
    "continent": StringType(),
    "source": StringType(),
}

EVENTS: dict[str, StructType] = {
    "fact_event": schema(
        **_MOMENT, track_key=IntegerType(), artist_key=IntegerType(), playlist_key=IntegerType(), **_WHAT, **_WHERE
    ),
    "fact_spoken_event": schema(
        **_MOMENT, **_WHAT, spoken_id=StringType(), spoken_name=StringType(), show_name=StringType(), **_WHERE
    ),
    "user_record": _USER_RECORD,
    "event_user": schema(user_id=StringType(), source=StringType()),
    "event_artist": schema(artist_id=StringType(), name=StringType(), source=StringType()),
    "event_track": schema(
        track_id=StringType(), name=StringType(), made_id=StringType(), artist_id=StringType(), source=StringType()
    ),
    "event_playlist": schema(playlist_id=StringType(), source=StringType()),
    "event_context": schema(
        platform=StringType(),
        reason_start=StringType(),
        reason_end=StringType(),
        is_shuffle=BooleanType(),
        is_offline=BooleanType(),
        is_incognito=BooleanType(),
        subscription_plan=StringType(),
    ),
    "event_count": schema(input_id=StringType(), rows_accepted=LongType(), rows_repeated=LongType()),
    "rejected_row": REJECTED_ROW,
}
"""What a load of events takes: first the members that they name (``event_…``, each once), then the events themselves
with the members' keys. ``event_id`` is the 16 bytes of a UUID; ``event_count`` accounts for the rows of each input."""

SIMULATION: dict[str, StructType] = {
    "listener": schema(
        user_id=StringType(),
        population=StringType(),
        seed=LongType(),
        personality=StringType(),
        **_doubles(("exploration", "newness", "loyalty", "commonality")),
    ),
    "dirt": schema(input_id=StringType(), kind=StringType(), row_count=LongType()),
}
"""The truth behind made-up feeds, for the schema simulation."""

STAGED: dict[str, StructType] = {**EVENTS, **CATALOGUE, **SIMULATION}
"""All frames that can be staged."""
