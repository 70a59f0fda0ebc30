"""The extended streaming history: which columns its fields fill, in DataFusion.

In: a table of ``record_tables`` an input. Out: rows of ``EVENT_ROW``, and rejected rows with their reasons.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql.pandas.types import to_arrow_schema

from etl.engines.datafusion import TableSession, convert_table, quote_literal
from etl.formats.contracts import REJECTED_ROW
from etl.formats.contracts.events import EVENT_ROW
from etl.formats.time_limits import SPOTIFY_FOUNDED
from etl.transform.account_export.device_types import classify_device_text
from etl.transform.account_export.record_queries import (
    build_duration_rules,
    build_record_rules,
    build_text_rules,
    build_timestamp_rules,
    name_derived_id,
    parse_boolean,
    parse_integer,
    select_texts,
    to_microseconds,
)
from etl.transform.account_export.record_tables import TIME_COLUMN, build_record_table
from etl.transform.events.dimension_members import MAX_CONTEXT_BYTES
from etl.transform.uris import LOCAL_URI, SPOKEN_URI, TRACK_URI
from etl.transform.validation import Rule, first_violation_sql

SOURCE = "extended_export"
_TIME_FIELD = "ts"
_TRACK_FIELD = "master_metadata_track_name"
_ARTIST_FIELD = "master_metadata_album_artist_name"
_ALBUM_FIELD = "master_metadata_album_album_name"
_CONTEXT_FIELDS = ("platform", "reason_start", "reason_end")
_SPOKEN_URI_FIELDS = ("spotify_episode_uri", "audiobook_chapter_uri", "audiobook_uri")
_TEXT_FIELDS = (
    "platform",
    _TRACK_FIELD,
    _ARTIST_FIELD,
    _ALBUM_FIELD,
    "spotify_track_uri",
    "episode_name",
    "episode_show_name",
    *_SPOKEN_URI_FIELDS,
    "audiobook_title",
    "audiobook_chapter_title",
    "reason_start",
    "reason_end",
)
_FIELDS = (
    *_TEXT_FIELDS,
    _TIME_FIELD,
    "ms_played",
    "conn_country",
    "shuffle",
    "skipped",
    "offline",
    "offline_timestamp",
    "incognito_mode",
)

_ANY_URI = "^spotify:[a-z]+(:[0-9A-Za-z]+)+$"
_SKIP_REASONS = ("fwdbtn", "backbtn", "clickrow", "clickside")
_COMPLETED_REASON = "trackdone"
_LATE_REPORT_DELAY_S = 24 * 60 * 60
_SMALLEST_MILLISECONDS = 10**11
"""Read as seconds this is the year 5138, read as milliseconds 1973."""

_EVENT_SCHEMA = to_arrow_schema(EVENT_ROW)
_REJECTED_SCHEMA = to_arrow_schema(REJECTED_ROW)
_TIME_COLUMNS = ("event_time", "started_at", "ended_at")


@dataclass(frozen=True)
class ParsedPlays:
    """Rows of ``EVENT_ROW`` whose times ``resolve_late_reports`` still moves, and rows of ``REJECTED_ROW``."""

    accepted: pa.Table
    rejected: pa.Table


def parse_plays(
    lines: Iterable[str], input_id: str, received_at: datetime, known_timezones: Collection[str]
) -> ParsedPlays:
    """Validate lines of one input; each is in exactly one of the two tables.

    :param received_at: the time of the import, with a timezone.
    """
    records = build_record_table(lines, _FIELDS, _TIME_FIELD)
    platforms = pc.unique(records["platform"].combine_chunks()).drop_null().to_pylist()
    device_types = [classify_device_text(platform.strip(" ")) for platform in platforms]
    tables = TableSession(
        records=records,
        devices=pa.table(
            {
                "of_platform": pa.array([platform.strip(" ") for platform in platforms], pa.string()),
                "device_type": pa.array(device_types, pa.string()),
            }
        ),
    )
    tables.create_view("texts", select_texts(_FIELDS))
    tables.create_view("device", "select of_platform, max(device_type) as device_type from devices group by 1")
    tables.create_view("spoken", _SPOKEN_QUERY)
    tables.create_view("derived", _DERIVED_QUERY)
    validated = tables.collect_table(_build_event_query(input_id, received_at, known_timezones))
    is_accepted = pc.is_null(validated["reason"])
    rejected = validated.filter(pc.invert(is_accepted)).rename_columns({"number": "row_number", "body": "row"})
    return ParsedPlays(
        validated.filter(is_accepted).drop_columns(["reason", "body", "number"]),
        convert_table(rejected, _REJECTED_SCHEMA),
    )


def resolve_late_reports(plays: pa.Table) -> pa.Table:
    """Move late-reported plays to the time at which they began, and return rows of ``EVENT_ROW``.

    The ``ts`` of such a play is not its end but the time at which the app was online again. A play counts as late if
    ``offline_timestamp`` lies more than a day before the start by ``ts``, or if several offline plays that began at
    different times have one ``ts``: at most one of them can have ended then.

    :param plays: the accepted plays of all inputs that are loaded together.
    """
    moved = TableSession(plays=plays).collect_table(_RESOLUTION_QUERY)
    for name in _TIME_COLUMNS:
        index = moved.schema.get_field_index(name)
        moved = moved.set_column(index, name, moved[name].cast(pa.timestamp("us", "UTC")))
    return convert_table(moved, _EVENT_SCHEMA)


def _build_event_query(input_id: str, received_at: datetime, known_timezones: Collection[str]) -> str:
    """Return the query for columns of ``EVENT_ROW``, dated by ``ts``, with their line and the reason of rejection."""
    timezones = ", ".join(map(quote_literal, sorted(known_timezones)))
    columns = {
        "input_id": quote_literal(input_id),
        "number": "number",
        "body": "body",
        "user_id": "user_id",
        "timezone": f"case when timezone in ({timezones}) then timezone end",
        "activity_type": "'PLAY'",
        "source": quote_literal(SOURCE),
        "identity": _build_identity(),
        "started_at": "start_us",
        "ended_at": TIME_COLUMN,
        "track_id": "track_id",
        "track_name": f"case when spoken_id is null then {_TRACK_FIELD} end",
        "artist_name": f"case when spoken_id is null then {_ARTIST_FIELD} end",
        "spoken_id": "spoken_id",
        "spoken_name": "spoken_name",
        "show_name": "show_name",
        "ms_played": "length_ms",
        "is_skipped": _build_skip(),
        "device_type": "device_type",
        "platform": "platform",
        "reason_start": "reason_start",
        "reason_end": "reason_end",
        "is_shuffle": parse_boolean("shuffle"),
        "is_offline": parse_boolean("offline"),
        "is_incognito": parse_boolean("incognito_mode"),
        "country": "case when upper(conn_country) ~ '^[A-Z]{2}$' and upper(conn_country) <> 'ZZ'"
        " then upper(conn_country) end",
        "offline_start_s": _build_offline_start(),
        "reason": first_violation_sql(_list_rules(received_at)),
    }
    selected = ", ".join(f"{value} as {name}" for name, value in columns.items())
    return f"select {selected} from derived left join device on of_platform = platform order by number"


def _list_rules(received_at: datetime) -> list[Rule[str]]:
    """Return the rules that reject a record, in the order in which they are checked."""
    context = ", ".join(_CONTEXT_FIELDS)
    return [
        *build_record_rules(),
        *build_text_rules(_TEXT_FIELDS),
        *build_timestamp_rules(_TIME_FIELD, received_at),
        *build_duration_rules("ms_played", "length_ms"),
        Rule(
            f"coalesce(track_id, spoken_id) is null and not spotify_track_uri ~ '{LOCAL_URI}'",
            "spotify_track_uri is no track",
        ),
        Rule(
            f"octet_length(concat_ws('', {context})) > {MAX_CONTEXT_BYTES}",
            f"platform and reasons are longer than {MAX_CONTEXT_BYTES} bytes",
        ),
        *(Rule(f"not {uri} ~ '{_ANY_URI}'", f"{uri} is no Spotify URI") for uri in _SPOKEN_URI_FIELDS),
    ]


def _build_identity() -> str:
    """Return ``ts``, the id of the content and the milliseconds played: equal in every export of the same history."""
    name_id = name_derived_id(_ARTIST_FIELD, _TRACK_FIELD, _ALBUM_FIELD)
    content_id = (
        f"coalesce('spotify:track:' || track_id, spoken_id,"
        f" case when coalesce({_TRACK_FIELD}, {_ARTIST_FIELD}) is not null then {name_id} end)"
    )
    return f"concat_ws(' ', cast({TIME_COLUMN} / 1000000 as string), {content_id}, cast(length_ms as string))"


def _build_skip() -> str:
    reasons = ", ".join(map(quote_literal, _SKIP_REASONS))
    skipped = f"({parse_boolean('skipped')})"
    return (
        f"case when lower(reason_end) = '{_COMPLETED_REASON}' then false"
        f" when lower(reason_end) in ({reasons}) or {skipped} then true"
        f" when reason_end is not null or {skipped} is not null then false end"
    )


def _build_offline_start() -> str:
    """Return the start of an offline play, in seconds; NULL unless it is possible and the play had ended by ``ts``."""
    has_ended = f"offline_s + length_ms / 1000.0 <= {TIME_COLUMN} / 1000000 + 1"
    earliest = to_microseconds(SPOTIFY_FOUNDED) // 1_000_000
    return f"case when ({parse_boolean('offline')}) and offline_s >= {earliest} and {has_ended} then offline_s end"


# ruff: noqa: S608 (fields of ours)
_IS_MISPLACED = (
    f"coalesce(not starts_with(spotify_track_uri, 'spotify:track:') and spotify_track_uri ~ '{SPOKEN_URI}', false)"
)
_SPOKEN_QUERY = f"""
    select
        *,
        {_IS_MISPLACED} as is_misplaced,
        coalesce({", ".join(_SPOKEN_URI_FIELDS)}, case when {_IS_MISPLACED} then spotify_track_uri end) as spoken_uri,
        coalesce(episode_name, audiobook_chapter_title, audiobook_title) as spoken_title,
        coalesce(episode_show_name, audiobook_title) as show_title,
        {parse_integer("ms_played")} as length_ms,
        {parse_integer("offline_timestamp")} as offline_value
    from texts
