"""Removal of a login: disable it first, whatever it is doing, then drop its objects and its role.

Each step of disabling commits. If other objects depend on the role, it stays on the server: it cannot sign in, and has
no password and no session.
"""

import logging
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from psycopg2 import sql
from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from etl.database import fetch_rows, get_sqlstate, make_engine, retry_when_locked, run_statements
from etl.database.locks import LOCK_NOT_AVAILABLE
from etl.database.sessions import end_session, has_session_control, watch_sessions
from etl.errors import ActionNeededError
from etl.load.access.admin_connection import MISSING_PRIVILEGE

log = logging.getLogger(__name__)

_ATTEMPTS, _PAUSE_SECONDS = 20, 0.05
_OBJECTS_IN_USE, _CONCURRENT_UPDATE = "2BP01", "XX000"
"""SQLSTATEs. PostgreSQL reports a role row that another transaction has just changed as an internal error."""

_LARGE_OBJECTS_AT_ONCE = 1000
_BLOCKING_TIMEOUT_SECONDS = 1.0

_DISABLE_STATEMENTS = (
    "alter role {name} nologin connection limit 0 password null",
    "delete from audit.login where login_name = {quoted_name}",
    "revoke all on database {database} from {name}",
)

_SESSIONS = """
    select pid, pg_has_role(usesysid, 'usage') or pg_has_role('pg_signal_backend', 'usage') as may_end
    from pg_stat_activity
    where usename = :name and pid <> pg_backend_pid()
"""

# The databases in which a login may own something: this one, those with objects or privileges of the role, and those
# with its prepared transactions, which pg_shdepend does not record. This database comes first.
_DATABASES = """
    select d.datname as name
    from pg_database as d
    where d.datallowconn and (
        d.datname = current_database()
        or d.oid in (
            select s.dbid
            from pg_shdepend as s
            inner join pg_roles as r on s.refclassid = 'pg_authid'::regclass and s.refobjid = r.oid
            where r.rolname = :name
        )
        or d.datname in (select p.database from pg_prepared_xacts as p where p.owner = :name)
    )
    order by d.datname <> current_database(), d.datname
"""


def disable_login(url: str, name: str) -> None:
    """Prevent a login from signing in and end its sessions, also during its transactions.

    :param url: of the warehouse, with a user who may change the role.
    :raises DBAPIError: if a privilege is missing.
    """
    with _connect_autocommit(url) as connection:
        for statement in _DISABLE_STATEMENTS:
            update_role(connection, name, statement)
        remaining_sessions = end_sessions(connection, name)
    if remaining_sessions:
        log.warning("%d sessions of %s continue: a superuser of the server must end them.", remaining_sessions, name)


def erase_logins(connection: Connection, user_ids: Collection[str]) -> int:
    """Remove the logins of users, as far as the connection's user may; the caller commits.

    :returns: the number of roles that stay on the server; they can no longer connect to this warehouse.
    """
    remaining_roles = 0
    login_rows = fetch_rows(
        connection, "select login_name from audit.login where user_id = any(:ids)", ids=sorted(user_ids)
    )
    for name in (str(row["login_name"]) for row in login_rows):
        if fetch_rows(connection, "select from pg_roles where rolname = :name", name=name):
            run_role_statement(connection, "revoke all on database {database} from {name}", name)
            end_sessions(connection, name)
            # "drop owned" needs membership in the role.
            _try_role_statement(connection, "grant {name} to current_user", name)
            statements = ("alter role {name} nologin connection limit 0 password null", "drop owned by {name}")
            remaining_roles += not all(
                _try_role_statement(connection, statement, name) for statement in (*statements, "drop role {name}")
            )
        connection.execute(text("delete from audit.login where login_name = :name"), {"name": name})
    return remaining_roles


def update_role(connection: Connection, name: str, statement: str, **values: str) -> None:
    """Run a statement that changes a login, also if a transaction of the login has locked its own row.

    :param connection: in autocommit mode.
    :param values: further literals of the statement.
    """
    connection.exec_driver_sql("set lock_timeout = '1s'")
    retry_when_locked(
        lambda: run_role_statement(connection, statement, name, **values),
        _ATTEMPTS,
        0,
        before_retry=lambda: end_sessions(connection, name),
        sqlstates=(LOCK_NOT_AVAILABLE, _CONCURRENT_UPDATE),
    )


