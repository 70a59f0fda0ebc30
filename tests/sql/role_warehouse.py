"""Logins of all kinds, in a separate warehouse with eight listeners."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

import psycopg2
from psycopg2.extensions import connection as Connection

from etl.database import connect, libpq_url, run_sql
from etl.load.access.logins import add_login
from etl.load.migrate import migrate_warehouse
from launch import postgres
from tests.conftest import copy_database, run_as_superuser

KINDS = ("analyst", "operator", "listener", "artist", "nobody")

_DATA = """
insert into warehouse.dim_user (user_key, user_id, username, birthdate, source, valid_from)
select n, 'u' || n, 'Name ' || n, '2000-01-01', 's', '-infinity' from generate_series(1, 8) as n;

insert into warehouse.dim_artist (artist_key, artist_id, name, source)
select n, 'a' || n, 'Artist ' || n, 's' from generate_series(1, 2) as n;

insert into warehouse.dim_track (track_key, album_key, recording_key, track_id, name, source, popularity_source)
select n, 0, n, 't' || n, 'Secret song ' || n, 's', 's' from generate_series(1, 8) as n;

insert into warehouse.dim_playlist (playlist_key, playlist_id, name, owner_id, source)
select n, 'p' || n, 'List ' || n, 'u' || n, 'api' from generate_series(1, 8) as n;

insert into audit.account_owner (user_id, owner_id)
select 'u' || n, 'u' || n from generate_series(1, 8) as n;

insert into warehouse.fact_playlist_track (playlist_key, track_key, occurrence, valid_from)
select n, n, 1, '-infinity' from generate_series(1, 8) as n;

insert into warehouse.bridge_track_artist (track_key, artist_key, position)
select n, place, place from generate_series(1, 8) as n, generate_series(1, 2) as place;

create table warehouse.fact_event_2026_11
partition of warehouse.fact_event for values from ('2026-11-01') to ('2026-12-01');

insert into warehouse.fact_event (
    event_id, event_time, local_time, user_key, track_key, artist_key, playlist_key, context_key, date_key,
    utc_date_key, ms_played, input_key, local_hour, is_skipped, is_home_time, activity_type, source
)
select
    gen_random_uuid(), '2026-11-02 12:00Z', '2026-11-02 12:00', n, n, 1, n, 0, 20261102,
    20261102, 1000 * n, 1, 12, false, true, 'PLAY', 'feed'
from generate_series(1, 8) as n;

insert into mart.listener_year (
    first_play_at, ms_played, listener_key, plays, tracks, artists, new_artists, longest_streak_from,
    longest_streak_days, year
)
select '2026-11-02 12:00Z', 60000 * n, n, n, 1, 1, 1, '2026-11-02', 1, 0 from generate_series(1, 8) as n;

insert into mart.listener_figure (listener_key, plays, featured_plays, dated_plays, newness_total)
select n, n, 0, 0, 0 from generate_series(1, 8) as n;

insert into mart.playlist_figure (playlist_key, tracks, featured_tracks, dated_tracks, newness_total)
select n, n, 0, 0, 0 from generate_series(1, 8) as n;

insert into mart.discovered_track (listener_key, rank, recording_key, distance, audio_features_type)
select n, 1, n, 0.5, 1 from generate_series(1, 8) as n;

insert into warehouse.dim_genre (genre_key, genre) values (1, 'g1');

insert into mart.listener_count (listener_key, month_start, kind, item_keys, play_millionths, ms_millionths)
select n, '2026-11-01', kind, array[1], array[1000000 * n], array[n]
from generate_series(1, 8) as n, unnest(array['recording', 'artist', 'genre']::mart.counted_kind []) as kind;

insert into mart.listening_context (country, continent, device_type, subscription_plan)
values ('DE', 'Europe', 'MOBILE', 'free');

insert into mart.session (
    started_at, ended_at, ms_played, listener_key, local_date, listening_context_key, duration_ms, events, plays, year
)
select
    '2026-11-02 12:00Z', '2026-11-02 12:01Z', 1000 * n, n, '2026-11-02',
    (select listening_context_key from mart.listening_context), 60000, n, n, 2026
from generate_series(1, 8) as n;

insert into mart.listener_bin (plays, total, square_total, listener_key, attribute_number, bins)
select array[n], 1, 1, n, 1, array[1] from generate_series(1, 8) as n;

insert into mart.listener_cluster (listener_key, audio_features_type, plays, totals)
select n, 1, n, '{}' from generate_series(1, 8) as n;

insert into mart.playlist_bin (playlist_key, attribute_number, bin, tracks, total, square_total)
select n, 1, 1, n, 1, 1 from generate_series(1, 8) as n;

insert into mart.playlist_cluster (playlist_key, audio_features_type, tracks)
select n, 1, n from generate_series(1, 8) as n;

insert into mart.listener_personality (first_play_at, listener_key, plays, dated_plays, choices)
select '2026-11-02 12:00Z', n, n, n, n from generate_series(1, 8) as n;

