"""Artists: with the id of a source, else with the id of the artist of that name, else with a name-derived id.

Two names that differ by a leading "the" are two artists, unless both are credited on one recording.
"""

from collections.abc import Collection, Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from etl.formats.contracts import MOCK_SOURCE
from etl.transform.catalogue.decisions import IdPair, is_decided_pair
from etl.transform.catalogue.reconciliation import TOLERANCE_MS
from etl.transform.catalogue.recordings import ISRC_GAP_MS
from etl.transform.catalogue.source_precedence import (
    exclude_mock_value,
    is_mock_rank,
    pick_first,
    pick_value,
    source_at_rank,
    source_rank,
)
from etl.transform.names import alternate_artist_key, artist_key, loose_artist_key, name_derived_id


def find_merge_evidence(rows: DataFrame) -> DataFrame:
    """Return where both spellings of a name, with and without a leading "the", are credited on one recording.

    They are if both are credited on one track id, or on tracks with equal title and version, or equal ISRC, whose
    durations are as near as those of one recording.

    :param rows: the result of ``reconciliation.add_track_identity``.
    :returns: identity (of the track credited to the name with "the"), key (the name without it).
    """
    fields = ("identity", "title", "version", "isrc", "duration_ms")
    credited_names = rows.where(F.col("source") != MOCK_SOURCE).select(*fields, F.explode("artist_keys").alias("key"))
    loose_key = loose_artist_key(F.col("key"))
    names_with_the = credited_names.where(loose_key != F.col("key")).withColumn("key", loose_key)
    names_without_the = credited_names.join(names_with_the.select("key").distinct(), on="key", how="left_semi")
    left_credits, right_credits = (
        frame.select("key", *(F.col(name).alias(f"{side}_{name}") for name in fields)).distinct()
        for side, frame in (("left", names_with_the), ("right", names_without_the))
    )
    is_same = {name: F.col(f"left_{name}") == F.col(f"right_{name}") for name in fields}
    distance = F.abs(F.col("left_duration_ms") - F.col("right_duration_ms"))
    is_same_recording = (
        is_same["identity"]
        | (is_same["title"] & is_same["version"] & (distance <= TOLERANCE_MS))
        | (is_same["isrc"] & (distance <= ISRC_GAP_MS))
    )
    return (
        left_credits.join(right_credits, on="key", how="inner")
        .where(is_same_recording)
        .select(F.col("left_identity").alias("identity"), "key")
        .distinct()
    )


def list_merged_artists(evidence: DataFrame, differences: Collection[IdPair] = ()) -> list[str]:
    """Return the names whose spellings with and without a leading "the" are one artist; without it, and sorted.

    :param evidence: the result of ``find_merge_evidence``.
    :param differences: decided differences of artists; two spellings whose name-derived ids are one of them stay two.
    """
    is_different = is_decided_pair(
        name_derived_id(F.col("key")), name_derived_id(alternate_artist_key(F.col("key"))), differences
    )
    return sorted(row["key"] for row in evidence.select("key").distinct().where(~is_different).collect())


def canonical_artist_key(key: Column, merged_artists: Sequence[str]) -> Column:
    """Return an artist's key, without "the" if both spellings are one artist."""
    if not merged_artists:
        return key
    loose_key = loose_artist_key(key)
    return F.when(loose_key.isin(*merged_artists), loose_key).otherwise(key)


def build_credits(
    tracks: DataFrame,
    artist_rows: DataFrame,
    merged_artists: Sequence[str] = (),
    differences: Collection[IdPair] = (),
) -> DataFrame:
    """Return the artists of each track, with their ids.

    The mock API invents ids. An artist of any other source never gets one: the mock's tracks are credited to the artist
    of that name.

    :param tracks: track_id, rank, artists (struct of names, ids, keys), popularity.
    :param artist_rows: rows of ``ARTIST_ROW``.
    :param merged_artists: the result of ``list_merged_artists``.
    :param differences: decided differences of artists: a name never means the artist that its id differs from.
    :returns: track_id, position (from 1), artist_id, artist_key, name, rank, popularity (the track's).
    """
    artist_mentions = _list_mentions(tracks)
    listed_artists = artist_rows.where(F.col("source") != MOCK_SOURCE).select(
        F.col("artist_id").alias("source_id"),
        canonical_artist_key(artist_key(F.col("name")), merged_artists).alias("artist_key"),
        "followers",
    )
    credited_artists = artist_mentions.where(~is_mock_rank(F.col("rank"))).select(
        "source_id", "artist_key", F.lit(None).cast("long").alias("followers")
    )
    reported_artists = listed_artists.unionByName(credited_artists)
    is_different = is_decided_pair(F.col("source_id"), name_derived_id(F.col("artist_key")), differences)
    meant_id = F.when(~is_different, F.col("source_id"))
    artist_by_name = (
        reported_artists.groupBy("artist_key")
        .agg(pick_first(meant_id, -F.coalesce("followers", F.lit(-1)), F.col("source_id")).alias("id_by_name"))
        .withColumn("has_source_name", F.lit(True))
    )
    by_name = F.coalesce("id_by_name", name_derived_id(F.col("artist_key")))
    own_credits = (
        artist_mentions.where(~is_mock_rank(F.col("rank")))
        .join(artist_by_name, on="artist_key", how="left")
        .withColumn("artist_id", F.coalesce("source_id", by_name))
    )
    reported_ids = reported_artists.select("source_id").dropna().distinct().withColumn("has_source_id", F.lit(True))
    mock_credits = (
        artist_mentions.where(is_mock_rank(F.col("rank")))
        .join(artist_by_name, on="artist_key", how="left")
        .join(reported_ids, on="source_id", how="left")
        .withColumn(
            "artist_id",
            F.when(F.col("has_source_name") & F.col("has_source_id").isNull(), by_name).otherwise(
                F.coalesce("source_id", by_name)
            ),
        )
    )
    columns = ("track_id", "position", "artist_id", "artist_key", "name", "rank", "popularity")
    return own_credits.select(*columns).unionByName(mock_credits.select(*columns))


