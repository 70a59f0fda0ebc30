"""Logins do not block changes of the warehouse: their blocking sessions are ended, other ones are named."""

import time
from collections.abc import Callable, Iterator

import psycopg2
import pytest
from psycopg2.extensions import connection as Connection
from sqlalchemy import Connection as Loader
from sqlalchemy import text

from etl.database import connect, libpq_url, lock_warehouse, sessions
from launch import postgres
from tests.sql.role_warehouse import RoleWarehouse, create_role_warehouse, query

GATE = "lock table mart.definition in access share mode"


@pytest.fixture(scope="module")
def warehouse(embedded_server: postgres.Server, migrated_template: str) -> Iterator[RoleWarehouse]:
    with create_role_warehouse(embedded_server, migrated_template) as role_warehouse:
        yield role_warehouse


@pytest.fixture
def short_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "BLOCKING_TIMEOUT_SECONDS", 0.5)


def is_open(connection: Connection) -> bool:
    try:
        query(connection, "select 1")
    except psycopg2.OperationalError:
        return False
    return True


def swap_tables(loader: Loader, lock_timeout: str = "20s") -> None:
    loader.execute(text(f"set local lock_timeout = '{lock_timeout}'"))
    loader.execute(text("lock table mart.definition in access exclusive mode"))
    loader.commit()


def swap_by_attempts(loader: Loader) -> None:
    """Swap as a build does: in attempts of half a second, with pauses between them."""
    for _ in range(40):
        try:
            return swap_tables(loader, "500ms")
        except Exception:
            loader.rollback()
            time.sleep(0.5)
    raise AssertionError("all attempts have failed")


@pytest.mark.usefixtures("short_timeouts")
@pytest.mark.parametrize("change", [swap_tables, swap_by_attempts])
@pytest.mark.parametrize("kind", ["analyst", "operator", "listener", "artist"])
def test_a_login_that_holds_a_lock_is_ended(
    warehouse: RoleWarehouse, kind: str, change: Callable[[Loader], None]
) -> None:
    bystander, holder = warehouse.enter(kind), warehouse.enter(kind)
    for statement in ("set statement_timeout = 0", "set idle_in_transaction_session_timeout = 0", "begin", GATE):
        query(holder, statement)
    with lock_warehouse(warehouse.url) as loader:
        change(loader)
    assert not is_open(holder)
    assert is_open(bystander)
    bystander.close()


@pytest.mark.usefixtures("short_timeouts")
def test_a_request_that_is_taken_back_and_never_committed_is_ended(warehouse: RoleWarehouse) -> None:
    holder = warehouse.enter("listener")
    for statement in ("begin", "select mart.withdraw_playlist_request(rpad('wish1', 22, 'x'))"):
        query(holder, statement)
    with lock_warehouse(warehouse.url) as loader:
        loader.execute(text("update audit.playlist_request set read_at = now() where user_id = 'u1'"))
        loader.rollback()
    assert not is_open(holder)


@pytest.mark.usefixtures("short_timeouts")
def test_who_is_no_login_is_named_and_goes_on(warehouse: RoleWarehouse, caplog: pytest.LogCaptureFixture) -> None:
    warehouse.as_admin(f"grant usage on schema mart to {warehouse.names['nobody']}")
    warehouse.as_admin(f"grant select on mart.definition to {warehouse.names['nobody']}")
    holder = warehouse.enter("nobody")
    query(holder, "begin")
    query(holder, GATE)
    with lock_warehouse(warehouse.url) as loader, pytest.raises(Exception, match="lock timeout"):
        swap_tables(loader, "4s")
    assert is_open(holder)
    assert (
        f"of {warehouse.names['nobody']} and may not end it (it does not belong to a login of bin/add-login)"
        in caplog.text
    )
    holder.close()
    warehouse.as_admin(f"drop owned by {warehouse.names['nobody']}")
    warehouse.as_admin(f"grant connect on database {warehouse.database} to {warehouse.names['nobody']}")


