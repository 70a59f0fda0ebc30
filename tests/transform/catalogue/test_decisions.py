"""Decisions of analysts override what names and ISRCs say, and nothing else changes."""

from itertools import permutations
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from etl.formats.contracts import STAGED
from etl.transform.catalogue.decisions import MatchDecisions
from etl.transform.catalogue.pipeline import build_catalogue
from etl.transform.catalogue.recordings import group_recordings
from etl.transform.catalogue.separation import LinkedTrack, separate_recordings
from tests.transform.catalogue.catalogue_rows import (
    get_snapshots,
    make_artist_rows,
    make_playlist_rows,
    make_track_rows,
)
from tests.transform.catalogue.test_recordings import _COLUMNS, GROUPS, MENTIONS

Decision = tuple[str, str, str, bool]

CHAIN = [
    LinkedTrack("song", 2_000, 100_000, "a"),
    LinkedTrack("song", 2_000, 100_400, "b"),
    LinkedTrack("song", 2_000, 101_000, "c"),
    LinkedTrack("song", 2_000, 102_900, "d"),
]
SEPARATED: dict[str, tuple[list[tuple[str, str]], list[tuple[str, str]], dict[str, str]]] = {
    "neighbours": ([], [("a", "b")], {"a": "a", "b": "b", "c": "b", "d": "b"}),
    "ends: the nearest stay together": ([], [("a", "d")], {"a": "a", "b": "a", "c": "a", "d": "d"}),
    "two differences": ([], [("a", "b"), ("c", "d")], {"a": "a", "b": "b", "c": "b", "d": "d"}),
    "a match that comes first": ([("b", "d")], [("a", "d")], {"a": "a", "b": "b", "c": "b", "d": "b"}),
    "an unknown id": ([("a", "z")], [("a", "y")], dict.fromkeys("abcd", "a")),
}


@pytest.mark.parametrize(("matches", "differences", "expected"), SEPARATED.values(), ids=SEPARATED.keys())
def test_ids_that_differ_are_separated_in_every_order(
    matches: list[tuple[str, str]], differences: list[tuple[str, str]], expected: dict[str, str]
) -> None:
    for tracks in permutations(CHAIN):
        assert separate_recordings(tracks, matches, differences) == expected


def test_ids_beside_one_that_differs_from_both_stay_together() -> None:
    tracks = [LinkedTrack("song", 2_000, 100_000, track_id) for track_id in "abc"]
    assert separate_recordings(tracks, [], [("a", "b"), ("b", "c")]) == {"a": "a", "b": "b", "c": "a"}


def test_an_id_without_a_duration_is_linked_to_its_neighbour() -> None:
    tracks = [*CHAIN[:2], LinkedTrack("song", 2_000, None, "e")]
    assert separate_recordings(tracks, [], [("a", "b")]) == {"a": "a", "b": "b", "e": "a"}


def test_decided_ids_are_joined_and_separated_and_all_others_stay(spark: SparkSession) -> None:
    decisions = MatchDecisions(
        recording_matches=frozenset({("a4", "f2"), ("f2", "z1"), ("a4", "unknown")}),
        recording_differences=frozenset({("b1", "b2"), ("k1", "z1"), ("e6", "e9")}),
    )
    frame = spark.createDataFrame(MENTIONS, _COLUMNS)
    actual = {row.track_id: row.recording_id for row in group_recordings(frame, decisions).collect()}
    changed = ("b1", "b2", "e6", "e7", "e8", "e9")
    unchanged = {track_id: head for track_id, head in GROUPS.items() if track_id not in changed}
    assert {track_id: head for track_id, head in actual.items() if track_id not in changed} == {
        **unchanged,
        **dict.fromkeys(("a4", "f2", "z1"), "a4"),
    }
    assert (actual["b1"], actual["b2"]) == ("b1", "b2")
    assert actual["e6"] != actual["e9"]
    assert {actual["e7"], actual["e8"]} <= {actual["e6"], actual["e9"]}, "each stays with a neighbour"


