"""The load on a real PostgreSQL: the content of the star after one load, and after others."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from pyspark.sql import SparkSession

from etl.database import connect, get_last_published_at
from etl.errors import ActionNeededError, CheckFailedError
from etl.formats.contracts import AUDIO_FEATURES
from etl.load import RunInput, load_frames
from launch import postgres
from tests.conftest import copy_database
from tests.load.star_frames import (
    INPUT,
    compute_checksums,
    compute_star_checksums,
    create_frames,
    make_alias,
    make_catalogue,
    make_cluster,
    make_run,
    make_track,
    select_row_locations,
    select_rows,
)

KEYS = "select track_id, track_key, recording_key, merged_into_track_key from warehouse.dim_track where track_key > 0"


@pytest.fixture(scope="module")
def loaded_template(spark: SparkSession, embedded_server: postgres.Server, migrated_template: str) -> Iterator[str]:
    with copy_database(embedded_server, migrated_template) as url:
        load_frames(create_frames(spark, make_catalogue()), make_run(), url)
        yield url.rsplit("/", 1)[1]


@pytest.fixture
def loaded_url(embedded_server: postgres.Server, loaded_template: str) -> Iterator[str]:
    with copy_database(embedded_server, loaded_template) as url:
        yield url


def fetch_keys(url: str) -> dict[str, tuple[int, int, int]]:
    rows = select_rows(url, KEYS)
    return {r["track_id"]: (r["track_key"], r["recording_key"], r["merged_into_track_key"]) for r in rows}


def test_keys_follow_the_ids_and_a_recording_takes_its_smallest_key(loaded_url: str) -> None:
    assert fetch_keys(loaded_url) == {
        "name:00": (1, 1, 0),
        "track-A1": (2, 2, 0),
        "track-A2": (3, 2, 0),
        "track-B": (4, 4, 0),
    }


def test_values_arrive_as_they_were_staged(loaded_url: str) -> None:
    (row,) = select_rows(loaded_url, "select * from warehouse.dim_track where track_id = 'track-B'")
    expected = {**make_track("track-B", name='Bé; "q"', explicit=True, isrc="GBAYE0601498"), "primary_genre": "unknown"}
    del expected["recording_id"]
    assert {name: row[name] for name in expected} == expected
    (survey,) = select_rows(
        loaded_url, "select moods, listening_devices, subscription_plan from warehouse.survey_response"
    )
    assert survey == {"moods": ["Calm", 'Sad, {or} "not"'], "listening_devices": None, "subscription_plan": "None"}


def test_a_track_without_album_points_to_the_unknown_one(loaded_url: str) -> None:
    albums = select_rows(
        loaded_url, "select track_id, album_id from warehouse.dim_track join warehouse.dim_album using (album_key)"
    )
    assert {r["track_id"]: r["album_id"] for r in albums} == {
        "not applicable": "not applicable",
        "unknown": "unknown",
        "track-A1": "album-1",
        "track-A2": "unknown",
        "track-B": "unknown",
        "name:00": "unknown",
    }


def test_every_row_of_an_input_is_accounted_for(loaded_url: str) -> None:
    (counts,) = select_rows(loaded_url, "select * from audit.row_count")
    assert counts == {
        "run_id": "first",
        "step": "load_catalogue",
        "input_id": INPUT.input_id,
        "source": "tracks_by_genre",
        "rows_in": 10,
        "rows_loaded": 4,
        "rows_duplicate": 4,
        "rows_rejected": 2,
    }
    (rejected,) = select_rows(
        loaded_url, "select reason, row ->> 'track_name' as name from audit.rejected_row where row_number = 7"
    )
    assert rejected == {"reason": "no name", "name": "NA"}


def test_a_cluster_counts_recordings(loaded_url: str) -> None:
    sizes = select_rows(loaded_url, "select name, size from warehouse.dim_audio_cluster order by 1")
    assert sizes == [{"name": "calm", "size": 0}, {"name": "loud", "size": 2}]


def test_a_published_run_is_not_loaded_again(spark: SparkSession, loaded_url: str) -> None:
    changed = make_catalogue()
    changed["dim_track"][0]["name"] = "Another"
    before = compute_checksums(loaded_url)
    assert load_frames(create_frames(spark, changed), make_run(), loaded_url) == {}
    assert compute_checksums(loaded_url) == before


def test_the_same_frames_in_another_run_write_no_row_of_the_star(spark: SparkSession, loaded_url: str) -> None:
    before = select_row_locations(loaded_url)
    written = load_frames(create_frames(spark, make_catalogue()), make_run("second", date(2026, 11, 2)), loaded_url)
    assert select_row_locations(loaded_url) == before
    assert written == {}


def test_only_changed_rows_are_written(spark: SparkSession, loaded_url: str) -> None:
    changed = make_catalogue()
    changed["dim_track"][2]["popularity"] = 41
    changed["dim_artist"][0]["popularity"] = 51
    changed["dim_track"].append(make_track("track-0", recording_id="track-0"))
    changed["bridge_track_artist"].append({"track_id": "track-0", "artist_id": "artist-x", "position": 1})
    written = load_frames(create_frames(spark, changed), make_run("second"), loaded_url)
    assert written == {
        "dim_track": 2,
        "dim_artist": 1,
        "bridge_track_artist": 1,
        "dim_audio_cluster": 1,
    }
    assert fetch_keys(loaded_url)["track-0"] == (5, 5, 0)


def test_a_recording_keeps_its_key_when_a_smaller_id_joins_it(spark: SparkSession, loaded_url: str) -> None:
    changed = make_catalogue()
    for row in changed["dim_track"][:2]:
        row["recording_id"] = "track-0"
    changed["dim_track"].append(make_track("track-0"))
    changed["bridge_track_artist"].append({"track_id": "track-0", "artist_id": "artist-x", "position": 1})
    load_frames(create_frames(spark, changed), make_run("second"), loaded_url)
    stored_keys = fetch_keys(loaded_url)
    assert (stored_keys["track-0"], stored_keys["track-A1"], stored_keys["track-A2"]) == (
        (5, 2, 0),
        (2, 2, 0),
        (3, 2, 0),
    )


def test_tracks_that_are_staged_no_longer_stay_and_follow_their_recording(spark: SparkSession, loaded_url: str) -> None:
    changed = drop_track(make_catalogue(), "track-A2")
    for row in changed["dim_track"]:
        if row["track_id"] == "track-A1":
            row["recording_id"] = "name:00"
        if row["track_id"] == "name:00":
            row["recording_id"] = "name:00"
    load_frames(create_frames(spark, changed), make_run("second"), loaded_url)
    stored_keys = fetch_keys(loaded_url)
    assert (stored_keys["track-A1"], stored_keys["track-A2"], stored_keys["name:00"]) == (
        (2, 1, 0),
        (3, 1, 0),
        (1, 1, 0),
    )


def test_a_made_id_that_is_recognised_later_keeps_row_and_key(spark: SparkSession, loaded_url: str) -> None:
    changed = drop_track(make_catalogue(), "name:00")
    changed["track_alias"].append(make_alias("name", "name:00", "track-A2"))
    changed["input_key"].append({"input_id": INPUT.input_id, "key_kind": "track", "key": "name:00", "row_count": 1})
    load_frames(create_frames(spark, changed), make_run("second"), loaded_url)
    assert fetch_keys(loaded_url)["name:00"] == (1, 2, 3)
    load_frames(create_frames(spark, make_catalogue()), make_run("third"), loaded_url)
    assert fetch_keys(loaded_url)["name:00"] == (1, 1, 0)


def test_bridges_of_staged_tracks_are_replaced(spark: SparkSession, loaded_url: str) -> None:
    changed = make_catalogue()
    changed["bridge_track_genre"] = [{"track_id": "track-A1", "genre": "jazz", "source": "s", "weight": 1.0}]
    changed["bridge_track_artist"][0]["artist_id"] = "artist-y"
    del changed["bridge_track_artist"][1]
    load_frames(create_frames(spark, changed), make_run("second"), loaded_url)
    genres = select_rows(
        loaded_url,
        "select track_id, genre, genre_key from warehouse.bridge_track_genre"
        " join warehouse.dim_track using (track_key) join warehouse.dim_genre using (genre_key)",
    )
    assert genres == [{"track_id": "track-A1", "genre": "jazz", "genre_key": 3}]
    artists = select_rows(
        loaded_url,
        "select artist_id, position from warehouse.bridge_track_artist join warehouse.dim_artist using (artist_key)"
        " join warehouse.dim_track using (track_key) where track_id = 'track-A1'",
    )
    assert artists == [{"artist_id": "artist-y", "position": 1}]


def test_a_table_without_a_frame_is_left_alone(spark: SparkSession, loaded_url: str) -> None:
    staged = {"dim_track": make_catalogue()["dim_track"]}
    written = load_frames(create_frames(spark, staged), make_run("second", inputs=()), loaded_url)
    assert written == {}


def test_the_audit_says_how_many_tracks_are_new_where_tracks_were_loaded(spark: SparkSession, loaded_url: str) -> None:
    load_frames(create_frames(spark, make_catalogue()), make_run("second", date(2026, 11, 2)), loaded_url)
    load_frames(
        create_frames(spark, {"user_record": make_catalogue()["user_record"]}), make_run("third", inputs=()), loaded_url
    )
    added = select_rows(loaded_url, "select run_id, tracks_added from audit.run order by run_id")
    assert added == [
        {"run_id": "first", "tracks_added": 4},
        {"run_id": "second", "tracks_added": 0},
        {"run_id": "third", "tracks_added": None},
    ]


def test_playlists_have_a_history(spark: SparkSession, loaded_url: str) -> None:
    history = (
        "select track_id, occurrence, valid_from::date::text as since, valid_to::date::text as until"
        " from warehouse.fact_playlist_track join warehouse.dim_track using (track_key) order by 1, 2, 3"
    )
    always = [("track-A1", 1, "-infinity", "infinity"), ("track-A1", 2, "-infinity", "infinity")]
    assert fetch_members(loaded_url, history) == [*always, ("track-B", 1, "-infinity", "infinity")]
    changed = {name: make_catalogue()[name] for name in ("dim_playlist", "fact_playlist_track")}
    gone = changed["fact_playlist_track"].pop()
    changed["fact_playlist_track"].append({"playlist_id": "list-1", "track_id": "track-A2", "occurrence": 1})
    load_frames(create_frames(spark, changed), make_run("second", date(2026, 11, 2), inputs=()), loaded_url)
    came = ("track-A2", 1, "2026-11-02", "infinity")
    assert fetch_members(loaded_url, history) == [*always, came, ("track-B", 1, "-infinity", "2026-11-02")]
    changed["fact_playlist_track"][-1] = gone
    load_frames(create_frames(spark, changed), make_run("same day", date(2026, 11, 2), inputs=()), loaded_url)
    assert fetch_members(loaded_url, history) == [*always, ("track-B", 1, "-infinity", "infinity")]


def test_a_new_fit_takes_the_place_of_the_old_one(spark: SparkSession, loaded_url: str) -> None:
    changed = make_catalogue()
    changed["cluster_fit"][0]["fit_id"] = "fit-2"
    changed["dim_audio_cluster"] = [{**changed["dim_audio_cluster"][1], "name": "louder"}]
    load_frames(create_frames(spark, changed), make_run("second"), loaded_url)
    rows = select_rows(loaded_url, "select audio_features_type, name, size from warehouse.dim_audio_cluster")
    assert rows == [{"audio_features_type": 1, "name": "louder", "size": 2}]
    fits = select_rows(loaded_url, "select fit_id, run_id from audit.cluster_fit order by 1")
    assert fits == [{"fit_id": "fit-1", "run_id": "first"}, {"fit_id": "fit-2", "run_id": "second"}]


def test_tracks_that_are_staged_no_longer_follow_the_bounds_and_the_fit(spark: SparkSession, loaded_url: str) -> None:
    changed = drop_track(make_catalogue(), "track-B")
    changed["cluster_fit"][0] |= {"fit_id": "fit-2", "feature_deviations": [*[0.1] * 8, 0.0]}
    far = dict.fromkeys(AUDIO_FEATURES, 0.9)
    changed["dim_audio_cluster"] = [
        make_cluster(5, "near"),
        {**make_cluster(1, "far"), **far},
        {**make_cluster(7, "as near"), "tempo": 9},
    ]
    for row in changed["dim_track"]:
        row["audio_features_type"] = None
    bounds = (date(1998, 1, 1), date(2000, 1, 1))
    file_tables = {"input_key", "rejected_row", "survey_response"}
    staged = {name: rows for name, rows in changed.items() if name not in file_tables}
    load_frames(create_frames(spark, staged), replace(make_run("second", inputs=()), newness_bounds=bounds), loaded_url)
    query = "select newness_score, audio_features_type from warehouse.dim_track where track_id = 'track-B'"
    assert select_rows(loaded_url, query) == [{"newness_score": 0.5, "audio_features_type": 5}]
    load_frames(create_frames(spark, {"dim_artist": []}), make_run("third", inputs=()), loaded_url)
    assert select_rows(loaded_url, query) == [{"newness_score": 0.5, "audio_features_type": 5}]


def test_two_loads_at_once_give_the_same_rows(spark: SparkSession, warehouse_url: str, loaded_url: str) -> None:
    staged = create_frames(spark, make_catalogue())
    with ThreadPoolExecutor() as pool:
        loads = [pool.submit(load_frames, staged, make_run(run_id), warehouse_url) for run_id in ("one", "two")]
        written = [each.result() for each in loads]
    assert compute_star_checksums(warehouse_url) == compute_star_checksums(loaded_url)
    assert {} in written, "whoever came second had nothing to write"
    assert select_rows(warehouse_url, "select distinct result from audit.run") == [{"result": "published"}]


RESPONSES_INPUT = RunInput("00000000000000bb", "api", "account-ada.jsonl.gz", "spotify_answers", 0)


def test_a_catalogue_that_was_planned_before_another_one_and_knows_less_is_refused(
    spark: SparkSession, loaded_url: str
) -> None:
    staged = create_frames(spark, make_catalogue())
    with connect(loaded_url) as connection:
        early = get_last_published_at(connection)
    load_frames(staged, make_run("later", inputs=(INPUT, RESPONSES_INPUT)), loaded_url)
    before = select_row_locations(loaded_url)
    with pytest.raises(
        ActionNeededError, match=r"early was planned before .*: later has loaded account-ada\.jsonl\.gz"
    ):
        load_frames(staged, replace(make_run("early"), last_published_at=early), loaded_url)
    assert select_row_locations(loaded_url) == before
    with connect(loaded_url) as connection:
        late = get_last_published_at(connection)
    # A plan with the same inputs is current; responses that were published before a plan are in its latest state.
    load_frames(staged, replace(make_run("both", inputs=(INPUT, RESPONSES_INPUT)), last_published_at=early), loaded_url)
    load_frames(staged, replace(make_run("late"), last_published_at=late), loaded_url)
    results = select_rows(loaded_url, "select run_id, result from audit.run where run_id <> 'first' order by run_id")
    assert [tuple(row.values()) for row in results] == [
        ("both", "published"),
        ("early", "failed"),
        ("late", "published"),
        ("later", "published"),
    ]


def test_a_failed_check_publishes_nothing_and_says_why(spark: SparkSession, loaded_url: str) -> None:
    before = select_row_locations(loaded_url)
    wrong = make_catalogue()
    wrong["dim_track"].append(make_track("track-C", newness_score=1.5))
    with pytest.raises(CheckFailedError, match=r"tracks_have_an_artist: A track has no artist\. 1 rows.*track-C"):
        load_frames(create_frames(spark, wrong), make_run("second"), loaded_url)
    assert select_row_locations(loaded_url) == before
    (stored_run,) = select_rows(loaded_url, "select result, message from audit.run where run_id = 'second'")
    assert stored_run["result"] == "failed" and "track_values_are_possible" in stored_run["message"]


def test_a_failed_run_can_be_loaded_again(spark: SparkSession, warehouse_url: str) -> None:
    with pytest.raises(CheckFailedError, match="input_rows_add_up"):
        load_frames(
            create_frames(spark, make_catalogue()),
            make_run(inputs=(RunInput("b", "kaggle", "b.csv", "f", 3), INPUT)),
            warehouse_url,
        )
    load_frames(create_frames(spark, make_catalogue()), make_run(), warehouse_url)
    assert select_rows(warehouse_url, "select result, message from audit.run") == [
        {"result": "published", "message": None}
    ]


def test_a_frame_that_is_not_as_agreed_is_refused_before_anything_is_staged(
    spark: SparkSession, warehouse_url: str
) -> None:
    wrong = create_frames(spark, {"dim_track": []})["dim_track"].drop("name")
    with pytest.raises(TypeError, match=r"dim_track has not the columns of .*name"):
        load_frames({"dim_track": wrong}, make_run(inputs=()), warehouse_url)


def drop_track(staged: dict[str, list[dict[str, Any]]], track_id: str) -> dict[str, list[dict[str, Any]]]:
    named = ("track_id", "from_id", "alias_value", "key")
    return {
        name: [row for row in rows if track_id not in [row.get(column) for column in named]]
        for name, rows in staged.items()
    }


def fetch_members(url: str, history: str) -> list[tuple[object, ...]]:
    return [tuple(row.values()) for row in select_rows(url, history)]
