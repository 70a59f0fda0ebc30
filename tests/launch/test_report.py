"""The report's sections about Spotify, from their tables."""

from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO
from itertools import takewhile
from pathlib import Path

import pytest
from rich.console import Console
from sqlalchemy import text

from etl import database
from etl.extract.spotify.account_store import Account, AccountStore, Token
from launch.airflow_api import TaskState
from launch.console import Screen
from launch.dag_runs import RunResult
from launch.report.start_report import print_report
from launch.spotify import describe_api_source

NOW = datetime(2026, 11, 21, 3, tzinfo=UTC)
RUN = "nightly_refresh.tonight"

FETCHES = """
insert into audit.fetch (run_id, part, account, asked_at, state, mode, calls, calls_saved, playlists_seen,
    playlists_changed, playlists_rejected, days_left, message)
values
    (:run, 'account-ada', 'ada', :now, 'done', 'development', '{"my_playlists": 1, "playlist_items": 20}', 9, 12, 7, 0,
        171, null),
    (:run, 'account-ben', 'ben', :now, 'pending_quota', 'development', '{"my_playlists": 1, "playlist_items": 1300}', 0,
        14, 3, 2, 12, 'not asked: 4 playlists'),
    (:run, 'account-cleo', 'cleo', :now, 'must_sign_in', null, '{}', 0, 0, 0, 0, 0, 'Run bin/sign-in cleo.'),
    (:run, 'catalogue', null, :now, 'done', 'development', '{"track": 500}', 0, 0, 0, 0, null, null),
    ('nightly_refresh.yesterday', 'account-zoe', 'zoe', :now, 'done', null, '{"albums": 7}', 0, 1, 1, 0, 100, null)
"""
STAR = """
insert into warehouse.dim_track (track_key, recording_key, album_key, track_id, name, source, danceability)
select n, n, 0, 'id' || n, 'Track ' || n, 'api', case when n % 4 > 0 then 0.5 end from generate_series(1, 40) as n;
insert into warehouse.dim_track (track_key, recording_key, album_key, track_id, name, source)
values (41, 41, 0, 'name:x', 'Nobody''s', 'top_2000s');
insert into warehouse.dim_artist (artist_key, artist_id, name, source) values (1, 'one', 'One', 'api');
insert into warehouse.dim_playlist (playlist_key, playlist_id, name, source)
select n, 'p' || n, case when n = 3 then '' else 'Playlist [' || n || ']' end, 'api' from generate_series(1, 15) as n;
insert into warehouse.dim_playlist (playlist_key, playlist_id, name, source)
values (16, 'p16', 'Kaggle''s own', 'playlist_songs');
insert into warehouse.fact_playlist_track (playlist_key, track_key, occurrence, valid_from)
select p, t, 1, '-infinity' from generate_series(1, 14) as p, generate_series(1, 20 - p) as t;
insert into warehouse.fact_playlist_track (playlist_key, track_key, occurrence, valid_from)
select 16, t, 1, '-infinity' from generate_series(1, 40) as t;
insert into warehouse.fact_playlist_track (playlist_key, track_key, occurrence, valid_from, valid_to)
values (15, 40, 1, '-infinity', '2026-11-20');
insert into audit.refresh_state (kind, id, asked_at)
select 'track', 'id' || n, timestamptz '2026-11-01' + n * interval '1 hour' from generate_series(1, 10) as n;
"""


INPUTS = """
insert into audit.run (run_id, job, started_at, finished_at, result)
values (:run, 'nightly_refresh', :now, :now, 'published');
insert into audit.run_input (run_id, input_id, origin, name, format, row_count)
values
    (:run, 'a', 'made_up', 'made_up_tracks.csv', 'made_up_tracks', 5),
    (:run, 'b', 'api', 'account-ada.jsonl.gz', 'spotify_answers', 7),
    (:run, 'c', 'api', 'catalogue.jsonl.gz', 'spotify_answers', 10);
insert into audit.row_count (run_id, step, input_id, source, rows_in, rows_loaded, rows_duplicate, rows_rejected)
values
    (:run, 'load_catalogue', 'a', 'made_up_tracks', 5, 5, 0, 0),
    (:run, 'load_catalogue', 'b', 'spotify_answers', 7, 4, 1, 2),
    (:run, 'load_catalogue', 'c', 'spotify_answers', 10, 7, 3, 0)
"""


@pytest.fixture
def asked(warehouse_url: str) -> str:
    """Return a warehouse after a refresh that called Spotify."""
    with database.connect(warehouse_url) as connection:
        connection.execute(text(FETCHES), {"run": RUN, "now": NOW})
        connection.execute(text(STAR))
    return warehouse_url