ROWS: list[dict[str, Any]] = [
    {"track_id": "t1", "name": "Song", "artist_ids": ["n"], "popularity": 50},
    {"track_id": "t2", "name": "Song", "artist_ids": ["n"], "popularity": 40},
    {"track_id": "t3", "name": "Other song", "artist_ids": ["n"]},
    {"name": "Song", "source": "top_2000s"},
    {"track_id": "t4", "name": "Dreams", "artist_names": ["The Nova"]},
    {"track_id": "t5", "name": "Dreams", "artist_names": ["Nova"], "artist_ids": ["n"]},
]


def test_without_decisions_reconciliation_decides(spark: SparkSession) -> None:
    frames = _build(spark)
    assert _recordings(frames) == {"t1": "t1", "t2": "t1", "t3": "t3", "t4": "t4", "t5": "t4"}
    assert _artists(frames, "t4") == ["n"]
    assert {row.method for row in frames["reconciliation"].collect()} == {"name"}


def test_a_decided_match_joins_two_recordings_under_the_smallest_id(spark: SparkSession) -> None:
    frames = _build(spark, ("recording", "t3", "t2", True))
    assert _recordings(frames) == {"t1": "t1", "t2": "t1", "t3": "t1", "t4": "t4", "t5": "t4"}
    methods = {row.from_id: (row.to_id, row.method) for row in frames["reconciliation"].collect()}
    assert methods["t3"] == ("t1", "recording"), "only by way of t2"
    frames = _build(spark, ("recording", "t3", "t1", True))
    methods = {row.from_id: (row.to_id, row.method, row.score) for row in frames["reconciliation"].collect()}
    assert methods["t3"] == ("t1", "decision", 1.0)


def test_a_decided_difference_separates_a_recording_and_a_name(spark: SparkSession) -> None:
    (name_id,) = {row.from_id for row in _build(spark)["reconciliation"].collect() if row.from_id.startswith("name:")}
    frames = _build(spark, ("recording", "t1", "t2", False), ("recording", name_id, "t1", False))
    recordings = _recordings(frames)
    assert recordings["t1"] == "t1"
    assert recordings["t2"] == recordings[name_id], "the name is still that of the other id"
    assert name_id not in {row.from_id for row in frames["reconciliation"].where("method = 'name'").collect()} - {
        recordings["t2"],
        name_id,
    }
    aliases = {row.alias_value: row.track_id for row in frames["track_alias"].where("alias_kind = 'name'").collect()}
    assert aliases[name_id] == name_id


def test_spellings_with_and_without_the_stay_two_artists(spark: SparkSession) -> None:
    artist = {row.artist_id: row for row in _build(spark)["dim_artist"].collect()}["n"]
    frames = _build(spark, ("artist", artist.made_id, artist.variant_made_id, False))
    assert _artists(frames, "t4") != ["n"]
    assert _artists(frames, "t5") == ["n"]


def test_a_name_does_not_mean_an_artist_that_it_differs_from(spark: SparkSession) -> None:
    rows = [*ROWS, {"track_id": "t6", "name": "Third", "artist_names": ["Nova"]}]
    made_id = {row.artist_id: row.made_id for row in _build(spark, rows=rows)["dim_artist"].collect()}["n"]
    assert _artists(_build(spark, rows=rows), "t6") == ["n"]
    frames = _build(spark, ("artist", "n", made_id, False), rows=rows)
    assert _artists(frames, "t6") == [made_id]
    assert _artists(frames, "t1") == ["n"], "a source has given the id"


def _build(spark: SparkSession, *decisions: Decision, rows: list[dict[str, Any]] | None = None) -> dict[str, DataFrame]:
    playlists = make_playlist_rows(spark)
    return build_catalogue(
        make_track_rows(spark, *(rows or ROWS)),
        make_artist_rows(spark),
        playlists,
        get_snapshots(playlists),
        match_decisions=spark.createDataFrame(list(decisions), STAGED["match_decision"]),
    )


def _recordings(frames: dict[str, DataFrame]) -> dict[str, str]:
    return {row.track_id: row.recording_id for row in frames["dim_track"].collect()}


def _artists(frames: dict[str, DataFrame], track_id: str) -> list[str]:
    return [row.artist_id for row in frames["bridge_track_artist"].where(f"track_id = '{track_id}'").collect()]
