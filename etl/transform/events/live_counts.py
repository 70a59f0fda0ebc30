"""The counts of a batch of events from the topic, for the live tables.

In: events as ``LIVE_EVENT``, and the watermark of each partition before the batch. Out: for each table of the schema
live the rows to add. An hour is closed once it ends by the watermark of the event's partition; the events of a closed
hour are late, and are counted in columns of their own.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import cache

import pyarrow as pa

from etl.engines.datafusion import TableSession
from etl.formats.geography import CONTINENTS

UNKNOWN = "unknown"

LIVE_EVENT = pa.schema(
    [
        pa.field("event_id", pa.binary()),
        pa.field("partition", pa.int32()),
        pa.field("event_time", pa.timestamp("us", "UTC")),
        pa.field("received_at", pa.timestamp("us", "UTC")),
        pa.field("user_id", pa.string()),
        pa.field("activity_type", pa.string()),
        pa.field("track_id", pa.string()),
        pa.field("track_name", pa.string()),
        pa.field("artist_id", pa.string()),
        pa.field("artist_name", pa.string()),
        pa.field("genre", pa.string()),
        pa.field("country", pa.string()),
        pa.field("ms_played", pa.int32()),
    ]
)
"""An accepted event; ``event_id`` has 16 bytes, ``country`` is an ISO 3166-1 code, ``genre`` as the event names it."""

_MAX_NAME_LETTERS = 200
_TITLE_ID = (
    f"'title:' || left(concat_ws(' - ', coalesce(e.artist_name, e.artist_id), e.track_name), {_MAX_NAME_LETTERS})"
)
_EVENTS_QUERY = f"""
    select
        cast(e.partition as smallint) as partition,
        e.user_id,
        e.activity_type,
        coalesce(e.track_id, case when e.track_name is not null then {_TITLE_ID} end, '') as track_id,
        e.track_name,
        coalesce(e.artist_id, left(e.artist_name, {_MAX_NAME_LETTERS}), '') as artist_id,
        e.artist_name,
        coalesce(e.genre, '{UNKNOWN}') as genre,
        coalesce(e.country, '{UNKNOWN}') as country,
        coalesce(c.continent, '{UNKNOWN}') as continent,
        coalesce(e.ms_played, 0) as ms_played,
        date_trunc('hour', e.event_time) as hour_start,
        date_trunc('minute', e.event_time) as minute_start,
        case when coalesce(date_trunc('hour', e.event_time) + interval '1 hour' <= w.watermark, false)
            then 1 else 0 end as is_late,
        case when coalesce(date_trunc('minute', e.event_time) + interval '1 minute' <= w.watermark, false)
            then 1 else 0 end as is_minute_late,
        case when e.activity_type = 'PLAY' and e.ms_played >= {{play_min_ms}} then 1 else 0 end as is_play
    from batch as e
    left join continents as c on c.country = e.country
    left join watermarks as w on w.partition = e.partition
"""  # noqa: S608 (expressions of ours)
_PLAY_COUNTS = """
    cast(sum(ms_played * (1 - is_late)) as bigint) as ms_played,
    cast(sum(ms_played * is_late) as bigint) as late_ms_played,
    cast(sum(is_play * (1 - is_late)) as int) as plays,
    cast(sum(is_play * is_late) as int) as late_plays
"""
_QUERIES = {
    "user_hour": f"""
        select
            hour_start, partition, activity_type, country, user_id, track_id,
            cast(sum(1 - is_late) as int) as events, cast(sum(is_late) as int) as late_events, {_PLAY_COUNTS}
        from events group by hour_start, partition, activity_type, country, user_id, track_id
    """,  # noqa: S608 (expressions of ours)
    "continent_hour": f"""
        select hour_start, continent, track_id, {_PLAY_COUNTS}
        from events where is_play = 1 and track_id <> '' group by hour_start, continent, track_id
    """,  # noqa: S608 (expressions of ours)
    "artist_hour": f"""
        select hour_start, artist_id, country, {_PLAY_COUNTS}
        from events where is_play = 1 and artist_id <> '' group by hour_start, artist_id, country
    """,  # noqa: S608 (expressions of ours)
    "active_minute": """
        select
            minute_start, continent,
            sum(1 - is_minute_late) as events, sum(is_minute_late) as late_events, cast(0 as int) as listeners
        from events group by minute_start, continent
    """,
    "active_listener": """
        select distinct partition, minute_start, continent, user_id
        from events where is_minute_late = 0
    """,
    "track": """
        select track_id, min(track_name) as track_name, min(artist_id) as artist_id, min(artist_name) as artist_name,
            min(genre) as genre
        from events where track_id <> '' group by track_id
    """,
    "partition": """
        select partition, count(*) as unique_events, sum(is_late) as late_events from events group by partition
    """,
}
_WATERMARKS = pa.schema([pa.field("partition", pa.int32()), pa.field("watermark", pa.timestamp("us", "UTC"))])


def count_events(events: pa.Table, watermarks: Mapping[int, datetime | None], play_min_ms: int) -> dict[str, pa.Table]:
    """Return the rows that a batch adds to the tables of the schema live, by table.

    ``partition`` has the numbers of all events and of late events by partition.

    :param events: as ``LIVE_EVENT``, without duplicates.
    :param watermarks: of each partition before the batch; None if it has no event yet.
    :param play_min_ms: how long a PLAY is heard at least to count as a play, ms.
    """
    rows = [{"partition": partition, "watermark": watermark} for partition, watermark in watermarks.items()]
    tables = TableSession(
        batch=events, continents=_get_continents(), watermarks=pa.Table.from_pylist(rows, schema=_WATERMARKS)
    )
    tables.add_table("events", tables.collect_table(_EVENTS_QUERY.format(play_min_ms=play_min_ms)))
    return {name: tables.collect_table(query) for name, query in _QUERIES.items()}


@cache
def _get_continents() -> pa.Table:
    return pa.table({"country": list(CONTINENTS), "continent": list(CONTINENTS.values())})
