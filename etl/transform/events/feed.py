"""A feed's records of what users did and of who they are."""

from collections.abc import Collection
from datetime import datetime
from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructType

from etl.schemas import REJECTED_ROW
from etl.schemas.events import EVENT_ROW, USER_ROW
from etl.transform.events.members import LONGEST_CONTEXT
from etl.transform.events.timezones import known_timezones
from etl.transform.kaggle import Parsed

SOURCE = "feed"
_SEPARATOR = "\u0001"
_LONGEST_ID = 255
_NO_USERS = ("", "unknown", "not applicable")
"""Ids that dim_user has for nobody."""
_NO_USER_ID = "userId is missing or longer than 255 bytes"
_FIRST_DAY = datetime(2006, 4, 23)
"""When Spotify was founded: nothing happened on it before."""


def events(records: DataFrame, not_after: datetime) -> Parsed:
    """What records of UserActivity say.

    :param records: as ``Lake.read_feed`` gives them by the contract ``user_activity_2``: fields that the writer did not
        know are NULL.
    :param not_after: nothing that came in can have happened later.
    :returns: rows of EVENT_ROW, and refused records with their reason.
    """
    reason = (
        _cut_off()
        .when(_is_no_id("userId"), _NO_USER_ID)
        .when(_is_impossible("eventTime", not_after), "eventTime is an impossible time")
        .when(_is_impossible("startTime", not_after), "startTime is an impossible time")
        .when(F.col("endTime").isNull() | (F.col("endTime") < F.col("startTime")), "endTime is before startTime")
        .when(F.col("msPlayed") < 0, "msPlayed is negative")
        .when(F.col("duration") < 0, "duration is negative")
        .when(_length_ms() > 2**31 - 1, "endTime is weeks after startTime")
        .when(_is_about_nothing(), "neither track nor artist is named")
        .when(_is_too_long("songId", "artistId", "playlistId", "eventId"), "an id is longer than 255 bytes")
        .when(_is_long_context(), f"context and plan are longer than {LONGEST_CONTEXT} bytes")
    )
    return _parsed(records, reason, EVENT_ROW, _event(known_timezones(records.sparkSession)))


def users(records: DataFrame, not_after: datetime) -> Parsed:
    """What records of User say.

    :param records: as ``Lake.read_feed`` gives them by the contract ``user``.
    :param not_after: nothing that came in can have changed later.
    :returns: rows of USER_ROW, and refused records with their reason.
    """
    reason = (
        _cut_off()
        .when(_is_no_id("userId"), _NO_USER_ID)
        .when(_is_impossible("updatedAt", not_after), "updatedAt is an impossible time")
    )
    return _parsed(records, reason, USER_ROW, _user(known_timezones(records.sparkSession)))


def _event(timezones: Collection[str]) -> dict[str, Column]:
    is_play = F.col("activityType") == "PLAY"
    told = (F.col("songId"), F.col("song"), F.col("artistId"), F.col("artist"), F.col("playlistId"))
    content = F.concat_ws(
        _SEPARATOR, "activityType", F.unix_millis("startTime"), *(F.coalesce(one, F.lit("")) for one in told)
    )
    context = {name: _text(f"context.{name}") for name in ("platform", "reasonStart", "reasonEnd")}
    country = F.coalesce("country", "userLocation")
    return {
        "identity": F.coalesce(F.concat(F.lit("id "), F.col("eventId")), content),
        "user_id": F.col("userId"),
        "event_time": F.when(is_play, F.col("startTime")).otherwise(F.col("eventTime")),
        "started_at": F.when(is_play, F.col("startTime")),
        "ended_at": F.when(is_play, F.col("endTime")),
        "activity_type": F.col("activityType"),
        "track_id": _text("songId"),
        "track_name": _text("song"),
        "artist_id": _text("artistId"),
        "artist_name": _text("artist"),
        "playlist_id": _text("playlistId"),
        "ms_played": F.when(is_play, F.coalesce("msPlayed", _length_ms().try_cast("int"))),
        "is_skipped": F.col("activityType") == "SKIP",
        "device_type": F.col("deviceType"),
        "platform": context["platform"],
        "reason_start": context["reasonStart"],
        "reason_end": context["reasonEnd"],
        "is_shuffle": F.col("context.isShuffle"),
        "is_offline": F.col("context.isOffline"),
        "is_incognito": F.col("context.isIncognito"),
        "subscription_plan": _text("subscriptionType"),
        "country": F.when(country.rlike("^[A-Z]{2}$"), country),
        "timezone": _timezone("timezone", timezones),
    }


