"""Artists: with the id that a source gives, else recognised by name, else with a made id.

Two names that differ by a leading "the" are two artists, until a recording that both are credited on makes them one.
"""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from etl.schemas import MOCK_SOURCE
from etl.transform.names import artist_key, loose_artist_key, made_id, other_spelling
from etl.transform.reconcile import TOLERANCE_MS
from etl.transform.recordings import ISRC_GAP_MS
from etl.transform.winners import first_of, is_mock, source_named, source_rank, winner


def united_artists(rows: DataFrame) -> list[str]:
    """Return the names whose spellings with and without a leading "the" are one artist, without it, sorted.

    They are where both are credited with one recording: an id is told with both, or title and version or ISRC are
    equal and lengths as near as those of one recording.

    :param rows: what ``reconcile.identified`` returns.
    """
    fields = ("identity", "title", "version", "isrc", "duration_ms")
    spelled = rows.where(F.col("source") != MOCK_SOURCE).select(*fields, F.explode("artist_keys").alias("key"))
    loose = loose_artist_key(F.col("key"))
    long = spelled.where(loose != F.col("key")).withColumn("key", loose)
    short = spelled.join(long.select("key").distinct(), on="key", how="left_semi")
    one, other = (
        frame.select("key", *(F.col(name).alias(f"{side}_{name}") for name in fields)).distinct()
        for side, frame in (("one", long), ("other", short))
    )
    is_same = {name: F.col(f"one_{name}") == F.col(f"other_{name}") for name in fields}
    distance = F.abs(F.col("one_duration_ms") - F.col("other_duration_ms"))
    is_one_recording = (
        is_same["identity"]
        | (is_same["title"] & is_same["version"] & (distance <= TOLERANCE_MS))
        | (is_same["isrc"] & (distance <= ISRC_GAP_MS))
    )
    found = one.join(other, on="key", how="inner").where(is_one_recording).select("key").distinct()
    return sorted(row["key"] for row in found.collect())


def unite(key: Column, united: Sequence[str]) -> Column:
    """Return an artist's key; that without "the" where both spellings are one artist."""
    if not united:
        return key
    loose = loose_artist_key(key)
    return F.when(loose.isin(*united), loose).otherwise(key)


def credits(tracks: DataFrame, artist_rows: DataFrame, united: Sequence[str] = ()) -> DataFrame:
    """Who plays on each track, under the artist's id.

    An artist whom any other source tells of is never given an id that the mock API has made up: the mock's tracks are
    credited to that artist instead.

    :param tracks: track_id, rank, artists (struct of names, ids, keys), popularity.
    :param artist_rows: rows of ``ARTIST_ROW``.
    :param united: what ``united_artists`` returns.
    :returns: track_id, position (from 1), artist_id, name, rank, popularity (the track's).
    """
    no_ids = F.array_repeat(F.lit(None).cast("string"), F.size("artists.names"))
    zipped = F.arrays_zip(
        F.col("artists.names").alias("name"),
        F.coalesce("artists.ids", no_ids).alias("given_id"),
        F.col("artists.keys").alias("artist_key"),
    )
    named = tracks.select("track_id", "rank", "popularity", F.posexplode(zipped).alias("place", "artist")).select(
        "track_id", "rank", "popularity", (F.col("place") + 1).alias("position"), "artist.*"
    )
    listed = artist_rows.where(F.col("source") != MOCK_SOURCE).select(
        F.col("artist_id").alias("given_id"), unite(artist_key(F.col("name")), united).alias("artist_key"), "followers"
    )
    credited = named.where(~is_mock(F.col("rank"))).select(
        "given_id", "artist_key", F.lit(None).cast("long").alias("followers")
    )
    told = listed.unionByName(credited)
    known = (
        told.groupBy("artist_key")
        .agg(first_of(F.col("given_id"), -F.coalesce("followers", F.lit(-1)), F.col("given_id")).alias("known_id"))
        .withColumn("is_told_name", F.lit(True))
    )
    by_name = F.coalesce("known_id", made_id(F.col("artist_key")))
    own = (
        named.where(~is_mock(F.col("rank")))
        .join(known, on="artist_key", how="left")
        .withColumn("artist_id", F.coalesce("given_id", by_name))
    )
    told_ids = told.select("given_id").dropna().distinct().withColumn("is_told_id", F.lit(True))
    of_mock = (
        named.where(is_mock(F.col("rank")))
        .join(known, on="artist_key", how="left")
        .join(told_ids, on="given_id", how="left")
        .withColumn(
            "artist_id",
            F.when(F.col("is_told_name") & F.col("is_told_id").isNull(), by_name).otherwise(
                F.coalesce("given_id", by_name)
            ),
        )
    )
    columns = ("track_id", "position", "artist_id", "name", "rank", "popularity")
    return own.select(*columns).unionByName(of_mock.select(*columns))


