"""The names that a track is found under, and what was recognised as what."""

from collections.abc import Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from etl.transform.names import loose_artist_key, made_track_id, other_spelling
from etl.transform.reconcile import is_made, name_score
from etl.transform.recordings import ISRC_GAP_MS, NAME_GAP_MS
from etl.transform.winners import is_mock, source_named

_CHAIN_SCORE = 0.8
"""The score of an id that belongs to its recording only through ids in between."""


def track_alias(tracks: DataFrame, mentions: DataFrame, matches: DataFrame, united: Sequence[str] = ()) -> DataFrame:
    """The staged frame.

    :param tracks: track_id, popularity, rank.
    :param mentions: what ``tracks.variants`` returns.
    :param matches: what ``reconcile.recognised`` returns.
    :param united: what ``artists.united_artists`` returns: tracks of these artists are found under both spellings.
    """
    columns = ("alias_kind", "alias_value", "track_id", "method", "score")
    real = tracks.where(~is_made(F.col("track_id")))
    by_id = real.select(
        F.lit("spotify_id").alias("alias_kind"),
        F.col("track_id").alias("alias_value"),
        "track_id",
        F.lit("id").alias("method"),
        F.lit(1.0).alias("score"),
    )
    own = mentions.where("NOT is_by_name")
    by_isrc = (
        own.where("isrc IS NOT NULL")
        .select(F.lit("isrc").alias("alias_kind"), F.col("isrc").alias("alias_value"), "track_id")
        .distinct()
        .select("*", F.lit("isrc").alias("method"), F.lit(1.0).alias("score"))
    )
    by_name = _by_name(tracks, own, matches, united).select(F.lit("name").alias("alias_kind"), "*")
    return reduce(DataFrame.unionByName, (frame.select(*columns) for frame in (by_id, by_isrc, by_name)))


def reconciliation(tracks: DataFrame, matches: DataFrame, rows: DataFrame) -> DataFrame:
    """The staged frame: made ids that are a track with an id, and further ids of a recording.

    :param tracks: what ``tracks.with_recording`` returns.
    :param rows: what ``reconcile.identified`` returns.
    """
    sources = rows.where("track_id IS NULL").groupBy("identity").agg(F.min("source").alias("source"))
    by_name = matches.join(sources, on="identity", how="inner").select(
        F.col("identity").alias("from_id"), F.col("track_id").alias("to_id"), "method", "score", "source"
    )
    return by_name.unionByName(_further_ids(tracks))


def _by_name(tracks: DataFrame, own: DataFrame, matches: DataFrame, united: Sequence[str]) -> DataFrame:
    """One track a made id: what the id was recognised as, else the track of that very id, else the most popular one;
    one that the mock API alone tells of comes last."""
    spellings = F.flatten(F.transform("artist_keys", lambda key: _spellings(key, united)))
    names = own.select("track_id", "title", "version", F.explode(spellings).alias("artist")).select(
        "track_id", made_track_id(F.col("title"), F.col("version"), F.col("artist")).alias("alias_value")
    )
    popularity = -F.coalesce("popularity", F.lit(-1))
    order = F.struct(F.col("track_id") != F.col("alias_value"), is_mock(F.col("rank")), popularity, "track_id")
    best = (
        names.distinct()
        .join(tracks.select("track_id", "popularity", "rank"), on="track_id", how="inner")
        .groupBy("alias_value")
        .agg(F.min_by("track_id", order).alias("track_id"))
    )
    found = matches.select(F.col("identity").alias("alias_value"), "track_id", "method", "score")
    return (
        best.join(found.select("alias_value"), on="alias_value", how="left_anti")
        .select("alias_value", "track_id", F.lit("name").alias("method"), F.lit(1.0).alias("score"))
        .unionByName(found)
    )


def _spellings(key: Column, united: Sequence[str]) -> Column:
    is_united = loose_artist_key(key).isin(*united) if united else F.lit(False)
    return F.when(is_united, F.array(key, other_spelling(key))).otherwise(F.array(key))


def _further_ids(tracks: DataFrame) -> DataFrame:
    told = F.struct("titles", F.col("artists.keys").alias("artist_keys"), "duration_ms", "isrc")
    first = tracks.where("track_id = recording_id").select("recording_id", told.alias("first"))
    pairs = tracks.where("track_id <> recording_id").select(
        "track_id", "recording_id", told.alias("further"), source_named(F.col("rank")).alias("source")
    )
    one, other = F.col("first"), F.col("further")
    distance = F.abs(one.duration_ms - other.duration_ms)
    is_by_name = (
        (one.titles.title == other.titles.title)
        & (one.titles.version == other.titles.version)
        & F.arrays_overlap(*(F.transform(said.artist_keys, loose_artist_key) for said in (one, other)))
        & (distance <= NAME_GAP_MS)
    )
    is_by_isrc = F.coalesce(one.isrc == other.isrc, F.lit(False)) & (distance <= ISRC_GAP_MS)
    score = name_score(
        (one.titles.edition != other.titles.edition).cast("int"),
        (one.titles.credit != other.titles.credit).cast("int"),
        distance,
    )
    return pairs.join(first, on="recording_id", how="inner").select(
        F.col("track_id").alias("from_id"),
        F.col("recording_id").alias("to_id"),
        F.when(is_by_isrc, "isrc").when(is_by_name, "name").otherwise("recording").alias("method"),
        F.when(is_by_isrc, F.lit(1.0)).when(is_by_name, score).otherwise(_CHAIN_SCORE).alias("score"),
        "source",
    )
