"""Each check of sql/check finds the rows that it is designed for, and no others."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, text

from etl.database import lock_warehouse
from etl.database.run_records import record_start
from etl.errors import CheckFailedError
from etl.formats.contracts import STAGED
from etl.load.checks import CHECKS_BEFORE_PUBLISHING, CHECKS_WHILE_PUBLISHING, run_checks
from etl.load.staging import prepare_load
from launch import postgres
from tests.conftest import copy_database
from tests.load.star_frames import INPUT, make_run

TRACK = "insert into staging.dim_track (track_id, recording_id, name, source) values ('t', 't', 'T', 's')"
ARTIST = "insert into staging.dim_artist (artist_id, name, source) values ('a', 'A', 's')"
CREDIT = "insert into staging.bridge_track_artist values ('t', 'a', 0)"
ACCOUNTS = f"insert into staging.input_key values ('{INPUT.input_id}', 'track', 't', 10)"
SOUND = (ARTIST, TRACK, CREDIT, ACCOUNTS)

WRONG = {
    "clusters_exist": [
        ("update staging.dim_track set audio_features_type = 7", "audio_features_type 7, track_count 1"),
        (
            "insert into warehouse.dim_audio_cluster values (7, 'old', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 'epoch');"
            "insert into staging.dim_audio_cluster (audio_features_type) values (8);"
            "update staging.dim_track set audio_features_type = 7",
            "audio_features_type 7",
        ),
    ],
    "genre_weights_sum_to_one": [
        ("insert into staging.bridge_track_genre values ('t', 'pop', 's', 0.5)", "weights 0.5"),
        ("insert into staging.bridge_track_genre values ('t', 'pop', 's', null)", "weights None"),
        ("insert into staging.bridge_track_genre values ('t', 'pop', 's', 'NaN')", "weights nan"),
    ],
    "ids_are_known": [
        ("update staging.dim_track set album_id = 'gone'", "kind 'album', id 'gone'"),
        ("update staging.bridge_track_artist set artist_id = 'gone'", "kind 'artist', id 'gone'"),
        ("insert into staging.bridge_track_artist values ('gone', 'a', 0)", "kind 'track', id 'gone'"),
        ("insert into staging.fact_playlist_track values ('gone', 't', 1)", "kind 'playlist', id 'gone'"),
        ("insert into staging.track_alias values ('name', 'x', 'gone', 'm', 1)", "kind 'track', id 'gone'"),
        ("insert into staging.fact_playlist_track values ('p', 'gone', 1)", "kind 'track', id 'gone'"),
        ("update staging.input_key set key = 'gone'", "key of an input (track)', id 'gone'"),
        *(
            (f"update staging.input_key set key_kind = '{kind}', key = 'gone'", f"key of an input ({kind})', id 'gone'")
            for kind in ("artist", "playlist", "user", "survey_response")
        ),
        ("update staging.input_key set key_kind = 'moon'", "key of an input (moon)', id 't'"),
    ],
    "input_rows_add_up": [
        ("update staging.input_key set row_count = 9", "rows_in 10, rows_accepted 9"),
        ("delete from staging.input_key", "rows_in 10"),
        (
            f"insert into staging.rejected_row values ('{INPUT.input_id}', 1, 'why', '[]')",
            "rows_refused 1",
        ),
        ("insert into staging.input_key values ('not declared', 'track', 't', 1)", "input_id 'not declared'"),
    ],
    "keys_are_unique": [
        (ARTIST, "staged 'dim_artist', key 'a', rows 2"),
        (TRACK, "staged 'dim_track', key 't', rows 2"),
        (CREDIT, "staged 'bridge_track_artist', key 't 0', rows 2"),
        (ACCOUNTS, "staged 'input_key'"),
        (
            "insert into staging.track_alias select 'name', 'x', 't', 'm', 1 from generate_series(1, 2)",
            "staged 'track_alias', key 'name x', rows 2",
        ),
        (
            "insert into staging.fact_playlist_track select 'p', 't', 1 from generate_series(1, 2)",
            "staged 'fact_playlist_track', key 'p t 1', rows 2",
        ),
        (
            "insert into staging.user_record (user_id, valid_from, source)"
            " select 'u', '2026-11-01', 's' from generate_series(1, 2)",
            "staged 'user_record', key 'u 2026",
        ),
        (
            "insert into staging.refresh_state select 'track', 't', now() from generate_series(1, 2)",
            "staged 'refresh_state', key 'track t', rows 2",
        ),
        (
            "insert into staging.bridge_track_genre select 't', 'pop', 's', 0.5 from generate_series(1, 2)",
            "staged 'bridge_track_genre', key 't pop', rows 2",
        ),
    ],
    "recordings_are_named_by_their_smallest_id": [
        (
            "insert into staging.dim_track (track_id, recording_id, name, source) values ('a', 't', 'A', 's')",
            "recording_id 't', smallest_track_id 'a'",
        ),
        ("update staging.dim_track set recording_id = null", "recording_id None"),
    ],
    "track_values_are_possible": [
        (f"update staging.dim_track set {wrong}", "track_id")
        for wrong in (
            "name = null",
            "newness_score = 1.01",
            "newness_score = 'NaN'",
            "popularity = 101",
            "valence = -0.1",
            "duration_ms = -1",
            "release_date = '2000-01-01'",
            "release_date_precision = 'day'",
        )
    ],
    "tracks_have_an_artist": [("delete from staging.bridge_track_artist", "track_id 't'")],
}


@pytest.fixture(scope="module")
def staged(embedded_server: postgres.Server, migrated_template: str) -> Iterator[Connection]:
    with copy_database(embedded_server, migrated_template) as url, lock_warehouse(url) as connection:
        record_start(connection, make_run())
        prepare_load(connection, "load", make_run(), list(STAGED))
        for statement in SOUND:
            connection.execute(text(statement))
        connection.commit()
        yield connection


@pytest.fixture(autouse=True)
def undone(staged: Connection) -> Iterator[None]:
    yield
    staged.rollback()


def test_sound_rows_pass(staged: Connection) -> None:
    run_checks(staged, CHECKS_BEFORE_PUBLISHING)
    run_checks(staged, CHECKS_WHILE_PUBLISHING)


def test_every_check_has_its_cases() -> None:
    assert {path.stem for path in CHECKS_BEFORE_PUBLISHING.glob("*.sql")} == WRONG.keys()


@pytest.mark.parametrize(
    ("check", "statements", "found"), [(check, *case) for check, cases in WRONG.items() for case in cases]
)
def test_a_check_finds_what_is_wrong(staged: Connection, check: str, statements: str, found: str) -> None:
    for statement in statements.split(";"):
        staged.execute(text(statement))
    with pytest.raises(CheckFailedError) as failure:
        run_checks(staged, CHECKS_BEFORE_PUBLISHING)
    (finding,) = [words for words in str(failure.value).split("Check ") if words.startswith(f"{check}: ")]
    assert found in finding


def test_keys_that_an_input_may_have_pass(staged: Connection) -> None:
    staged.execute(text("insert into staging.dim_playlist (playlist_id, name) values ('p', '')"))
    staged.execute(text("insert into staging.user_record (user_id) values ('u')"))
    for kind, key in (("playlist", "p"), ("user", "u"), ("artist", "a")):
        staged.execute(text("update staging.input_key set key_kind = :kind, key = :key"), {"kind": kind, "key": key})
        run_checks(staged, CHECKS_BEFORE_PUBLISHING)
    # Resources of different kinds may have the same id.
    staged.execute(text("insert into staging.refresh_state values ('track', 't', now()), ('artist', 't', now())"))
    run_checks(staged, CHECKS_BEFORE_PUBLISHING)


@pytest.mark.parametrize("column", ["recording_key", "merged_into_track_key"])
def test_keys_within_dim_track_are_held(staged: Connection, column: str) -> None:
    columns = "track_key, recording_key, merged_into_track_key, album_key, track_id, name, source"
    key = {"recording_key": "1, 99, 0", "merged_into_track_key": "1, 1, 99"}[column]
    staged.execute(text(f"insert into warehouse.dim_track ({columns}) values ({key}, -1, 't', 'T', 's')"))
    with pytest.raises(CheckFailedError, match=r"keys_within_dim_track.*99"):
        run_checks(staged, CHECKS_WHILE_PUBLISHING)


def test_a_track_is_merged_into_one_that_is_not_merged_itself(staged: Connection) -> None:
    columns = "track_key, recording_key, merged_into_track_key, album_key, track_id, name, source"
    chain = "(1, 3, 2, -1, 'a', 'T', 's'), (2, 3, 3, -1, 'b', 'T', 's'), (3, 3, 0, -1, 'c', 'T', 's')"
    staged.execute(text(f"insert into warehouse.dim_track ({columns}) values {chain}"))
    with pytest.raises(CheckFailedError, match=r"keys_within_dim_track.* 1 rows, such as: track_id 'a'"):
        run_checks(staged, CHECKS_WHILE_PUBLISHING)
