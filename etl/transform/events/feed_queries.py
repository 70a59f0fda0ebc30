"""A feed's records of what users did and of who they are."""

from collections.abc import Collection, Mapping
from datetime import datetime

from pyspark.sql.types import StructType

from etl.engines.datafusion import quote_literal
from etl.erasure.data_subject import RESERVED_USER_IDS
from etl.formats.contracts.avro import LATEST_CONTRACT, load_contract
from etl.formats.contracts.events import EVENT_ROW, USER_ROW
from etl.formats.kaggle.column_rules import BLANKS
from etl.formats.time_limits import SPOTIFY_FOUNDED
from etl.transform.events.dimension_members import MAX_CONTEXT_BYTES

SOURCE = "feed"
_MAX_ID_BYTES = 255
_INVALID_USER_ID = "userId is missing or longer than 255 bytes"
_ENUM_SYMBOLS = {
    field["name"]: field["type"]["symbols"]
    for field in load_contract(LATEST_CONTRACT["user_activity"])["fields"]
    if "symbols" in field["type"]
}
"""What each enum of the contract knows; the one that a file was written with may know more."""
_CONTEXT_FIELDS = ("context['platform']", "context['reasonStart']", "context['reasonEnd']", "subscriptionType")
UNUSED_FIELDS = ("genre", "continent", "valence", "tempo", "acousticness", "energy", "danceability")
"""Fields of UserActivity that ``events`` does not read: the star has them of the track and of the country."""
_DURATION_MS = "(arrow_cast(endTime, 'Int64') - arrow_cast(startTime, 'Int64'))"


def build_event_query(input_id: str, latest_time: datetime, timezones: Collection[str]) -> str:
    """The query of what records of UserActivity say: columns of EVENT_ROW, and ``reason``, NULL where one is accepted.

    It reads the table ``records``, with the fields of the contract ``user_activity_2``, and keeps its order.

    :param not_after: nothing that came in can have happened later.
    :param timezones: the known ones.
    """
    song, artist = (f"coalesce({_clean_text(f'{name}Id')}, {_clean_text(name)})" for name in ("song", "artist"))
    rules = {
        _is_invalid_user(): _INVALID_USER_ID,
        f"{_known_symbol('activityType')} is null": "activityType is none that is known",
        _is_impossible_time("eventTime", latest_time): "eventTime is an impossible time",
        _is_impossible_time("startTime", latest_time): "startTime is an impossible time",
        "endTime is null or endTime < startTime": "endTime is before startTime",
        "msPlayed < 0": "msPlayed is negative",
        "duration < 0": "duration is negative",
        f"{_DURATION_MS} > {2**31 - 1}": "endTime is weeks after startTime",
        f"case when activityType = 'FOLLOW' then coalesce({artist}, {_clean_text('playlistId')}) is null"
        f" else coalesce({song}, {artist}) is null end": "neither track nor artist is named",
        _is_too_long("songId", "artistId", "playlistId", "eventId"): "an id is longer than 255 bytes",
        f"{_sum_lengths(*_CONTEXT_FIELDS)} > {MAX_CONTEXT_BYTES}": (
            f"context and plan are longer than {MAX_CONTEXT_BYTES} bytes"
        ),
    }
    return _build_query(EVENT_ROW, _build_event_columns(timezones) | _build_common_columns(input_id), rules)


def build_user_query(input_id: str, latest_time: datetime, timezones: Collection[str]) -> str:
    """The same of records of User, with the fields of the contract ``user``: rows of USER_ROW, and ``reason``."""
    rules = {
        _is_invalid_user(): _INVALID_USER_ID,
        _is_impossible_time("updatedAt", latest_time): "updatedAt is an impossible time",
    }
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
        # An int of days reaches beyond what PostgreSQL takes.
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


def _build_query(schema: StructType, values: Mapping[str, str], rules: Mapping[str, str]) -> str:
    reason = " ".join(f"when {condition} then {quote_literal(message)}" for condition, message in rules.items())
    columns = [f"{value} as {name}" for name, value in values.items() if name in schema.names]
    return f"select {', '.join(columns)}, case {reason} end as reason from records"  # noqa: S608 (fields of a contract)


def _is_invalid_user() -> str:
    user_id, reserved_ids = _clean_text("userId"), ", ".join(map(quote_literal, RESERVED_USER_IDS))
    has_null_character = f"strpos(userId, {quote_literal(chr(0))}) > 0"
    return f"{user_id} is null or {user_id} in ({reserved_ids}) or {has_null_character} or {_is_too_long(user_id)}"


def _is_too_long(*names: str) -> str:
    return " or ".join(f"coalesce(octet_length({name}), 0) > {_MAX_ID_BYTES}" for name in names)


def _sum_lengths(*names: str) -> str:
    return " + ".join(f"coalesce(octet_length({name}), 0)" for name in names)


def _is_impossible_time(name: str, latest_time: datetime) -> str:
    earliest_ms, latest_ms = (int(timestamp.timestamp() * 1000) for timestamp in (SPOTIFY_FOUNDED, latest_time))
    # As numbers: not every number is a time that can be told in a finer unit.
    return f"{name} is null or arrow_cast({name}, 'Int64') not between {earliest_ms} and {latest_ms}"


def _clean_text(name: str) -> str:
    """A text without blanks around it and without what PostgreSQL does not take, U+0000; NULL where nothing is left."""
    return f"nullif(btrim(replace({name}, {quote_literal(chr(0))}, {quote_literal(chr(0xFFFD))}), {quote_literal(BLANKS)}), '')"


def _get_context_field(name: str) -> str:
    """A field of the context; NULL where there is none, under which Arrow may keep a value."""
    return f"case when context is not null then context['{name}'] end"


def _country_code(code: str) -> str:
    return f"case when {code} ~ '^[A-Z]{{2}}$' then {code} end"


def _known_symbol(name: str) -> str:
    """The symbol where the contract knows it."""
    return _null_unless_in(name, _ENUM_SYMBOLS[name])


def _known_timezone(name: str, known_timezones: Collection[str]) -> str:
    """The timezone where there is one of that name; a clock cannot be read by another."""
    return _null_unless_in(name, known_timezones)


def _null_unless_in(name: str, allowed_values: Collection[str]) -> str:
    return f"case when {name} in ({', '.join(map(quote_literal, allowed_values))}) then {name} end"
