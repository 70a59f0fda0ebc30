"""Logins: added by one command, rejected without the privilege, removed with the data subject; privileges survive a
restore.
"""

from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from etl import database
from etl.errors import ActionNeededError
from etl.load.access.grants import ROLES
from etl.load.access.login_removal import erase_logins
from etl.load.access.logins import add_login, end_login_sessions, list_logins, remove_login
from etl.load.migrate import migrate_warehouse
from launch import add_login as command
from launch import postgres
from launch.backup import write_backup
from launch.postgres import Server
from launch.restore import restore_backup
from tests.conftest import run_as_superuser

pytestmark = pytest.mark.postgres

_PEOPLE = """
insert into warehouse.dim_user (user_key, user_id, username, source, valid_from)
values (1, 'u1', 'Ada', 's', '-infinity');
insert into warehouse.dim_artist (artist_key, artist_id, name, source) values (1, 'a1', 'Artist', 's');
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Yield a server with a migrated warehouse."""
    state = tmp_path_factory.mktemp("logins")
    server = postgres.start_server(state)
    migrate_warehouse(server.build_url("loader", "warehouse"))
    run_statements(server.build_url("loader", "warehouse"), _PEOPLE)
    # Commands stop a server without connections.
    with psycopg2.connect(database.libpq_url(server.build_url("loader", "warehouse"))):
        yield server
    postgres.remove_servers(state)