def _user(timezones: Collection[str]) -> dict[str, Column]:
    return {
        "user_id": F.col("userId"),
        "valid_from": F.col("updatedAt"),
        "username": _text("username"),
        "birthdate": F.col("birthdate"),
        "gender": _text("gender"),
        "country": F.when(F.col("country").rlike("^[A-Z]{2}$"), F.col("country")),
        "continent": _text("continent"),
        "timezone": _timezone("timezone", timezones),
        "favourite_genre": _text("favouriteGenre"),
        "subscription_plan": _text("subscriptionType"),
    }


def _parsed(records: DataFrame, reason: Column, schema: StructType, values: dict[str, Column]) -> Parsed:
    given = values | {"input_id": F.col("input_id"), "source": F.lit(SOURCE)}
    columns = [given.get(field.name, F.lit(None)).cast(field.dataType).alias(field.name) for field in schema]
    received = F.to_json(F.struct(*(name for name in records.columns if name != "input_id")))
    judged = records.withColumn("reason", reason).select(
        *columns, "reason", F.when(F.col("reason").isNotNull(), received).alias("row")
    )
    refused = judged.where("reason IS NOT NULL").select("input_id", "reason", "row")
    return Parsed(judged.where("reason IS NULL").drop("reason", "row"), numbered(refused))


def numbered(refused: DataFrame) -> DataFrame:
    """Rows of REJECTED_ROW out of records that have no place of their own: numbered within their input by content."""
    order = Window.partitionBy("input_id").orderBy("row", "reason")
    return refused.withColumn("row_number", F.row_number().over(order).cast("long")).select(*REJECTED_ROW.names)


def _cut_off() -> Column:
    return F.when(F.col("cut_off").isNotNull(), "the file ends in the middle of a block")


def _is_no_id(name: str) -> Column:
    return F.coalesce(F.trim(name).isin(*_NO_USERS), F.lit(True)) | _is_too_long(name) | _is_no_text(name)


def _is_no_text(name: str) -> Column:
    return F.col(name).contains("\u0000") | ~F.is_valid_utf8(F.col(name))


def _is_too_long(*names: str) -> Column:
    return reduce(Column.__or__, (F.coalesce(F.octet_length(name), F.lit(0)) > _LONGEST_ID for name in names))


def _is_impossible(name: str, not_after: datetime) -> Column:
    return F.coalesce(~F.col(name).between(F.lit(_FIRST_DAY), F.lit(not_after)), F.lit(True))


def _is_long_context() -> Column:
    texts = ("context.platform", "context.reasonStart", "context.reasonEnd", "subscriptionType")
    return reduce(Column.__add__, (F.coalesce(F.octet_length(one), F.lit(0)) for one in texts)) > LONGEST_CONTEXT


def _is_about_nothing() -> Column:
    song, artist = F.coalesce("songId", "song"), F.coalesce("artistId", "artist")
    is_follow = F.col("activityType") == "FOLLOW"
    return F.when(is_follow, F.coalesce(artist, "playlistId").isNull()).otherwise(F.coalesce(song, artist).isNull())


def _length_ms() -> Column:
    return F.unix_millis("endTime") - F.unix_millis("startTime")


def _text(name: str) -> Column:
    """A text without what PostgreSQL does not take: U+0000 and bytes that are no UTF-8; NULL where it is blank."""
    clean = F.replace(F.make_valid_utf8(F.col(name).cast(StringType())), F.lit("\u0000"), F.lit("\ufffd"))
    return F.when(F.trim(clean) != "", clean)


def _timezone(name: str, known: Collection[str]) -> Column:
    """The timezone where there is one of that name; a clock cannot be read by another."""
    return F.when(F.col(name).isin(*known), F.col(name))
