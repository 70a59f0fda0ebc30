"""The fields of a track, each from the source with precedence (docs/rules.md)."""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from etl.formats.contracts import AUDIO_FEATURES
from etl.formats.contracts.columns import MEASURES
from etl.formats.feature_providers import DEFAULT_FEATURE_SOURCES, MOCK_SOURCES
from etl.transform.catalogue.source_precedence import (
    feature_rank,
    is_mock_rank,
    pick_first,
    pick_value,
    precision_rank,
    source_at_rank,
    source_rank,
)
from etl.transform.names import name_derived_id

FROM_RECORDING = "recording"
"""The source of a value that comes from another track id of the same recording."""

FROM_NAME_MATCH = "name_match"
"""The source of a value that comes from a row without an id, matched by name."""


def build_track_variants(rows: DataFrame) -> DataFrame:
    """Return the variants of each track: one row for each source and each combination of descriptive fields.

    :param rows: the result of ``reconciliation.add_track_identity``, with ``track_id`` filled, and ``is_by_name`` true
        for a row without an id that was matched by name.
    :returns: track_id, is_by_name, rank (of the source), the descriptive fields, row_count, the fields by which names
        are compared (title, version, edition, credit, artist_keys, album_name_derived_id), and of the fields that may
        differ between the rows of a variant: popularity (the largest), release and measure_values (structs).
    """
    naming_columns = (
        "name",
        "artist_names",
        "artist_ids",
        "album_id",
        "album_name",
        "album_type",
        "duration_ms",
        "explicit",
        "isrc",
    )
    album_id = album_name_derived_id().alias("album_name_derived_id")
    comparison_struct = F.struct("title", "version", "edition", "credit", "artist_keys", album_id)
    release_struct = F.struct("release_date", F.col("release_date_precision").alias("precision"))
    order = (precision_rank(F.col("release_date_precision")), F.col("release_date"))
    measures_struct = F.when(F.coalesce(*MEASURES).isNotNull(), F.struct(*MEASURES))
    return (
        rows.repartition("track_id")
        .groupBy("track_id", "is_by_name", source_rank(F.col("source")).alias("rank"), *naming_columns)
        .agg(
            F.count(F.lit(1)).alias("row_count"),
            F.max("popularity").alias("popularity"),
            pick_first(F.when(F.col("release_date").isNotNull(), release_struct), *order).alias("release"),
            F.min(measures_struct).alias("measure_values"),
            F.min(comparison_struct).alias("comparison"),
        )
        .select("*", "comparison.*")
        .drop("comparison")
    )


def album_name_derived_id() -> Column:
    """Return the name-derived id of the album of a row; NULL without an album."""
    has_album = F.coalesce("album_id", "album_name").isNotNull()
    return F.when(has_album, name_derived_id(F.col("album_title"), F.col("artist_keys")[0]))


def resolve_track_fields(variants: DataFrame, feature_sources: Sequence[str] = DEFAULT_FEATURE_SOURCES) -> DataFrame:
    """Resolve the fields of each track from rows with its id, and separately from rows matched by name.

    The two are aggregated separately, because a match is weaker evidence: a
    date or popularity of a matched row counts only if neither the track nor another track of its recording has one.
    ``add_recording_fields`` combines the two halves in this order.

    :param feature_sources: the sources whose audio features count, best first.
    :returns: track_id, rank (of the best source that has it), name, duration_ms, explicit, isrc; the structs titles
        (title, version, edition, credit), artists (names, ids, keys), album (id, name, name_derived_id) and measures
        (is_by_name, lacks_features, rank among ``feature_sources``, values); own_release and matched_release (rank,
        date), own_popularity and matched_popularity (rank, value).
    """
    is_own = ~F.col("is_by_name")
    rank, most_rows_first = F.col("rank"), -F.col("row_count")
    identity_order = (
        rank,
        most_rows_first,
        F.col("description.name"),
        F.col("description.duration_ms"),
        F.col("description.artists"),
    )
    no_album_id = F.col("album_id").isNull()
    measure_rank = feature_rank(source_at_rank(rank), feature_sources)
    lacks_features = _lacks_features("measure_values")
    measures = F.struct(
        "is_by_name",
        lacks_features.alias("lacks_features"),
        measure_rank.alias("rank"),
        F.col("measure_values").alias("values"),
    )
    # All measures of a track come from one row, because analyses differ. A row with all nine features comes before a
    # better source's row that lacks one: clusters need all of them.
    measures_order = (F.col("is_by_name"), lacks_features, measure_rank, most_rows_first, F.col("measure_values"))
    has_measures = F.col("measure_values").isNotNull() & measure_rank.isNotNull()
    resolved_tracks = (
        variants.withColumn("description", _identity_struct())
        .groupBy("track_id")
        .agg(
            F.min(F.when(is_own, rank)).alias("rank"),
            pick_first(F.when(is_own, F.col("description")), *identity_order).alias("description"),
            pick_value(F.when(is_own, F.col("explicit")), rank, most_rows_first).alias("explicit"),
            pick_value(F.when(is_own, F.col("isrc")), rank, most_rows_first).alias("isrc"),
            pick_value(F.when(is_own, _album_struct()), no_album_id, rank, most_rows_first).alias("album"),
            pick_first(F.when(has_measures, measures), *measures_order).alias("measures"),
            *(_preferred_date(is_own, "own"), _preferred_date(~is_own, "matched")),
            *(_preferred_popularity(is_own, "own"), _preferred_popularity(~is_own, "matched")),
        )
    )
    return resolved_tracks.select("*", "description.*").drop("description")