insert into mart.forecast_series (value, target_date, metric, grain, level, segment)
select n, '2026-11-02', 'minutes', 'week', 'listener', 'u' || n from generate_series(1, 8) as n;

insert into mart.forecast_series (value, target_date, metric, grain, level, segment)
select n, date '2026-10-05' + 7 * (n - 1), 'active_users', 'week', 'published_artist', n
from generate_series(1, 8) as n;

insert into audit.run (run_id, job, started_at, finished_at, result)
values ('r', 'forecast', '2026-11-09', '2026-11-09', 'published');

insert into audit.forecast_run (
    made_at, processor_seconds, as_of_date, seed, series_count, refused_count, horizon_days, horizon_weeks, is_training,
    run_id, data_hash, code_version, levels, versions, settings, seconds
)
values (
    '2026-11-09', 1, '2026-11-08', 7, 24, 0, 28, 8, true, 'r', '', '', '{published_artist,listener}', '{}', '{}', '{}'
);

-- By the key of an artist one forecast from all plays, and one from the published numbers.
insert into mart.forecast (
    made_at, q025, q10, q50, q90, q975, as_of_date, target_date, horizon, metric, grain, level, segment, model, run_id
)
select
    '2026-11-09', n, n, n, n, n, '2026-11-08', '2026-11-09', 1, 'active_users', 'week', level, segment || n,
    split_part(level, '_', 1), 'r'
from
    generate_series(1, 8) as n,
    (values ('listener', 'u'), ('artist', ''), ('published_artist', '')) as l (level, segment);

insert into audit.playlist_request (user_id, playlist_id)
select 'u' || n, rpad('wish' || n, 22, 'x') from generate_series(1, 8) as n;

insert into warehouse.play_exclusion (user_id, playlist_id, note, is_own, stated_by)
select 'u' || n, 'p' || n, 'Secret ' || n, true, 'Login ' || n from generate_series(1, 8) as n;

insert into live.track (track_id, track_name, artist_id, artist_name, genre)
select 't' || n, 'Song ' || n, 'a' || n, 'Artist ' || n, 'g' || n from generate_series(1, 8) as n;

insert into live.user_hour (
    hour_start, batch_id, ms_played, late_ms_played, events, late_events, plays, late_plays, partition, activity_type,
    user_id, track_id, country
)
select '2026-11-02 12:00Z', 1, 1000 * n, 0, n, 0, n, 0, 3, 'PLAY', 'u' || n, 't' || n, 'DE'
from generate_series(1, 8) as n;
"""


@dataclass(frozen=True)
class RoleWarehouse:
    """A warehouse with users and logins."""

    server: postgres.Server
    url: str
    names: dict[str, str]
    passwords: dict[str, str]

    def url_of(self, kind: str) -> str:
        name, password = self.names[kind], self.passwords[kind]
        return self.url.replace(self.url.split("//")[1].split("@")[0], f"{name}:{password}")

    def enter(self, kind: str) -> Connection:
        connection = psycopg2.connect(libpq_url(self.url_of(kind)))
        connection.autocommit = True
        return connection

    def as_loader(self, statement: str) -> None:
        with connect(self.url) as connection:
            connection.exec_driver_sql(statement, execution_options={"no_parameters": True})

    def as_admin(self, statement: str) -> None:
        with connect(self.server.build_url("postgres", self.database)) as connection:
            connection.exec_driver_sql(statement, execution_options={"no_parameters": True})

    @property
    def database(self) -> str:
        return self.url.rsplit("/", 1)[1]


@contextmanager
def create_role_warehouse(embedded_server: postgres.Server, migrated_template: str) -> Iterator[RoleWarehouse]:
    mark = uuid4().hex[:8]
    with copy_database(embedded_server, migrated_template) as url:
        migrate_warehouse(url)  # privileges on a database are not copied with it
        with connect(url) as connection:
            connection.exec_driver_sql(_DATA, execution_options={"no_parameters": True})
        admin = embedded_server.build_url("postgres", url.rsplit("/", 1)[1])
        with connect(admin) as connection:
            run_sql(connection, "access/roles")
        names = {kind: f"{kind}_{mark}" for kind in (*KINDS, "other")}
        passwords = {
            "analyst": add_login(admin, "analyst", names["analyst"]),
            "operator": add_login(admin, "operator", names["operator"]),
            "listener": add_login(admin, "listener", names["listener"], "u1"),
            "other": add_login(admin, "listener", names["other"], "u2"),
            "artist": add_login(admin, "artist", names["artist"], "a1"),
            "nobody": "let me see",
        }
        run_as_superuser(embedded_server, f"create role {names['nobody']} login password 'let me see'")
        run_as_superuser(embedded_server, f"grant connect on database {url.rsplit('/', 1)[1]} to {names['nobody']}")
        yield RoleWarehouse(embedded_server, url, names, passwords)
    for name in names.values():
        run_as_superuser(embedded_server, f"drop role {name}")


def query(connection: Connection, statement: str) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []
