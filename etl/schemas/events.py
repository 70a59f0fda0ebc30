"""The columns of events and of listeners between a source's parser and the load, as Spark schemas.

Every source's parser makes ``EVENT_ROW`` of what it accepts and ``schemas.REJECTED_ROW`` of the rest; feeds bring
``USER_ROW`` too. What follows is the same for all sources.
"""

from pyspark.sql.types import (
    BooleanType,
    DateType,
    IntegerType,
    LongType,
    StringType,
    TimestampType,
)

from etl.schemas.columns import schema

EVENT_ROW = schema(
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
    album_name=StringType(),
    playlist_id=StringType(),
    spoken_id=StringType(),
    spoken_name=StringType(),
    show_name=StringType(),
    ms_played=IntegerType(),
    is_skipped=BooleanType(),
    device_type=StringType(),
    platform=StringType(),
    reason_start=StringType(),
    reason_end=StringType(),
    is_shuffle=BooleanType(),
    is_offline=BooleanType(),
    is_incognito=BooleanType(),
    subscription_plan=StringType(),
    country=StringType(),
    timezone=StringType(),
)
"""One accepted event.

- ``source``: feed, extended_export, basic_export, recently_played, saved_tracks or followed_artists.
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

USER_ROW = schema(
    input_id=StringType(),
    source=StringType(),
    user_id=StringType(),
    valid_from=TimestampType(),
    username=StringType(),
    birthdate=DateType(),
    gender=StringType(),
    country=StringType(),
    continent=StringType(),
    timezone=StringType(),
    favourite_genre=StringType(),
    subscription_plan=StringType(),
)
"""A user as of ``valid_from``."""

EXPORT_LINE = schema(
    number=LongType(),
    user_id=StringType(),
    timezone=StringType(),
    file=StringType(),
    body=StringType(),
)
"""One record of an account export as it lies in the lake: ``number`` its place in the input, ``file`` the file of the
export that it stood in, ``body`` the record as received without private fields, JSON."""