"""
_IS_SPOKEN = (
    "is_misplaced or (spotify_track_uri is null and coalesce(spoken_uri, spoken_title, show_title) is not null)"
)
# A record with an episode's URI in the track's field may have the episode's names in the track's fields, too. Older
# exports have milliseconds in offline_timestamp and newer ones seconds: both must give one event.
_DERIVED_QUERY = f"""
    select
        *,
        ({TIME_COLUMN} / 1000 - length_ms) * 1000 as start_us,
        case when spotify_track_uri ~ '{TRACK_URI}' then substr(spotify_track_uri, 15) end as track_id,
        case when {_IS_SPOKEN} then coalesce(spoken_uri, {name_derived_id("show_title", "spoken_title")}) end
            as spoken_id,
        case when {_IS_SPOKEN} then coalesce(spoken_title, {_TRACK_FIELD}) end as spoken_name,
        case when {_IS_SPOKEN} then coalesce(show_title, {_ARTIST_FIELD}) end as show_name,
        case when offline_value >= {_SMALLEST_MILLISECONDS} then offline_value / 1000 else offline_value end
            as offline_s
    from spoken
"""
_DELAY_S = "(started_at / 1000000 - offline_start_s)"
_IS_LATE = (
    f"{_DELAY_S} > {_LATE_REPORT_DELAY_S}"
    " or min(offline_start_s) over (partition by user_id, ended_at)"
    " < max(offline_start_s) over (partition by user_id, ended_at)"
)
_FEED_COLUMNS = ("artist_id", "playlist_id", "subscription_plan")
_PLAIN_COLUMNS = ", ".join(name for name in EVENT_ROW.names if name not in (*_TIME_COLUMNS, *_FEED_COLUMNS))
_RESOLUTION_QUERY = f"""
    select
        {_PLAIN_COLUMNS},
        coalesce(offline_at, started_at) as event_time,
        coalesce(offline_at, started_at) as started_at,
        coalesce(offline_at + ms_played * 1000, ended_at) as ended_at
    from (select *, case when {_IS_LATE} then offline_start_s * 1000000 end as offline_at from plays) as late
"""
