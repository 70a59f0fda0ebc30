"""Answers of the API, taken apart into the things that they hold.

In: lines as ``schemas.ANSWER`` has them. Out: one row a thing with the raw text of it, read and judged by its kind. A
thing is refused where nothing can be loaded of it; every thing of an answer is either accepted or refused.
"""

from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from etl.schemas import AUDIO_FEATURES, OTHER_AUDIO_MEASURES, REJECTED_ROW
from etl.schemas.api import BATCHES, PAGES
from etl.schemas.columns import MEASURES

_ENTRIES = ("playlist_items", "saved_tracks", "recently_played")
_TRACKS = (*_ENTRIES, "tracks", "track")
_ARTISTS = ("artists", "artist", "followed_artists")
_PLAYLISTS = ("my_playlists", "playlist")
THINGS_A_LINE = 1_000
"""A thing's row number is the number of its line times this, and its place in the line; no answer holds more."""

_TRACK = (
    "id string, name string, type string, is_local boolean, duration_ms int, explicit boolean, popularity int,"
    " external_ids struct<isrc: string>, linked_from struct<id: string>,"
    " artists array<struct<id: string, name: string>>,"
    " album struct<id: string, name: string, album_type: string, release_date: string, release_date_precision: string>"
)
_ENTRY = f"added_at string, is_local boolean, item struct<{_TRACK}>, track struct<{_TRACK}>"
_ARTIST = "id string, name string, popularity int, followers struct<total: bigint>"
_PLAYLIST = "id string, name string, snapshot_id string, owner struct<id: string>"
_PROFILE = "id string, account_id string, display_name string, country string, product string"
_FEATURES = ", ".join(
    [*(f"{name} double" for name in AUDIO_FEATURES), *(f"{name} int" for name in OTHER_AUDIO_MEASURES)]
)
_RANGES = {"loudness": (-100, 20), "tempo": (0, 1000), "key": (0, 11), "time_signature": (1, 16)}
"""What a measure can be; the others go from 0 to 1."""
_DATE_FORMS = {"day": r"^\d{4}-\d{2}-\d{2}$", "month": r"^\d{4}-\d{2}$", "year": r"^\d{4}$"}


@dataclass(frozen=True)
class Things:
    """The things of one kind. ``accepted`` has input_id, row_number, asked_at and the kind's own columns."""

    key_kind: str
    accepted: DataFrame
    rejected: DataFrame


def things(lines: DataFrame) -> DataFrame:
    """One row a thing: input_id, row_number, asked_at, account, endpoint, playlist_id, snapshot_id, place, asked_id,
    thing (its JSON; NULL where the API sent null)."""
    page = F.from_json("body", "items array<string>")["items"]
    followed = F.from_json("body", "artists struct<items: array<string>>")["artists"]["items"]
    batch = F.coalesce(*(F.from_json("body", f"{name} array<string>")[name] for name in BATCHES))
    held = (
        F.when(F.col("endpoint").isin(*PAGES), page)
        .when(F.col("endpoint") == "followed_artists", followed)
        .when(F.col("endpoint").isin(*BATCHES), batch)
        .otherwise(F.array("body"))
    )
    asked = F.when(F.col("endpoint").isin(*BATCHES), F.split(F.col("query")["ids"], ",")).otherwise(
        F.array(F.element_at(F.split("path", "/"), -1))
    )
    return (
        lines.where("status = 200")
        .select("*", F.posexplode(held).alias("place", "thing"))
        .withColumn("thing", F.replace("thing", F.lit("\\u0000"), F.lit("\\ufffd")))  # PostgreSQL takes no U+0000
        .withColumn("asked_id", F.get(asked, F.col("place")))
        .withColumn("row_number", F.col("number") * THINGS_A_LINE + F.col("place") + 1)
        .drop("body", "query", "path", "status", "number")
    )


def complete_snapshots(lines: DataFrame) -> DataFrame:
    """Playlists whose items were asked to the last page, and did not change between two pages: input_id, playlist_id,
    snapshot_id, that page's asked_at."""
    said = F.from_json("body", "next string, total bigint")
    pages = lines.where("endpoint = 'playlist_items' AND status = 200").withColumn("said", said)
    known = pages.groupBy("input_id", "playlist_id", "snapshot_id").agg(
        F.max(F.when(F.col("said.next").isNull(), F.col("asked_at"))).alias("asked_at"),
        F.count_distinct("said.total").alias("totals"),
    )
    return known.where("asked_at IS NOT NULL AND totals <= 1").drop("totals")


