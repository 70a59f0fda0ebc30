"""Aliases and recognised ids follow the catalogue: matches that it no longer contains are removed."""

from typing import Any

import pytest

from etl.load import load_frames
from tests.load.star_frames import (
    Rows,
    create_local_frames,
    make_alias,
    make_catalogue,
    make_run,
    make_track,
    select_rows,
)

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
ROW_LOCATIONS = "select ctid::text, xmin::text from {0} order by 1"


@pytest.fixture
def url(warehouse_url: str) -> str:
    staged = make_catalogue()
    staged["reconciliation"] = [
        make_reconciliation("track-A2", "track-A1"),
        make_reconciliation("track-A2", "track-A1", source="playlist_songs"),
        make_reconciliation("track-B", "track-A1"),
        make_reconciliation("gone", "track-A1"),
    ]
    load_frames(create_local_frames(staged), make_run(), warehouse_url)
    return warehouse_url


def make_reconciliation(
    from_id: str, to_id: str, method: str = "name", score: float = 0.9, source: str = "s"
) -> dict[str, Any]:
    return {"from_id": from_id, "to_id": to_id, "method": method, "score": score, "source": source}


def select_tuples(url: str, statement: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in select_rows(url, statement)]


def load_again(url: str, run_id: str, **staged: Any) -> None:
    load_frames(create_local_frames({**make_catalogue(), **staged}), make_run(run_id), url)


def change_aliases(aliases: list[dict[str, Any]], *more: dict[str, Any], without: str = "") -> list[dict[str, Any]]:
    return [alias_row for alias_row in aliases if alias_row["alias_value"] != without] + list(more)


def test_an_alias_that_means_another_track_moves_and_the_rest_stays(url: str) -> None:
    staged = make_catalogue()["track_alias"]
    before = select_tuples(url, ALIASES)
    assert before == sorted((a["alias_kind"], a["alias_value"], a["track_id"], "id", 1.0) for a in staged)
    linked_alias = {**make_alias("spotify_id", "track-B", "track-B"), "method": "linked", "score": 0.5}
    moved = change_aliases(staged, make_alias("isrc", "GBAYE0601498", "track-A2"), linked_alias, without="track-B")
    moved = [alias_row for alias_row in moved if alias_row != make_alias("isrc", "GBAYE0601498", "track-A1")]
    load_again(url, "r2", track_alias=moved)
    assert select_tuples(url, ALIASES) == [
        ("isrc", "GBAYE0601498", "track-A2", "id", 1.0),
        ("isrc", "GBAYE0601498", "track-B", "id", 1.0),
        ("name", "name:00", "name:00", "id", 1.0),
        ("spotify_id", "track-A1", "track-A1", "id", 1.0),
        ("spotify_id", "track-A2", "track-A2", "id", 1.0),
        ("spotify_id", "track-B", "track-B", "linked", 0.5),
    ]


def test_an_alias_that_is_not_staged_and_one_of_another_kind_stay(url: str) -> None:
    load_again(
        url, "r2", track_alias=[make_alias("name", "GBAYE0601498", "track-B"), make_alias("isrc", "name:00", "track-B")]
    )
    expected = {
        (alias_row["alias_kind"], alias_row["alias_value"], alias_row["track_id"])
        for alias_row in make_catalogue()["track_alias"]
    }
    expected |= {("name", "GBAYE0601498", "track-B"), ("isrc", "name:00", "track-B")}
    assert {row[:3] for row in select_tuples(url, ALIASES)} == expected


def test_a_score_changes_for_the_one_alias_that_it_is_said_of(url: str) -> None:
    more = (("name", "name:77"), ("name", "name:78"), ("isrc", "name:77"))
    staged = [*make_catalogue()["track_alias"], *(make_alias(kind, value, "track-A2") for kind, value in more)]
    load_again(url, "r2", track_alias=staged)
    scores = {("isrc", "GBAYE0601498", "track-B"): 0.7, ("name", "name:77", "track-A2"): 0.6}
    for alias_row in staged:
        alias_row["score"] = scores.get((alias_row["alias_kind"], alias_row["alias_value"], alias_row["track_id"]), 1.0)
    load_again(url, "r3", track_alias=staged)
    assert select_tuples(url, ALIASES) == sorted(tuple(alias_row.values()) for alias_row in staged)


