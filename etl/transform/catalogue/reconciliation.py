"""Rows get the id of the track that they tell of; those without an id find it by name.

A row without an id is recognised by title, version, at least one artist in common and a length at most 2 s away; an
artist's leading "the" does not count. Of several such tracks one that spells the artist alike wins, then one in the
same edition, then one on the same album, then the nearest length, then the smallest id. What is recognised by nothing
keeps an id made of its name.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from etl.formats.contracts import MOCK_SOURCE
from etl.transform.names import (
    NAME_DERIVED_PREFIX,
    artist_key,
    fold_text,
    loose_artist_key,
    name_derived_track_id,
    split_title,
)

TOLERANCE_MS = 2_000
EDITION_PENALTY = 0.10
CREDIT_PENALTY = 0.02
DISTANCE_PENALTY = 0.05
"""What a match by name loses: another edition, other credits, a length the whole tolerance away."""


def add_track_identity(track_rows: DataFrame) -> DataFrame:
    """Rows of ``TRACK_ROW`` with the columns that tracks are compared by.

    :returns: all columns and title, version, edition, credit (see names), artist_keys, album_title (folded) and
        ``identity``: the track_id, or where there is none the id made of the name.
    """
    rows_with_parts = track_rows.withColumn("parts", split_title(F.col("name"))).withColumn(
        "artist_keys", F.transform("artist_names", artist_key)
    )
    derived_id = name_derived_track_id(F.col("parts.title"), F.col("parts.version"), F.col("artist_keys")[0])
    return (
        rows_with_parts.withColumn("identity", F.coalesce("track_id", derived_id))
        .withColumn("album_title", fold_text(F.col("album_name")))
        .select("*", "parts.title", "parts.version", "parts.edition", "parts.credit")
        .drop("parts")
    )


def match_rows_without_id(rows: DataFrame) -> DataFrame:
    """Made ids that are a track with an id.

    :param rows: what ``identified`` returns. What the mock API alone tells of is recognised as nothing.
    :returns: identity (the made id, one row each), track_id, method, score.
    """
    rows_with_id = rows.where(F.col("track_id").isNotNull() & (F.col("source") != MOCK_SOURCE))
    return match_by_name(rows.where(F.col("track_id").isNull()), rows_with_id)


def match_by_name(rows_without_id: DataFrame, rows_with_id: DataFrame) -> DataFrame:
    """Find for each ``identity`` of ``unknown`` its track among ``known`` by name.

    Both have title, version, edition, credit, artist_keys, album_title, duration_ms; ``unknown`` has identity,
    ``known`` has track_id, and either may stand on several rows.

    :returns: identity, track_id, method ("name"), score (1 for equal in all, less by the penalties); an identity that
        finds no track is absent.
    """
    left_rows, right_rows = _explode_artists(rows_without_id, "identity"), _explode_artists(rows_with_id, "track_id")
    candidate_pairs = left_rows.join(right_rows, on=["title", "version", "artist"], how="inner").where(
        F.abs(F.col("identity_duration_ms") - F.col("track_id_duration_ms")) <= TOLERANCE_MS
    )
    distance = F.abs(F.col("identity_duration_ms") - F.col("track_id_duration_ms"))
    edition_differs = (F.col("identity_edition") != F.col("track_id_edition")).cast("int")
    credit_differs = (F.col("identity_credit") != F.col("track_id_credit")).cast("int")
    album_differs = F.coalesce((F.col("identity_album") != F.col("track_id_album")).cast("int"), F.lit(1))
    spelling_differs = (F.col("identity_artist_key") != F.col("track_id_artist_key")).cast("int")
    order = F.struct(spelling_differs, edition_differs, album_differs, distance, "track_id", credit_differs)
    scored_track = F.struct("track_id", score_name_match(edition_differs, credit_differs, distance).alias("score"))
    return (
        candidate_pairs.groupBy("identity")
        .agg(F.min_by(scored_track, order).alias("found"))
        .select("identity", "found.track_id", F.lit("name").alias("method"), "found.score")
    )


def score_name_match(edition_differs: Column, credit_differs: Column, distance_ms: Column) -> Column:
    """The score of a match by name: 1 less the penalties; the first two are 0 or 1."""
    total_penalty = (
        edition_differs * EDITION_PENALTY
        + credit_differs * CREDIT_PENALTY
        + distance_ms / TOLERANCE_MS * DISTANCE_PENALTY
    )
    return F.round(1 - total_penalty, 4)


def is_name_derived(track_id: Column) -> Column:
    """Whether an id is made of a name."""
    return track_id.startswith(NAME_DERIVED_PREFIX)


def _explode_artists(rows: DataFrame, id_column: str) -> DataFrame:
    prefixed_columns = [
        F.col(column).alias(f"{id_column}_{alias}")
        for column, alias in (
            ("duration_ms", "duration_ms"),
            ("edition", "edition"),
            ("credit", "credit"),
            ("album_title", "album"),
        )
    ]
    artist_key = f"{id_column}_artist_key"
    artist_rows = rows.select(
        id_column, "title", "version", F.explode("artist_keys").alias(artist_key), *prefixed_columns
    )
    return artist_rows.withColumn("artist", loose_artist_key(F.col(artist_key)))