@pytest.fixture
def server(running: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Yield the server, which commands find by STATE_DIR, and reset it afterwards."""
    monkeypatch.setenv("STATE_DIR", str(running.state_dir))
    for name in ("WAREHOUSE_URL", "WAREHOUSE_ADMIN_URL"):
        monkeypatch.delenv(name, raising=False)
    yield running
    admin = running.build_url("postgres", "warehouse")
    for login in list_logins(admin):
        remove_login(admin, login.login_name)
    run_statements(admin, database.read_sql("access/roles"))
    run_statements(admin, "alter role loader nocreaterole")
    migrate_warehouse(running.build_url("loader", "warehouse"))


def run_statements(url: str, statements: str) -> None:
    with database.connect(url) as connection:
        connection.exec_driver_sql(statements, execution_options={"no_parameters": True})


def run_command(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert command.main(list(arguments)) == code
    return capsys.readouterr().out


def find_password(words: str) -> str:
    (line,) = (line for line in words.splitlines() if line.startswith("password"))
    return line.split()[1]


def query_as(server: Server, name: str, password: str, statement: str = "select session_user::text as name") -> object:
    url = f"postgresql://{name}:{password}@127.0.0.1:{server.port}/warehouse"
    with database.connect(url) as connection:
        return [tuple(row.values()) for row in database.fetch_rows(connection, statement)]


def test_a_login_is_made_shown_changed_and_removed(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert "There are no logins yet" in run_command(capsys, "--list")
    first = run_command(capsys, "analyst", "ada")
    assert f"port {server.port}, database warehouse" in first
    password = find_password(first)
    assert query_as(server, "ada", password) == [("ada",)]
    listener = find_password(run_command(capsys, "listener", "grace.h", "u1"))
    assert query_as(server, "grace.h", listener, "select user_id from mart.my_login") == [("u1",)]
    run_command(capsys, "artist", "band-1", "a1")
    listed = [line.split() for line in run_command(capsys, "--list").splitlines()]
    assert listed == [["ada", "analyst"], ["band-1", "artist", "a1"], ["grace.h", "listener", "u1"]]
    new_password = find_password(run_command(capsys, "--new-password", "ada"))
    assert query_as(server, "ada", new_password) == [("ada",)]
    with pytest.raises(ActionNeededError, match="password authentication failed"):
        query_as(server, "ada", password)
    files = [path for path in server.state_dir.rglob("*") if path.is_file() and path.stat().st_size < 1 << 20]
    files_with_password = [
        path for path in files if any(word.encode() in path.read_bytes() for word in (password, new_password, listener))
    ]
    assert files_with_password == []
    open_one = psycopg2.connect(f"postgresql://ada:{new_password}@127.0.0.1:{server.port}/warehouse")
    assert "was removed" in run_command(capsys, "--remove", "ada")
    with pytest.raises(psycopg2.OperationalError, match=r"terminating connection|closed the connection"):
        open_one.cursor().execute("select 1")
    with pytest.raises(ActionNeededError, match="password authentication failed"):
        query_as(server, "ada", new_password)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("analyst",), "Give the kind and the name of the login"),
        (("analyst", "Ada"), "'Ada' is not a valid login name"),
        (("analyst", 'a"; drop role loader; --'), "is not a valid login name"),
        (("analyst", "analyst"), "is not a valid login name"),
        (("analyst", "loader"), "already has a role loader"),
        (("analyst", "ada", "u1"), "A login of kind analyst takes no id"),
        (("listener", "ada"), "needs the id of its user"),
        (("listener", "ada", "u9"), "has no user 'u9'"),
        (("listener", "ada", "unknown"), "has no user 'unknown'"),
        (("artist", "ada", "u1' or true --"), "has no artist"),
        (("listener", "ada", "u1\0"), "has control characters or is not text"),
        (("listener", "ada", "\udcff"), "has control characters or is not text"),
        (("analyst", "ada\n"), "is not a valid login name"),
        (("--remove", "loader"), "There is no login loader"),
        (("--new-password", "postgres"), "There is no login postgres"),
    ],
)
def test_what_cannot_be_is_a_sentence(
    server: Server, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], sentence: str
) -> None:
    assert sentence in run_command(capsys, *arguments, code=1)
    assert list_logins(server.build_url("loader", "warehouse")) == []


def test_a_server_that_is_not_ours(
    server: Server, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAREHOUSE_URL", server.build_url("loader", "warehouse"))
    assert "set WAREHOUSE_ADMIN_URL" in run_command(capsys, "analyst", "ada", code=1)
    assert "There are no logins yet" in run_command(capsys, "--list")
    monkeypatch.setenv("WAREHOUSE_ADMIN_URL", server.build_url("postgres", "warehouse"))
    assert "password" in run_command(capsys, "analyst", "ada")


def test_a_loader_that_may_not_make_roles_migrates_and_says_what_is_missing(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    drop_group_roles(server)
    url, admin = server.build_url("loader", "warehouse"), server.build_url("postgres", "warehouse")
    migrate_warehouse(url)
    assert "create role analyst nologin; create role operator nologin;" in caplog.text
    with pytest.raises(ActionNeededError, match="superuser of the server must run create role analyst"):
        add_login(url, "analyst", "ada")
    run_statements(admin, database.read_sql("access/roles"))
    caplog.clear()
    migrate_warehouse(url)
    assert caplog.text == ""
    assert query_as(server, "ada", add_login(admin, "analyst", "ada"), "select count(*) from mart.event_wide") == [(0,)]


def test_a_loader_that_may_make_roles_makes_all(server: Server) -> None:
    drop_group_roles(server)
    run_as_superuser(server, "alter role loader createrole")
    url = server.build_url("loader", "warehouse")
    migrate_warehouse(url)
    assert query_as(server, "ada", add_login(url, "analyst", "ada"), "select count(*) from mart.event_wide") == [(0,)]
    remove_login(url, "ada")
    assert list_logins(url) == []
    with pytest.raises(ActionNeededError, match="There is no login loader"):
        remove_login(url, "loader")


def test_rights_and_logins_outlive_a_restore(server: Server, tmp_path: Path) -> None:
    admin = server.build_url("postgres", "warehouse")
    analyst, listener = add_login(admin, "analyst", "ada"), add_login(admin, "listener", "grace", "u1")
    write_backup(tmp_path / "backup")
    restore_backup(tmp_path / "backup")
    assert query_as(server, "ada", analyst, "select count(*) from mart.event_wide") == [(0,)]
    assert query_as(server, "grace", listener, "select user_id from mart.my_login") == [("u1",)]
    with pytest.raises(ActionNeededError, match="permission denied"):
        query_as(server, "grace", listener, "select count(*) from mart.event_wide")


def test_with_the_person_goes_the_login_as_far_as_rights_allow(server: Server) -> None:
    url, admin = server.build_url("loader", "warehouse"), server.build_url("postgres", "warehouse")
    password = add_login(admin, "listener", "grace", "u1")
    with database.connect(url) as connection:
        assert erase_logins(connection, {"u1", "u2"}) == 1
    with pytest.raises(ActionNeededError, match="permission denied for database"):
        query_as(server, "grace", password)
    assert [(login.login_name, login.is_active) for login in list_logins(url)] == [("grace", False)]
    remove_login(admin, "grace")
    add_login(admin, "listener", "grace", "u1")
    with database.connect(admin) as connection:
        assert erase_logins(connection, {"u1"}) == 0
    assert list_logins(url) == []


def test_a_removal_that_a_login_resists_shuts_it_out_first_and_says_what_is_left(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    admin = server.build_url("postgres", "warehouse")
    password = find_password(run_command(capsys, "analyst", "ada"))
    run_as_superuser(server, "create database closed")
    try:
        run_statements(
            server.build_url("postgres", "closed"), "create table kept (id integer); grant select on kept to ada"
        )
        run_as_superuser(server, "alter database closed allow_connections false")
        session = psycopg2.connect(f"postgresql://ada:{password}@127.0.0.1:{server.port}/warehouse")
        words = run_command(capsys, "--remove", "ada", code=1)
        assert "The login ada is disabled" in words and "1 object in database closed" in words
        assert 'drop owned by "ada"' in words and "bin/add-login --remove ada again" in words
        with pytest.raises(psycopg2.OperationalError):
            session.cursor().execute("select 1")
        with pytest.raises(ActionNeededError, match=r"password authentication failed|not permitted to log in"):
            query_as(server, "ada", password)
        assert "can see nothing any more: bin/add-login --remove ada" in run_command(capsys, "--list")
        run_as_superuser(server, "alter database closed allow_connections true")
        assert "was removed" in run_command(capsys, "--remove", "ada")
        assert list_logins(admin) == []
    finally:
        run_as_superuser(server, "drop database if exists closed with (force)")


def test_a_login_that_chooses_its_own_password_is_named(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    password = find_password(run_command(capsys, "analyst", "ada"))
    run_command(capsys, "analyst", "bob")
    assert "own password" not in run_command(capsys, "--list")
    run_statements(
        f"postgresql://ada:{password}@127.0.0.1:{server.port}/warehouse", "alter role current_user password 'x'"
    )
    assert "ada has changed its own password" in run_command(capsys, "--list")
    assert "bob has" not in run_command(capsys, "--list")
    # An existing short password must not prevent the owner from setting another one.
    holder = psycopg2.connect(f"postgresql://ada:x@127.0.0.1:{server.port}/warehouse")
    holder.cursor().execute("alter role current_user password 'y'")
    new_password = find_password(run_command(capsys, "--new-password", "ada"))
    assert query_as(server, "ada", new_password) == [("ada",)]
    assert "own password" not in run_command(capsys, "--list")
    holder.close()


def test_sessions_are_listed_and_ended(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert "No login is connected" in run_command(capsys, "--sessions")
    passwords = {name: find_password(run_command(capsys, "analyst", name)) for name in ("ada", "bob")}
    sessions = [
        psycopg2.connect(f"postgresql://{name}:{passwords[name]}@127.0.0.1:{server.port}/warehouse")
        for name in ("ada", "ada", "ada", "bob")
    ]
    sessions[0].cursor().execute("select 1")
    listed = run_command(capsys, "--sessions").splitlines()
    assert [line.split()[:2] for line in listed] == [
        [str(session.info.backend_pid), name]
        for session, name in zip(sessions, ("ada", "ada", "ada", "bob"), strict=True)
    ]
    assert "idle in transaction" in listed[0] and "idle in transaction" not in listed[1]
    assert "Sessions ended: 1." in run_command(capsys, "--end", str(sessions[0].info.backend_pid))
    assert "Sessions ended: 2." in run_command(capsys, "--end", "ada")
    for session in sessions[:3]:
        with pytest.raises(psycopg2.OperationalError):
            session.cursor().execute("select 1")
    sessions[3].cursor().execute("select 1")
    assert "There is no login loader" in run_command(capsys, "--end", "loader", code=1)
    with psycopg2.connect(database.libpq_url(server.build_url("loader", "warehouse"))) as loader:
        assert "No login has a session" in run_command(capsys, "--end", str(loader.info.backend_pid), code=1)
        loader.cursor().execute("select 1")
    sessions[3].close()


def test_a_login_has_limits_that_it_cannot_lift_and_an_administrator_can(server: Server) -> None:
    admin = server.build_url("postgres", "warehouse")
    password = add_login(admin, "analyst", "ada")
    settings = "select current_setting('temp_file_limit') as files, current_setting('log_min_messages') as log"
    assert query_as(server, "ada", password, settings) == [("1GB", "fatal")]
    limit = "select rolconnlimit from pg_roles where rolname = 'ada'"
    assert query_as(server, "ada", password, limit) == [(12,)]
    run_statements(admin, "alter role ada connection limit 30; alter role ada set temp_file_limit = '5GB'")
    run_statements(admin, database.read_sql("access/roles"))
    assert query_as(server, "ada", password, settings) == [("5GB", "fatal")]
    assert query_as(server, "ada", password, limit) == [(30,)]
    # Restore the state of a login that is older than the limits.
    run_statements(admin, "alter role ada connection limit -1; alter role ada reset all")
    run_statements(admin, database.read_sql("access/roles"))
    assert query_as(server, "ada", password, settings) == [("1GB", "fatal")]


@pytest.mark.parametrize("source", ["dim_playlist", "account_owner"])
def test_a_listener_of_a_strangers_id_is_refused(
    server: Server, capsys: pytest.CaptureFixture[str], source: str
) -> None:
    url = server.build_url("loader", "warehouse")
    statement = {
        "dim_playlist": "insert into warehouse.dim_playlist (playlist_key, playlist_id, name, owner_id, source)"
        " values (1, 'p', 'Private', 'u1', 'api')",
        "account_owner": "insert into audit.account_owner (user_id, owner_id) values ('stranger', 'u1')",
    }[source]
    run_statements(url, statement)
    try:
        words = run_command(capsys, "listener", "grace", "u1", code=1)
        assert "a Spotify account with the same id owns playlists here" in words
        assert list_logins(url) == []
        run_statements(url, "insert into audit.account_owner (user_id, owner_id) values ('u1', 'own')")
        run_command(capsys, "listener", "grace", "u1")
        with database.connect(url) as connection:
            assert database.fetch_rows(connection, "select owner_id from audit.login") == [{"owner_id": "own"}]
    finally:
        run_statements(
            url, "delete from warehouse.dim_playlist where playlist_key = 1; delete from audit.account_owner"
        )


def test_what_a_superuser_has_not_shut_is_said_once(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    url, admin = server.build_url("loader", "warehouse"), server.build_url("postgres", "warehouse")
    add_login(admin, "analyst", "ada")
    run_statements(admin, "drop schema login_control cascade; alter role ada reset temp_file_limit")
    run_statements(admin, "grant execute on function pg_advisory_lock(bigint) to public")
    migrate_warehouse(url)
    assert caplog.text.count("One login can block all others on this server") == 1
    for words in ("may not end sessions", "may take the lock of a load", "temporary files without a limit"):
        assert words in caplog.text
    # Logins are created, ended and removed without the functions, too.
    password = add_login(admin, "analyst", "bob")
    session = psycopg2.connect(f"postgresql://bob:{password}@127.0.0.1:{server.port}/warehouse")
    assert end_login_sessions(admin, "bob") == 1
    session.close()
    remove_login(admin, "bob")
    run_statements(admin, database.read_sql("access/roles"))
    caplog.clear()
    migrate_warehouse(url)
    assert caplog.text == ""


def drop_group_roles(server: Server) -> None:
    """Put the server into the state before its preparation."""
    for role in ROLES:
        run_statements(server.build_url("postgres", "warehouse"), f"drop owned by {role}")
        run_as_superuser(server, f"drop role {role}")
