"""The resources in API responses, parsed and validated by their kind.

In: lines of ``API_RESPONSE``. Out: for each kind of resource, accepted rows and rejected ones. A resource is rejected
if nothing can be loaded from it. Every resource of a response is in exactly one of the two.
"""

from dataclasses import dataclass

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from etl.formats.contracts import AUDIO_FEATURES, OTHER_AUDIO_MEASURES
from etl.formats.contracts.api import BATCH_ENDPOINTS, PAGE_ENDPOINTS
from etl.formats.contracts.columns import MEASURES
from etl.transform.json_text import encode_json, replace_null_characters
from etl.transform.validation import Rule, first_violation, split_rows

_ENTRY_ENDPOINTS = ("playlist_items", "saved_tracks", "recently_played")
_TRACK_ENDPOINTS = (*_ENTRY_ENDPOINTS, "tracks", "track")
_ARTIST_ENDPOINTS = ("artists", "artist", "followed_artists")
_PLAYLIST_ENDPOINTS = ("my_playlists", "playlist")
MAX_RESOURCES_PER_LINE = 1_000
"""No response has more. A resource's row number is its line's number times this, plus its position in the line."""

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
MEASURE_RANGES = {"loudness": (-100, 20), "tempo": (0, 1000), "key": (0, 11), "time_signature": (1, 16)}
"""The range of a measure; the range of all others is 0 to 1."""
_DATE_PATTERNS = {"day": r"^\d{4}-\d{2}-\d{2}$", "month": r"^\d{4}-\d{2}$", "year": r"^\d{4}$"}


@dataclass(frozen=True)
class ParsedResources:
    """The resources of one kind. ``accepted`` has input_id, row_number, asked_at and the kind's own columns."""

    key_kind: str
    accepted: DataFrame
    rejected: DataFrame


def explode_resources(lines: DataFrame) -> DataFrame:
    """Return one row a resource.

    Columns: input_id, row_number, asked_at, account, endpoint, playlist_id, snapshot_id, position (from 0, in the
    response), requested_id, resource (its JSON; NULL if the API sent null).
    """
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
        .select("*", F.posexplode(resources).alias("position", "resource"))
        .withColumn("resource", replace_null_characters(F.col("resource")))
        .withColumn("requested_id", F.get(requested_ids, F.col("position")))
        .withColumn("row_number", F.col("number") * MAX_RESOURCES_PER_LINE + F.col("position") + 1)
        .drop("body", "query", "path", "status", "number")
    )


def select_complete_snapshots(lines: DataFrame) -> DataFrame:
    """Return the playlists whose items were read to the last page without a change between two pages.

    :returns: input_id, playlist_id, snapshot_id, asked_at (of the last page).
    """
    payload = F.from_json("body", "next string, total bigint")
    pages = lines.where("endpoint = 'playlist_items' AND status = 200").withColumn("payload", payload)
    snapshots = pages.groupBy("input_id", "playlist_id", "snapshot_id").agg(
        F.max(F.when(F.col("payload.next").isNull(), F.col("asked_at"))).alias("asked_at"),
        F.count_distinct("payload.total").alias("total_count"),
    )
    return snapshots.where("asked_at IS NOT NULL AND total_count <= 1").drop("total_count")


def parse_tracks(resources: DataFrame) -> ParsedResources:
    """Parse the tracks of all endpoints that return some.

    Columns: track_id, name, artist_ids, artist_names, album_id, album_name, album_type, release_date,
    release_date_precision, duration_ms, explicit, isrc, popularity, linked_id, added_at, and endpoint, playlist_id,
    snapshot_id and position of the resource.
    """
    entry = F.from_json("resource", _ENTRY)
    is_entry = F.col("endpoint").isin(*_ENTRY_ENDPOINTS)
    parsed_resources = (
        resources.where(F.col("endpoint").isin(*_TRACK_ENDPOINTS))
        .withColumn("entry", F.when(is_entry, entry))
        .withColumn(
            "payload",
            F.when(is_entry, F.coalesce("entry.item", "entry.track")).otherwise(F.from_json("resource", _TRACK)),
        )
    )
    payload = F.col("payload")
    is_local = F.coalesce(payload["is_local"], F.lit(False)) | F.coalesce("entry.is_local", F.lit(False))
    names = F.transform(payload["artists"], lambda artist: artist["name"])
    is_unnamed = F.coalesce(F.size(F.filter(names, _is_blank)) > 0, F.lit(True))
    rules = [
        Rule(payload.isNull(), "item is no longer available"),
        Rule(payload["type"] == "episode", "item is an episode"),
        Rule(is_local, "item is a local file"),
        Rule(_is_blank(payload["id"]), "id is missing"),
        Rule(_is_blank(payload["name"]), "name is missing"),
        Rule(is_unnamed | (F.size(names) <= 0), "artists is missing"),
        Rule(F.coalesce(payload["duration_ms"], F.lit(-1)) < 0, "duration_ms is missing"),
    ]
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
        "track", parsed_resources, rules, columns, ("endpoint", "playlist_id", "snapshot_id", "position")
    )


def parse_artists(resources: DataFrame) -> ParsedResources:
    """Parse artists: artist_id, name, popularity, followers."""
    payload = F.from_json("resource", _ARTIST)
    parsed_resources = resources.where(F.col("endpoint").isin(*_ARTIST_ENDPOINTS)).withColumn("payload", payload)
    payload = F.col("payload")
    rules = [
        Rule(payload.isNull(), "item is no longer available"),
        Rule(_is_blank(payload["id"]), "id is missing"),
        Rule(_is_blank(payload["name"]), "name is missing"),
    ]
    columns = {
        "artist_id": payload["id"],
        "name": payload["name"],
        "popularity": F.when(payload["popularity"].between(0, 100), payload["popularity"]),
        "followers": F.when(payload["followers"]["total"] >= 0, payload["followers"]["total"]),
    }
    return _validate_resources("artist", parsed_resources, rules, columns)


