"""What a catalogue says of names: aliases and recognised ids follow it, and what it no longer says is gone."""

from typing import Any

import pytest

from etl.load import load_frames
from tests.load.star_frames import Rows, alias, catalogue, local_frames, run, table, track

ALIASES = """
    select a.alias_kind, a.alias_value, t.track_id, a.method, a.score
    from warehouse.track_alias as a join warehouse.dim_track as t using (track_key)
    order by 1, 2, 3
"""
MERGED = """
    select t.track_id, m.track_id as merged_into, r.track_id as recording
    from warehouse.dim_track as t
    join warehouse.dim_track as r on r.track_key = t.recording_key
    left join warehouse.dim_track as m on m.track_key = t.merged_into_track_key and m.track_key > 0
    where t.track_key > 0
    order by 1
"""
RECOGNISED = "select source, from_id, to_id, method, score, run_id from audit.reconciliation order by 1, 2"
PLACES = "select ctid::text, xmin::text from {0} order by 1"


@pytest.fixture
def url(warehouse_url: str) -> str:
    staged = catalogue()
    staged["reconciliation"] = [
        line("track-A2", "track-A1"),
        line("track-A2", "track-A1", source="playlist_songs"),
        line("track-B", "track-A1"),
        line("gone", "track-A1"),
    ]
    load_frames(local_frames(staged), run(), warehouse_url)
    return warehouse_url


def line(from_id: str, to_id: str, method: str = "name", score: float = 0.9, source: str = "s") -> dict[str, Any]:
    return {"from_id": from_id, "to_id": to_id, "method": method, "score": score, "source": source}


def found(url: str, statement: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in table(url, statement)]


def again(url: str, run_id: str, **staged: Any) -> None:
    load_frames(local_frames({**catalogue(), **staged}), run(run_id), url)


def changed(aliases: list[dict[str, Any]], *more: dict[str, Any], without: str = "") -> list[dict[str, Any]]:
    return [one for one in aliases if one["alias_value"] != without] + list(more)


def test_an_alias_that_means_another_track_moves_and_the_rest_stays(url: str) -> None:
    staged = catalogue()["track_alias"]
    before = found(url, ALIASES)
    assert before == sorted((a["alias_kind"], a["alias_value"], a["track_id"], "id", 1.0) for a in staged)
    other = {**alias("spotify_id", "track-B", "track-B"), "method": "linked", "score": 0.5}
    moved = changed(staged, alias("isrc", "GBAYE0601498", "track-A2"), other, without="track-B")
    moved = [one for one in moved if one != alias("isrc", "GBAYE0601498", "track-A1")]
    again(url, "r2", track_alias=moved)
    assert found(url, ALIASES) == [
        ("isrc", "GBAYE0601498", "track-A2", "id", 1.0),
        ("isrc", "GBAYE0601498", "track-B", "id", 1.0),
        ("name", "name:00", "name:00", "id", 1.0),
        ("spotify_id", "track-A1", "track-A1", "id", 1.0),
        ("spotify_id", "track-A2", "track-A2", "id", 1.0),
        ("spotify_id", "track-B", "track-B", "linked", 0.5),
    ]


def test_an_alias_that_is_not_staged_and_one_of_another_kind_stay(url: str) -> None:
    again(url, "r2", track_alias=[alias("name", "GBAYE0601498", "track-B"), alias("isrc", "name:00", "track-B")])
    expected = {(one["alias_kind"], one["alias_value"], one["track_id"]) for one in catalogue()["track_alias"]}
    expected |= {("name", "GBAYE0601498", "track-B"), ("isrc", "name:00", "track-B")}
    assert {row[:3] for row in found(url, ALIASES)} == expected