def add_provider_measures(
    resolved_tracks: DataFrame, latest_features: DataFrame | None, feature_sources: Sequence[str]
) -> DataFrame:
    """Replace the measures of tracks by those of a service, if these come first by the order of all measures.

    Synthetic features of a mock server count only for tracks that no other source has.

    :param resolved_tracks: the result of ``resolve_track_fields``.
    :param latest_features: ``LATEST_STATE["provider_features"]``; None without any.
    :returns: the columns of ``resolved_tracks``; measures has rank and values only.
    """
    if latest_features is not None:
        ranked_features = latest_features.withColumn("rank", feature_rank(F.col("source"), feature_sources))
        candidate = F.struct(
            F.lit(False).alias("is_by_name"),
            _lacks_features("measures").alias("lacks_features"),
            "rank",
            F.col("measures").alias("values"),
        )
        is_mock = F.col("source").isin(*MOCK_SOURCES)
        candidates = (
            ranked_features.where("rank IS NOT NULL")
            .groupBy("track_id")
            .agg(F.min(F.when(~is_mock, candidate)).alias("real"), F.min(F.when(is_mock, candidate)).alias("mock"))
        )
        resolved_tracks = resolved_tracks.join(candidates, on="track_id", how="left")
        mock_candidate = F.when(is_mock_rank(F.col("rank")), F.col("mock"))
        first_measures = F.least("measures", "real", mock_candidate)
        resolved_tracks = resolved_tracks.withColumn("measures", first_measures).drop("real", "mock")
    chosen = F.struct(F.col("measures.rank").alias("rank"), F.col("measures.values").alias("values"))
    return resolved_tracks.withColumn("measures", F.when(F.col("measures").isNotNull(), chosen))


def _lacks_features(values: str) -> Column:
    """Return whether a struct of measures lacks one of the nine features."""
    is_missing = F.array(*(F.col(f"{values}.{name}").isNull() for name in AUDIO_FEATURES))
    return F.exists(is_missing, lambda missing: missing)


def _identity_struct() -> Column:
    artists = F.struct(
        F.col("artist_names").alias("names"), F.col("artist_ids").alias("ids"), F.col("artist_keys").alias("keys")
    )
    titles = F.struct("title", "version", "edition", "credit")
    return F.struct("name", "duration_ms", artists.alias("artists"), titles.alias("titles"))


def _album_struct() -> Column:
    album = F.struct(
        F.col("album_id").alias("id"),
        F.col("album_name").alias("name"),
        F.col("album_name_derived_id").alias("name_derived_id"),
    )
    return F.when(F.col("album_name_derived_id").isNotNull(), album)


