"""The columns of events and of listeners between a source's parser and the load, as Spark schemas.

The parser of each source returns ``EVENT_ROW`` for accepted records and ``contracts.REJECTED_ROW`` for rejected ones;
the parsers of feeds also return ``USER_ROW``. The following steps are the same for all sources, and return ``EVENTS``.
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

- ``source``: feed, extended_export, basic_export, library_export, recently_played, saved_tracks, followed_artists, or
  one of ``service_exports.SERVICE_FORMATS``.
- ``identity``: identifies the event within its source, user and time; two rows with the same source, user_id,
  event_time and identity are duplicates of one event.
- ``event_time``: the start of a play, the time of any other event; ``started_at`` and ``ended_at`` are NULL if the
  source does not have them.
- ``activity_type``: PLAY, PAUSE, SKIP, LIKE or FOLLOW.
- ``track_id``: Spotify's id, NULL if the source has none; ``track_name`` and ``artist_name`` then have the names.
- ``spoken_id``, ``spoken_name`` and ``show_name``: set only for podcast episodes and audiobook chapters. Rows with a
  ``spoken_id`` (a Spotify URI, or a name-derived id) go to fact_spoken_event.
- ``is_skipped``: whether the row is a skip: a SKIP of a feed, or a play that its export marks as skipped. The number of
  such rows is therefore the number of skips in every source.
- ``country``: the country of the user at that time; ``timezone``: the IANA name if the source has it, else NULL.
"""

STREAM_EVENT_ROW = build_schema(
    **list_columns(EVENT_ROW),
    genre=StringType(),
    partition=IntegerType(),
    received_at=TimestampType(),
)
"""An accepted event of a topic: ``genre`` as the event names it, ``partition`` and ``received_at`` (the broker's time)
of its message. ``input_id`` is NULL: the event belongs to an input once it is landed."""

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
"""One record of an account export, as a line of an input: ``number`` is its position in the input, ``file`` its file in
the export, ``body`` the record as received without private fields, as JSON."""

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
"""The frames that a load of events stages: first the dimension members that the events reference, then the events with
the members' keys.

- ``event_named`` has all referenced members; staging derives the ``event_…`` table of each kind from it, each member
  once.
- ``exported_playlist`` and ``exported_playlist_track`` are the playlists in account exports.
- ``event_count`` accounts for the rows of each input, ``arrival`` for staged events.
- ``event_id`` is the 16 bytes of a UUID.
"""
