"""What accounts did, out of the API's answers: tracks saved, artists followed, tracks played.

In: things as ``things.things`` takes them apart, and who the accounts are. Out: rows of ``EVENT_ROW`` and of
``REJECTED_ROW``; every saved track, followed artist and recent play is in exactly one of the two.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from etl.schemas import REJECTED_ROW
from etl.schemas.events import EVENT_ROW
from etl.transform.parsed import Parsed
from etl.transform.spotify.things import as_json
from etl.transform.times import is_after_receipt, is_before_spotify

_TRACK = "id string, name string, type string, is_local boolean, artists array<struct<id: string, name: string>>"
_ENTRY = (
    f"added_at string, played_at string, item struct<{_TRACK}>, track struct<{_TRACK}>, context struct<uri: string>"
)
_ARTIST = "id string, name string"
_PROFILE = "id string, account_id string"
_PLAYLIST_URI = "^spotify:(?:user:[^:]+:)?playlist:([0-9A-Za-z]{1,255})$"
_ID = "^[0-9A-Za-z]{1,255}$"
"""A longer one would not fit into the star's indexes."""


def users(held: DataFrame) -> DataFrame:
    """Who the accounts are, by their newest profile among some things: account, user_id."""
    said = F.from_json("thing", _PROFILE)
    user_id = F.nullif(F.trim(F.coalesce(said["account_id"], said["id"])), F.lit(""))
    told = held.where("endpoint = 'me'").select("account", "asked_at", user_id.alias("user_id")).dropna()
    newest = told.groupBy("account").agg(F.max(F.struct("asked_at", "user_id")).alias("told"))
    return newest.select("account", "told.user_id")


def parse(held: DataFrame, users: DataFrame, known_follows: DataFrame, is_mock: bool = False) -> Parsed:
    """Split saved tracks, followed artists and recent plays into events and rejected rows.

    :param held: what ``things.things`` gives; other things in it are passed over.
    :param users: account and user_id, a row an account, as all answers so far tell them.
    :param known_follows: the FOLLOWs already loaded: user_id, artist_id, event_time; a row a pair.
    :param is_mock: whether the mock API answered. It makes up ids of artists whom files know by name alone, so its
        tracks are by the artists that the catalogue knows them by.
    """
    named = held.join(F.broadcast(users), on="account", how="left")
    judged = [_judged(named, kind) for kind in _KINDS]
    if is_mock:
        judged = [
            rows if kind is _FOLLOWED else rows.withColumn("artist_id", F.lit(None).cast("string"))
            for rows, kind in zip(judged, _KINDS, strict=True)
        ]
    follows = judged[_KINDS.index(_FOLLOWED)]
    judged[_KINDS.index(_FOLLOWED)] = _since_first_sight(follows, known_follows)
    united = reduce(DataFrame.unionByName, judged)
    return Parsed(
        united.where("reason IS NULL").select(*EVENT_ROW.fieldNames()),
        united.where("reason IS NOT NULL").select(*REJECTED_ROW.fieldNames()),
    )


@dataclass(frozen=True)
class _Kind:
    """How the things of one endpoint become events; ``columns`` and ``reason`` read ``said``, the thing's JSON."""

    endpoint: str
    source: str
    form: str
    columns: Callable[[], dict[str, Column]]
    reason: Callable[[], Column]


def _judged(named: DataFrame, kind: _Kind) -> DataFrame:
    """Columns of both ``EVENT_ROW`` and ``REJECTED_ROW``; ``reason`` is NULL where the thing is an event."""
    read = named.where(F.col("endpoint") == kind.endpoint).withColumn("said", F.from_json("thing", kind.form))
    given = {"input_id": F.col("input_id"), "source": F.lit(kind.source), "user_id": F.col("user_id")} | kind.columns()
    columns = [given.get(one.name, F.lit(None)).cast(one.dataType).alias(one.name) for one in EVENT_ROW.fields]
    reason = F.coalesce(kind.reason(), F.when(F.col("user_id").isNull(), "account has not said who it is"))
    return read.select(*columns, "row_number", reason.alias("reason"), as_json(F.col("thing")).alias("row"))


