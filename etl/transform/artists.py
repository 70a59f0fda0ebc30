"""Artists: with the id that a source gives, else recognised by name, else with a made id."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from etl.transform.names import artist_key, made_id
from etl.transform.winners import first_of, source_named, source_rank, winner


def credits(tracks: DataFrame, artist_rows: DataFrame) -> DataFrame:
    """Who plays on each track, under the artist's id.

    :param tracks: track_id, rank, artists (struct of names, ids, keys), popularity.
    :param artist_rows: rows of ``ARTIST_ROW``.
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
    listed = artist_rows.select(
        F.col("artist_id").alias("given_id"), artist_key(F.col("name")).alias("artist_key"), "followers"
    )
    with_id = named.where(F.col("given_id").isNotNull()).select(
        "given_id", "artist_key", F.lit(None).cast("long").alias("followers")
    )
    known = (
        listed.unionByName(with_id)
        .groupBy("artist_key")
        .agg(F.min_by("given_id", F.struct(-F.coalesce("followers", F.lit(-1)), "given_id")).alias("known_id"))
    )
    return named.join(known, on="artist_key", how="left").withColumn(
        "artist_id", F.coalesce("given_id", "known_id", made_id(F.col("artist_key")))
    )


def bridge_track_artist(credits: DataFrame) -> DataFrame:
    """The staged frame; an artist who is named twice on a track stands at the first place."""
    return credits.groupBy("track_id", "artist_id").agg(F.min("position").alias("position"))


def dim_artist(credits: DataFrame, artist_rows: DataFrame) -> DataFrame:
    """The staged frame. Popularity is the source's own, else the median of the artist's tracks; made_id is the id that
    the name alone would give."""
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
    popular = F.struct(F.col("popularity").alias("value"), source_named(rank).alias("source"))
    won = (
        named.withColumn("followers", nothing.cast("long"))
        .unionByName(listed)
        .groupBy("artist_id")
        .agg(
            winner(F.col("name"), rank, most).alias("name"),
            first_of(F.when(F.col("popularity").isNotNull(), popular), rank, -F.col("popularity")).alias("popular"),
            first_of(F.col("followers"), rank, -F.col("followers")).alias("followers"),
            F.min(rank).alias("rank"),
        )
    )
    derived = credits.groupBy("artist_id").agg(F.round(F.median("popularity")).cast("int").alias("derived"))
    return won.join(derived, on="artist_id", how="left").select(
        "artist_id",
        "name",
        F.coalesce("popular.value", "derived").alias("popularity"),
        F.when(F.col("popular").isNotNull(), F.when(F.col("popular.source") == "api", "api").otherwise("kaggle"))
        .when(F.col("derived").isNotNull(), "derived")
        .alias("popularity_source"),
        "followers",
        source_named(rank).alias("source"),
        made_id(artist_key(F.col("name"))).alias("made_id"),
    )