def test_what_is_said_again_is_written_nowhere(url: str) -> None:
    tables = ("warehouse.track_alias", "audit.reconciliation", "warehouse.dim_track")
    staged: Rows = {
        "dim_track": make_catalogue()["dim_track"][:3],
        "bridge_track_artist": make_catalogue()["bridge_track_artist"][:4],
        "track_alias": change_aliases(
            make_catalogue()["track_alias"], make_alias("name", "name:00", "track-A2"), without="name:00"
        ),
        "reconciliation": [make_reconciliation("track-A2", "track-A1")],
    }
    load_again(url, "r2", **staged)
    before = [select_tuples(url, ROW_LOCATIONS.format(name)) for name in tables]
    load_again(url, "r3", **staged)
    assert [select_tuples(url, ROW_LOCATIONS.format(name)) for name in tables] == before


def test_a_made_id_says_whom_it_means_and_takes_its_recording(url: str) -> None:
    staged = change_aliases(
        make_catalogue()["track_alias"], make_alias("name", "name:00", "track-A2"), without="name:00"
    )
    load_again(
        url,
        "r2",
        track_alias=change_aliases(
            staged, make_alias("isrc", "track-B", "track-A1"), make_alias("name", "track-B", "track-B")
        ),
    )
    assert select_tuples(url, MERGED) == [
        ("name:00", "track-A2", "track-A1"),
        ("track-A1", None, "track-A1"),
        ("track-A2", None, "track-A1"),
        ("track-B", None, "track-B"),
    ]


def test_recognised_ids_follow_what_is_said_and_are_forgotten_with_it(url: str) -> None:
    load_again(
        url,
        "r2",
        reconciliation=[
            make_reconciliation("track-A2", "track-A1"),
            make_reconciliation("track-A2", "track-B", source="playlist_songs"),
            make_reconciliation("track-A1", "track-B", "isrc", 1.0),
        ],
    )
    assert select_tuples(url, RECOGNISED) == [
        ("playlist_songs", "track-A2", "track-B", "name", 0.9, "r2"),
        # It has no match now: neither a track nor a name of that id is staged.
        ("s", "gone", "track-A1", "name", 0.9, "first"),
        ("s", "track-A1", "track-B", "isrc", 1.0, "r2"),
        ("s", "track-A2", "track-A1", "name", 0.9, "first"),
    ]
    load_again(
        url,
        "r3",
        reconciliation=[
            make_reconciliation("track-A2", "track-A1", score=0.8),
            make_reconciliation("gone", "track-A1", "isrc"),
        ],
    )
    assert select_tuples(url, RECOGNISED) == [
        ("s", "gone", "track-A1", "isrc", 0.9, "r3"),
        ("s", "track-A2", "track-A1", "name", 0.8, "r3"),
    ]


def test_a_name_that_is_recognised_no_longer_is_forgotten(url: str) -> None:
    load_again(
        url, "r2", reconciliation=[make_reconciliation("name:00", "track-B"), make_reconciliation("name:77", "track-B")]
    )
    load_again(
        url,
        "r3",
        reconciliation=[],
        dim_track=[*make_catalogue()["dim_track"][:3]],
        track_alias=make_catalogue()["track_alias"],
    )
    assert select_tuples(url, RECOGNISED) == [
        ("s", "gone", "track-A1", "name", 0.9, "first"),
        ("s", "name:77", "track-B", "name", 0.9, "r2"),
    ]


def test_a_load_that_says_nothing_of_recognised_ids_keeps_them(url: str) -> None:
    before = select_tuples(url, RECOGNISED)
    staged = make_catalogue()
    del staged["reconciliation"]
    again = {**staged, "dim_track": [make_track("track-A1", name="Other name"), *staged["dim_track"][1:]]}
    load_frames(create_local_frames(again), make_run("r2"), url)
    assert select_tuples(url, RECOGNISED) == before
