"""What accounts did, out of the API's answers: tracks saved, artists followed, tracks played.

In: things as ``things.things`` takes them apart, and who the accounts are. Out: rows of ``EVENT_ROW`` and of
``REJECTED_ROW``; every saved track, followed artist and recent play is in exactly one of the two.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from etl.formats.contracts import REJECTED_ROW
from etl.formats.contracts.events import EVENT_ROW
from etl.transform.spotify.resources import encode_json
from etl.transform.times import is_after_receipt, is_before_spotify
from etl.transform.validation import ValidationResult

_TRACK = "id string, name string, type string, is_local boolean, artists array<struct<id: string, name: string>>"
_PLAYLIST_ENTRY = (
    f"added_at string, played_at string, item struct<{_TRACK}>, track struct<{_TRACK}>, context struct<uri: string>"
)
_ARTIST = "id string, name string"
_PROFILE = "id string, account_id string"
_PLAYLIST_URI = "^spotify:(?:user:[^:]+:)?playlist:([0-9A-Za-z]{1,255})$"
_SPOTIFY_ID = "^[0-9A-Za-z]{1,255}$"
"""A longer one would not fit into the star's indexes."""


def resolve_users(resources: DataFrame) -> DataFrame:
    """Who the accounts are, by their newest profile among some things: account, user_id."""
    payload = F.from_json("thing", _PROFILE)
    user_id = F.nullif(F.trim(F.coalesce(payload["account_id"], payload["id"])), F.lit(""))
    account_ids = resources.where("endpoint = 'me'").select("account", "asked_at", user_id.alias("user_id")).dropna()
    newest_ids = account_ids.groupBy("account").agg(F.max(F.struct("asked_at", "user_id")).alias("told"))
    return newest_ids.select("account", "told.user_id")


def parse_events(
    resources: DataFrame, users: DataFrame, known_follows: DataFrame, is_mock: bool = False
) -> ValidationResult:
    """Split saved tracks, followed artists and recent plays into events and rejected rows.

    :param held: what ``things.things`` gives; other things in it are passed over.
    :param users: account and user_id, a row an account, as all answers so far tell them.
    :param known_follows: the FOLLOWs already loaded: user_id, artist_id, event_time; a row a pair.
    :param is_mock: whether the mock API answered. It makes up ids of artists whom files know by name alone, so its
        tracks are by the artists that the catalogue knows them by.
    """
    resources_with_user = resources.join(F.broadcast(users), on="account", how="left")
    validated_kinds = [_validate_kind(resources_with_user, kind) for kind in _KINDS]
    if is_mock:
        validated_kinds = [
            rows if kind is _FOLLOWED else rows.withColumn("artist_id", F.lit(None).cast("string"))
            for rows, kind in zip(validated_kinds, _KINDS, strict=True)
        ]
    follows = validated_kinds[_KINDS.index(_FOLLOWED)]
    validated_kinds[_KINDS.index(_FOLLOWED)] = _backdate_to_first_seen(follows, known_follows)
    validated_rows = reduce(DataFrame.unionByName, validated_kinds)
    return ValidationResult(
        validated_rows.where("reason IS NULL").select(*EVENT_ROW.fieldNames()),
        validated_rows.where("reason IS NOT NULL").select(*REJECTED_ROW.fieldNames()),
    )


@dataclass(frozen=True)
class _EventKind:
    """How the things of one endpoint become events; ``columns`` and ``reason`` read ``said``, the thing's JSON."""

    endpoint: str
    source: str
    json_schema: str
    columns: Callable[[], dict[str, Column]]
    reason: Callable[[], Column]


def _validate_kind(resources: DataFrame, kind: _EventKind) -> DataFrame:
    """Columns of both ``EVENT_ROW`` and ``REJECTED_ROW``; ``reason`` is NULL where the thing is an event."""
    parsed_resources = resources.where(F.col("endpoint") == kind.endpoint).withColumn(
        "said", F.from_json("thing", kind.json_schema)
    )
    columns_by_name = {
        "input_id": F.col("input_id"),
        "source": F.lit(kind.source),
        "user_id": F.col("user_id"),
    } | kind.columns()
    columns = [
        columns_by_name.get(field.name, F.lit(None)).cast(field.dataType).alias(field.name)
        for field in EVENT_ROW.fields
    ]
    reason = F.coalesce(kind.reason(), F.when(F.col("user_id").isNull(), "account has not said who it is"))
    return parsed_resources.select(
        *columns, "row_number", reason.alias("reason"), encode_json(F.col("thing")).alias("row")
    )