def bridge_track_artist(credits: DataFrame) -> DataFrame:
    """The staged frame; an artist who is named twice on a track stands at the first place."""
    return credits.groupBy("track_id", "artist_id").agg(F.min("position").alias("position"))


def dim_artist(credits: DataFrame, artist_rows: DataFrame, united: Sequence[str] = ()) -> DataFrame:
    """The staged frame. Popularity is the source's own, else the median of the artist's tracks; made_id is the id that
    the name alone would give, variant_made_id the one of the other spelling of an artist whom both name."""
    nothing = F.lit(None)
    named = credits.groupBy("artist_id", "name", "rank").agg(
        F.count(F.lit(1)).alias("row_count"), nothing.cast("int").alias("popularity")
    )
    listed = artist_rows.groupBy("artist_id", "name", source_rank(F.col("source")).alias("rank")).agg(
        F.count(F.lit(1)).alias("row_count"),
        F.max("popularity").alias("popularity"),
        F.max("followers").alias("followers"),
    )
    rank, most = F.col("rank"), -F.col("row_count")
    popular = F.struct(rank, F.col("popularity").alias("value"))
    followed = F.struct(rank, F.col("followers").alias("value"))
    won = (
        named.withColumn("followers", nothing.cast("long"))
        .unionByName(listed)
        .groupBy("artist_id")
        .agg(
            winner(F.col("name"), rank, most).alias("name"),
            first_of(F.when(F.col("popularity").isNotNull(), popular), rank, -F.col("popularity")).alias("popular"),
            first_of(F.when(F.col("followers").isNotNull(), followed), rank, -F.col("followers")).alias("followed"),
            F.min(rank).alias("rank"),
        )
        # The mock API says nothing about an artist whom another source tells of.
        .withColumn("popular", F.when(is_mock(rank) | ~is_mock(F.col("popular.rank")), F.col("popular")))
        .withColumn("followed", F.when(is_mock(rank) | ~is_mock(F.col("followed.rank")), F.col("followed")))
    )
    derived = credits.groupBy("artist_id").agg(
        _rounded_median(F.when(~is_mock(rank), F.col("popularity"))).alias("of_told"),
        _rounded_median(F.col("popularity")).alias("of_all"),
    )
    joined = won.join(derived, on="artist_id", how="left").withColumn(
        "derived", F.coalesce("of_told", F.when(is_mock(rank), F.col("of_all")))
    )
    return joined.select(
        "artist_id",
        "name",
        F.coalesce("popular.value", "derived").alias("popularity"),
        F.when(F.col("popular").isNotNull(), _popularity_source(source_named(F.col("popular.rank"))))
        .when(F.col("derived").isNotNull(), "derived")
        .alias("popularity_source"),
        F.col("followed.value").alias("followers"),
        source_named(rank).alias("source"),
        made_id(artist_key(F.col("name"))).alias("made_id"),
        _variant_made_id(artist_key(F.col("name")), united).alias("variant_made_id"),
    )


def credited_or_asked(artist_rows: DataFrame, credits: DataFrame, asked: DataFrame) -> DataFrame:
    """Return the rows without those of artists of the mock API whom no track is credited to under the mock's own id.

    :param asked: artist_id of those that the API was asked for by their ids, which are kept: inputs tell of them.
    """
    needed = credits.select("artist_id").unionByName(asked.select("artist_id")).distinct()
    of_mock = F.col("source") == MOCK_SOURCE
    wanted = artist_rows.where(of_mock).join(needed, on="artist_id", how="left_semi")
    return artist_rows.where(~of_mock).unionByName(wanted.select(*artist_rows.columns))


def _rounded_median(values: Column) -> Column:
    return F.round(F.median(values)).cast("int")


def _popularity_source(source: Column) -> Column:
    return F.when(source.isin("api", MOCK_SOURCE), source).otherwise("kaggle")


def _variant_made_id(key: Column, united: Sequence[str]) -> Column:
    is_united = loose_artist_key(key).isin(*united) if united else F.lit(False)
    return F.when(is_united, made_id(other_spelling(key)))
