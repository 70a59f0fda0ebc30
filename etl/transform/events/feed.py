"""A feed's records of what users did and of who they are."""

from collections.abc import Collection, Mapping
from datetime import datetime

from pyspark.sql.types import StructType

from etl.column_rules import BLANKS
from etl.columnar import literal
from etl.limits import SPOTIFY_FOUNDED
from etl.person import NOBODY
from etl.schemas.avro import NEWEST, contract
from etl.schemas.events import EVENT_ROW, USER_ROW
from etl.transform.events.members import LONGEST_CONTEXT

SOURCE = "feed"
_LONGEST_ID = 255
_NO_USER_ID = "userId is missing or longer than 255 bytes"
_SYMBOLS = {
    field["name"]: field["type"]["symbols"]
    for field in contract(NEWEST["user_activity"])["fields"]
    if "symbols" in field["type"]
}
"""What each enum of the contract knows; the one that a file was written with may know more."""
_CONTEXT_TEXTS = ("context['platform']", "context['reasonStart']", "context['reasonEnd']", "subscriptionType")
NOT_ASKED = ("genre", "continent", "valence", "tempo", "acousticness", "energy", "danceability")
"""Fields of UserActivity that ``events`` does not read: the star has them of the track and of the country."""
_LENGTH_MS = "(arrow_cast(endTime, 'Int64') - arrow_cast(startTime, 'Int64'))"


def events(input_id: str, not_after: datetime, timezones: Collection[str]) -> str:
    """The query of what records of UserActivity say: columns of EVENT_ROW, and ``reason``, NULL where one is accepted.

    It reads the table ``records``, with the fields of the contract ``user_activity_2``, and keeps its order.

    :param not_after: nothing that came in can have happened later.
    :param timezones: the known ones.
    """
    song, artist = (f"coalesce({_text(f'{one}Id')}, {_text(one)})" for one in ("song", "artist"))
    faults = {
        _is_no_user(): _NO_USER_ID,
        f"{_known('activityType')} is null": "activityType is none that is known",
        _is_impossible("eventTime", not_after): "eventTime is an impossible time",
        _is_impossible("startTime", not_after): "startTime is an impossible time",
        "endTime is null or endTime < startTime": "endTime is before startTime",
        "msPlayed < 0": "msPlayed is negative",
        "duration < 0": "duration is negative",
        f"{_LENGTH_MS} > {2**31 - 1}": "endTime is weeks after startTime",
        f"case when activityType = 'FOLLOW' then coalesce({artist}, {_text('playlistId')}) is null"
        f" else coalesce({song}, {artist}) is null end": "neither track nor artist is named",
        _is_too_long("songId", "artistId", "playlistId", "eventId"): "an id is longer than 255 bytes",
        f"{_sum_of_lengths(*_CONTEXT_TEXTS)} > {LONGEST_CONTEXT}": (
            f"context and plan are longer than {LONGEST_CONTEXT} bytes"
        ),
    }
    return _query(EVENT_ROW, _event(timezones) | _common(input_id), faults)


def users(input_id: str, not_after: datetime, timezones: Collection[str]) -> str:
    """The same of records of User, with the fields of the contract ``user``: rows of USER_ROW, and ``reason``."""
    faults = {
        _is_no_user(): _NO_USER_ID,
        _is_impossible("updatedAt", not_after): "updatedAt is an impossible time",
    }
    return _query(USER_ROW, _user(timezones) | _common(input_id), faults)


