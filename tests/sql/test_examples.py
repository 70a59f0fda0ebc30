"""The queries of sql/queries/example, run by an analyst on a small warehouse, with results computed by hand."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal as D
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg2
import pytest

from etl.database import SQL_FOLDER, connect, libpq_url, read_sql
from etl.load.access.logins import add_login
from etl.load.migrate import migrate_warehouse
from launch import postgres
from tests.conftest import copy_database, run_as_superuser
from tests.load.star_frames import select_rows
from tests.marts.listening import StarEvent, insert_events, rebuild

EXAMPLES = sorted((SQL_FOLDER / "queries" / "example").glob("*.sql"))
FOR_OPERATORS = {"rejected_rows"}


def make_time(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 1, day, hour, minute, tzinfo=UTC)


# u1 lives in Brazil (UTC-3, premium), u2 in Japan (UTC+9, plan unknown), u3 in Germany (UTC+1, free). Tracks 1 to 3
# are of artist a1, 4 to 6 of a2, 7 to 9 of a3. 5 January 2026 is a Monday.
HOMES = {1: "BR", 2: "JP", 3: "DE"}
_EVENTS_WITHOUT_COUNTRY = [
    StarEvent(1, 1, make_time(5, 12), 1, 200_000),
    StarEvent(2, 1, make_time(5, 12, 4), 2, 200_000),
    StarEvent(3, 1, make_time(5, 12, 8), 1, 200_000),
    StarEvent(4, 1, make_time(12, 12), 1, 200_000),
    StarEvent(6, 2, make_time(5, 12), 1, 200_000),
    StarEvent(7, 2, make_time(5, 12, 4), 4, None, "SKIP"),
    StarEvent(8, 2, make_time(6, 12), 4, 10_000),  # too short to count
    StarEvent(9, 3, make_time(10, 23, 30), 4, 200_000),  # on a Sunday in the listener's timezone
    StarEvent(10, 3, make_time(10, 23, 34), 5, 200_000),  # on a tablet
    StarEvent(11, 3, make_time(12, 7), 4, 200_000),
    StarEvent(12, 3, make_time(12, 7, 4), 7, None, "SKIP"),
    StarEvent(13, 1, make_time(12, 12, 4), 1, 1_000),  # the fifth start of t1
    StarEvent(14, 1, make_time(12, 12, 5), 1, None, "SKIP"),
]
EVENTS = [replace(event, country=HOMES[event.user]) for event in _EVENTS_WITHOUT_COUNTRY]

_CATALOGUE = """
insert into warehouse.dim_user (
    user_key, user_id, country, continent, timezone, subscription_plan, source, valid_from
) values
    (1, 'u1', 'BR', 'South America', 'America/Sao_Paulo', 'premium', 'feed', '-infinity'),
    (2, 'u2', 'JP', 'Asia', 'Asia/Tokyo', null, 'feed', '-infinity'),
    (3, 'u3', 'DE', 'Europe', 'Europe/Berlin', 'free', 'feed', '-infinity');

insert into warehouse.dim_artist (artist_key, artist_id, name, source)
select n, 'a' || n, 'a' || n, 's' from generate_series(1, 4) as n;

insert into warehouse.dim_track (track_key, recording_key, album_key, track_id, name, source, audio_features_type)
select n, least(n, 11), -1, 't' || n, 't' || n, 's', n % 3 from generate_series(1, 12) as n;

update warehouse.dim_track set audio_features_type = null where audio_features_type = 0;

insert into warehouse.bridge_track_artist select n, (n - 1) / 3 + 1, 1 from generate_series(1, 12) as n;

create table warehouse.fact_event_2026_01
partition of warehouse.fact_event for values from ('2026-01-01') to ('2026-02-01');

insert into warehouse.dim_audio_cluster (
    audio_features_type, name, size, danceability, energy, loudness, speechiness, acousticness, instrumentalness,
    liveness, valence, tempo, inertia, fitted_at
)
select n, (array['calm', 'loud'])[n], 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '2026-01-01' from generate_series(1, 2) as n;

update warehouse.dim_track
set release_date = make_date(2026 - track_key, 6, 1), release_date_precision = 'day', release_date_source = 's',
    popularity = track_key, popularity_source = 's'
where track_key between 1 and 9;

update warehouse.dim_track set audio_features_source = 'tracks_by_genre' where track_key in (1, 4);

-- Twenty tracks of one genre, half of them lively; together on a playlist.
insert into warehouse.dim_genre values (9, 'dance');