def _saved() -> dict[str, Column]:
    added_at = F.try_to_timestamp(F.col("said.added_at"))
    return {**_track(), "activity_type": F.lit("LIKE"), "event_time": added_at, "identity": _entry()["id"]}


def _played() -> dict[str, Column]:
    """``played_at`` is the start or the end, nobody can tell which; so neither is claimed."""
    played_at = F.try_to_timestamp(F.col("said.played_at"))
    return {
        **_track(),
        "activity_type": F.lit("PLAY"),
        "event_time": played_at,
        "identity": F.concat_ws(" ", F.unix_millis(played_at), _entry()["id"]),
        "playlist_id": F.nullif(F.regexp_extract("said.context.uri", _PLAYLIST_URI, 1), F.lit("")),
    }


def _followed() -> dict[str, Column]:
    """``event_time`` is that of this sight; ``_since_first_sight`` sets it to the first one's."""
    return {
        "activity_type": F.lit("FOLLOW"),
        "event_time": F.col("asked_at"),
        "identity": F.col("said.id"),
        "artist_id": F.col("said.id"),
        "artist_name": _text(F.col("said.name")),
    }


def _since_first_sight(follows: DataFrame, known: DataFrame) -> DataFrame:
    """Every sight of a followed artist dated by the first one, so that later ones are that event told again."""
    of_the_pair = Window.partitionBy("user_id", "artist_id")
    first_seen = known.select("user_id", "artist_id", F.col("event_time").alias("known_at"))
    dated = follows.withColumn("first_at", F.min("event_time").over(of_the_pair))
    dated = dated.join(first_seen, on=["user_id", "artist_id"], how="left")
    return dated.withColumn("event_time", F.coalesce("known_at", "first_at")).drop("known_at", "first_at")


def _track() -> dict[str, Column]:
    first_artist = F.get(_entry()["artists"], F.lit(0))
    return {
        "track_id": _entry()["id"],
        "track_name": _text(_entry()["name"]),
        "artist_id": F.when(first_artist["id"].rlike(_ID), first_artist["id"]),
        "artist_name": _text(first_artist["name"]),
    }


def _entry() -> Column:
    return F.coalesce("said.item", "said.track")


def _track_reason(moment: str) -> Column:
    said, told = _entry(), F.col(f"said.{moment}")
    at = F.try_to_timestamp(told)
    return (
        F.when(said.isNull(), "item is no longer available")
        .when(said["type"] == "episode", "item is an episode")
        .when(F.coalesce(said["is_local"], F.lit(False)), "item is a local file")
        .when(_text(said["id"]).isNull(), "id is missing")
        .when(~said["id"].rlike(_ID), "id is no Spotify id")
        .when(_text(told).isNull(), f"{moment} is missing")
        .when(at.isNull(), f"{moment} is no date and time")
        .when(is_before_spotify(at), f"{moment} lies before Spotify's beginning")
        .when(is_after_receipt(at, F.col("asked_at")), f"{moment} lies after the answer")
    )


def _artist_reason() -> Column:
    said = F.col("said")
    return (
        F.when(said.isNull(), "item is no longer available")
        .when(_text(said["id"]).isNull(), "id is missing")
        .when(~said["id"].rlike(_ID), "id is no Spotify id")
    )


def _text(text: Column) -> Column:
    return F.nullif(F.trim(text), F.lit(""))


_FOLLOWED = _Kind("followed_artists", "followed_artists", _ARTIST, _followed, _artist_reason)
_KINDS = (
    _Kind("saved_tracks", "saved_tracks", _ENTRY, _saved, lambda: _track_reason("added_at")),
    _FOLLOWED,
    _Kind("recently_played", "recently_played", _ENTRY, _played, lambda: _track_reason("played_at")),
)
