"""Which track ids are one recording.

Ids are linked where title, version and an artist (but for a leading "the") are equal and lengths are at most 2 s apart,
or where the ISRC is equal and lengths are at most 5 s apart. Links chain: sorted by length, the ids under one key fall
into islands at each gap that is wider. Islands that share an id are one recording.
"""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from etl.transform.names import loose_artist_key
from etl.transform.reconcile import TOLERANCE_MS

NAME_GAP_MS = TOLERANCE_MS
ISRC_GAP_MS = 5_000


def recordings(mentions: DataFrame) -> DataFrame:
    """The recordings of more than one id.

    :param mentions: columns track_id, title, version, artist_keys, duration_ms, isrc; an id may stand on several rows.
    :returns: track_id, recording_id (the smallest track id of the group); an id that is absent is a recording alone.
    """
    islands = _islands(_links(mentions)).persist()
    joints = (
        islands.groupBy("track_id")
        .agg(F.min("island").alias("island"), F.collect_set("island").alias("others"))
        .where(F.size("others") > 1)
        .select("island", F.explode("others").alias("other"))
        .where(F.col("island") != F.col("other"))
    )
    merged = _components(joints)
    return (
        islands.join(F.broadcast(merged), on="island", how="left")
        .groupBy("track_id")
        .agg(F.min(F.coalesce("component", "island")).alias("recording_id"))
    )


def with_mock(real: DataFrame, together: DataFrame, ids: DataFrame) -> DataFrame:
    """Add ids that the mock API alone tells of to the recordings of the others, which they never join to each other.

    :param real: what ``recordings`` returns for the mentions of all other sources.
    :param together: what it returns for all mentions.
    :param ids: track_id and is_mock of all ids, a row an id.
    :returns: as ``recordings``; where an id that is real is in a recording, the smallest real one names it.
    """
    own = real.select("track_id", F.col("recording_id").alias("real_id"))
    known = together.join(ids, on="track_id", how="inner").join(own, on="track_id", how="left")
    real_id = F.when(~F.col("is_mock"), F.coalesce("real_id", "track_id"))
    named = known.groupBy("recording_id").agg(F.min(real_id).alias("named_by"))
    return known.join(named, on="recording_id", how="inner").select(
        "track_id", F.coalesce(real_id, "named_by", "recording_id").alias("recording_id")
    )


def _links(mentions: DataFrame) -> DataFrame:
    by_name = mentions.select(
        "track_id", "duration_ms", F.explode("artist_keys").alias("artist"), "title", "version"
    ).select(
        "track_id",
        "duration_ms",
        F.lit(NAME_GAP_MS).alias("gap_ms"),
        F.concat_ws("\u0001", F.lit("name"), "title", "version", loose_artist_key(F.col("artist"))).alias("link"),
    )
    by_isrc = mentions.where(F.col("isrc").isNotNull()).select(
        "track_id",
        "duration_ms",
        F.lit(ISRC_GAP_MS).alias("gap_ms"),
        F.concat_ws("\u0001", F.lit("isrc"), "isrc").alias("link"),
    )
    return by_name.unionByName(by_isrc)


def _islands(links: DataFrame) -> DataFrame:
    """Each id with the smallest id of every island of more than one id that it stands on."""
    sea = Window.partitionBy("link")
    along = sea.orderBy("duration_ms", "track_id")
    island = Window.partitionBy("link", "number")
    ahead = F.col("duration_ms") - F.lag("duration_ms").over(along) > F.col("gap_ms")
    return (
        links.withColumn("ahead", F.coalesce(ahead, F.lit(False)).cast("int"))
        .withColumn("number", F.sum("ahead").over(along))
        .withColumn("island", F.min("track_id").over(island))
        .withColumn("last", F.max("track_id").over(island))
        .where("island <> last")
        .select("track_id", "island")
        .distinct()
    )


def _components(joints: DataFrame) -> DataFrame:
    """Islands joined by shared ids, each with the smallest of all it hangs together with.

    Few islands are joined and most of them to one other, so a handful of rounds over a small frame is enough.
    """
    turned = joints.select(F.col("other").alias("island"), F.col("island").alias("other"))
    edges = joints.unionByName(turned).distinct().localCheckpoint()
    found = edges.select("island", F.col("island").alias("component")).distinct()
    while True:
        across = edges.join(
            found.select(F.col("island").alias("other"), F.col("component").alias("reached")), on="other", how="inner"
        )
        smallest = across.groupBy("island").agg(F.min("reached").alias("reached"))
        reached = F.least("component", "reached")
        moved = (reached != F.col("component")).alias("moved")
        step = found.join(smallest, on="island", how="inner").select("island", reached.alias("component"), moved)
        step = step.localCheckpoint()
        found = step.drop("moved")
        if step.where("moved").isEmpty():
            return found