insert into warehouse.dim_track (
    track_key, recording_key, album_key, track_id, name, source, danceability, energy, newness_score, release_date,
    release_date_precision, release_date_source
)
select
    n, n, -1, 'd' || n, 'd' || n, 's', case when n % 2 = 0 then 0.9 else 0.5 end, 0.5, 0.75, make_date(n + 1900, 1, 1),
    'year', 's'
from generate_series(101, 120) as n;

insert into warehouse.bridge_track_artist select n, 4, 1 from generate_series(101, 120) as n;

insert into warehouse.bridge_track_genre select n, 9, 's', 1.0 from generate_series(101, 120) as n;

-- It was filled over years and one track was added lately; two went lately, and one before that.
insert into warehouse.dim_playlist (playlist_key, playlist_id, name, source, items_seen_at)
values (1, 'p1', 'Dance', 'api', '2026-01-08'), (2, 'p2', 'Twice', 'api', '2026-01-09');

insert into warehouse.fact_playlist_track (playlist_key, track_key, occurrence, valid_from)
select 1, n, 1, case when n = 120 then timestamptz '2026-01-07' else make_date(n + 1900, 1, 1) end
from generate_series(101, 120) as n;

insert into warehouse.fact_playlist_track (playlist_key, track_key, occurrence, valid_from, valid_to)
values (1, 1, 1, '-infinity', '2026-01-03'), (1, 2, 1, '2025-01-01', '2026-01-05'),
    (1, 3, 1, '2025-01-01', '2025-11-05');

-- First read the day before, and filled long ago with ten recordings, each of which stands on it twice.
insert into warehouse.fact_playlist_track (playlist_key, track_key, occurrence, valid_from)
select 2, n, place, make_date(n + 1900, 1, place)
from generate_series(101, 110) as n, generate_series(1, 2) as place;

insert into warehouse.fact_track_popularity (track_key, date_key, popularity, source)
values (1, 20260101, 50, 'api'), (1, 20260103, 40, 'api'), (1, 20260109, 60, 'api'), (2, 20260101, 50, 'api'),
    (2, 20260102, 45, 'api'), (4, 20260101, 10, 'api'), (4, 20260102, 13, 'api');

insert into audit.run (run_id, job, started_at, finished_at, result)
values ('first', 'kaggle_import', '2026-01-01', '2026-01-01', 'published'),
    ('second', 'kaggle_import', '2026-01-02', '2026-01-02', 'published');

insert into audit.run_input (run_id, input_id, origin, name, format, row_count)
values ('first', 'i1', 'kaggle', 'songs.csv', 'f', 5), ('second', 'i1', 'kaggle', 'songs.csv', 'f', 5);

insert into audit.row_count (run_id, step, input_id, source, rows_in, rows_loaded, rows_duplicate, rows_rejected)
values ('first', 's', 'i1', 'f', 5, 1, 1, 3), ('second', 's', 'i1', 'f', 5, 2, 0, 3);

insert into audit.rejected_row (input_id, row_number, run_id, reason, row)
values ('i1', 1, 'first', 'no name', '[]'), ('i1', 2, 'first', 'no name', '[]'), ('i1', 3, 'first', 'no id', '[]');

insert into mart.forecast_series (value, target_date, metric, grain, level, segment)
values (100, '2026-01-05', 'sessions', 'day', 'total', ''), (80, '2026-01-06', 'sessions', 'day', 'total', '');

-- Of the days that have come, one was above its 80 % interval. Two forecasts of the Friday, the newer one counts.
insert into mart.forecast (
    target_date, as_of_date, made_at, horizon, naive, q025, q10, q50, q90, q975, metric, grain, level, segment, model,
    run_id
)
select
    target_date::date, as_of_date::date, as_of_date::date + 1, target_date::date - as_of_date::date, naive, q025, q10,
    q50, q90, q975, 'sessions', 'day', 'total', '', 'theta', as_of_date