def test_a_short_wait_is_left_alone(warehouse: RoleWarehouse) -> None:
    holder = warehouse.enter("analyst")
    query(holder, "begin")
    query(holder, GATE)
    with lock_warehouse(warehouse.url) as loader, pytest.raises(Exception, match="lock timeout"):
        swap_tables(loader, "3s")
    assert is_open(holder)
    holder.close()


def test_a_transaction_that_lasts_is_ended_also_where_nothing_waits(
    warehouse: RoleWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = {sessions.LONGEST_TRANSACTION: "1 hour", sessions.LONGEST_IDLE_TRANSACTION: "0 seconds"}
    statement = sessions._LONG_TRANSACTIONS
    for limit, value in limits.items():
        statement = statement.replace(f"'{limit}'", f"'{value}'")
    monkeypatch.setattr(sessions, "_LONG_TRANSACTIONS", statement)
    old, bystander = warehouse.enter("analyst"), warehouse.enter("analyst")
    query(old, "begin isolation level repeatable read")
    query(old, "select count(*) from mart.event_wide")
    with lock_warehouse(warehouse.url):
        deadline = time.monotonic() + 20
        while is_listed(warehouse, old) and time.monotonic() < deadline:
            time.sleep(0.1)
    assert not is_open(old)
    assert is_open(bystander)
    bystander.close()


def is_listed(warehouse: RoleWarehouse, connection: Connection) -> bool:
    with connect(warehouse.url) as loader:
        return connection.info.backend_pid in {session.pid for session in sessions.list_sessions(loader)}


def test_a_login_with_the_lock_of_the_warehouse_is_ended(warehouse: RoleWarehouse) -> None:
    # Restore the state of a server without this restriction, on which the session took the lock earlier.
    warehouse.as_admin("grant execute on function pg_advisory_lock(bigint) to public")
    holder = warehouse.enter("analyst")
    query(holder, "select pg_advisory_lock(20261121)")
    warehouse.as_admin("revoke execute on function pg_advisory_lock(bigint) from public")
    with lock_warehouse(warehouse.url, wait_seconds=10):
        assert not is_open(holder)


def test_the_owner_ends_logins_and_nobody_else(warehouse: RoleWarehouse, embedded_server: postgres.Server) -> None:
    loader = psycopg2.connect(libpq_url(warehouse.url))
    loader.autocommit = True
    login, nobody, admin = (
        warehouse.enter("artist"),
        warehouse.enter("nobody"),
        psycopg2.connect(libpq_url(embedded_server.build_url("postgres", warehouse.database))),
    )
    sessions_by_pid = {session.pid: session for session in list_sessions(warehouse)}
    assert sessions_by_pid[login.info.backend_pid].login_name == warehouse.names["artist"]
    assert not sessions_by_pid.keys() & {nobody.info.backend_pid, admin.info.backend_pid, loader.info.backend_pid}
    for terminating_login in (nobody, admin, loader):
        assert query(loader, f"select login_control.end_session({terminating_login.info.backend_pid})") == [(False,)]
    assert query(loader, f"select login_control.end_session({login.info.backend_pid})") == [(True,)]
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        query(loader, f"select login_control.limit_login('{warehouse.names['nobody']}')")
    for connection in (loader, nobody, admin):
        assert is_open(connection)
        connection.close()


def list_sessions(warehouse: RoleWarehouse) -> list[sessions.Session]:
    with connect(warehouse.url) as loader:
        return sessions.list_sessions(loader)


def test_without_the_functions_sessions_are_listed_and_the_run_says_what_it_may_not(
    warehouse: RoleWarehouse, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, short_timeouts: None
) -> None:
    monkeypatch.setattr(sessions, "has_session_control", lambda _: False)
    holder = warehouse.enter("analyst")
    query(holder, "begin")
    query(holder, GATE)
    assert holder.info.backend_pid in {session.pid for session in list_sessions(warehouse)}
    with lock_warehouse(warehouse.url) as loader, pytest.raises(Exception, match="lock timeout"):
        swap_tables(loader, "4s")
    assert "and may not end it (permission denied" in caplog.text
    holder.close()
