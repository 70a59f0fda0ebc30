"""The columns of every frame that crosses a folder's border, as Spark schemas.

``TRACK_ROW``, ``ARTIST_ROW`` and ``SURVEY_ROW`` are what a source's parser makes of its input; ``REJECTED_ROW``
is what it refuses. The schemas in ``STAGED`` are what transforms hand to the load, named for the table that
each one fills: one concept has one name from here to the star.

    columns     how a schema is written, and columns that several have
    api         the API's answers, and what is remembered of them
    events      events and listeners between a source's parser and the load
    avro        the contracts of feeds
"""

from pyspark.sql.types import (
    ArrayType,
    BooleanType,
    DateType,
    DoubleType,
    IntegerType,
    LongType,
    StringType,
    StructType,
    TimestampType,
)

from etl.formats.contracts.api import API_RESPONSE, LATEST_STATE
from etl.formats.contracts.columns import (
    AUDIO_FEATURES,
    MEASURES,
    OTHER_AUDIO_MEASURES,
    REJECTED_ROW,
    STRINGS,
    USER_RECORD,
    build_schema,
    double_columns,
)
from etl.formats.contracts.events import EVENTS

__all__ = [
    "API_RESPONSE",
    "ARTIST_ROW",
    "AUDIO_FEATURES",
    "CATALOGUE",
    "EVENTS",
    "LATEST_STATE",
    "MOCK_SOURCE",
    "OTHER_AUDIO_MEASURES",
    "REJECTED_ROW",
    "SIMULATION",
    "SOURCE_RANK",
    "STAGED",
    "SURVEY_ROW",
    "TRACK_ROW",
]

MOCK_SOURCE = "mock_api"
"""The source of what the mock API answers. It is made up, so it says nothing about what any other source tells of."""

SOURCE_RANK = (
    "api",
    "tracks_1921_2020",
    "artists_1921_2020",
    "tracks_by_genre",
    "playlist_songs",
    "top_2000s",
    "made_up",
    MOCK_SOURCE,
)
"""Sources, best first: where two of them know a field, the earlier one wins (docs/rules.md)."""

TRACK_ROW = build_schema(
    input_id=StringType(),
    source=StringType(),
    row_number=LongType(),
    track_id=StringType(),
    name=StringType(),
    artist_names=STRINGS,
    artist_ids=STRINGS,
    album_id=StringType(),
    album_name=StringType(),
    album_type=StringType(),
    release_date=DateType(),
    release_date_precision=StringType(),
    duration_ms=IntegerType(),
    explicit=BooleanType(),
    isrc=StringType(),
    popularity=IntegerType(),
    genres=STRINGS,
    playlist_id=StringType(),
    playlist_name=StringType(),
    playlist_genre=StringType(),
    playlist_subgenre=StringType(),
    **MEASURES,
)
"""One accepted row about a track. ``input_id`` is NULL where the row is what several inputs say (the API's memory);
``track_id`` is NULL where the source has none; ``artist_ids`` is NULL or as long
as ``artist_names``; a date known to the year or month stands on its first day."""

ARTIST_ROW = build_schema(
    input_id=StringType(),
    source=StringType(),
    row_number=LongType(),
    artist_id=StringType(),
    name=StringType(),
    popularity=IntegerType(),
    followers=LongType(),
    genres=STRINGS,
)

SURVEY_ROW = build_schema(
    input_id=StringType(),
    row_number=LongType(),
    response_id=StringType(),
    age_band=StringType(),
    gender=StringType(),
    usage_period=StringType(),
    listening_devices=STRINGS,
    subscription_plan=StringType(),
    premium_willingness=BooleanType(),
    preferred_premium_plan=StringType(),
    preferred_content=StringType(),
    favourite_genre=StringType(),
    time_slot=StringType(),
    moods=STRINGS,
    listening_contexts=STRINGS,
    discovery_methods=STRINGS,
    recommendation_rating=IntegerType(),
    podcast_frequency=StringType(),
    podcast_genre=StringType(),
    podcast_format=StringType(),
    podcast_host_preference=StringType(),
    podcast_duration=StringType(),
    podcast_variety=StringType(),
)
"""One survey answer; ``response_id`` is a hash of all its answers."""

