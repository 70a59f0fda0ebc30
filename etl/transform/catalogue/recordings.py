"""Track ids that are one recording.

Two ids are linked if title, version and an artist (without a leading "the") are equal and durations are at most 2 s
apart, or if the ISRC is equal and durations are at most 5 s apart. Links chain. Two steps follow them without comparing
all pairs. Gaps and islands: the ids of one key, sorted by duration, form an island up to each wider gap. Connected
components: islands that share an id are one recording, found by propagating the smallest label.

A decision that two ids are one recording is one more island; one that they are not separates their recording again.
"""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from etl.transform.catalogue.decisions import NO_DECISIONS, MatchDecisions, list_decided_ids
from etl.transform.catalogue.reconciliation import TOLERANCE_MS
from etl.transform.catalogue.separation import LinkedTrack, separate_recordings
from etl.transform.names import loose_artist_key

NAME_GAP_MS = TOLERANCE_MS
ISRC_GAP_MS = 5_000


def group_recordings(variants: DataFrame, decisions: MatchDecisions = NO_DECISIONS) -> DataFrame:
    """Return the recordings of more than one id: track_id, recording_id (the smallest track id of the group).

    :param variants: columns track_id, title, version, artist_keys, duration_ms, isrc; an id may have several rows.
    :param decisions: those about recordings are followed; ids that ``variants`` lacks have no effect.
    """
    links = _build_links(variants)
    islands = _find_islands(links)
    if decisions.recording_matches:
        islands = islands.unionByName(_build_decided_islands(variants, decisions)).distinct()
    recordings = _join_islands(islands.persist())
    if decisions.recording_differences:
        recordings = _separate_recordings(recordings, links, decisions)
    return recordings


def _join_islands(islands: DataFrame) -> DataFrame:
    """Return track_id and recording_id of the tracks of islands."""
    island_links = (
        islands.groupBy("track_id")
        .agg(F.min("island").alias("island"), F.collect_set("island").alias("islands"))
        .where(F.size("islands") > 1)
        .select("island", F.explode("islands").alias("neighbour"))
        .where(F.col("island") != F.col("neighbour"))
    )
    components = _find_components(island_links)
    return (
        islands.join(F.broadcast(components), on="island", how="left")
        .groupBy("track_id")
        .agg(F.min(F.coalesce("component", "island")).alias("recording_id"))
    )


def add_mock_tracks(source_recordings: DataFrame, all_recordings: DataFrame, ids: DataFrame) -> DataFrame:
    """Add ids that only the mock API has to recordings of other sources, without joining any two of these.

    :param source_recordings: the result of ``group_recordings`` for all other sources.
    :param all_recordings: its result for all sources.
    :param ids: track_id and is_mock of all ids, one row an id.
    :returns: as ``group_recordings``; the smallest id of another source, if there is any, is the recording_id.
    """
    source_recording_ids = source_recordings.select("track_id", F.col("recording_id").alias("source_recording_id"))
    track_recordings = all_recordings.join(ids, on="track_id", how="inner").join(
        source_recording_ids, on="track_id", how="left"
    )
    source_recording_id = F.when(~F.col("is_mock"), F.coalesce("source_recording_id", "track_id"))
    recording_names = track_recordings.groupBy("recording_id").agg(
        F.min(source_recording_id).alias("smallest_source_id")
    )
    return track_recordings.join(recording_names, on="recording_id", how="inner").select(
        "track_id", F.coalesce(source_recording_id, "smallest_source_id", "recording_id").alias("recording_id")
    )


def _build_decided_islands(variants: DataFrame, decisions: MatchDecisions) -> DataFrame:
    """Return two rows for each decided match whose ids both exist: track_id, island (the smaller of the ids)."""
    pairs = variants.sparkSession.createDataFrame(sorted(decisions.recording_matches), "island string, other_id string")
    known_ids = variants.select("track_id").distinct()
    known_pairs = pairs.join(known_ids.withColumnRenamed("track_id", "island"), on="island", how="left_semi").join(
        known_ids.withColumnRenamed("track_id", "other_id"), on="other_id", how="left_semi"
    )
    return known_pairs.select(F.explode(F.array("island", "other_id")).alias("track_id"), "island")


def _separate_recordings(recordings: DataFrame, links: DataFrame, decisions: MatchDecisions) -> DataFrame:
    """Return the recordings, those that have both ids of a difference separated; they are few, so the driver does."""
    decided_ids = list_decided_ids(decisions.recording_differences)
    recording_ids = {
        row.track_id: row.recording_id for row in recordings.where(F.col("track_id").isin(*decided_ids)).collect()
    }
    joined_ids = sorted(
        {
            recording_ids[first_id]
            for first_id, second_id in decisions.recording_differences
            if first_id in recording_ids and recording_ids[first_id] == recording_ids.get(second_id)
        }
    )
    if not joined_ids:
        return recordings
    is_joined = F.col("recording_id").isin(*joined_ids)
    linked_tracks = [
        LinkedTrack(row.link, row.gap_ms, row.duration_ms, row.track_id)
        for row in links.join(F.broadcast(recordings.where(is_joined)), on="track_id", how="inner").collect()
    ]
    separated = separate_recordings(linked_tracks, decisions.recording_matches, decisions.recording_differences)
    rows = recordings.sparkSession.createDataFrame(sorted(separated.items()), "track_id string, recording_id string")
    return recordings.where(~is_joined).unionByName(rows)


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
    """Return each id with its islands of more than one id; an island is named by its smallest id."""
    link_window = Window.partitionBy("link")
    link_order = link_window.orderBy("duration_ms", "track_id")
    island_window = Window.partitionBy("link", "island_number")
    is_after_gap = F.col("duration_ms") - F.lag("duration_ms").over(link_order) > F.col("gap_ms")
    return (
        links.withColumn("starts_island", F.coalesce(is_after_gap, F.lit(False)).cast("int"))
        .withColumn("island_number", F.sum("starts_island").over(link_order))
        .withColumn("island", F.min("track_id").over(island_window))
        .withColumn("last", F.max("track_id").over(island_window))
        .where("island <> last")
        .select("track_id", "island")
        .distinct()
    )


def _find_components(island_links: DataFrame) -> DataFrame:
    """Return the islands that share ids, each with the smallest island of its connected component.

    Each round replaces an island's label by the smallest label among its neighbours, until no label changes. Few
    islands share ids, and most of these with one other island, so a few rounds over a small frame are enough.
    """
    reversed_links = island_links.select(F.col("neighbour").alias("island"), F.col("island").alias("neighbour"))
    edges = island_links.unionByName(reversed_links).distinct().localCheckpoint()
    components = edges.select("island", F.col("island").alias("component")).distinct()
    while True:
        neighbour_components = edges.join(
            components.select(F.col("island").alias("neighbour"), F.col("component").alias("neighbour_component")),
            on="neighbour",
            how="inner",
        )
        smallest = neighbour_components.groupBy("island").agg(F.min("neighbour_component").alias("neighbour_component"))
        smallest_component = F.least("component", "neighbour_component")
        has_changed = (smallest_component != F.col("component")).alias("has_changed")
        next_components = components.join(smallest, on="island", how="inner").select(
            "island", smallest_component.alias("component"), has_changed
        )
        next_components = next_components.localCheckpoint()
        components = next_components.drop("has_changed")
        if next_components.where("has_changed").isEmpty():
            return components