def _build_saved_columns() -> dict[str, Column]:
    added_at = F.try_to_timestamp(F.col("said.added_at"))
    return {
        **_build_track_columns(),
        "activity_type": F.lit("LIKE"),
        "event_time": added_at,
        "identity": _get_entry_track()["id"],
    }


def _build_played_columns() -> dict[str, Column]:
    """``played_at`` is the start or the end, nobody can tell which; so neither is claimed."""
    played_at = F.try_to_timestamp(F.col("said.played_at"))
    return {
        **_build_track_columns(),
        "activity_type": F.lit("PLAY"),
        "event_time": played_at,
        "identity": F.concat_ws(" ", F.unix_millis(played_at), _get_entry_track()["id"]),
        "playlist_id": F.nullif(F.regexp_extract("said.context.uri", _PLAYLIST_URI, 1), F.lit("")),
    }


def _build_followed_columns() -> dict[str, Column]:
    """``event_time`` is that of this sight; ``_since_first_sight`` sets it to the first one's."""
    return {
        "activity_type": F.lit("FOLLOW"),
        "event_time": F.col("asked_at"),
        "identity": F.col("said.id"),
        "artist_id": F.col("said.id"),
        "artist_name": _null_if_blank(F.col("said.name")),
    }


def _backdate_to_first_seen(follows: DataFrame, known_follows: DataFrame) -> DataFrame:
    """Every sight of a followed artist dated by the first one, so that later ones are that event told again."""
    follow_window = Window.partitionBy("user_id", "artist_id")
    known_times = known_follows.select("user_id", "artist_id", F.col("event_time").alias("known_at"))
    dated_follows = follows.withColumn("first_at", F.min("event_time").over(follow_window))
    dated_follows = dated_follows.join(known_times, on=["user_id", "artist_id"], how="left")
    return dated_follows.withColumn("event_time", F.coalesce("known_at", "first_at")).drop("known_at", "first_at")


def _build_track_columns() -> dict[str, Column]:
    first_artist = F.get(_get_entry_track()["artists"], F.lit(0))
    return {
        "track_id": _get_entry_track()["id"],
        "track_name": _null_if_blank(_get_entry_track()["name"]),
        "artist_id": F.when(first_artist["id"].rlike(_SPOTIFY_ID), first_artist["id"]),
        "artist_name": _null_if_blank(first_artist["name"]),
    }


def _get_entry_track() -> Column:
    return F.coalesce("said.item", "said.track")


def _track_rejection_reason(time_field: str) -> Column:
    track, time_text = _get_entry_track(), F.col(f"said.{time_field}")
    timestamp = F.try_to_timestamp(time_text)
    return (
        F.when(track.isNull(), "item is no longer available")
        .when(track["type"] == "episode", "item is an episode")
        .when(F.coalesce(track["is_local"], F.lit(False)), "item is a local file")
        .when(_null_if_blank(track["id"]).isNull(), "id is missing")
        .when(~track["id"].rlike(_SPOTIFY_ID), "id is no Spotify id")
        .when(_null_if_blank(time_text).isNull(), f"{time_field} is missing")
        .when(timestamp.isNull(), f"{time_field} is no date and time")
        .when(is_before_spotify(timestamp), f"{time_field} lies before Spotify's beginning")
        .when(is_after_receipt(timestamp, F.col("asked_at")), f"{time_field} lies after the answer")
    )


def _artist_rejection_reason() -> Column:
    artist = F.col("said")
    return (
        F.when(artist.isNull(), "item is no longer available")
        .when(_null_if_blank(artist["id"]).isNull(), "id is missing")
        .when(~artist["id"].rlike(_SPOTIFY_ID), "id is no Spotify id")
    )


def _null_if_blank(text: Column) -> Column:
    return F.nullif(F.trim(text), F.lit(""))


_FOLLOWED = _EventKind(
    "followed_artists", "followed_artists", _ARTIST, _build_followed_columns, _artist_rejection_reason
)
_KINDS = (
    _EventKind(
        "saved_tracks",
        "saved_tracks",
        _PLAYLIST_ENTRY,
        _build_saved_columns,
        lambda: _track_rejection_reason("added_at"),
    ),
    _FOLLOWED,
    _EventKind(
        "recently_played",
        "recently_played",
        _PLAYLIST_ENTRY,
        _build_played_columns,
        lambda: _track_rejection_reason("played_at"),
    ),
)