def _list_mentions(tracks: DataFrame) -> DataFrame:
    """Return track_id, rank, popularity, position (from 1), name, source_id and artist_key of each named artist."""
    no_ids = F.array_repeat(F.lit(None).cast("string"), F.size("artists.names"))
    artist_structs = F.arrays_zip(
        F.col("artists.names").alias("name"),
        F.coalesce("artists.ids", no_ids).alias("source_id"),
        F.col("artists.keys").alias("artist_key"),
    )
    return tracks.select(
        "track_id", "rank", "popularity", F.posexplode(artist_structs).alias("index", "artist")
    ).select("track_id", "rank", "popularity", (F.col("index") + 1).alias("position"), "artist.*")


def build_bridge_track_artist(credits: DataFrame) -> DataFrame:
    """Return the staged frame bridge_track_artist; an artist named twice on a track has the first position."""
    return credits.groupBy("track_id", "artist_id").agg(F.min("position").alias("position"))


def build_dim_artist(credits: DataFrame, artist_rows: DataFrame, merged_artists: Sequence[str] = ()) -> DataFrame:
    """Return the staged frame dim_artist.

    Popularity is the source's, else the median of the artist's tracks. made_id is the name-derived id of the artist,
    variant_made_id that of the other spelling, with or without "the", of a merged artist.
    """
    null = F.lit(None)
    credited_names = credits.groupBy("artist_id", "name", "rank").agg(
        F.count(F.lit(1)).alias("row_count"), null.cast("int").alias("popularity")
    )
    listed_names = artist_rows.groupBy("artist_id", "name", source_rank(F.col("source")).alias("rank")).agg(
        F.count(F.lit(1)).alias("row_count"),
        F.max("popularity").alias("popularity"),
        F.max("followers").alias("followers"),
    )
    rank, most_rows_first = F.col("rank"), -F.col("row_count")
    popularity = F.struct(rank, F.col("popularity").alias("value"))
    followers = F.struct(rank, F.col("followers").alias("value"))
    artists = (
        credited_names.withColumn("followers", null.cast("long"))
        .unionByName(listed_names)
        .groupBy("artist_id")
        .agg(
            pick_value(F.col("name"), rank, most_rows_first).alias("name"),
            pick_first(F.when(F.col("popularity").isNotNull(), popularity), rank, -F.col("popularity")).alias(
                "best_popularity"
            ),
            pick_first(F.when(F.col("followers").isNotNull(), followers), rank, -F.col("followers")).alias(
                "best_followers"
            ),
            F.min(rank).alias("rank"),
        )
        # The mock API's values do not count for an artist that another source has.
        .withColumn("best_popularity", exclude_mock_value("best_popularity", rank))
        .withColumn("best_followers", exclude_mock_value("best_followers", rank))
    )
    derived_popularity = credits.groupBy("artist_id").agg(
        _compute_rounded_median(F.when(~is_mock_rank(rank), F.col("popularity"))).alias("source_median"),
        _compute_rounded_median(F.col("popularity")).alias("overall_median"),
    )
    artists_with_popularity = artists.join(derived_popularity, on="artist_id", how="left").withColumn(
        "derived", F.coalesce("source_median", F.when(is_mock_rank(rank), F.col("overall_median")))
    )
    return artists_with_popularity.select(
        "artist_id",
        "name",
        F.coalesce("best_popularity.value", "derived").alias("popularity"),
        F.when(F.col("best_popularity").isNotNull(), _popularity_source(source_at_rank(F.col("best_popularity.rank"))))
        .when(F.col("derived").isNotNull(), "derived")
        .alias("popularity_source"),
        F.col("best_followers.value").alias("followers"),
        source_at_rank(rank).alias("source"),
        name_derived_id(artist_key(F.col("name"))).alias("made_id"),
        _variant_name_derived_id(artist_key(F.col("name")), merged_artists).alias("variant_made_id"),
    )


def filter_needed_mock_artists(artist_rows: DataFrame, credits: DataFrame, requested_artists: DataFrame) -> DataFrame:
    """Return the rows without those of mock artists to whose mock id no track is credited.

    :param requested_artists: artist_id of artists whose resources the new inputs have; these rows stay.
    """
    needed_ids = credits.select("artist_id").unionByName(requested_artists.select("artist_id")).distinct()
    is_mock_row = F.col("source") == MOCK_SOURCE
    needed_mock_rows = artist_rows.where(is_mock_row).join(needed_ids, on="artist_id", how="left_semi")
    return artist_rows.where(~is_mock_row).unionByName(needed_mock_rows.select(*artist_rows.columns))


def _compute_rounded_median(values: Column) -> Column:
    return F.round(F.median(values)).cast("int")


def _popularity_source(source: Column) -> Column:
    return F.when(source.isin("api", MOCK_SOURCE), source).otherwise("kaggle")


def _variant_name_derived_id(key: Column, merged_artists: Sequence[str]) -> Column:
    is_merged = loose_artist_key(key).isin(*merged_artists) if merged_artists else F.lit(False)
    return F.when(is_merged, name_derived_id(alternate_artist_key(key)))
