"""Audio features from services that are asked for nothing else, such as ReccoBeats.

In: lines of ``API_RESPONSE`` with the source of their features. Out: accepted and rejected features, the latest ones of
each track and source, and the staged frames that they add.
"""

from collections.abc import Mapping

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from etl.formats.contracts import AUDIO_FEATURES, LATEST_STATE, STAGED
from etl.formats.contracts.columns import MEASURES
from etl.transform.json_text import encode_json, replace_null_characters
from etl.transform.spotify.resources import MAX_RESOURCES_PER_LINE, MEASURE_RANGES, ParsedResources
from etl.transform.validation import Rule, first_violation, split_rows

_ITEM = ", ".join(["href string", *(f"{name} double" for name in MEASURES)])
_TRACK_ID = r"(?:/track/|:track:|^)([0-9A-Za-z]{22})/?(?:\?.*)?$"
_UNDETECTED = {"tempo": 0.0, "key": -1.0}
"""Placeholders of a failed detection; they are no measures."""


def add_source(lines: DataFrame, sources_by_input_id: Mapping[str, str]) -> DataFrame:
    """Return the lines with the source of the features in their input.

    :param lines: with the column input_id.
    """
    pairs = [F.lit(text) for pair in sorted(sources_by_input_id.items()) for text in pair]
    source = F.try_element_at(F.create_map(*pairs), F.col("input_id")) if pairs else F.lit(None).cast("string")
    return lines.withColumn("source", source)


def parse_features(lines: DataFrame) -> ParsedResources:
    """Parse the items of responses of status 200.

    An item is about the Spotify track that its ``href`` names. An item with a value outside its range is rejected as a
    whole: what else it says cannot be trusted either. A track that is in a response twice is accepted twice.

    :param lines: the result of ``add_source``.
    :returns: accepted rows have input_id, row_number, asked_at, source, track_id and the measures.
    """
    items = F.from_json("body", "content array<string>")["content"]
    parsed_items = (
        lines.where("status = 200")
        .select("*", F.posexplode(items).alias("position", "resource"))
        .withColumn("resource", replace_null_characters(F.col("resource")))
        .withColumn("payload", F.from_json("resource", _ITEM))
        .withColumn("track_id", F.nullif(F.regexp_extract("payload.href", _TRACK_ID, 1), F.lit("")))
        .withColumn("row_number", F.col("number") * MAX_RESOURCES_PER_LINE + F.col("position") + 1)
    )
    reason = first_violation(_build_rules())
    validated_items = parsed_items.select(
        "input_id",
        "row_number",
        "asked_at",
        "source",
        "track_id",
        *(_select_measure(name).cast(kind).alias(name) for name, kind in MEASURES.items()),
        reason.alias("reason"),
        F.when(reason.isNotNull(), encode_json(F.col("resource"))).alias("row"),
    ).localCheckpoint(eager=False, storageLevel=StorageLevel.DISK_ONLY)
    result = split_rows(
        validated_items,
        ["input_id", "row_number", "asked_at", "source", "track_id", *MEASURES],
        F.col("row"),
    )
    return ParsedResources("provider_features", result.accepted, result.rejected)


def _build_rules() -> list[Rule[Column]]:
    payload = F.col("payload")
    requested_ids = F.split(F.col("query")["ids"], ",")
    is_empty = F.coalesce(*(payload[name] for name in AUDIO_FEATURES)).isNull()
    return [
        Rule(~F.coalesce(F.col("resource").startswith("{"), F.lit(False)), "item is no object"),
        Rule(F.col("track_id").isNull(), "href names no Spotify track"),
        Rule(~F.array_contains(requested_ids, F.col("track_id")), "track was not requested"),
        Rule(is_empty | payload["energy"].isNull(), "item has no audio features"),
        *(Rule(_is_out_of_range(name), f"{name} is outside its range") for name in MEASURES),
    ]


def _is_out_of_range(name: str) -> Column:
    value = F.col("payload")[name]
    is_undetected = value == F.lit(_UNDETECTED[name]) if name in _UNDETECTED else F.lit(False)
    return ~value.between(*MEASURE_RANGES.get(name, (0, 1))) & ~is_undetected


def _select_measure(name: str) -> Column:
    value = F.col("payload")[name]
    return F.nullif(value, F.lit(_UNDETECTED[name])) if name in _UNDETECTED else value


def update_latest_features(previous: DataFrame, features: DataFrame) -> DataFrame:
    """Return the newest features of each track and source: ``LATEST_STATE["provider_features"]``.

    :param previous: the state so far.
    :param features: accepted features.
    """
    measures = F.struct(*(F.col(name) for name in MEASURES)).alias("measures")
    all_features = previous.unionByName(features.select("track_id", "source", "asked_at", measures))
    newest = all_features.groupBy("track_id", "source").agg(F.max(F.struct("asked_at", "measures")).alias("newest"))
    return newest.select("track_id", "source", "newest.*").select(*LATEST_STATE["provider_features"].fieldNames())


def select_for_unstaged_tracks(
    latest_features: DataFrame, staged_tracks: DataFrame, feature_sources: tuple[str, ...]
) -> DataFrame:
    """Return the staged frame provider_features: features of tracks that the catalogue's frames do not have.

    They are tracks that only events report. Their clusters are assigned later.

    :param staged_tracks: ``STAGED["dim_track"]``.
    :param feature_sources: the sources that count, best first.
    """
    rank = F.array_position(F.array(*map(F.lit, feature_sources)), F.col("source"))
    ranked_features = latest_features.withColumn("rank", rank).where("rank > 0")
    best = ranked_features.groupBy("track_id").agg(F.min(F.struct("rank", "source", "measures")).alias("best"))
    unstaged = best.join(staged_tracks.select("track_id"), on="track_id", how="left_anti")
    return unstaged.select(
        "track_id",
        "best.measures.*",
        F.lit(None).cast("int").alias("audio_features_type"),
        F.col("best.source").alias("audio_features_source"),
    ).select(*STAGED["provider_features"].fieldNames())


def build_input_keys(features: DataFrame) -> DataFrame:
    """Return the staged frame input_key: the tracks whose features each input has."""
    keys = features.groupBy("input_id", F.lit("provider_features").alias("key_kind"), F.col("track_id").alias("key"))
    return keys.agg(F.count(F.lit(1)).alias("row_count"))


def build_refresh_state(lines: DataFrame, features: DataFrame) -> DataFrame:
    """Return rows of the staged frame refresh_state: the last request for each track, by source.

    :param lines: the result of ``add_source``.
    :param features: accepted features; a track is found if its last response has any.
    """
    found = features.select("source", F.col("track_id").alias("id"), "asked_at", F.lit(True).alias("is_found"))
    is_about_tracks = "status = 200 OR (status = 400 AND NOT contains(query['ids'], ','))"
    return (
        lines.where(is_about_tracks)
        .select("source", F.explode(F.split(F.col("query")["ids"], ",")).alias("id"), "asked_at")
        .join(found.distinct(), on=["source", "id", "asked_at"], how="left")
        .groupBy(F.col("source").alias("kind"), "id")
        .agg(F.max(F.struct("asked_at", F.coalesce("is_found", F.lit(False)).alias("is_found"))).alias("last"))
        .select("kind", "id", "last.asked_at", "last.is_found")
        .select(*STAGED["refresh_state"].fieldNames())
    )