def drop_login_role(url: str, name: str) -> None:
    """Drop the objects, privileges and role of a disabled login.

    Objects that other roles' objects depend on are given to the connection's user instead of being dropped.

    :raises ActionNeededError: if the role cannot be dropped; the message names the remedy.
    """
    reasons = []
    with _connect_autocommit(url) as connection:
        databases = [str(row["name"]) for row in fetch_rows(connection, _DATABASES, name=name)]
    for database in databases:
        database_url = make_url(url).set(database=database).render_as_string(hide_password=False)
        try:
            with _connect_autocommit(database_url) as connection:
                _drop_owned_objects(connection, name)
        except DBAPIError as error:
            reasons.append(f"in database {database}: {_format_server_message(error)}")
    try:
        with _connect_autocommit(url) as connection:
            update_role(connection, name, "drop role {name}")
    except DBAPIError as error:
        reasons.append(_format_server_message(error))
        raise ActionNeededError(
            f"The login {name} is disabled: it has no session, no password, and cannot sign in. But its role stays on "
            f'the server ({"; ".join(reasons)}). A superuser must run drop owned by "{name}" in each of these '
            f"databases; then start bin/add-login --remove {name} again."
        ) from error


def end_sessions(connection: Connection, name: str) -> int:
    """End the sessions of a login in all databases, and wait until they are gone.

    :returns: the number of sessions that the connection's user may not end.
    """
    has_control_functions = has_session_control(connection)
    for _ in range(_ATTEMPTS):
        session_rows = fetch_rows(connection, _SESSIONS, name=name)
        if not session_rows:
            return 0
        end_results = [
            connection.scalar(text("select pg_terminate_backend(:pid)"), {"pid": row["pid"]})
            if row["may_end"]
            else has_control_functions and end_session(connection, int(str(row["pid"])))
            for row in session_rows
        ]
        if not any(end_results):
            return len(session_rows)
        time.sleep(_PAUSE_SECONDS)
    return len(fetch_rows(connection, _SESSIONS, name=name))


def run_role_statement(connection: Connection, statement: str, name: str, **values: str) -> None:
    """Run a statement with a role's name, and maybe further literals, a group role or this database."""
    driver_connection = connection.connection.driver_connection
    database = fetch_rows(connection, "select current_database() as name")[0]["name"]
    formatted = sql.SQL(statement).format(
        name=sql.Identifier(name),
        quoted_name=sql.Literal(name),
        database=sql.Identifier(str(database)),
        **{key: sql.Identifier(value) if key == "kind" else sql.Literal(value) for key, value in values.items()},
    )
    run_statements(connection, formatted.as_string(driver_connection))  # type: ignore[arg-type]


def _drop_owned_objects(connection: Connection, name: str) -> None:
    """Drop the objects and prepared transactions of a login in one database."""
    connection.exec_driver_sql("set lock_timeout = '30s'")
    for row in fetch_rows(connection, _PREPARED_TRANSACTIONS, name=name):
        run_statements(connection, str(row["statement"]))
    # "drop owned" would need a lock for each large object, all in one transaction.
    while connection.scalar(text(_UNLINK_LARGE_OBJECTS), {"name": name, "limit": _LARGE_OBJECTS_AT_ONCE}):
        pass
    if not connection.scalar(text("select rolsuper from pg_roles where rolname = current_user")):
        run_role_statement(connection, "grant {name} to current_user", name)  # "drop owned" needs membership
    try:
        run_role_statement(connection, "drop owned by {name}", name)
    except DBAPIError as error:
        if get_sqlstate(error) != _OBJECTS_IN_USE:
            raise
        run_role_statement(connection, "reassign owned by {name} to current_user", name)
        run_role_statement(connection, "drop owned by {name}", name)
        log.warning(
            "Objects of other roles depend on objects of %s: these objects stay and have another owner now.", name
        )


_PREPARED_TRANSACTIONS = """
    select format('rollback prepared %L', gid) as statement
    from pg_prepared_xacts
    where owner = :name and database = current_database()
"""

_UNLINK_LARGE_OBJECTS = """
    select sum(lo_unlink(l.oid))
    from (
        select m.oid
        from pg_largeobject_metadata as m
        inner join pg_roles as r on r.oid = m.lomowner
        where r.rolname = :name
        limit :limit
    ) as l
"""


def _try_role_statement(connection: Connection, statement: str, name: str) -> bool:
    """Run a statement; return False, with no effect, if a privilege is missing or objects depend on the role."""
    try:
        with connection.begin_nested():
            run_role_statement(connection, statement, name)
    except DBAPIError as error:
        if get_sqlstate(error) not in (MISSING_PRIVILEGE, _OBJECTS_IN_USE):
            raise
        return False
    return True


def _format_server_message(error: DBAPIError) -> str:
    """Return the server's message on one line, with its detail."""
    return " ".join(str(error.orig).split())


@contextmanager
def _connect_autocommit(url: str) -> Iterator[Connection]:
    """Open a connection in autocommit mode; sessions of logins that block it are ended after a second."""
    database_engine = make_engine(url)
    with (
        database_engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection,
        watch_sessions(database_engine, _BLOCKING_TIMEOUT_SECONDS),
    ):
        yield connection
