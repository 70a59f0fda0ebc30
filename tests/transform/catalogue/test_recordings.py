"""The ids that are one recording."""

import random
from typing import Any

from pyspark.sql import SparkSession

from etl.transform.catalogue.recordings import add_mock_tracks, group_recordings

Mention = tuple[str, str, str, list[str], int, str | None]
_COLUMNS = "track_id string, title string, version string, artist_keys array<string>, duration_ms int, isrc string"

MENTIONS: list[Mention] = [
    # Lengths chain: a1 and a3 are 3 s apart, but a2 lies between; a4 is too far from all.
    ("a1", "chain", "", ["nova"], 200_000, None),
    ("a2", "chain", "", ["nova"], 201_500, None),
    ("a3", "chain", "", ["nova"], 203_000, None),
    ("a4", "chain", "", ["nova"], 205_001, None),
    # Exactly 2 s apart is near enough.
    ("b1", "edge", "", ["nova"], 100_000, None),
    ("b2", "edge", "", ["nova"], 102_000, None),
    # No artist in common, but c2 shares one with each.
    ("c1", "duet", "", ["nova"], 100_000, None),
    ("c2", "duet", "", ["nova", "lux"], 100_000, None),
    ("c3", "duet", "", ["lux"], 100_000, None),
    # Pairs by four artists that are connected only through one another.
    ("e9", "long way", "", ["p", "q"], 100_000, None),
    ("e8", "long way", "", ["q", "r"], 100_000, None),
    ("e7", "long way", "", ["r", "s"], 100_000, None),
    ("e6", "long way", "", ["s", "t"], 100_000, None),
    # Another version or another artist is another recording.
    ("f1", "song", "", ["nova"], 100_000, None),
    ("f2", "song", "live", ["nova"], 100_000, None),
    ("f3", "song", "", ["other"], 100_000, None),
    # One ISRC: near ones are linked though the titles differ, the far one is not.
    ("g1", "name", "", ["nova"], 100_000, "XX1"),
    ("g2", "other name", "", ["else"], 105_000, "XX1"),
    ("g3", "third name", "", ["nova"], 110_001, "XX1"),
    # An id with two titles links the matches of both.
    ("h1", "old title", "", ["nova"], 100_000, None),
    ("h2", "old title", "", ["nova"], 100_000, None),
    ("h2", "new title", "", ["nova"], 100_000, None),
    ("h3", "new title", "", ["nova"], 100_000, None),
    # A leading "the" does not distinguish recordings.
    ("k1", "same", "", ["the nova"], 100_000, None),
    ("k2", "same", "", ["nova"], 100_000, None),
    ("z1", "alone", "", ["nova"], 100_000, None),
]
GROUPS = {
    **dict.fromkeys(("a1", "a2", "a3"), "a1"),
    **dict.fromkeys(("b1", "b2"), "b1"),
    **dict.fromkeys(("c1", "c2", "c3"), "c1"),
    **dict.fromkeys(("e6", "e7", "e8", "e9"), "e6"),
    **dict.fromkeys(("g1", "g2"), "g1"),
    **dict.fromkeys(("h1", "h2", "h3"), "h1"),
    **dict.fromkeys(("k1", "k2"), "k1"),
}


def test_links_chain_and_hang_together(spark: SparkSession) -> None:
    assert _group_mentions(spark, MENTIONS, 2) == GROUPS


def test_order_and_partitions_do_not_matter(spark: SparkSession) -> None:
    shuffled = random.Random(7).sample(MENTIONS, len(MENTIONS))
    assert _group_mentions(spark, shuffled, 7) == GROUPS


def test_ids_of_the_mock_api_join_recordings_and_never_link_them(spark: SparkSession) -> None:
    track_ids = ["m0", "r1", "r2", "m3", "m4", "m5", "r6"]
    ids = spark.createDataFrame(
        [(track_id, track_id[0] == "m") for track_id in track_ids], "track_id string, is_mock boolean"
    )
    # Without the mock API r1 and r6 are one recording; its ids would connect r2 with them.
    real = spark.createDataFrame([("r1", "r1"), ("r6", "r1")], "track_id string, recording_id string")
    groups = [(track_id, "m0") for track_id in ("m0", "r1", "r2", "m3", "r6")] + [("m4", "m4"), ("m5", "m4")]
    together = spark.createDataFrame(groups, "track_id string, recording_id string")
    actual = {row.track_id: row.recording_id for row in add_mock_tracks(real, together, ids).collect()}
    assert actual == {"m0": "r1", "r1": "r1", "r2": "r2", "m3": "r1", "r6": "r1", "m4": "m4", "m5": "m4"}


def test_no_tracks_are_no_recordings(spark: SparkSession) -> None:
    assert _group_mentions(spark, [], 1) == {}


def _group_mentions(spark: SparkSession, mentions: list[Mention], partitions: int) -> dict[str, Any]:
    frame = spark.createDataFrame(mentions, _COLUMNS).repartition(partitions)
    return {row.track_id: row.recording_id for row in group_recordings(frame).collect()}
