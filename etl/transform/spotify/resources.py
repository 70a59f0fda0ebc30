"""Answers of the API, taken apart into the things that they hold.

In: lines as ``schemas.ANSWER`` has them. Out: one row a thing with the raw text of it, read and judged by its kind. A
thing is refused where nothing can be loaded of it; every thing of an answer is either accepted or refused.
"""

from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from etl.formats.contracts import AUDIO_FEATURES, OTHER_AUDIO_MEASURES, REJECTED_ROW
from etl.formats.contracts.api import BATCH_ENDPOINTS, PAGE_ENDPOINTS
from etl.formats.contracts.columns import MEASURES

_ENTRY_ENDPOINTS = ("playlist_items", "saved_tracks", "recently_played")
_TRACK_ENDPOINTS = (*_ENTRY_ENDPOINTS, "tracks", "track")
_ARTIST_ENDPOINTS = ("artists", "artist", "followed_artists")
_PLAYLIST_ENDPOINTS = ("my_playlists", "playlist")
MAX_RESOURCES_PER_LINE = 1_000
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
_MEASURE_RANGES = {"loudness": (-100, 20), "tempo": (0, 1000), "key": (0, 11), "time_signature": (1, 16)}
"""What a measure can be; the others go from 0 to 1."""
_DATE_PATTERNS = {"day": r"^\d{4}-\d{2}-\d{2}$", "month": r"^\d{4}-\d{2}$", "year": r"^\d{4}$"}


@dataclass(frozen=True)
class ParsedResources:
    """The things of one kind. ``accepted`` has input_id, row_number, asked_at and the kind's own columns."""

    key_kind: str
    accepted: DataFrame
    rejected: DataFrame


def explode_resources(lines: DataFrame) -> DataFrame:
    """One row a thing: input_id, row_number, asked_at, account, endpoint, playlist_id, snapshot_id, place, asked_id,
    thing (its JSON; NULL where the API sent null)."""
    page_items = F.from_json("body", "items array<string>")["items"]
    followed_artists = F.from_json("body", "artists struct<items: array<string>>")["artists"]["items"]
    batch_items = F.coalesce(*(F.from_json("body", f"{name} array<string>")[name] for name in BATCH_ENDPOINTS))
    resources = (
        F.when(F.col("endpoint").isin(*PAGE_ENDPOINTS), page_items)
        .when(F.col("endpoint") == "followed_artists", followed_artists)
        .when(F.col("endpoint").isin(*BATCH_ENDPOINTS), batch_items)
        .otherwise(F.array("body"))
    )
    requested_ids = F.when(F.col("endpoint").isin(*BATCH_ENDPOINTS), F.split(F.col("query")["ids"], ",")).otherwise(
        F.array(F.element_at(F.split("path", "/"), -1))
    )
    return (
        lines.where("status = 200")
        .select("*", F.posexplode(resources).alias("place", "thing"))
        .withColumn("thing", F.replace("thing", F.lit("\\u0000"), F.lit("\\ufffd")))  # PostgreSQL takes no U+0000
        .withColumn("asked_id", F.get(requested_ids, F.col("place")))
        .withColumn("row_number", F.col("number") * MAX_RESOURCES_PER_LINE + F.col("place") + 1)
        .drop("body", "query", "path", "status", "number")
    )


def select_complete_snapshots(lines: DataFrame) -> DataFrame:
    """Playlists whose items were asked to the last page, and did not change between two pages: input_id, playlist_id,
    snapshot_id, that page's asked_at."""
    payload = F.from_json("body", "next string, total bigint")
    pages = lines.where("endpoint = 'playlist_items' AND status = 200").withColumn("said", payload)
    snapshots = pages.groupBy("input_id", "playlist_id", "snapshot_id").agg(
        F.max(F.when(F.col("said.next").isNull(), F.col("asked_at"))).alias("asked_at"),
        F.count_distinct("said.total").alias("totals"),
    )
    return snapshots.where("asked_at IS NOT NULL AND totals <= 1").drop("totals")


