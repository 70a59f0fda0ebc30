"""The ids and names under which a track is found, and the matches behind them."""

from collections.abc import Collection, Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from etl.transform.catalogue.decisions import IdPair, is_decided_pair
from etl.transform.catalogue.reconciliation import is_name_derived, score_name_match
from etl.transform.catalogue.recordings import ISRC_GAP_MS, NAME_GAP_MS
from etl.transform.catalogue.source_precedence import is_mock_rank, source_at_rank
from etl.transform.names import alternate_artist_key, loose_artist_key, name_derived_track_id

_INDIRECT_SCORE = 0.8
"""The score of an id that belongs to its recording only through a chain of other ids."""


def build_track_alias(
    tracks: DataFrame, variants: DataFrame, matches: DataFrame, merged_artists: Sequence[str] = ()
) -> DataFrame:
    """Return the staged frame track_alias.

    :param tracks: track_id, popularity, rank.
    :param variants: the result of ``tracks.build_track_variants``.
    :param matches: the result of ``reconciliation.match_rows_without_id``.
    :param merged_artists: the result of ``artists.list_merged_artists``: their tracks are found under both spellings.
    """
    columns = ("alias_kind", "alias_value", "track_id", "method", "score")
    spotify_tracks = tracks.where(~is_name_derived(F.col("track_id")))
    by_id = spotify_tracks.select(
        F.lit("spotify_id").alias("alias_kind"),
        F.col("track_id").alias("alias_value"),
        "track_id",
        F.lit("id").alias("method"),
        F.lit(1.0).alias("score"),
    )
    own_variants = variants.where("NOT is_by_name")
    by_isrc = (
        own_variants.where("isrc IS NOT NULL")
        .select(F.lit("isrc").alias("alias_kind"), F.col("isrc").alias("alias_value"), "track_id")
        .distinct()
        .select("*", F.lit("isrc").alias("method"), F.lit(1.0).alias("score"))
    )
    by_name = _build_name_aliases(tracks, own_variants, matches, merged_artists).select(
        F.lit("name").alias("alias_kind"), "*"
    )
    return reduce(DataFrame.unionByName, (frame.select(*columns) for frame in (by_id, by_isrc, by_name)))


def build_reconciliation(
    tracks: DataFrame, matches: DataFrame, rows: DataFrame, decided_matches: Collection[IdPair] = ()
) -> DataFrame:
    """Return the staged frame reconciliation: matched name-derived ids, and further ids of recordings.

    :param tracks: the result of ``tracks.add_recording_fields``.
    :param rows: the result of ``reconciliation.add_track_identity``.
    :param decided_matches: ids that are one recording by a decision: their method is "decision".
    """
    sources = rows.where("track_id IS NULL").groupBy("identity").agg(F.min("source").alias("source"))
    by_name = matches.join(sources, on="identity", how="inner").select(
        F.col("identity").alias("from_id"), F.col("track_id").alias("to_id"), "method", "score", "source"
    )
    return by_name.unionByName(_build_recording_matches(tracks, decided_matches))


def _build_name_aliases(
    tracks: DataFrame, own_variants: DataFrame, matches: DataFrame, merged_artists: Sequence[str]
) -> DataFrame:
    """Return one track for each name-derived id.

    It is the track that the id was matched with, else the track that has this id, else the most popular track of the
    name. A track that only the mock API has comes last.
    """
    spellings = F.flatten(F.transform("artist_keys", lambda key: _list_spellings(key, merged_artists)))
    names = own_variants.select("track_id", "title", "version", F.explode(spellings).alias("artist")).select(
        "track_id", name_derived_track_id(F.col("title"), F.col("version"), F.col("artist")).alias("alias_value")
    )
    popularity = -F.coalesce("popularity", F.lit(-1))
    order = F.struct(F.col("track_id") != F.col("alias_value"), is_mock_rank(F.col("rank")), popularity, "track_id")
    preferred_tracks = (
        names.distinct()
        .join(tracks.select("track_id", "popularity", "rank"), on="track_id", how="inner")
        .groupBy("alias_value")
        .agg(F.min_by("track_id", order).alias("track_id"))
    )
    name_matches = matches.select(F.col("identity").alias("alias_value"), "track_id", "method", "score")
    return (
        preferred_tracks.join(name_matches.select("alias_value"), on="alias_value", how="left_anti")
        .select("alias_value", "track_id", F.lit("name").alias("method"), F.lit(1.0).alias("score"))
        .unionByName(name_matches)
    )


def _list_spellings(key: Column, merged_artists: Sequence[str]) -> Column:
    is_merged = loose_artist_key(key).isin(*merged_artists) if merged_artists else F.lit(False)
    return F.when(is_merged, F.array(key, alternate_artist_key(key))).otherwise(F.array(key))


def _build_recording_matches(tracks: DataFrame, decided_matches: Collection[IdPair]) -> DataFrame:
    compared_fields = F.struct("titles", F.col("artists.keys").alias("artist_keys"), "duration_ms", "isrc")
    recordings = tracks.where("track_id = recording_id").select("recording_id", compared_fields.alias("first"))
    pairs = tracks.where("track_id <> recording_id").select(
        "track_id", "recording_id", compared_fields.alias("further"), source_at_rank(F.col("rank")).alias("source")
    )
    first_track, further_track = F.col("first"), F.col("further")
    distance = F.abs(first_track.duration_ms - further_track.duration_ms)
    is_by_name = (
        (first_track.titles.title == further_track.titles.title)
        & (first_track.titles.version == further_track.titles.version)
        & F.arrays_overlap(
            *(F.transform(track.artist_keys, loose_artist_key) for track in (first_track, further_track))
        )
        & (distance <= NAME_GAP_MS)
    )
    is_by_isrc = F.coalesce(first_track.isrc == further_track.isrc, F.lit(False)) & (distance <= ISRC_GAP_MS)
    score = score_name_match(
        (first_track.titles.edition != further_track.titles.edition).cast("int"),
        (first_track.titles.credit != further_track.titles.credit).cast("int"),
        distance,
    )
    is_decided = is_decided_pair(F.col("track_id"), F.col("recording_id"), decided_matches)
    return pairs.join(recordings, on="recording_id", how="inner").select(
        F.col("track_id").alias("from_id"),
        F.col("recording_id").alias("to_id"),
        F.when(is_decided, "decision")
        .when(is_by_isrc, "isrc")
        .when(is_by_name, "name")
        .otherwise("recording")
        .alias("method"),
        F.when(is_decided | is_by_isrc, F.lit(1.0)).when(is_by_name, score).otherwise(_INDIRECT_SCORE).alias("score"),
        "source",
    )