def test_a_score_changes_for_the_one_alias_that_it_is_said_of(url: str) -> None:
    more = (("name", "name:77"), ("name", "name:78"), ("isrc", "name:77"))
    staged = [*catalogue()["track_alias"], *(alias(kind, value, "track-A2") for kind, value in more)]
    again(url, "r2", track_alias=staged)
    scores = {("isrc", "GBAYE0601498", "track-B"): 0.7, ("name", "name:77", "track-A2"): 0.6}
    for one in staged:
        one["score"] = scores.get((one["alias_kind"], one["alias_value"], one["track_id"]), 1.0)
    again(url, "r3", track_alias=staged)
    assert found(url, ALIASES) == sorted(tuple(one.values()) for one in staged)


def test_what_is_said_again_is_written_nowhere(url: str) -> None:
    tables = ("warehouse.track_alias", "audit.reconciliation", "warehouse.dim_track")
    staged: Rows = {
        "dim_track": catalogue()["dim_track"][:3],
        "bridge_track_artist": catalogue()["bridge_track_artist"][:4],
        "track_alias": changed(catalogue()["track_alias"], alias("name", "name:00", "track-A2"), without="name:00"),
        "reconciliation": [line("track-A2", "track-A1")],
    }
    again(url, "r2", **staged)
    before = [found(url, PLACES.format(name)) for name in tables]
    again(url, "r3", **staged)
    assert [found(url, PLACES.format(name)) for name in tables] == before


def test_a_made_id_says_whom_it_means_and_takes_its_recording(url: str) -> None:
    staged = changed(catalogue()["track_alias"], alias("name", "name:00", "track-A2"), without="name:00")
    again(
        url,
        "r2",
        track_alias=changed(staged, alias("isrc", "track-B", "track-A1"), alias("name", "track-B", "track-B")),
    )
    assert found(url, MERGED) == [
        ("name:00", "track-A2", "track-A1"),
        ("track-A1", None, "track-A1"),
        ("track-A2", None, "track-A1"),
        ("track-B", None, "track-B"),
    ]


def test_recognised_ids_follow_what_is_said_and_are_forgotten_with_it(url: str) -> None:
    again(
        url,
        "r2",
        reconciliation=[
            line("track-A2", "track-A1"),
            line("track-A2", "track-B", source="playlist_songs"),
            line("track-A1", "track-B", "isrc", 1.0),
        ],
    )
    assert found(url, RECOGNISED) == [
        ("playlist_songs", "track-A2", "track-B", "name", 0.9, "r2"),
        # Nothing is said of it now: neither a track nor a name of that id is staged.
        ("s", "gone", "track-A1", "name", 0.9, "first"),
        ("s", "track-A1", "track-B", "isrc", 1.0, "r2"),
        ("s", "track-A2", "track-A1", "name", 0.9, "first"),
    ]
    again(url, "r3", reconciliation=[line("track-A2", "track-A1", score=0.8), line("gone", "track-A1", "isrc")])
    assert found(url, RECOGNISED) == [
        ("s", "gone", "track-A1", "isrc", 0.9, "r3"),
        ("s", "track-A2", "track-A1", "name", 0.8, "r3"),
    ]


def test_a_name_that_is_recognised_no_longer_is_forgotten(url: str) -> None:
    again(url, "r2", reconciliation=[line("name:00", "track-B"), line("name:77", "track-B")])
    again(
        url, "r3", reconciliation=[], dim_track=[*catalogue()["dim_track"][:3]], track_alias=catalogue()["track_alias"]
    )
    assert found(url, RECOGNISED) == [
        ("s", "gone", "track-A1", "name", 0.9, "first"),
        ("s", "name:77", "track-B", "name", 0.9, "r2"),
    ]


def test_a_load_that_says_nothing_of_recognised_ids_keeps_them(url: str) -> None:
    before = found(url, RECOGNISED)
    staged = catalogue()
    del staged["reconciliation"]
    again = {**staged, "dim_track": [track("track-A1", name="Other name"), *staged["dim_track"][1:]]}
    load_frames(local_frames(again), run("r2"), url)
    assert found(url, RECOGNISED) == before
