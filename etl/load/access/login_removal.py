"""A login taken away: first it is shut out, whatever it has done, then what is left of it goes.

Each step of the shutting out commits. A role that something still depends on stays on the server, but it cannot sign in
any more, has no password and no session.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from psycopg2 import sql
from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from etl.database import fetch_rows, make_engine, run_statements
from etl.database.sessions import end_session, has_session_control, watch_sessions
from etl.errors import ActionNeededError

log = logging.getLogger(__name__)

_ATTEMPTS, _PAUSE_SECONDS = 20, 0.05
_OBJECTS_IN_USE, _LOCK_NOT_AVAILABLE, _CONCURRENT_UPDATE = "2BP01", "55P03", "XX000"
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
    """Keep a login from signing in and end its sessions; whatever it has begun.

    :param url: of the warehouse, as who may change the role.
    :raises DBAPIError: where a right is missing.
    """
    with _connect_autocommit(url) as connection:
        for statement in _DISABLE_STATEMENTS:
            update_role(connection, name, statement)
        remaining_sessions = end_sessions(connection, name)
    if remaining_sessions:
        log.warning("%d sessions of %s go on: let a superuser of the server end them.", remaining_sessions, name)


def update_role(connection: Connection, name: str, statement: str, **values: str) -> None:
    """Run a statement that changes a login, also while a transaction of its own holds the same row without an end.

    :param connection: in autocommit.
    :param values: further literals that the statement names.
    """
    connection.exec_driver_sql("set lock_timeout = '1s'")
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            run_role_statement(connection, statement, name, **values)
        except DBAPIError as error:
            code = getattr(error.orig, "pgcode", None)
            if code not in (_LOCK_NOT_AVAILABLE, _CONCURRENT_UPDATE) or attempt == _ATTEMPTS:
                raise
            end_sessions(connection, name)
        else:
            return


def drop_login_role(url: str, name: str) -> None:
    """Drop what a login that is shut out owns, its rights and its role.

    What others have built on something of its own goes to the connection's user instead, for it would be lost with it.

    :raises ActionNeededError: where something keeps the role on the server; the message says what to do.
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
            f"The login {name} is shut out: it has no session, no password, and cannot sign in. But its role stays on "
            f'the server ({"; ".join(reasons)}). Let a superuser run drop owned by "{name}" in each database that '
            f"is named, then start bin/add-login --remove {name} again."
        ) from error


def end_sessions(connection: Connection, name: str) -> int:
    """End the sessions of a login, in all databases where we may, and wait until they are gone.

    :returns: how many are left that we may not end.
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
    """Run a statement that names a role, and may name other literals, roles or this database."""
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
    """Drop what a login has in one database."""
    connection.exec_driver_sql("set lock_timeout = '30s'")
    for row in fetch_rows(connection, _PREPARED_TRANSACTIONS, name=name):
        run_statements(connection, str(row["statement"]))
    # One by one they would need a lock each, all at once.
    while connection.scalar(text(_UNLINK_LARGE_OBJECTS), {"name": name, "limit": _LARGE_OBJECTS_AT_ONCE}):
        pass
    if not connection.scalar(text("select rolsuper from pg_roles where rolname = current_user")):
        run_role_statement(
            connection, "grant {name} to current_user", name
        )  # only who has a role's rights drops what it owns
    try:
        run_role_statement(connection, "drop owned by {name}", name)
    except DBAPIError as error:
        if getattr(error.orig, "pgcode", None) != _OBJECTS_IN_USE:
            raise
        run_role_statement(connection, "reassign owned by {name} to current_user", name)
        run_role_statement(connection, "drop owned by {name}", name)
        log.warning("What others have built on objects of %s stays: these objects have another owner now.", name)


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


def _format_server_message(error: DBAPIError) -> str:
    """Return the server's message on one line, with its detail."""
    return " ".join(str(error.orig).split())


@contextmanager
def _connect_autocommit(url: str) -> Iterator[Connection]:
    """A connection each of whose statements commits; sessions of other logins in their way are ended soon."""
    database_engine = make_engine(url)
    with (
        database_engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection,
        watch_sessions(database_engine, _BLOCKING_TIMEOUT_SECONDS),
    ):
        yield connection
