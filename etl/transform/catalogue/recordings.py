"""Which track ids are one recording.

Ids are linked where title, version and an artist (but for a leading "the") are equal and lengths are at most 2 s apart,
or where the ISRC is equal and lengths are at most 5 s apart. Links chain: sorted by length, the ids under one key fall
into islands at each gap that is wider. Islands that share an id are one recording.
"""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from etl.transform.catalogue.reconciliation import TOLERANCE_MS
from etl.transform.names import loose_artist_key

NAME_GAP_MS = TOLERANCE_MS
ISRC_GAP_MS = 5_000


def group_recordings(variants: DataFrame) -> DataFrame:
    """The recordings of more than one id.

    :param mentions: columns track_id, title, version, artist_keys, duration_ms, isrc; an id may stand on several rows.
    :returns: track_id, recording_id (the smallest track id of the group); an id that is absent is a recording alone.
    """
    islands = _find_islands(_build_links(variants)).persist()
    island_links = (
        islands.groupBy("track_id")
        .agg(F.min("island").alias("island"), F.collect_set("island").alias("others"))
        .where(F.size("others") > 1)
        .select("island", F.explode("others").alias("other"))
        .where(F.col("island") != F.col("other"))
    )
    components = _find_components(island_links)
    return (
        islands.join(F.broadcast(components), on="island", how="left")
        .groupBy("track_id")
        .agg(F.min(F.coalesce("component", "island")).alias("recording_id"))
    )


def add_mock_tracks(source_recordings: DataFrame, all_recordings: DataFrame, ids: DataFrame) -> DataFrame:
    """Add ids that the mock API alone tells of to the recordings of the others, which they never join to each other.

    :param real: what ``recordings`` returns for the mentions of all other sources.
    :param together: what it returns for all mentions.
    :param ids: track_id and is_mock of all ids, a row an id.
    :returns: as ``recordings``; where an id that is real is in a recording, the smallest real one names it.
    """
    source_recording_ids = source_recordings.select("track_id", F.col("recording_id").alias("real_id"))
    track_recordings = all_recordings.join(ids, on="track_id", how="inner").join(
        source_recording_ids, on="track_id", how="left"
    )
    source_recording_id = F.when(~F.col("is_mock"), F.coalesce("real_id", "track_id"))
    recording_names = track_recordings.groupBy("recording_id").agg(F.min(source_recording_id).alias("named_by"))
    return track_recordings.join(recording_names, on="recording_id", how="inner").select(
        "track_id", F.coalesce(source_recording_id, "named_by", "recording_id").alias("recording_id")
    )


def _build_links(variants: DataFrame) -> DataFrame:
    by_name = variants.select(
        "track_id", "duration_ms", F.explode("artist_keys").alias("artist"), "title", "version"
    ).select(
        "track_id",
        "duration_ms",
        F.lit(NAME_GAP_MS).alias("gap_ms"),
        F.concat_ws("\u0001", F.lit("name"), "title", "version", loose_artist_key(F.col("artist"))).alias("link"),
    )
    by_isrc = variants.where(F.col("isrc").isNotNull()).select(
        "track_id",
        "duration_ms",
        F.lit(ISRC_GAP_MS).alias("gap_ms"),
        F.concat_ws("\u0001", F.lit("isrc"), "isrc").alias("link"),
    )
    return by_name.unionByName(by_isrc)


def _find_islands(links: DataFrame) -> DataFrame:
    """Each id with the smallest id of every island of more than one id that it stands on."""
    link_window = Window.partitionBy("link")
    link_order = link_window.orderBy("duration_ms", "track_id")
    island_window = Window.partitionBy("link", "number")
    is_after_gap = F.col("duration_ms") - F.lag("duration_ms").over(link_order) > F.col("gap_ms")
    return (
        links.withColumn("ahead", F.coalesce(is_after_gap, F.lit(False)).cast("int"))
        .withColumn("number", F.sum("ahead").over(link_order))
        .withColumn("island", F.min("track_id").over(island_window))
        .withColumn("last", F.max("track_id").over(island_window))
        .where("island <> last")
        .select("track_id", "island")
        .distinct()
    )


def _find_components(island_links: DataFrame) -> DataFrame:
    """Islands joined by shared ids, each with the smallest of all it hangs together with.

    Few islands are joined and most of them to one other, so a handful of rounds over a small frame is enough.
    """
    reversed_links = island_links.select(F.col("other").alias("island"), F.col("island").alias("other"))
    edges = island_links.unionByName(reversed_links).distinct().localCheckpoint()
    components = edges.select("island", F.col("island").alias("component")).distinct()
    while True:
        neighbour_components = edges.join(
            components.select(F.col("island").alias("other"), F.col("component").alias("reached")),
            on="other",
            how="inner",
        )
        smallest = neighbour_components.groupBy("island").agg(F.min("reached").alias("reached"))
        smallest_component = F.least("component", "reached")
        has_changed = (smallest_component != F.col("component")).alias("moved")
        next_components = components.join(smallest, on="island", how="inner").select(
            "island", smallest_component.alias("component"), has_changed
        )
        next_components = next_components.localCheckpoint()
        components = next_components.drop("moved")
        if next_components.where("moved").isEmpty():
            return components
