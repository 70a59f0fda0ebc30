"""The columns of every frame that crosses a package's border, as Spark schemas.

Parsers return ``TRACK_ROW``, ``ARTIST_ROW`` and ``SURVEY_ROW``, and ``REJECTED_ROW`` for rejected records. Transforms
return the schemas in ``STAGED``, each named for the staging table that it fills and read from sql/schema: a concept has
one name from here to the star.

    columns     the notation of schemas, and columns that several have
    staged      the schemas of staging tables
    api         API responses and the latest state of API resources
    events      events and listeners between a source's parser and the load
    avro        the Avro contracts of feeds
"""

from pyspark.sql.types import BooleanType, DateType, IntegerType, LongType, StringType

from etl.formats.contracts.api import API_RESPONSE, LATEST_STATE
from etl.formats.contracts.columns import (
    AUDIO_FEATURES,
    MEASURES,
    OTHER_AUDIO_MEASURES,
    STRINGS,
    build_schema,
    list_columns,
)
from etl.formats.contracts.events import EVENTS
from etl.formats.contracts.staged import read_staged_schema

__all__ = [
    "ANALYSED_ROW",
    "API_RESPONSE",
    "ARTIST_ROW",
    "AUDIO_FEATURES",
    "CATALOGUE",
    "EVENTS",
    "LATEST_STATE",
    "MOCK_SOURCE",
    "OTHER_AUDIO_MEASURES",
    "REJECTED_ROW",
    "ROW_LINK",
    "SIMULATION",
    "STAGED",
    "SURVEY_ROW",
    "TRACK_ROW",
]

MOCK_SOURCE = "mock_api"
"""The source of the mock API's responses. They are synthetic and do not describe the resources of other sources."""

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
"""One accepted row about a track.

- ``input_id`` is NULL if the row combines several inputs (the latest state of an API resource).
- ``track_id`` is NULL if the source has no id.
- ``artist_ids`` is NULL or as long as ``artist_names``.
- ``release_date`` is the first day of the year or month if ``release_date_precision`` is year or month.
"""

ANALYSED_ROW = build_schema(
    **list_columns(TRACK_ROW),
    artist_keys=STRINGS,
    identity=StringType(),
    album_title=StringType(),
    title=StringType(),
    version=StringType(),
    edition=StringType(),
    credit=StringType(),
)
"""A row about a track with the columns that ``reconciliation.add_track_identity`` adds."""

ROW_LINK = build_schema(input_id=StringType(), id_hash=LongType(), node=LongType(), artist=LongType())
"""A link of a row of an input: the result of ``links.build_row_links``."""

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
    input_id=StringType(), row_number=LongType(), **list_columns(read_staged_schema("survey_response"))
)
"""One survey response; ``response_id`` is a hash of all its answers."""

REJECTED_ROW = read_staged_schema("rejected_row")
"""A rejected row: the reason, and the row as received (a JSON object, or an array if it does not fit the header)."""

CATALOGUE = {
    name: read_staged_schema(name)
    for name in (
        "dim_artist",
        "dim_album",
        "dim_track",
        "provider_features",
        "dim_audio_cluster",
        "cluster_fit",
        "track_alias",
        "bridge_track_artist",
        "bridge_track_genre",
        "dim_playlist",
        "playlist_snapshot",
        "fact_playlist_track",
        "fact_track_popularity",
        "fact_artist_popularity",
        "user_record",
        "account_owner",
        "refresh_state",
        "survey_response",
        "reconciliation",
        "match_decision",
        "input_key",
        "rejected_row",
    )
}
"""The frames that a load of the catalogue stages.

- ``recording_id`` is the smallest track id of the recording.
- ``reconciliation`` has one row for each id, or row without an id, that was matched with a known resource (from → to).
- ``match_decision`` has the decisions about ids that the catalogue was built with.
- ``playlist_snapshot`` has one row for each snapshot of a playlist fetched from the API; ``seen_at`` is its time. The
  rows of ``fact_playlist_track`` reference it; their reference is NULL for playlists in files.
- ``fact_track_popularity`` and ``fact_artist_popularity`` have one row for each day with a response of the API.
- ``input_key`` has one row for each (input, published key), with the number of accepted rows that have the key;
  ``key_kind`` is track, artist, playlist, user or survey_response and determines the staged table that contains ``key``
  (a track's key may be an alias); or it is provider_features, and ``refresh_state`` contains ``key``.
- ``provider_features`` has audio features of tracks that only events report.
- ``dim_audio_cluster`` (centroids in the features' own units) and ``cluster_fit`` (one row: the scaling of a track
  before it is compared with the centroids) have rows only in a run that fitted new clusters.
"""

SIMULATION = {
    name: read_staged_schema(name) for name in ("listener", "anomaly_episode", "outage", "holiday", "injected_error")
}
"""The true values that synthetic feeds are derived from, for the schema simulation."""

STAGED = {**EVENTS, **CATALOGUE, **SIMULATION}
"""All frames that can be staged."""
