"""The columns of events and of listeners between a source's parser and the load, as Spark schemas.

Every source's parser makes ``EVENT_ROW`` of what it accepts and ``schemas.REJECTED_ROW`` of the rest; feeds bring
``USER_ROW`` too. What follows is the same for all sources, and ends in ``EVENTS``.
"""

from pyspark.sql.types import (
    BinaryType,
    BooleanType,
    DataType,
    DateType,
    IntegerType,
    LongType,
    ShortType,
    StringType,
    StructType,
    TimestampNTZType,
    TimestampType,
)

from etl.formats.contracts.columns import REJECTED_ROW, USER_PROFILE, USER_RECORD, build_schema

_PLAY_CONTEXT: dict[str, DataType] = {
    "platform": StringType(),
    "reason_start": StringType(),
    "reason_end": StringType(),
    "is_shuffle": BooleanType(),
    "is_offline": BooleanType(),
    "is_incognito": BooleanType(),
    "subscription_plan": StringType(),
}
"""How a play came about: what warehouse.dim_play_context holds."""

EVENT_ROW = build_schema(
    input_id=StringType(),
    source=StringType(),
    identity=StringType(),
    user_id=StringType(),
    event_time=TimestampType(),
    started_at=TimestampType(),
    ended_at=TimestampType(),
    activity_type=StringType(),
    track_id=StringType(),
    track_name=StringType(),
    artist_id=StringType(),
    artist_name=StringType(),
    playlist_id=StringType(),
    spoken_id=StringType(),
    spoken_name=StringType(),
    show_name=StringType(),
    ms_played=IntegerType(),
    is_skipped=BooleanType(),
    device_type=StringType(),
    **_PLAY_CONTEXT,
    country=StringType(),
    timezone=StringType(),
)
"""One accepted event.

- ``source``: feed, extended_export, basic_export, library_export, recently_played, saved_tracks or followed_artists.
- ``identity``: what the event is within its source and user; two rows with the same source, user_id, event_time and
  identity are one event told twice.
- ``event_time`` is the start of a play, the moment of anything else; ``started_at`` and ``ended_at`` are NULL where the
  source does not know them.
- ``activity_type``: PLAY, PAUSE, SKIP, LIKE or FOLLOW.
- ``track_id``: Spotify's id, NULL where the source has none; then names stand in ``track_name`` and ``artist_name``.
- ``spoken_id``, ``spoken_name`` and ``show_name`` are set for podcast episodes and audiobook chapters alone, by whose
  ``spoken_id`` (a Spotify URI, or a made id) the row goes to fact_spoken_event.
- ``is_skipped``: whether the row tells of a skip: a SKIP of a feed, or a play that its export says was skipped, so that
  counting such rows counts skips in every source.
- ``country``: where the user was; ``timezone``: the IANA name where the source says it, else NULL.
"""

USER_ROW = build_schema(
    input_id=StringType(), source=StringType(), user_id=StringType(), valid_from=TimestampType(), **USER_PROFILE
)
"""A user as of ``valid_from``."""

EXPORT_LINE = build_schema(
    number=LongType(),
    user_id=StringType(),
    timezone=StringType(),
    file=StringType(),
    body=StringType(),
)
"""One record of an account export as it lies in the lake: ``number`` its place in the input, ``file`` the file of the
export that it stood in, ``body`` the record as received without private fields, JSON."""

_TIME_AND_USER: dict[str, DataType] = {
    "event_id": BinaryType(),
    "event_time": TimestampType(),
    "started_at": TimestampType(),
    "ended_at": TimestampType(),
    "local_time": TimestampNTZType(),
    "user_key": IntegerType(),
}
_EVENT_DETAILS: dict[str, DataType] = {
    "context_key": IntegerType(),
    "date_key": IntegerType(),
    "utc_date_key": IntegerType(),
    "ms_played": IntegerType(),
    "input_key": IntegerType(),
    "local_hour": ShortType(),
    "is_skipped": BooleanType(),
    "is_home_time": BooleanType(),
}
_EVENT_SOURCE: dict[str, DataType] = {
    "activity_type": StringType(),
    "device_type": StringType(),
    "country": StringType(),
    "continent": StringType(),
    "source": StringType(),
}

EVENTS: dict[str, StructType] = {
    "fact_event": build_schema(
        **_TIME_AND_USER,
        track_key=IntegerType(),
        artist_key=IntegerType(),
        playlist_key=IntegerType(),
        **_EVENT_DETAILS,
        **_EVENT_SOURCE,
    ),
    "fact_spoken_event": build_schema(
        **_TIME_AND_USER,
        **_EVENT_DETAILS,
        spoken_id=StringType(),
        spoken_name=StringType(),
        show_name=StringType(),
        **_EVENT_SOURCE,
    ),
    "user_record": USER_RECORD,
    "event_named": build_schema(
        name_set=StringType(),
        source=StringType(),
        user_id=StringType(),
        track_id=StringType(),
        track_name=StringType(),
        artist_id=StringType(),
        artist_name=StringType(),
        made_track=StringType(),
        made_artist=StringType(),
        playlist_id=StringType(),
        **_PLAY_CONTEXT,
        input_id=StringType(),
        is_spoken=BooleanType(),
        first_day=DateType(),
        row_count=LongType(),
    ),
    "event_user": build_schema(user_id=StringType(), source=StringType()),
    "event_artist": build_schema(artist_id=StringType(), name=StringType(), source=StringType()),
    "event_track": build_schema(track_id=StringType(), name=StringType(), artist_id=StringType(), source=StringType()),
    "event_playlist": build_schema(playlist_id=StringType(), source=StringType()),
    "event_context": build_schema(**_PLAY_CONTEXT),
    "event_count": build_schema(input_id=StringType(), rows_accepted=LongType(), rows_repeated=LongType()),
    "arrival": build_schema(
        table_name=StringType(),
        input_key=IntegerType(),
        source=StringType(),
        utc_date_key=IntegerType(),
        row_count=LongType(),
        first_event_time=TimestampType(),
        last_event_time=TimestampType(),
    ),
    "exported_playlist": build_schema(
        input_id=StringType(),
        user_id=StringType(),
        seen_at=TimestampType(),
        file_name=StringType(),
        is_alone=BooleanType(),
        playlist_id=StringType(),
        name=StringType(),
        occurrence=IntegerType(),
    ),
    "exported_playlist_track": build_schema(
        input_id=StringType(),
        user_id=StringType(),
        seen_at=TimestampType(),
        playlist_id=StringType(),
        place=LongType(),
        track_id=StringType(),
        track_name=StringType(),
        artist_name=StringType(),
        added_at=TimestampType(),
    ),
    "rejected_row": REJECTED_ROW,
}
"""What a load of events takes: first the members that they name, then the events themselves with the members' keys.
``event_named`` is all that they name, of which staging makes the ``event_…`` of each kind, each member once;
``exported_playlist`` and ``exported_playlist_track`` are what account exports tell of playlists; ``event_count``
accounts for the rows of each input, ``arrival`` for staged events; ``event_id`` is the 16 bytes of a UUID."""
