"""Events of accounts from API responses: tracks saved, artists followed, tracks played.

In: resources as ``resources.explode_resources`` returns them, and the user of each account. Out: rows of ``EVENT_ROW``
and of ``REJECTED_ROW``; every saved track, followed artist and recent play is in exactly one of the two.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from etl.formats.contracts.events import EVENT_ROW
from etl.transform.json_text import encode_json
from etl.transform.times import is_after_receipt, is_before_spotify
from etl.transform.uris import PLAYLIST_URI
from etl.transform.validation import Rule, ValidationResult, first_violation, select_schema_columns, split_rows

_TRACK = "id string, name string, type string, is_local boolean, artists array<struct<id: string, name: string>>"
_PLAYLIST_ENTRY = (
    f"added_at string, played_at string, item struct<{_TRACK}>, track struct<{_TRACK}>, context struct<uri: string>"
)
_ARTIST = "id string, name string"
_PROFILE = "id string, account_id string"
_SPOTIFY_ID = "^[0-9A-Za-z]{1,255}$"
"""A longer id would not fit into the star's indexes."""


def resolve_users(resources: DataFrame) -> DataFrame:
    """Return account and user_id, by the newest profile of each account among the resources."""
    payload = F.from_json("resource", _PROFILE)
    user_id = F.nullif(F.trim(F.coalesce(payload["account_id"], payload["id"])), F.lit(""))
    account_ids = resources.where("endpoint = 'me'").select("account", "asked_at", user_id.alias("user_id")).dropna()
    newest_ids = account_ids.groupBy("account").agg(F.max(F.struct("asked_at", "user_id")).alias("newest"))
    return newest_ids.select("account", "newest.user_id")


def parse_events(
    resources: DataFrame, users: DataFrame, known_follows: DataFrame, is_mock: bool = False
) -> ValidationResult:
    """Split saved tracks, followed artists and recent plays into events and rejected rows.

    :param resources: the result of ``resources.explode_resources``; resources of other endpoints are ignored.
    :param users: account and user_id, one row an account.
    :param known_follows: the FOLLOWs already loaded: user_id, artist_id, event_time; one row a pair.
    :param is_mock: whether the responses come from the mock API. It invents ids for artists that files know by name
        only, so the artist ids of its tracks are dropped and the catalogue's artists apply.
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
    return split_rows(reduce(DataFrame.unionByName, validated_kinds), EVENT_ROW.fieldNames(), F.col("row"))


@dataclass(frozen=True)
class _EventKind:
    """How the resources of one endpoint become events; columns and rules read ``payload``, the resource's JSON."""

    endpoint: str
    source: str
    json_schema: str
    build_columns: Callable[[], dict[str, Column]]
    build_rules: Callable[[], list[Rule[Column]]]


def _validate_kind(resources: DataFrame, kind: _EventKind) -> DataFrame:
    """Return the columns of both ``EVENT_ROW`` and ``REJECTED_ROW``; ``reason`` is NULL if the resource is an event."""
    parsed_resources = resources.where(F.col("endpoint") == kind.endpoint).withColumn(
        "payload", F.from_json("resource", kind.json_schema)
    )
    columns_by_name = {
        "input_id": F.col("input_id"),
        "source": F.lit(kind.source),
        "user_id": F.col("user_id"),
    } | kind.build_columns()
    reason = first_violation([*kind.build_rules(), Rule(F.col("user_id").isNull(), "account has not said who it is")])
    return parsed_resources.select(
        *select_schema_columns(columns_by_name, EVENT_ROW),
        "row_number",
        reason.alias("reason"),
        encode_json(F.col("resource")).alias("row"),
    )


def _build_saved_columns() -> dict[str, Column]:
    added_at = F.try_to_timestamp(F.col("payload.added_at"))
    return {
        **_build_track_columns(),
        "activity_type": F.lit("LIKE"),
        "event_time": added_at,
        "identity": _get_entry_track()["id"],
    }


def _build_played_columns() -> dict[str, Column]:
    """Return the columns of a play; start and end are NULL, because ``played_at`` may be either."""
    played_at = F.try_to_timestamp(F.col("payload.played_at"))
    return {
        **_build_track_columns(),
        "activity_type": F.lit("PLAY"),
        "event_time": played_at,
        "identity": F.concat_ws(" ", F.unix_millis(played_at), _get_entry_track()["id"]),
        "playlist_id": F.nullif(F.regexp_extract("payload.context.uri", PLAYLIST_URI, 1), F.lit("")),
    }


def _build_followed_columns() -> dict[str, Column]:
    """Return the columns of a follow, dated by this response; ``_backdate_to_first_seen`` sets the first one's time."""
    return {
        "activity_type": F.lit("FOLLOW"),
        "event_time": F.col("asked_at"),
        "identity": F.col("payload.id"),
        "artist_id": F.col("payload.id"),
        "artist_name": _null_if_blank(F.col("payload.name")),
    }


def _backdate_to_first_seen(follows: DataFrame, known_follows: DataFrame) -> DataFrame:
    """Date every sighting of a followed artist by the first one, so that later ones repeat the same event."""
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
    return F.coalesce("payload.item", "payload.track")


def _build_track_rules(time_field: str) -> list[Rule[Column]]:
    track, time_text = _get_entry_track(), F.col(f"payload.{time_field}")
    timestamp = F.try_to_timestamp(time_text)
    return [
        Rule(track.isNull(), "item is no longer available"),
        Rule(track["type"] == "episode", "item is an episode"),
        Rule(F.coalesce(track["is_local"], F.lit(False)), "item is a local file"),
        Rule(_null_if_blank(track["id"]).isNull(), "id is missing"),
        Rule(~track["id"].rlike(_SPOTIFY_ID), "id is no Spotify id"),
        Rule(_null_if_blank(time_text).isNull(), f"{time_field} is missing"),
        Rule(timestamp.isNull(), f"{time_field} is no date and time"),
        Rule(is_before_spotify(timestamp), f"{time_field} lies before Spotify's beginning"),
        Rule(is_after_receipt(timestamp, F.col("asked_at")), f"{time_field} lies after the answer"),
    ]


def _build_artist_rules() -> list[Rule[Column]]:
    artist = F.col("payload")
    return [
        Rule(artist.isNull(), "item is no longer available"),
        Rule(_null_if_blank(artist["id"]).isNull(), "id is missing"),
        Rule(~artist["id"].rlike(_SPOTIFY_ID), "id is no Spotify id"),
    ]


def _null_if_blank(text: Column) -> Column:
    return F.nullif(F.trim(text), F.lit(""))


_FOLLOWED = _EventKind("followed_artists", "followed_artists", _ARTIST, _build_followed_columns, _build_artist_rules)
_KINDS = (
    _EventKind(
        "saved_tracks",
        "saved_tracks",
        _PLAYLIST_ENTRY,
        _build_saved_columns,
        lambda: _build_track_rules("added_at"),
    ),
    _FOLLOWED,
    _EventKind(
        "recently_played",
        "recently_played",
        _PLAYLIST_ENTRY,
        _build_played_columns,
        lambda: _build_track_rules("played_at"),
    ),
)