def parse_playlists(resources: DataFrame) -> ParsedResources:
    """Parse playlists without their items: playlist_id, name ('' if missing), snapshot_id, owner_id."""
    parsed_resources = resources.where(F.col("endpoint").isin(*_PLAYLIST_ENDPOINTS)).drop("playlist_id", "snapshot_id")
    parsed_resources = parsed_resources.withColumn("payload", F.from_json("resource", _PLAYLIST))
    payload = F.col("payload")
    rules = [Rule(payload.isNull(), "item is no longer available"), Rule(_is_blank(payload["id"]), "id is missing")]
    columns = {
        "playlist_id": payload["id"],
        "name": F.coalesce(payload["name"], F.lit("")),
        "snapshot_id": payload["snapshot_id"],
        "owner_id": payload["owner"]["id"],
    }
    return _validate_resources("playlist", parsed_resources, rules, columns)


def parse_audio_features(resources: DataFrame) -> ParsedResources:
    """Parse audio features: track_id (the requested id), the measures, and the resource itself."""
    parsed_resources = resources.where("endpoint = 'audio_features'").withColumn(
        "payload", F.from_json("resource", _FEATURES)
    )
    payload = F.col("payload")
    rules = [Rule(payload.isNull() | payload["energy"].isNull(), "item has no audio features")]
    # As in the files, the placeholders of a failed detection (tempo 0, key -1) are no measures.
    measures = {
        name: F.when(payload[name].between(*MEASURE_RANGES.get(name, (0, 1))), payload[name]) for name in MEASURES
    }
    measures["tempo"] = F.nullif(measures["tempo"], F.lit(0).cast("double"))
    return _validate_resources(
        "track", parsed_resources, rules, {"track_id": F.col("requested_id"), **measures}, ("resource",)
    )


def reject_unknown_tracks(features: ParsedResources, known_tracks: DataFrame) -> ParsedResources:
    """Reject audio features of tracks that no response describes: such a track has no name.

    :param features: the result of ``parse_audio_features``.
    :param known_tracks: track_id of described tracks, in any number of rows each.
    """
    features_with_match = features.accepted.join(
        known_tracks.select("track_id", F.lit(True).alias("is_known")).distinct(), on="track_id", how="left"
    )
    reason = first_violation([Rule(F.col("is_known").isNull(), "track is not known")])
    result = split_rows(
        features_with_match.withColumn("reason", reason), features.accepted.columns, encode_json(F.col("resource"))
    )
    return ParsedResources(features.key_kind, result.accepted, features.rejected.unionByName(result.rejected))


def parse_profiles(resources: DataFrame) -> ParsedResources:
    """Parse the profiles of accounts.

    Columns: user_id (the immutable account_id if present), owner_id (the account's id in playlists), username, country,
    subscription_plan.
    """
    parsed_resources = resources.where("endpoint = 'me'").withColumn("payload", F.from_json("resource", _PROFILE))
    payload = F.col("payload")
    user_id = F.coalesce(payload["account_id"], payload["id"])
    columns = {
        "user_id": user_id,
        "owner_id": payload["id"],
        "username": F.coalesce(payload["display_name"], payload["id"]),
        "country": payload["country"],
        "subscription_plan": payload["product"],
    }
    return _validate_resources("user", parsed_resources, [Rule(_is_blank(user_id), "id is missing")], columns)


def _validate_resources(
    key_kind: str,
    resources: DataFrame,
    rules: list[Rule[Column]],
    columns: dict[str, Column],
    extra_columns: tuple[str, ...] = (),
) -> ParsedResources:
    accepted_columns = ["input_id", "row_number", "asked_at", *extra_columns, *columns]
    reason = first_violation(rules)
    validated_resources = resources.select(
        *("input_id", "row_number", "asked_at", *extra_columns),
        *(column.alias(name) for name, column in columns.items()),
        reason.alias("reason"),
        F.when(reason.isNotNull(), encode_json(F.col("resource"))).alias("row"),
    )
    # A dozen frames of a refresh read the parsed resources. Without a checkpoint, Spark would parse the JSON and plan
    # the rules again for each of them.
    validated_resources = validated_resources.localCheckpoint(eager=False, storageLevel=StorageLevel.DISK_ONLY)
    result = split_rows(validated_resources, accepted_columns, F.col("row"))
    return ParsedResources(key_kind, result.accepted, result.rejected)


def _is_blank(text: Column) -> Column:
    return F.trim(F.coalesce(text, F.lit(""))) == ""


def _parse_release_date(album: Column) -> tuple[Column, Column]:
    """Return date and precision as the text shows them; both are NULL for "0000" and for days that do not exist."""
    text = album["release_date"]
    date, precision = F.lit(None).cast("date"), F.lit(None).cast("string")
    for name, pattern in _DATE_PATTERNS.items():
        padded = F.concat(text, F.lit({"day": "", "month": "-01", "year": "-01-01"}[name]))
        # Spark accepts the year 0000, PostgreSQL does not.
        is_date = text.rlike(pattern) & ~text.startswith("0000")
        date = F.when(is_date, F.try_to_date(padded, "yyyy-MM-dd")).otherwise(date)
        precision = F.when(is_date, F.lit(name)).otherwise(precision)
    return date, F.when(date.isNotNull(), precision)
