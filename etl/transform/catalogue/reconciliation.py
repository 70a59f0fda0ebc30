"""The track of each row: by its id, or by name if it has none.

A row without an id matches a track with the same title and version, at least one common artist and a duration at most
2 s away; an artist's leading "the" does not count. Of several such tracks the order of preference is: the same spelling
of the artist, the same edition, the same album, the nearest duration, the smallest id. A row without a match keeps an
id derived from its name.
"""

from collections.abc import Collection

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
"""The deductions from a match's score: another edition, other credits, a duration the whole tolerance away."""


def add_track_identity(track_rows: DataFrame) -> DataFrame:
    """Add the columns by which tracks are compared to rows of ``TRACK_ROW``.

    :returns: all columns, and title, version, edition, credit (see ``transform.names``), artist_keys, album_title
        (folded) and ``identity``: the track_id, or the name-derived id of a row without one.
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


def match_rows_without_id(rows: DataFrame, separate_ids: Collection[str] = ()) -> DataFrame:
    """Match name-derived ids with tracks that have an id. Tracks of the mock API match nothing.

    :param rows: the result of ``add_track_identity``.
    :param separate_ids: name-derived ids that stay tracks of their own, because a decision says what they are not.
    :returns: identity (the name-derived id, one row each), track_id, method, score.
    """
    rows_with_id = rows.where(F.col("track_id").isNotNull() & (F.col("source") != MOCK_SOURCE))
    rows_without_id = rows.where(F.col("track_id").isNull())
    if separate_ids:
        rows_without_id = rows_without_id.where(~F.col("identity").isin(*separate_ids))
    return match_by_name(rows_without_id, rows_with_id)


def match_by_name(rows_without_id: DataFrame, rows_with_id: DataFrame) -> DataFrame:
    """Find for each ``identity`` of ``rows_without_id`` its track among ``rows_with_id``, by name.

    Both have title, version, edition, credit, artist_keys, album_title, duration_ms; ``rows_without_id`` has identity,
    ``rows_with_id`` has track_id; an id may have several rows.

    :returns: identity, track_id, method ("name"), score (1 less the penalties); an identity without a match is absent.
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
        .agg(F.min_by(scored_track, order).alias("best_match"))
        .select("identity", "best_match.track_id", F.lit("name").alias("method"), "best_match.score")
    )


def score_name_match(edition_differs: Column, credit_differs: Column, distance_ms: Column) -> Column:
    """Return the score of a match by name, 1 less the penalties.

    :param edition_differs: 0 or 1, as is ``credit_differs``.
    """
    total_penalty = (
        edition_differs * EDITION_PENALTY
        + credit_differs * CREDIT_PENALTY
        + distance_ms / TOLERANCE_MS * DISTANCE_PENALTY
    )
    return F.round(1 - total_penalty, 4)


def is_name_derived(track_id: Column) -> Column:
    """Return whether an id is derived from a name."""
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
