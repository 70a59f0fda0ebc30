"""The queries that validate the records of a feed and map them to rows.

In: a table ``records`` with the fields of a contract. Out: columns of ``EVENT_ROW`` or ``USER_ROW``, and ``reason``,
NULL if the record is accepted. The queries keep the order of the records.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta

from pyspark.sql.types import StructType

from etl.engines.datafusion import quote_literal
from etl.formats.contracts.avro import LATEST_CONTRACT, load_contract
from etl.formats.contracts.events import EVENT_ROW, RESERVED_USER_IDS, STREAM_EVENT_ROW, USER_ROW
from etl.formats.kaggle.column_rules import BLANKS
from etl.formats.time_limits import CLOCK_TOLERANCE, SPOTIFY_FOUNDED
from etl.transform.events.dimension_members import MAX_CONTEXT_BYTES
from etl.transform.validation import Rule, first_violation_sql

SOURCE = "feed"
_MAX_ID_BYTES = 255
_INVALID_USER_ID = "userId is missing or longer than 255 bytes"
_ENUM_SYMBOLS = {
    field["name"]: field["type"]["symbols"]
    for field in load_contract(LATEST_CONTRACT["user_activity"])["fields"]
    if "symbols" in field["type"]
}
"""The symbols of each enum of the contract; the schema of a file may have more."""
_CONTEXT_FIELDS = ("context['platform']", "context['reasonStart']", "context['reasonEnd']", "subscriptionType")
UNUSED_FIELDS = ("genre", "continent", "valence", "tempo", "acousticness", "energy", "danceability")
"""Fields of UserActivity that the query does not read: the star has them by track and by country."""
_LATEST_MESSAGE_MS = (
    "(arrow_cast(arrow_cast(received_at, 'Timestamp(Millisecond, None)'), 'Int64')"
    f" + {CLOCK_TOLERANCE // timedelta(milliseconds=1)})"
)
_DURATION_MS = "(arrow_cast(endTime, 'Int64') - arrow_cast(startTime, 'Int64'))"


def build_event_query(input_id: str, latest_time: datetime, timezones: Collection[str]) -> str:
    """Return the query for records of UserActivity, by the contract ``user_activity_2``: rows of ``EVENT_ROW``.

    :param latest_time: a later event time is rejected.
    :param timezones: known names; others become NULL.
    """
    columns = _build_event_columns(timezones) | _build_common_columns(input_id)
    return _build_query(EVENT_ROW, columns, _list_event_rules(str(_to_epoch_ms(latest_time))))


def build_stream_query(timezones: Collection[str]) -> str:
    """Return the query for records of UserActivity from a topic: rows of ``STREAM_EVENT_ROW``.

    The records have the further columns partition and received_at, the time of their message: a time later than
    ``CLOCK_TOLERANCE`` after it is rejected.
    """
    columns = _build_event_columns(timezones) | {
        "input_id": "cast(null as string)",
        "source": quote_literal(SOURCE),
        "genre": _clean_text("genre"),
        "partition": "partition",
        "received_at": "received_at",
    }
    return _build_query(STREAM_EVENT_ROW, columns, _list_event_rules(_LATEST_MESSAGE_MS))


def build_reason_query() -> str:
    """Return the query for only the column reason of ``build_stream_query``."""
    return f"select {first_violation_sql(_list_event_rules(_LATEST_MESSAGE_MS))} as reason from records"  # noqa: S608 (fields of a contract)


def _list_event_rules(latest_ms: str) -> list[Rule[str]]:
    """Return the rules for records of UserActivity.

    :param latest_ms: the latest possible time as an expression, in milliseconds since the start of 1970.
    """
    song, artist = (f"coalesce({_clean_text(f'{name}Id')}, {_clean_text(name)})" for name in ("song", "artist"))
    is_nameless = (
        f"case when activityType = 'FOLLOW' then coalesce({artist}, {_clean_text('playlistId')}) is null"
        f" else coalesce({song}, {artist}) is null end"
    )
    return [
        Rule(_is_invalid_user(), _INVALID_USER_ID),
        Rule(f"{_known_symbol('activityType')} is null", "activityType is none that is known"),
        Rule(_is_impossible_time("eventTime", latest_ms), "eventTime is an impossible time"),
        Rule(_is_impossible_time("startTime", latest_ms), "startTime is an impossible time"),
        Rule("endTime is null or endTime < startTime", "endTime is before startTime"),
        Rule("msPlayed < 0", "msPlayed is negative"),
        Rule("duration < 0", "duration is negative"),
        Rule(f"{_DURATION_MS} > {2**31 - 1}", "endTime is weeks after startTime"),
        Rule(is_nameless, "neither track nor artist is named"),
        Rule(_is_too_long("songId", "artistId", "playlistId", "eventId"), "an id is longer than 255 bytes"),
        Rule(
            f"{_sum_lengths(*_CONTEXT_FIELDS)} > {MAX_CONTEXT_BYTES}",
            f"context and plan are longer than {MAX_CONTEXT_BYTES} bytes",
        ),
    ]


def build_user_query(input_id: str, latest_time: datetime, timezones: Collection[str]) -> str:
    """Return the query for records of User, by the contract ``user``: rows of ``USER_ROW``.

    Parameters as for ``build_event_query``.
    """
    rules = [
        Rule(_is_invalid_user(), _INVALID_USER_ID),
        Rule(_is_impossible_time("updatedAt", str(_to_epoch_ms(latest_time))), "updatedAt is an impossible time"),
    ]
    return _build_query(USER_ROW, _build_user_columns(timezones) | _build_common_columns(input_id), rules)


def _build_event_columns(timezones: Collection[str]) -> dict[str, str]:
    is_play = "activityType = 'PLAY'"
    identifying_fields = ", ".join(
        f"coalesce({name}, '')" for name in ("songId", "song", "artistId", "artist", "playlistId")
    )
    content = f"concat_ws('\u0001', activityType, cast(arrow_cast(startTime, 'Int64') as string), {identifying_fields})"
    country = "coalesce(country, userLocation)"
    return {
        "identity": f"coalesce('id ' || {_clean_text('eventId')}, {content})",
        "user_id": _clean_text("userId"),
        "event_time": f"case when {is_play} then startTime else eventTime end",
        "started_at": f"case when {is_play} then startTime end",
        "ended_at": f"case when {is_play} then endTime end",
        "activity_type": "activityType",
        "track_id": _clean_text("songId"),
        "track_name": _clean_text("song"),
        "artist_id": _clean_text("artistId"),
        "artist_name": _clean_text("artist"),
        "playlist_id": _clean_text("playlistId"),
        "ms_played": f"case when {is_play} then coalesce(msPlayed, {_DURATION_MS}) end",
        "is_skipped": "activityType = 'SKIP'",
        "device_type": _known_symbol("deviceType"),
        "platform": _clean_text("context['platform']"),
        "reason_start": _clean_text("context['reasonStart']"),
        "reason_end": _clean_text("context['reasonEnd']"),
        "is_shuffle": _get_context_field("isShuffle"),
        "is_offline": _get_context_field("isOffline"),
        "is_incognito": _get_context_field("isIncognito"),
        "subscription_plan": _clean_text("subscriptionType"),
        "country": _country_code(country),
        "timezone": _known_timezone("timezone", timezones),
    }


def _build_user_columns(timezones: Collection[str]) -> dict[str, str]:
    return {
        "user_id": _clean_text("userId"),
        "valid_from": "updatedAt",
        "username": _clean_text("username"),
        # Avro's int of days reaches beyond PostgreSQL's dates.
        "birthdate": "case when birthdate between date '0001-01-01' and date '9999-12-31' then birthdate end",
        "gender": _clean_text("gender"),
        "country": _country_code("country"),
        "continent": _clean_text("continent"),
        "timezone": _known_timezone("timezone", timezones),
        "favourite_genre": _clean_text("favouriteGenre"),
        "subscription_plan": _clean_text("subscriptionType"),
    }


def _build_common_columns(input_id: str) -> dict[str, str]:
    return {"input_id": quote_literal(input_id), "source": quote_literal(SOURCE)}


def _build_query(schema: StructType, values: Mapping[str, str], rules: Iterable[Rule[str]]) -> str:
    columns = [f"{value} as {name}" for name, value in values.items() if name in schema.names]
    return (
        f"select {', '.join(columns)}, {first_violation_sql(rules)} as reason"  # noqa: S608 (fields of a contract)
        " from records"
    )


def _is_invalid_user() -> str:
    user_id, reserved_ids = _clean_text("userId"), ", ".join(map(quote_literal, RESERVED_USER_IDS))
    has_null_character = f"strpos(userId, {quote_literal(chr(0))}) > 0"
    return f"{user_id} is null or {user_id} in ({reserved_ids}) or {has_null_character} or {_is_too_long(user_id)}"


def _is_too_long(*names: str) -> str:
    return " or ".join(f"coalesce(octet_length({name}), 0) > {_MAX_ID_BYTES}" for name in names)


def _sum_lengths(*names: str) -> str:
    return " + ".join(f"coalesce(octet_length({name}), 0)" for name in names)


def _to_epoch_ms(timestamp: datetime) -> int:
    return int(timestamp.timestamp() * 1000)


def _is_impossible_time(name: str, latest_ms: str) -> str:
    earliest_ms = _to_epoch_ms(SPOTIFY_FOUNDED)
    # Compared as numbers: a time far from 1970 in milliseconds overflows when DataFusion converts it to a finer unit.
    return f"{name} is null or arrow_cast({name}, 'Int64') not between {earliest_ms} and {latest_ms}"


def _clean_text(name: str) -> str:
    """Return a text without blanks around it, U+0000 replaced (PostgreSQL rejects it); NULL if it is empty."""
    replaced_text = f"replace({name}, {quote_literal(chr(0))}, {quote_literal(chr(0xFFFD))})"
    return f"nullif(btrim({replaced_text}, {quote_literal(BLANKS)}), '')"


def _get_context_field(name: str) -> str:
    """Return a field of the context; NULL without a context, because Arrow may store a value under a NULL struct."""
    return f"case when context is not null then context['{name}'] end"


def _country_code(code: str) -> str:
    return f"case when {code} ~ '^[A-Z]{{2}}$' then {code} end"


def _known_symbol(name: str) -> str:
    """Return the symbol if the contract has it, else NULL."""
    return _null_unless_in(name, _ENUM_SYMBOLS[name])


def _known_timezone(name: str, known_timezones: Collection[str]) -> str:
    """Return the timezone if its name is known, else NULL."""
    return _null_unless_in(name, known_timezones)


def _null_unless_in(name: str, allowed_values: Collection[str]) -> str:
    return f"case when {name} in ({', '.join(map(quote_literal, allowed_values))}) then {name} end"