def parse_tracks(resources: DataFrame) -> ParsedResources:
    """Tracks, wherever they stand. Columns: track_id, name, artist_ids, artist_names, album_id, album_name, album_type,
    release_date, release_date_precision, duration_ms, explicit, isrc, popularity, linked_id, added_at, and of ``held``
    endpoint, playlist_id, snapshot_id, place."""
    entry = F.from_json("thing", _ENTRY)
    is_entry = F.col("endpoint").isin(*_ENTRY_ENDPOINTS)
    parsed_resources = (
        resources.where(F.col("endpoint").isin(*_TRACK_ENDPOINTS))
        .withColumn("entry", F.when(is_entry, entry))
        .withColumn(
            "said",
            F.when(is_entry, F.coalesce("entry.item", "entry.track")).otherwise(F.from_json("thing", _TRACK)),
        )
    )
    payload = F.col("said")
    is_local = F.coalesce(payload["is_local"], F.lit(False)) | F.coalesce("entry.is_local", F.lit(False))
    names = F.transform(payload["artists"], lambda artist: artist["name"])
    is_unnamed = F.coalesce(
        F.size(F.filter(names, lambda name: F.trim(F.coalesce(name, F.lit(""))) == "")) > 0, F.lit(True)
    )
    reason = (
        F.when(payload.isNull(), "item is no longer available")
        .when(payload["type"] == "episode", "item is an episode")
        .when(is_local, "item is a local file")
        .when(F.trim(F.coalesce(payload["id"], F.lit(""))) == "", "id is missing")
        .when(F.trim(F.coalesce(payload["name"], F.lit(""))) == "", "name is missing")
        .when(is_unnamed | (F.size(names) <= 0), "artists is missing")
        .when(F.coalesce(payload["duration_ms"], F.lit(-1)) < 0, "duration_ms is missing")
    )
    ids = F.transform(payload["artists"], lambda artist: artist["id"])
    has_ids = ~F.exists(ids, lambda artist: artist.isNull())
    date, precision = _parse_release_date(payload["album"])
    columns = {
        "track_id": payload["id"],
        "name": payload["name"],
        "artist_names": names,
        "artist_ids": F.when(has_ids, ids),
        "album_id": payload["album"]["id"],
        "album_name": F.nullif(F.trim(payload["album"]["name"]), F.lit("")),
        "album_type": payload["album"]["album_type"],
        "release_date": date,
        "release_date_precision": precision,
        "duration_ms": payload["duration_ms"],
        "explicit": payload["explicit"],
        "isrc": F.nullif(F.upper(F.regexp_replace(payload["external_ids"]["isrc"], "[^A-Za-z0-9]", "")), F.lit("")),
        "popularity": F.when(payload["popularity"].between(0, 100), payload["popularity"]),
        "linked_id": payload["linked_from"]["id"],
        "added_at": F.try_to_timestamp("entry.added_at"),
    }
    return _validate_resources(
        "track", parsed_resources, reason, columns, ("endpoint", "playlist_id", "snapshot_id", "place")
    )


def parse_artists(resources: DataFrame) -> ParsedResources:
    """Artists: artist_id, name, popularity, followers."""
    payload = F.from_json("thing", _ARTIST)
    parsed_resources = resources.where(F.col("endpoint").isin(*_ARTIST_ENDPOINTS)).withColumn("said", payload)
    payload = F.col("said")
    columns = {
        "artist_id": payload["id"],
        "name": payload["name"],
        "popularity": F.when(payload["popularity"].between(0, 100), payload["popularity"]),
        "followers": F.when(payload["followers"]["total"] >= 0, payload["followers"]["total"]),
    }
    return _validate_resources("artist", parsed_resources, _missing_field_reason(payload), columns)


def parse_playlists(resources: DataFrame) -> ParsedResources:
    """Playlists without their items: playlist_id, name ('' where it has none), snapshot_id, owner_id."""
    parsed_resources = resources.where(F.col("endpoint").isin(*_PLAYLIST_ENDPOINTS)).drop("playlist_id", "snapshot_id")
    parsed_resources = parsed_resources.withColumn("said", F.from_json("thing", _PLAYLIST))
    payload = F.col("said")
    reason = F.when(payload.isNull(), "item is no longer available").when(_is_blank(payload["id"]), "id is missing")
    columns = {
        "playlist_id": payload["id"],
        "name": F.coalesce(payload["name"], F.lit("")),
        "snapshot_id": payload["snapshot_id"],
        "owner_id": payload["owner"]["id"],
    }
    return _validate_resources("playlist", parsed_resources, reason, columns)