CATALOGUE: dict[str, StructType] = {
    "dim_artist": build_schema(
        artist_id=StringType(),
        name=StringType(),
        popularity=IntegerType(),
        popularity_source=StringType(),
        followers=LongType(),
        source=StringType(),
        made_id=StringType(),
        variant_made_id=StringType(),
    ),
    "dim_album": build_schema(
        album_id=StringType(),
        name=StringType(),
        album_type=StringType(),
        release_date=DateType(),
        release_date_precision=StringType(),
        source=StringType(),
    ),
    "dim_track": build_schema(
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
        **MEASURES,
        audio_features_source=StringType(),
        audio_features_type=IntegerType(),
        newness_score=DoubleType(),
        source=StringType(),
    ),
    "dim_audio_cluster": build_schema(
        audio_features_type=IntegerType(),
        name=StringType(),
        **double_columns(AUDIO_FEATURES),
        inertia=DoubleType(),
        fitted_at=TimestampType(),
    ),
    "cluster_fit": build_schema(
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
    "track_alias": build_schema(
        alias_kind=StringType(),
        alias_value=StringType(),
        track_id=StringType(),
        method=StringType(),
        score=DoubleType(),
    ),
    "bridge_track_artist": build_schema(track_id=StringType(), artist_id=StringType(), position=IntegerType()),
    "bridge_track_genre": build_schema(
        track_id=StringType(), genre=StringType(), source=StringType(), weight=DoubleType()
    ),
    "dim_playlist": build_schema(
        playlist_id=StringType(),
        name=StringType(),
        owner_id=StringType(),
        snapshot_id=StringType(),
        genre=StringType(),
        subgenre=StringType(),
        source=StringType(),
    ),
    "playlist_snapshot": build_schema(playlist_id=StringType(), seen_at=TimestampType()),
    "fact_playlist_track": build_schema(
        playlist_id=StringType(),
        track_id=StringType(),
        occurrence=IntegerType(),
        added_at=TimestampType(),
        seen_at=TimestampType(),
    ),
    "fact_track_popularity": build_schema(track_id=StringType(), asked_on=DateType(), popularity=IntegerType()),
    "fact_artist_popularity": build_schema(
        artist_id=StringType(), asked_on=DateType(), popularity=IntegerType(), followers=LongType()
    ),
    "user_record": USER_RECORD,
    "account_owner": build_schema(user_id=StringType(), owner_id=StringType()),
    "refresh_state": build_schema(kind=StringType(), id=StringType(), asked_at=TimestampType()),
    "survey_response": StructType(
        [field for field in SURVEY_ROW.fields if field.name not in ("input_id", "row_number")]
    ),
    "reconciliation": build_schema(
        from_id=StringType(),
        to_id=StringType(),
        method=StringType(),
        score=DoubleType(),
        source=StringType(),
    ),
    "input_key": build_schema(input_id=StringType(), key_kind=StringType(), key=StringType(), row_count=LongType()),
    "rejected_row": REJECTED_ROW,
}
"""What a load of the catalogue takes.

- ``recording_id`` is the smallest track id of the recording.
- ``reconciliation`` has one line for each id or id-less row that was recognised as something known (from → to).
- ``playlist_snapshot`` has a line for each snapshot of a playlist that the API has read, ``seen_at`` its time; the rows
  of ``fact_playlist_track`` name theirs, and have NULL where files list the playlist.
- ``fact_track_popularity`` and ``fact_artist_popularity`` have a line for each day on which the API was asked.
- ``input_key`` has a line for each (input, key published) with the number of accepted rows that carry it; ``key_kind``
  is track, artist, playlist, user or survey_response and names the staged table where ``key`` is found (a track's key
  may be an alias).
- ``dim_audio_cluster`` (centroids in the features' own units) and ``cluster_fit`` (one line: what scales a track before
  it is compared with the centroids) hold rows only on a night that fitted anew.
"""

SIMULATION: dict[str, StructType] = {
    "listener": build_schema(
        user_id=StringType(),
        population=StringType(),
        seed=LongType(),
        personality=StringType(),
        **double_columns(("exploration", "newness", "loyalty", "commonality")),
    ),
    "dirt": build_schema(input_id=StringType(), kind=StringType(), row_count=LongType()),
}
"""The truth behind made-up feeds, for the schema simulation."""

STAGED: dict[str, StructType] = {**EVENTS, **CATALOGUE, **SIMULATION}
"""All frames that can be staged."""
