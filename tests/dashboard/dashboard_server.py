"""A warehouse with data, a login of each kind, and the dashboard on it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from selenium.webdriver import Chrome

from etl.database import connect
from etl.load.access.logins import add_login
from etl.load.migrate import migrate_warehouse
from launch import postgres
from launch.dashboard import Dashboard
from tests.conftest import copy_database, run_as_superuser
from tests.dashboard.browser import sign_in, wait_for_text, wait_until_drawn
from tests.dashboard.forecast_rows import fill_forecasts
from tests.dashboard.live_rows import fill_live_tables
from tests.marts.listening import fill_dimensions, insert_events, make_events, rebuild
from tests.marts.spoken import SPOKEN, add_albums, insert_spoken
from tests.processes import find_free_port

USERS = 12
KINDS = ("analyst", "operator", "listener", "newcomer", "artist", "stranger")
ARTISTS = (
    "[Night](https://night.example) www.ferry.example a@ferry.example",
    "<b>Ada & the Engines</b>",
    "Copper *Moon*",
    "Low Tide Radio",
)

_NAMES = """
update warehouse.dim_artist set name = (array[%s])[artist_key] where artist_key > 0;
update warehouse.dim_track set name = (array[
    'Harbour Lights', 'Second Winter', 'Paper Boats', 'Analytical', 'Punch Cards', 'Difference', 'Ore', 'Verdigris',
    'Eclipse', 'Ebb', 'Static', 'Static'
])[track_key] where track_key between 1 and 12;
update warehouse.dim_track set name = 'Song ' || track_key where track_key > 12;
update warehouse.dim_genre set genre = (array['indie pop', 'electronic', 'folk'])[genre_key] where genre_key > 0;
insert into warehouse.dim_user (user_key, user_id, username, source, valid_from)
values (99, 'u99', 'Nora New', 'feed', '-infinity');
update warehouse.dim_user set username = 'Lena Listener' where user_id = 'u1';
insert into audit.run (run_id, job, started_at, finished_at, result, message) values
    ('r1', 'nightly_refresh', '2026-02-07 03:00Z', '2026-02-07 03:04Z', 'published', null),
    ('r2', 'nightly_refresh', '2026-02-08 03:00Z', '2026-02-08 03:01Z', 'failed', 'The token of <ada> is spent.'),
    ('r3', 'load_events', '2026-02-07 04:00Z', '2026-02-07 04:01Z', 'published', null);
insert into audit.gap (user_id, gap_from, gap_to, found_at, run_id)
values ('u1', '2026-02-01 10:00Z', '2026-02-01 15:00Z', '2026-02-02 10:00Z', 'r1');
insert into audit.fetch (run_id, part, account, asked_at, state, message) values
    ('r2', 'account-ada', 'ada', '2026-02-08 03:00Z', 'must_sign_in', 'The token of <ada> is spent.'),
    ('r2', 'account-ben', 'ben', '2026-02-08 03:00Z', 'done', null);
""" % ", ".join(f"'{name}'" for name in ARTISTS)  # noqa: UP031 (braces are PostgreSQL's here)

_CONTEXTS = """
insert into warehouse.dim_playlist (playlist_key, playlist_id, name, source) values (91, 'x1', 'Kitchen', 's');
insert into warehouse.dim_play_context (context_key, platform, is_incognito) values (1, 'Kitchen speaker', true);
update warehouse.fact_event set playlist_key = 91, context_key = 1
where user_key = 1 and activity_type = 'PLAY' and ms_played = 1000
"""
"""A playlist and a device of plays that are too short to count."""


@dataclass(frozen=True)
class DashboardServer:
    """A warehouse, its dashboard's address, and the logins that may sign in."""

    url: str
    address: str
    names: dict[str, str]
    passwords: dict[str, str]


@contextmanager
def start_dashboard(server: postgres.Server, template: str, state: Path) -> Iterator[DashboardServer]:
    """Start a dashboard on a new warehouse."""
    with _warehouse(server, template) as (url, names, passwords):
        port = find_free_port()
        dashboard = Dashboard(state, {"WAREHOUSE_URL": url}, port)
        try:
            yield DashboardServer(url, f"http://127.0.0.1:{port}", names, passwords)
        finally:
            dashboard.stop()


@contextmanager
def _warehouse(server: postgres.Server, template: str) -> Iterator[tuple[str, dict[str, str], dict[str, str]]]:
    mark = uuid4().hex[:8]
    with copy_database(server, template) as url:
        migrate_warehouse(url)  # privileges on a database are not copied with it
        fill_warehouse(url)
        admin = server.build_url("postgres", url.rsplit("/", 1)[1])
        names = {kind: f"www.{kind}.{mark}" for kind in KINDS}
        passwords = {
            "analyst": add_login(admin, "analyst", names["analyst"]),
            "operator": add_login(admin, "operator", names["operator"]),
            "listener": add_login(admin, "listener", names["listener"], "u1"),
            "newcomer": add_login(admin, "listener", names["newcomer"], "u99"),
            "artist": add_login(admin, "artist", names["artist"], "a1"),
            "stranger": "let me see",
        }
        run_as_superuser(server, f"create role \"{names['stranger']}\" login password 'let me see'")
        yield url, names, passwords
    for name in names.values():
        run_as_superuser(server, f'drop role "{name}"')


def sign_in_as(browser: Chrome, dashboard: DashboardServer, kind: str) -> str:
    """Sign in, and return the text of the first page."""
    sign_in(browser, dashboard.address, dashboard.names[kind], dashboard.passwords[kind])
    wait_for_text(browser, "Sign out")
    return wait_until_drawn(browser)


def fill_warehouse(url: str) -> None:
    """Insert twelve listeners around a turn of the year, and build the marts of their plays."""
    with connect(url) as connection:
        fill_dimensions(connection, USERS)
        add_albums(connection)
        insert_events(connection, make_events(1, USERS, size=2500))
        connection.exec_driver_sql(_CONTEXTS, execution_options={"no_parameters": True})
        insert_spoken(connection, SPOKEN)
        connection.exec_driver_sql(_NAMES, execution_options={"no_parameters": True})
        fill_live_tables(connection)
        fill_forecasts(connection)
    rebuild(url)
