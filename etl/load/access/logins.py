"""Logins of analysts, operators, listeners and artists: add, list and remove them, reset passwords, end sessions.

A login is a role that signs in and is a member of one group role; audit.login has its kind and its user or artist. A
password is sent to the server as a SCRAM verifier, so that it never appears in the server's log.
"""

from dataclasses import replace
from typing import cast

from psycopg2.extensions import connection as DriverConnection
from psycopg2.extensions import encrypt_password
from sqlalchemy import Connection, text

from etl.database import connect, fetch_rows, lock_warehouse
from etl.database.sessions import Session, end_session, has_session_control, list_sessions
from etl.errors import ActionNeededError
from etl.load.access.admin_connection import connect_as_admin, explain_errors
from etl.load.access.grants import find_missing_roles, format_missing_roles, grant_access
from etl.load.access.login_checks import check_entity_exists, find_playlist_owner_id, validate_login
from etl.load.access.login_records import (
    Login,
    find_logins_with_own_password,
    read_logins,
    record_login,
    record_password_digest,
    require_login,
)
from etl.load.access.login_removal import disable_login, drop_login_role, end_sessions, run_role_statement, update_role
from etl.passwords import generate_password

_CONNECTION_LIMIT = 12
_TIMEOUTS = {"idle_in_transaction_session_timeout": "10min", "statement_timeout": "30min"}
"""The same as login_control.limit_login of sql/access/roles.sql sets."""


def add_login(url: str, kind: str, name: str, entity_id: str | None = None, owner_id: str | None = None) -> str:
    """Add a login.

    :param kind: the group role: analyst, operator, listener or artist.
    :param entity_id: the user_id of a listener, the artist_id of an artist.
    :param owner_id: the owner id of a listener's playlists, if it is not the user_id.
    :returns: its password, which is not stored.
    :raises ActionNeededError: if the name is not valid or taken, the id is unknown, the login would see playlists of
        another account, or a privilege is missing.
    """
    validate_login(kind, name, entity_id)
    _make_group_roles(url)
    password = generate_password(18)
    with connect_as_admin(url) as connection:
        if fetch_rows(connection, "select from pg_roles where rolname = :name", name=name):
            raise ActionNeededError(
                f"The server already has a role {name}: choose another name, or remove the role first."
            )
        check_entity_exists(connection, kind, entity_id)
        if kind == "listener":
            owner_id = owner_id or find_playlist_owner_id(connection, str(entity_id))
        run_role_statement(connection, "create role {name} login", name)
        verifier = _make_scram_verifier(connection, name, password)
        run_role_statement(connection, "alter role {name} password {verifier}", name, verifier=verifier)
        run_role_statement(connection, "grant {kind} to {name}", name, kind=kind)
        run_role_statement(connection, "grant connect on database {database} to {name}", name)
        _set_limits(connection, name)
        record_login(connection, kind, name, entity_id, owner_id)
        record_password_digest(connection, name, verifier)
    return password


def reset_password(url: str, name: str) -> str:
    """Give a login a new password; its open sessions stay.

    :returns: the password, which is not stored.
    :raises ActionNeededError: if there is no such login or a privilege is missing.
    """
    password = generate_password(18)
    with connect_as_admin(url) as connection:
        require_login(connection, name)
        verifier = _make_scram_verifier(connection, name, password)
    with connect_as_admin(url, is_autocommit=True) as connection:
        update_role(connection, name, "alter role {name} password {verifier}", verifier=verifier)
        record_password_digest(connection, name, verifier)
    return password


def remove_login(url: str, name: str) -> None:
    """Disable a login, end its sessions, then drop its objects and its role.

    :raises ActionNeededError: if there is no such login or a privilege is missing; or if its disabled role stays on the
        server, with the remedy.
    """
    with connect_as_admin(url) as connection:
        require_login(connection, name)
    with explain_errors(url):
        disable_login(url, name)
        drop_login_role(url, name)


def list_login_sessions(url: str) -> list[Session]:
    """Return the sessions of all logins in this warehouse."""
    with connect(url) as connection:
        return list_sessions(connection)


def end_login_sessions(url: str, name_or_pid: str) -> int:
    """End a session by its process id, or all sessions of a login.

    :returns: the number of ended sessions.
    :raises ActionNeededError: if there is no such session or login, or a privilege is missing.
    """
    with connect_as_admin(url, is_autocommit=True) as connection:
        if name_or_pid.isdecimal():
            if not end_session(connection, int(name_or_pid)):
                raise ActionNeededError(
                    f"No login has a session {name_or_pid}: bin/add-login --sessions lists the sessions."
                )
            return 1
        require_login(connection, name_or_pid)
        count = sum(session.login_name == name_or_pid for session in list_sessions(connection))
        remaining_sessions = end_sessions(connection, name_or_pid)
    if remaining_sessions:
        raise ActionNeededError(
            f"{remaining_sessions} sessions of {name_or_pid} continue: the user of WAREHOUSE_URL may not end them. For "
            "this command, set WAREHOUSE_ADMIN_URL to the warehouse's URL with a superuser."
        )
    return count


def list_logins(url: str) -> list[Login]:
    """Return all logins of this warehouse, by name, without those of other warehouses on the server."""
    with explain_errors(url), connect(url) as connection:
        self_set_names = find_logins_with_own_password(connection)
        return [
            replace(login, has_own_password=login.login_name in self_set_names) for login in read_logins(connection)
        ]


def _make_group_roles(url: str) -> None:
    """Create missing group roles and grant them their privileges."""
    with connect_as_admin(url) as connection:
        missing_role_names = find_missing_roles(connection)
    if missing_role_names:
        with lock_warehouse(url, wait_seconds=60) as connection:
            grant_access(connection)
            connection.commit()
            missing_role_names = find_missing_roles(connection)
    if missing_role_names:
        raise ActionNeededError(format_missing_roles(missing_role_names))


def _set_limits(connection: Connection, name: str) -> None:
    """Set a login's limits, as far as the connection's user may."""
    if has_session_control(connection):
        connection.execute(text("select login_control.limit_login(:name)"), {"name": name})
        return
    run_role_statement(connection, "alter role {name} connection limit " + str(_CONNECTION_LIMIT), name)
    for setting, value in _TIMEOUTS.items():
        run_role_statement(connection, f"alter role {{name}} set {setting} = '{value}'", name)


def _make_scram_verifier(connection: Connection, name: str, password: str) -> str:
    driver_connection = cast(DriverConnection, connection.connection.driver_connection)
    return encrypt_password(password, name, driver_connection, "scram-sha-256")