def tracks(held: DataFrame) -> Things:
    """Tracks, wherever they stand. Columns: track_id, name, artist_ids, artist_names, album_id, album_name, album_type,
    release_date, release_date_precision, duration_ms, explicit, isrc, popularity, linked_id, added_at, and of ``held``
    endpoint, playlist_id, snapshot_id, place."""
    entry = F.from_json("thing", _ENTRY)
    is_entry = F.col("endpoint").isin(*_ENTRIES)
    read = (
        held.where(F.col("endpoint").isin(*_TRACKS))
        .withColumn("entry", F.when(is_entry, entry))
        .withColumn(
            "said",
            F.when(is_entry, F.coalesce("entry.item", "entry.track")).otherwise(F.from_json("thing", _TRACK)),
        )
    )
    said = F.col("said")
    is_local = F.coalesce(said["is_local"], F.lit(False)) | F.coalesce("entry.is_local", F.lit(False))
    names = F.transform(said["artists"], lambda one: one["name"])
    is_unnamed = F.coalesce(
        F.size(F.filter(names, lambda name: F.trim(F.coalesce(name, F.lit(""))) == "")) > 0, F.lit(True)
    )
    reason = (
        F.when(said.isNull(), "item is no longer available")
        .when(said["type"] == "episode", "item is an episode")
        .when(is_local, "item is a local file")
        .when(F.trim(F.coalesce(said["id"], F.lit(""))) == "", "id is missing")
        .when(F.trim(F.coalesce(said["name"], F.lit(""))) == "", "name is missing")
        .when(is_unnamed | (F.size(names) <= 0), "artists is missing")
        .when(F.coalesce(said["duration_ms"], F.lit(-1)) < 0, "duration_ms is missing")
    )
    ids = F.transform(said["artists"], lambda one: one["id"])
    has_ids = ~F.exists(ids, lambda one: one.isNull())
    date, precision = _released(said["album"])
    columns = {
        "track_id": said["id"],
        "name": said["name"],
        "artist_names": names,
        "artist_ids": F.when(has_ids, ids),
        "album_id": said["album"]["id"],
        "album_name": F.nullif(F.trim(said["album"]["name"]), F.lit("")),
        "album_type": said["album"]["album_type"],
        "release_date": date,
        "release_date_precision": precision,
        "duration_ms": said["duration_ms"],
        "explicit": said["explicit"],
        "isrc": F.nullif(F.upper(F.regexp_replace(said["external_ids"]["isrc"], "[^A-Za-z0-9]", "")), F.lit("")),
        "popularity": F.when(said["popularity"].between(0, 100), said["popularity"]),
        "linked_id": said["linked_from"]["id"],
        "added_at": F.try_to_timestamp("entry.added_at"),
    }
    return _judged("track", read, reason, columns, ("endpoint", "playlist_id", "snapshot_id", "place"))


def artists(held: DataFrame) -> Things:
    """Artists: artist_id, name, popularity, followers."""
    said = F.from_json("thing", _ARTIST)
    read = held.where(F.col("endpoint").isin(*_ARTISTS)).withColumn("said", said)
    said = F.col("said")
    columns = {
        "artist_id": said["id"],
        "name": said["name"],
        "popularity": F.when(said["popularity"].between(0, 100), said["popularity"]),
        "followers": F.when(said["followers"]["total"] >= 0, said["followers"]["total"]),
    }
    return _judged("artist", read, _unnamed(said), columns)


def playlists(held: DataFrame) -> Things:
    """Playlists without their items: playlist_id, name ('' where it has none), snapshot_id, owner_id."""
    read = held.where(F.col("endpoint").isin(*_PLAYLISTS)).drop("playlist_id", "snapshot_id")
    read = read.withColumn("said", F.from_json("thing", _PLAYLIST))
    said = F.col("said")
    reason = F.when(said.isNull(), "item is no longer available").when(_is_blank(said["id"]), "id is missing")
    columns = {
        "playlist_id": said["id"],
        "name": F.coalesce(said["name"], F.lit("")),
        "snapshot_id": said["snapshot_id"],
        "owner_id": said["owner"]["id"],
    }
    return _judged("playlist", read, reason, columns)