def print_spotify_report(url: str, answering: str | None = None, state: str = "success") -> str:
    out = StringIO()
    screen = Screen(Console(file=out, width=140, highlight=False))
    results = [RunResult("kaggle_import", "now", "success", 1.0), RunResult("nightly_refresh", "tonight", state, 1.0)]
    results[-1].failures.append(("fetch_account cleo", "Run bin/sign-in cleo."))
    print_report(screen, url, results, {}, ("admin", "hidden"), answering, is_staying_up=False)
    return out.getvalue()


def split_section(printed: str, title: str) -> Iterator[list[str]]:
    """Yield the words of each line of a section."""
    section = printed[printed.index(title) :].splitlines()[2:]
    return (line.split() for line in takewhile(str.strip, section))


def test_each_account_of_this_refresh_has_a_line(asked: str) -> None:
    printed = print_spotify_report(asked)
    ada, ben, cleo, catalogue = list(split_section(printed, "Spotify accounts"))[:4]
    assert ada == ["ada", "done", "12", "7", "0", "21", "9", "171", "days"]
    assert ben == ["ben", "quota", "used", "up", "14", "3", "2", "1,301", "0", "12", "days"]
    assert cleo[:6] == ["cleo", "must", "sign", "in", "again", "0"]
    assert catalogue == ["the", "catalogue", "done", "500"]
    assert "zoe" not in printed and "albums" not in printed
    assert "ben: not asked: 4 playlists" in printed
    assert "The sign-in of ben expires in 12 days: bin/sign-in ben" in printed
    assert printed.count("The sign-in of ") == 1


def test_an_account_that_fails_does_not_unpublish_the_refresh(asked: str) -> None:
    printed = print_spotify_report(asked)
    assert "The refresh is published" in printed
    assert printed.count("Run bin/sign-in cleo.") == 1
    assert "was not published" in print_spotify_report(asked, state="failed")


def print_outcome(url: str, imported: RunResult, refreshed: RunResult, *others: RunResult) -> str:
    out = StringIO()
    screen = Screen(Console(file=out, width=140, highlight=False))
    print_report(screen, url, [imported, refreshed, *others], {}, ("admin", "hidden"), None, is_staying_up=False)
    return out.getvalue()


def import_account(state: str) -> list[TaskState]:
    return [TaskState("load_catalogue", -1, "", state, 1, 1.0)]


IMPORTED = RunResult("kaggle_import", "now", "success", 1.0)


def test_a_run_that_was_marked_as_failed_is_called_so_whatever_its_tasks_say(asked: str) -> None:
    with database.connect(asked) as connection:
        database.record_external_failure(connection, RUN, "nightly_refresh", NOW, "The run was marked as failed.")
    printed = print_outcome(
        asked, IMPORTED, RunResult("nightly_refresh", "tonight", "failed", 1.0, import_account("skipped"))
    )
    assert "Nothing new" not in printed and "was not published" in printed
    assert "nightly_refresh has failed. The run was marked as failed." in printed


def test_a_refresh_that_was_published_before_its_run_was_marked_says_both(asked: str) -> None:
    with database.connect(asked) as connection:
        connection.execute(
            text(
                "insert into audit.run (run_id, job, started_at, finished_at, result)"
                " values (:run, 'nightly_refresh', :now, :now, 'published')"
            ),
            {"run": RUN, "now": NOW},
        )
    printed = print_outcome(
        asked, IMPORTED, RunResult("nightly_refresh", "tonight", "failed", 1.0, import_account("success"))
    )
    assert "The refresh is published, but its run has failed" in printed and "was not published" not in printed


def test_a_follower_that_fails_is_named_with_its_reason(asked: str) -> None:
    refreshed = RunResult("nightly_refresh", "tonight", "success", 1.0, import_account("success"))
    failed = RunResult("load_events", "by itself", "failed", 1.0, failures=[("load_events", "a check failed")])
    printed = print_outcome(asked, IMPORTED, refreshed, failed)
    assert "The refresh is published" in printed and "load_events: a check failed" in printed
    assert "load_events has failed. See its tasks in Airflow." in printed


def test_nothing_new_is_said_where_something_was_imported_alone(asked: str) -> None:
    refreshed = RunResult("nightly_refresh", "tonight", "success", 1.0, import_account("skipped"))
    assert "Nothing new" in print_outcome(asked, IMPORTED, refreshed)
    tasks = [TaskState("import_file", 0, "a.csv", "failed", 1, 1.0)]
    assert "Nothing was imported" in print_outcome(
        asked, RunResult("kaggle_import", "now", "failed", 1.0, tasks), refreshed
    )
    tasks.append(TaskState("import_file", 1, "b.csv", "success", 1, 1.0))
    assert "Nothing new" in print_outcome(asked, RunResult("kaggle_import", "now", "failed", 1.0, tasks), refreshed)