from (
    values ('2026-01-05', '2026-01-04', 80, 60, 70, 90, 95, 120), ('2026-01-06', '2026-01-04', 95, 60, 75, 85, 90, 120),
        ('2026-01-09', '2026-01-04', 95, 60, 75, 85, 90, 120),
        ('2026-01-09', '2026-01-06', 95, 90, 99.6, 110.4, 120, 130)
) as f (target_date, as_of_date, naive, q025, q10, q50, q90, q975);
"""


@pytest.fixture(scope="module")
def urls(embedded_server: postgres.Server, migrated_template: str) -> Iterator[dict[str, str]]:
    """Yield the URLs of an analyst and of an operator of the small warehouse."""
    mark = uuid4().hex[:8]
    with copy_database(embedded_server, migrated_template) as url:
        migrate_warehouse(url)
        with connect(url) as connection:
            connection.exec_driver_sql(_CATALOGUE, execution_options={"no_parameters": True})
            insert_events(connection, EVENTS)
        rebuild(url)
        admin = embedded_server.build_url("postgres", url.rsplit("/", 1)[1])
        login = url.split("//")[1].split("@")[0]
        yield {
            kind: url.replace(login, f"{kind}_{mark}:{add_login(admin, kind, f'{kind}_{mark}')}")
            for kind in ("analyst", "operator")
        }
    for kind in ("analyst", "operator"):
        run_as_superuser(embedded_server, f"drop role {kind}_{mark}")


EXPECTED_RESULTS: dict[str, list[tuple[Any, ...]]] = {
    # Plays by age of the track in years: t1 four at one, t2 one at two, t4 two at four, t5 one at five.
    "age_of_what_is_played": [("2026-01", 8, 1.5, D("0.5"))],
    "audio_clusters": [(1, "calm", 4, "t7", 7), (2, "loud", 4, "t8", 8)],
    "changing_playlists": [("Dance", 20, 1, 2)],
    "charts_of_a_month": [
        ("Asia", date(2026, 1, 1), 1, "t1", "a1", 1),
        ("Europe", date(2026, 1, 1), 1, "t4", "a2", 2),
        ("Europe", date(2026, 1, 1), 2, "t5", "a2", 1),
        ("South America", date(2026, 1, 1), 1, "t1", "a1", 3),
        ("South America", date(2026, 1, 1), 2, "t2", "a1", 1),
    ],
    "devices_by_continent": [
        ("Asia", "other", D("0.06"), 1),
        ("Europe", "MOBILE", D("0.11"), D("0.667")),
        ("Europe", "TABLET", D("0.06"), D("0.333")),
        ("South America", "DESKTOP", D("0.22"), 1),
    ],
    "expected_on_friday": [("sessions", date(2026, 1, 9), 110, 100, 120, date(2026, 1, 6))],
    "first_and_favourite": [
        ("u1", "a1", 4, "t1", date(2026, 1, 5)),
        ("u3", "a2", 3, "t4", date(2026, 1, 11)),
        ("u2", "a1", 1, "t1", date(2026, 1, 5)),
    ],
    "listening_by_hour": [
        ("working day", 8, 1, D("3.3")),
        ("working day", 9, 1, D("13.4")),
        ("working day", 21, 1, D("3.5")),
        ("weekend", 0, 1, D("6.7")),
    ],
    # Errors of 10 and 5, and of 20 and 15 by repeating last week.
    "forecasts_of_last_month": [("sessions", "total", 2, D("0.43"), D("0.5"), D(1))],
    "liveliest_genres": [("dance", 20, D("0.7"), D("0.5"))],
    # u3 listens in both weeks to a2; for a1, u1 in both, u2 in one.
    "loyal_audiences": [("a2", 2, 3, 1, D("0.5")), ("a1", 2, 5, 2, D("0.333"))],
    "most_played_recordings": [
        ("Asia", 1, "t1", "a1", 1, 1, 21),
        ("Europe", 1, "t4", "a2", 2, 1, 0),
        ("Europe", 2, "t5", "a2", 1, 1, 0),
        ("South America", 1, "t1", "a1", 3, 1, 9),
        ("South America", 2, "t2", "a1", 1, 1, 9),
    ],
    "most_skipped_recordings": [("t1", "t1", "a1", 5, 1, D("0.2"))],
    "newest_playlists": [("Dance", 20, D("0.75"), date(2001, 1, 1), date(2020, 1, 1))],
    "plans_compared": [
        ("free", 1, 5, D("0.333")),
        ("not said", 1, D("1.8"), D("0.5")),
        ("premium", 1, D("6.7"), D("0.2")),
    ],
    "plays_with_audio_features": [("tracks_by_genre", 2, 6, D("0.75")), ("none", 2, 2, D("0.25"))],
    "recordings_with_most_ids": [("t11", "a4", 2), *((f"t{n}", f"a{(n + 2) // 3}", 1) for n in range(1, 10))],
    "rejected_rows": [("songs.csv", 5, 2, 0, 3, "no name (2); no id (1)")],
    "rising_tracks": [("t1", "a1", 20260101, 20260109, 50, 60, 10), ("t4", "a2", 20260101, 20260102, 10, 13, 3)],
    # 680 s and 300 s, 440 s and 240 s, 240 s and 10 s; an event too short for a play also starts a session.
    "sessions_by_device": [
        ("BR", "DESKTOP", 2, D("8.2"), 2),
        ("DE", "MOBILE", 2, D("5.7"), D("1.5")),
        ("JP", "unknown", 2, D("2.1"), D("0.5")),
    ],
    "who_comes_back": [(date(2026, 1, 5), 3, 2, None, None)],
    "years_in_figures": [
        (2026, "u1", 13, 4, 2, 9, 1, 1, "calm"),
        (2026, "u3", 10, 3, 2, 0, 2, 1, "calm"),
        (2026, "u2", 3, 1, 1, 21, 1, 1, "calm"),
    ],
}


def test_there_are_twenty_two_questions_each_with_a_comment_and_an_answer() -> None:
    assert len(EXAMPLES) == 22
    assert {path.stem for path in EXAMPLES} == EXPECTED_RESULTS.keys()
    for path in EXAMPLES:
        first = path.read_text(encoding="utf-8").splitlines()[0]
        assert first.startswith("-- ") and "?" in first, path.name


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_question_has_the_answer_that_hands_worked_out(urls: dict[str, str], path: Path) -> None:
    kind = "operator" if path.stem in FOR_OPERATORS else "analyst"
    connection = psycopg2.connect(libpq_url(urls[kind]))
    with connection.cursor() as cursor:
        cursor.execute(path.read_text(encoding="utf-8"))
        rows = cursor.fetchall()
    connection.close()
    assert rows == EXPECTED_RESULTS[path.stem]


def run_example(url: str, name: str) -> list[tuple[Any, ...]]:
    """Return the result of an example query."""
    return [tuple(row.values()) for row in select_rows(url, read_sql(f"queries/example/{name}"))]


@pytest.fixture
def listened(warehouse_url: str) -> str:
    """Return a warehouse with plays that the marts count by rules other than length, and with a track of two ids."""
    events = [
        StarEvent(1, 1, make_time(5, 12), 1, None, source="recently_played"),  # counts, though its length is unknown
        StarEvent(2, 1, make_time(5, 13), 11, 40_000, country="BR"),
        StarEvent(3, 1, make_time(5, 14), 12, 200_000, country="BR"),  # the recording of t11
        StarEvent(4, 1, make_time(5, 15), 2, 29_999, country="BR"),  # too short
        StarEvent(5, 1, make_time(5, 16), 7, 200_000, country="BR"),  # excluded
        StarEvent(6, 1, make_time(5, 17), -1, 200_000, country="BR"),  # of an unknown track
    ]
    with connect(warehouse_url) as connection:
        connection.exec_driver_sql(_CATALOGUE, execution_options={"no_parameters": True})
        connection.exec_driver_sql(
            "update warehouse.dim_track set audio_features_source = 'playlist_songs' where track_key = 12;"
            " insert into warehouse.exclusion (kind, id) values ('track', 't7')"
        )
        insert_events(connection, events)
    rebuild(warehouse_url)
    return warehouse_url


def test_what_is_played_most_is_what_the_marts_count_as_a_play(listened: str) -> None:
    assert run_example(listened, "most_played_recordings") == [
        ("South America", 1, "t11", "a4", 2, 1, 10),
        ("South America", 2, "t1", "a1", 1, 1, 9),
    ]


def test_a_recording_has_the_audio_features_of_any_of_its_ids(listened: str) -> None:
    assert run_example(listened, "plays_with_audio_features") == [
        ("playlist_songs", 1, 2, D("0.5")),
        ("none", 1, 1, D("0.25")),
        ("tracks_by_genre", 1, 1, D("0.25")),
    ]


def test_a_week_that_has_come_and_in_which_nobody_came_back_is_0(warehouse_url: str) -> None:
    with connect(warehouse_url) as connection:
        connection.exec_driver_sql(
            "insert into mart.retention_count (cohort_week, week_start, users) values"
            " ('2026-01-05', '2026-01-05', 3), ('2026-01-05', '2026-01-19', 1), ('2026-01-12', '2026-01-12', 2)"
        )
    assert run_example(warehouse_url, "who_comes_back") == [
        (date(2026, 1, 5), 3, 0, 1, None),
        (date(2026, 1, 12), 2, 0, None, None),
    ]