def _event(timezones: Collection[str]) -> dict[str, str]:
    is_play = "activityType = 'PLAY'"
    told = ", ".join(f"coalesce({one}, '')" for one in ("songId", "song", "artistId", "artist", "playlistId"))
    content = f"concat_ws('\u0001', activityType, cast(arrow_cast(startTime, 'Int64') as string), {told})"
    country = "coalesce(country, userLocation)"
    return {
        "identity": f"coalesce('id ' || {_text('eventId')}, {content})",
        "user_id": _text("userId"),
        "event_time": f"case when {is_play} then startTime else eventTime end",
        "started_at": f"case when {is_play} then startTime end",
        "ended_at": f"case when {is_play} then endTime end",
        "activity_type": "activityType",
        "track_id": _text("songId"),
        "track_name": _text("song"),
        "artist_id": _text("artistId"),
        "artist_name": _text("artist"),
        "playlist_id": _text("playlistId"),
        "ms_played": f"case when {is_play} then coalesce(msPlayed, {_LENGTH_MS}) end",
        "is_skipped": "activityType = 'SKIP'",
        "device_type": _known("deviceType"),
        "platform": _text("context['platform']"),
        "reason_start": _text("context['reasonStart']"),
        "reason_end": _text("context['reasonEnd']"),
        "is_shuffle": _of_context("isShuffle"),
        "is_offline": _of_context("isOffline"),
        "is_incognito": _of_context("isIncognito"),
        "subscription_plan": _text("subscriptionType"),
        "country": _country(country),
        "timezone": _timezone("timezone", timezones),
    }


def _user(timezones: Collection[str]) -> dict[str, str]:
    return {
        "user_id": _text("userId"),
        "valid_from": "updatedAt",
        "username": _text("username"),
        # An int of days reaches beyond what PostgreSQL takes.
        "birthdate": "case when birthdate between date '0001-01-01' and date '9999-12-31' then birthdate end",
        "gender": _text("gender"),
        "country": _country("country"),
        "continent": _text("continent"),
        "timezone": _timezone("timezone", timezones),
        "favourite_genre": _text("favouriteGenre"),
        "subscription_plan": _text("subscriptionType"),
    }


def _common(input_id: str) -> dict[str, str]:
    return {"input_id": literal(input_id), "source": literal(SOURCE)}


def _query(schema: StructType, values: Mapping[str, str], faults: Mapping[str, str]) -> str:
    reason = " ".join(f"when {fault} then {literal(sentence)}" for fault, sentence in faults.items())
    columns = [f"{value} as {name}" for name, value in values.items() if name in schema.names]
    return f"select {', '.join(columns)}, case {reason} end as reason from records"  # noqa: S608 (fields of a contract)


def _is_no_user() -> str:
    user_id, nobody = _text("userId"), ", ".join(map(literal, NOBODY))
    is_no_text = f"strpos(userId, {literal(chr(0))}) > 0"
    return f"{user_id} is null or {user_id} in ({nobody}) or {is_no_text} or {_is_too_long(user_id)}"


def _is_too_long(*names: str) -> str:
    return " or ".join(f"coalesce(octet_length({name}), 0) > {_LONGEST_ID}" for name in names)


def _sum_of_lengths(*names: str) -> str:
    return " + ".join(f"coalesce(octet_length({name}), 0)" for name in names)


def _is_impossible(name: str, not_after: datetime) -> str:
    first, last = (int(moment.timestamp() * 1000) for moment in (SPOTIFY_FOUNDED, not_after))
    # As numbers: not every number is a time that can be told in a finer unit.
    return f"{name} is null or arrow_cast({name}, 'Int64') not between {first} and {last}"


def _text(name: str) -> str:
    """A text without blanks around it and without what PostgreSQL does not take, U+0000; NULL where nothing is left."""
    return f"nullif(btrim(replace({name}, {literal(chr(0))}, {literal(chr(0xFFFD))}), {literal(BLANKS)}), '')"


def _of_context(name: str) -> str:
    """A field of the context; NULL where there is none, under which Arrow may keep a value."""
    return f"case when context is not null then context['{name}'] end"


def _country(code: str) -> str:
    return f"case when {code} ~ '^[A-Z]{{2}}$' then {code} end"


def _known(name: str) -> str:
    """The symbol where the contract knows it."""
    return _one_of(name, _SYMBOLS[name])


def _timezone(name: str, known: Collection[str]) -> str:
    """The timezone where there is one of that name; a clock cannot be read by another."""
    return _one_of(name, known)


def _one_of(name: str, known: Collection[str]) -> str:
    return f"case when {name} in ({', '.join(map(literal, known))}) then {name} end"