def parse_audio_features(resources: DataFrame) -> ParsedResources:
    """Audio features, under the id that was asked for: track_id, the measures, and the thing that tells them."""
    parsed_resources = resources.where("endpoint = 'audio_features'").withColumn(
        "said", F.from_json("thing", _FEATURES)
    )
    payload = F.col("said")
    reason = F.when(payload.isNull() | payload["energy"].isNull(), "item has no audio features")
    # As in the files, what the analysis writes where it detected nothing (tempo 0, key -1) is no measure.
    measures = {
        name: F.when(payload[name].between(*_MEASURE_RANGES.get(name, (0, 1))), payload[name]) for name in MEASURES
    }
    measures["tempo"] = F.nullif(measures["tempo"], F.lit(0).cast("double"))
    return _validate_resources(
        "track", parsed_resources, reason, {"track_id": F.col("asked_id"), **measures}, ("thing",)
    )


def reject_unknown_tracks(features: ParsedResources, known_tracks: DataFrame) -> ParsedResources:
    """Audio features of tracks that some answer tells of; without its name a track is none, and they are refused.

    :param features: what ``audio_features`` gives.
    :param told: track_id of tracks, each once or more.
    """
    features_with_match = features.accepted.join(
        known_tracks.select("track_id", F.lit(True).alias("is_told")).distinct(), on="track_id", how="left"
    )
    unknown_features = features_with_match.where("is_told IS NULL").select(
        "input_id", "row_number", F.lit("track is not known").alias("reason"), encode_json(F.col("thing")).alias("row")
    )
    accepted = features_with_match.where("is_told").select(*features.accepted.columns)
    return ParsedResources(features.key_kind, accepted, features.rejected.unionByName(unknown_features))


def parse_profiles(resources: DataFrame) -> ParsedResources:
    """Accounts: user_id (the immutable account_id where it is given), owner_id (what playlists call them), username,
    country, subscription_plan."""
    parsed_resources = resources.where("endpoint = 'me'").withColumn("said", F.from_json("thing", _PROFILE))
    payload = F.col("said")
    user_id = F.coalesce(payload["account_id"], payload["id"])
    columns = {
        "user_id": user_id,
        "owner_id": payload["id"],
        "username": F.coalesce(payload["display_name"], payload["id"]),
        "country": payload["country"],
        "subscription_plan": payload["product"],
    }
    return _validate_resources("user", parsed_resources, F.when(_is_blank(user_id), "id is missing"), columns)


def _validate_resources(
    key_kind: str, resources: DataFrame, reason: Column, columns: dict[str, Column], extra_columns: tuple[str, ...] = ()
) -> ParsedResources:
    validated_resources = resources.withColumn("reason", reason)
    accepted = validated_resources.where("reason IS NULL").select(
        "input_id", "row_number", "asked_at", *extra_columns, *(column.alias(name) for name, column in columns.items())
    )
    rejected = validated_resources.where("reason IS NOT NULL").withColumn("row", encode_json(F.col("thing")))
    return ParsedResources(key_kind, accepted, rejected.select(*REJECTED_ROW.fieldNames()))


def encode_json(resource: Column) -> Column:
    """The object as received; what is none, such as a text, stands in an array."""
    is_object = resource.rlike(r"^\{[\s\S]*\}$") & F.try_parse_json(resource).isNotNull()
    return F.when(resource.isNull(), "null").when(is_object, resource).otherwise(F.to_json(F.array(resource)))


def _missing_field_reason(payload: Column) -> Column:
    return (
        F.when(payload.isNull(), "item is no longer available")
        .when(_is_blank(payload["id"]), "id is missing")
        .when(_is_blank(payload["name"]), "name is missing")
    )


def _is_blank(text: Column) -> Column:
    return F.trim(F.coalesce(text, F.lit(""))) == ""


def _parse_release_date(album: Column) -> tuple[Column, Column]:
    """Date and precision as the text itself shows them; "0000" and what is no day of the calendar are no date."""
    text = album["release_date"]
    date, precision = F.lit(None).cast("date"), F.lit(None).cast("string")
    for name, pattern in _DATE_PATTERNS.items():
        padded = F.concat(text, F.lit({"day": "", "month": "-01", "year": "-01-01"}[name]))
        # The first year of the calendar is 1: the parser takes 0000 for one, PostgreSQL does not.
        is_date = text.rlike(pattern) & ~text.startswith("0000")
        date = F.when(is_date, F.try_to_date(padded, "yyyy-MM-dd")).otherwise(date)
        precision = F.when(is_date, F.lit(name)).otherwise(precision)
    return date, F.when(date.isNotNull(), precision)