def add_recording_fields(resolved_tracks: DataFrame, recordings: DataFrame) -> DataFrame:
    """Add the recording, and take a missing date or popularity from it, or else from a match by name.

    Missing audio features are taken from the recording, too: they belong to the sound, and keep the source that
    measured it.

    :param resolved_tracks: the result of ``add_provider_measures``.
    :param recordings: track_id, recording_id of the recordings of more than one id.
    :returns: the columns of ``resolved_tracks``, and recording_id, release_date, release_date_precision,
        release_date_source, popularity, popularity_source.
    """
    own_date, recording_date, name_match_date = (
        F.col("own_release.date"),
        F.col("recording_release"),
        F.col("matched_release.date"),
    )
    own_popularity, recording_popularity, name_match_popularity = (
        F.col("own_popularity.value"),
        F.col("recording_popularity"),
        F.col("matched_popularity.value"),
    )
    return (
        resolved_tracks.join(_aggregate_recordings(resolved_tracks, recordings), on="track_id", how="left")
        .withColumn("recording_id", F.coalesce("recording_id", "track_id"))
        .withColumn("measures", F.coalesce("measures", "recording_measures"))
        .withColumn("date", F.coalesce(own_date, recording_date, name_match_date))
        .withColumn("release_date", F.col("date.release_date"))
        .withColumn("release_date_precision", F.col("date.precision"))
        .withColumn(
            "release_date_source", _value_source(own_date, F.col("own_release.rank"), recording_date, name_match_date)
        )
        .withColumn("popularity", F.coalesce(own_popularity, recording_popularity, name_match_popularity))
        .withColumn(
            "popularity_source",
            _value_source(own_popularity, F.col("own_popularity.rank"), recording_popularity, name_match_popularity),
        )
    )


def _aggregate_recordings(resolved_tracks: DataFrame, recordings: DataFrame) -> DataFrame:
    """Return each id of a recording with the recording's earliest date, largest popularity and best measures.

    Tracks that only the mock API has do not count.
    """
    date = F.col("own_release.date")
    source_tracks = resolved_tracks.where(~is_mock_rank(F.col("rank")))
    earliest = (F.year(date["release_date"]), precision_rank(date["precision"]), date["release_date"])
    recording_values = (
        source_tracks.select("track_id", "own_release", "own_popularity", "measures")
        .join(recordings, on="track_id", how="inner")
        .groupBy("recording_id")
        .agg(
            pick_first(date, *earliest).alias("recording_release"),
            F.max("own_popularity.value").alias("recording_popularity"),
            F.min("measures").alias("recording_measures"),
        )
    )
    return recordings.join(recording_values, on="recording_id", how="left")


def build_dim_track(
    tracks: DataFrame,
    album_ids: DataFrame,
    primary_genres: DataFrame,
    feature_sources: Sequence[str] = DEFAULT_FEATURE_SOURCES,
) -> DataFrame:
    """Return the staged frame dim_track; cluster and newness are NULL.

    :param tracks: the result of ``add_recording_fields``.
    :param album_ids: track_id, album_id.
    :param primary_genres: track_id, primary_genre.
    :param feature_sources: as for ``resolve_track_fields``.
    """
    return (
        tracks.join(album_ids, on="track_id", how="left")
        .join(primary_genres, on="track_id", how="left")
        .select(
            "*",
            F.col("measures.values.*"),
            source_at_rank(F.col("measures.rank"), feature_sources).alias("audio_features_source"),
            F.lit(None).cast("int").alias("audio_features_type"),
            F.lit(None).cast("double").alias("newness_score"),
            source_at_rank(F.col("rank")).alias("source"),
        )
        .withColumn("primary_genre", F.coalesce("primary_genre", F.lit("unknown")))
    )


def _preferred_date(condition: Column, name: str) -> Column:
    order = (precision_rank(F.col("release.precision")), F.col("rank"), F.col("release.release_date"))
    ranked_date = F.struct(F.col("rank"), F.col("release").alias("date"))
    return pick_first(F.when(condition & F.col("release").isNotNull(), ranked_date), *order).alias(f"{name}_release")


def _preferred_popularity(condition: Column, name: str) -> Column:
    ranked_popularity = F.struct(F.col("rank"), F.col("popularity").alias("value"))
    order = (F.col("rank"), -F.col("popularity"))
    return pick_first(F.when(condition & F.col("popularity").isNotNull(), ranked_popularity), *order).alias(
        f"{name}_popularity"
    )


def _value_source(own_value: Column, own_rank: Column, recording_value: Column, name_match_value: Column) -> Column:
    return (
        F.when(own_value.isNotNull(), source_at_rank(own_rank))
        .when(recording_value.isNotNull(), F.lit(FROM_RECORDING))
        .when(name_match_value.isNotNull(), F.lit(FROM_NAME_MATCH))
    )