def audio_features(held: DataFrame) -> Things:
    """Audio features, under the id that was asked for: track_id, the measures, and the thing that tells them."""
    read = held.where("endpoint = 'audio_features'").withColumn("said", F.from_json("thing", _FEATURES))
    said = F.col("said")
    reason = F.when(said.isNull() | said["energy"].isNull(), "item has no audio features")
    # As in the files, what the analysis writes where it detected nothing (tempo 0, key -1) is no measure.
    measures = {name: F.when(said[name].between(*_RANGES.get(name, (0, 1))), said[name]) for name in MEASURES}
    measures["tempo"] = F.nullif(measures["tempo"], F.lit(0).cast("double"))
    return _judged("track", read, reason, {"track_id": F.col("asked_id"), **measures}, ("thing",))


def of_told_tracks(features: Things, told: DataFrame) -> Things:
    """Audio features of tracks that some answer tells of; without its name a track is none, and they are refused.

    :param features: what ``audio_features`` gives.
    :param told: track_id of tracks, each once or more.
    """
    judged = features.accepted.join(
        told.select("track_id", F.lit(True).alias("is_told")).distinct(), on="track_id", how="left"
    )
    unknown = judged.where("is_told IS NULL").select(
        "input_id", "row_number", F.lit("track is not known").alias("reason"), as_json(F.col("thing")).alias("row")
    )
    accepted = judged.where("is_told").select(*features.accepted.columns)
    return Things(features.key_kind, accepted, features.rejected.unionByName(unknown))


def profiles(held: DataFrame) -> Things:
    """Accounts: user_id (the immutable account_id where it is given), owner_id (what playlists call them), username,
    country, subscription_plan."""
    read = held.where("endpoint = 'me'").withColumn("said", F.from_json("thing", _PROFILE))
    said = F.col("said")
    user_id = F.coalesce(said["account_id"], said["id"])
    columns = {
        "user_id": user_id,
        "owner_id": said["id"],
        "username": F.coalesce(said["display_name"], said["id"]),
        "country": said["country"],
        "subscription_plan": said["product"],
    }
    return _judged("user", read, F.when(_is_blank(user_id), "id is missing"), columns)


def _judged(
    key_kind: str, read: DataFrame, reason: Column, columns: dict[str, Column], kept: tuple[str, ...] = ()
) -> Things:
    judged = read.withColumn("reason", reason)
    accepted = judged.where("reason IS NULL").select(
        "input_id", "row_number", "asked_at", *kept, *(column.alias(name) for name, column in columns.items())
    )
    rejected = judged.where("reason IS NOT NULL").withColumn("row", as_json(F.col("thing")))
    return Things(key_kind, accepted, rejected.select(*REJECTED_ROW.fieldNames()))


def as_json(thing: Column) -> Column:
    """The object as received; what is none, such as a text, stands in an array."""
    is_object = thing.rlike(r"^\{[\s\S]*\}$") & F.try_parse_json(thing).isNotNull()
    return F.when(thing.isNull(), "null").when(is_object, thing).otherwise(F.to_json(F.array(thing)))


def _unnamed(said: Column) -> Column:
    return (
        F.when(said.isNull(), "item is no longer available")
        .when(_is_blank(said["id"]), "id is missing")
        .when(_is_blank(said["name"]), "name is missing")
    )


def _is_blank(text: Column) -> Column:
    return F.trim(F.coalesce(text, F.lit(""))) == ""


def _released(album: Column) -> tuple[Column, Column]:
    """Date and precision as the text itself shows them; "0000" and what is no day of the calendar are no date."""
    text = album["release_date"]
    date, precision = F.lit(None).cast("date"), F.lit(None).cast("string")
    for name, form in _DATE_FORMS.items():
        padded = F.concat(text, F.lit({"day": "", "month": "-01", "year": "-01-01"}[name]))
        # The first year of the calendar is 1: the parser takes 0000 for one, PostgreSQL does not.
        is_date = text.rlike(form) & ~text.startswith("0000")
        date = F.when(is_date, F.try_to_date(padded, "yyyy-MM-dd")).otherwise(date)
        precision = F.when(is_date, F.lit(name)).otherwise(precision)
    return date, F.when(date.isNotNull(), precision)
