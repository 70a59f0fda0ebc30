"""The columns of events and of listeners between a source's parser and the load, as Spark schemas.

Every source's parser makes ``EVENT_ROW`` of what it accepts and ``schemas.REJECTED_ROW`` of the rest; feeds bring
``USER_ROW`` too. What follows is the same for all sources, and ends in ``EVENTS``.
"""

from pyspark.sql.types import BooleanType, IntegerType, LongType, StringType, TimestampType

from etl.formats.contracts.columns import build_schema, list_columns
from etl.formats.contracts.staged import read_staged_schema

RESERVED_USER_IDS = ("not applicable", "unknown")
"""Ids of the dim_user rows for no user and for an unknown user; no listener can have them."""

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
    **list_columns(read_staged_schema("event_context")),
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
    **{"input_id": StringType(), "source": StringType(), **list_columns(read_staged_schema("user_record"))}
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

EVENTS = {
    name: read_staged_schema(name)
    for name in (
        "fact_event",
        "fact_spoken_event",
        "user_record",
        "event_named",
        "event_user",
        "event_artist",
        "event_track",
        "event_playlist",
        "event_context",
        "event_count",
        "arrival",
        "exported_playlist",
        "exported_playlist_track",
        "rejected_row",
    )
}
"""What a load of events takes: first the members that they name, then the events themselves with the members' keys.
``event_named`` is all that they name, of which staging makes the ``event_…`` of each kind, each member once;
``exported_playlist`` and ``exported_playlist_track`` are what account exports tell of playlists; ``event_count``
accounts for the rows of each input, ``arrival`` for staged events; ``event_id`` is the 16 bytes of a UUID."""