def test_calls_are_counted_by_endpoint(asked: str) -> None:
    assert list(split_section(print_spotify_report(asked), "Calls of the Spotify API")) == [
        ["playlist_items", "1,320"],
        ["track", "500"],
        ["my_playlists", "2"],
        ["all", "1,822", "development", "mode"],
    ]


def test_playlists_show_how_many_tracks_have_audio_features(asked: str) -> None:
    rows = list(split_section(print_spotify_report(asked), "Playlists from Spotify"))
    assert rows[0] == ["Playlist", "[1]", "19", "15", "78.9%"]
    assert rows[2] == ["(without", "a", "name)", "17", "13", "76.5%"]
    assert len(rows) == 13
    assert rows[-1] == ["all", "15", "distinct", "tracks", "19", "15", "78.9%"]


def test_how_far_round_the_catalogue_was_asked(asked: str) -> None:
    rows = list(split_section(print_spotify_report(asked), "Refreshed from Spotify"))
    assert rows == [["tracks", "40", "10", "25.0%", "2026-11-01"]]


PROVIDERS = """
update warehouse.dim_track
set audio_features_source = case
    when track_key <= 10 then 'api' when track_key <= 14 then 'tracks_by_genre' when track_key <= 17 then 'reccobeats'
end
where track_key > 0;
insert into audit.refresh_state (kind, id, asked_at, is_found)
select 'audio_features', 'id' || n, now(), n <= 10 from generate_series(1, 20) as n
union all
select 'audio_features', 'id' || n, now(), null from generate_series(30, 35) as n
union all
select 'reccobeats', 'id' || n, now(), n <= 17 from generate_series(15, 24) as n;
"""


def test_match_rates_are_shown_by_provider(asked: str) -> None:
    assert "Audio features by provider" not in print_spotify_report(asked)
    reccobeats = (
        "insert into audit.fetch (run_id, part, asked_at, state, calls)"
        " values (:run, 'reccobeats', :now, 'done', cast(:calls as jsonb))"
    )
    with database.connect(asked) as connection:
        connection.execute(text(PROVIDERS))
        connection.execute(text(reccobeats), {"run": RUN, "now": NOW, "calls": '{"audio-features": 125}'})
    printed = print_spotify_report(asked)
    assert [" ".join(row) for row in split_section(printed, "Audio features by provider")] == [
        "Spotify 20 10 50.0% 10 24.4%",
        "Kaggle files 4 9.8%",
        "ReccoBeats 10 3 30.0% 3 7.3%",
    ]
    assert ["ReccoBeats", "done", "125"] in list(split_section(printed, "Spotify accounts"))
    assert list(split_section(printed, "Calls of the Spotify API"))[-1][:2] == ["all", "1,822"]


def test_a_made_up_catalogue_is_called_so_although_the_stand_in_tells_of_it_too(asked: str) -> None:
    assert "This catalogue is synthetic" not in print_spotify_report(asked)
    with database.connect(asked) as connection:
        connection.execute(text(INPUTS), {"run": RUN, "now": NOW})
    printed = print_spotify_report(asked)
    assert "This catalogue is synthetic" in printed
    last_row = list(split_section(printed, "Rows of the inputs"))[-1]
    assert " ".join(last_row) == "Spotify API responses 2 fetches of all runs 17 11 4 2"


def test_where_nothing_was_asked_nothing_is_said(warehouse_url: str) -> None:
    printed = print_spotify_report(warehouse_url)
    assert "Spotify" not in printed.replace("a Spotify id", "")


def test_the_report_says_who_answers(warehouse_url: str, tmp_path: Path) -> None:
    environ = {"WAREHOUSE_URL": "none", "STATE_DIR": str(tmp_path), "SPOTIPY_CLIENT_ID": "abc"}
    made_up = describe_api_source(tmp_path, {**environ, "IS_STAND_IN": "true"})
    assert made_up is not None
    assert "The mock Spotify API is in use" in print_spotify_report(warehouse_url, made_up)
    nobody = describe_api_source(tmp_path, environ)
    assert nobody is not None and "bin/sign-in" in nobody
    AccountStore(tmp_path, "abc").store_account(Account("ada", "1", "ada", Token("a", "r", NOW, ""), NOW))
    assert describe_api_source(tmp_path, environ) is None
