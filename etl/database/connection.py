"""Connections to the PostgreSQL warehouse, the lock that guards it, and what to do where it fails."""

import logging
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import NullPool

from etl.database.sessions import end_session, watch_sessions
from etl.errors import ActionNeededError, EtlError, TryAgainError

log = logging.getLogger(__name__)

_ADVISORY_LOCK_ID = 20_261_121
"""Number of the advisory lock that whoever changes the warehouse holds."""

_LOCK_WAIT_SECONDS = 3600.0
_LOCK_POLL_SECONDS = 0.5

_DISK_FULL = "53100"
_NO_SPACE = "No space left on device"
_ACTIONS_BY_SQLSTATE = {
    "28000": "refuses the user of WAREHOUSE_URL",
    "28P01": "refuses the password of WAREHOUSE_URL",
    "3D000": "does not have the database that WAREHOUSE_URL names",
    "3F000": "has not been migrated: start bin/run, or python -m etl.load.migrate",
    "42501": "does not give the user of WAREHOUSE_URL a right that is needed",
    "42P01": "has not been migrated: start bin/run, or python -m etl.load.migrate",
    _DISK_FULL: "has a full disk: make room there, then run again; what was published is as it was",
}
_TRANSIENT_SQLSTATES = ("08", "40", "53", "55P03", "57")
"""Codes, or beginnings of codes: connections, deadlocks, resources, a lock's timeout, a server going down."""


def make_engine(url: str) -> Engine:
    """An engine for a SQLAlchemy URL of a PostgreSQL 15 or newer; connections run in UTC and are not kept.

    :raises ActionNeededError: where the URL is not one of PostgreSQL.
    """
    options = {"connect_timeout": 10, "options": "-c timezone=UTC", "keepalives_idle": 30}
    return create_engine(_parse_url(url), poolclass=NullPool, connect_args=options, hide_parameters=True)


def libpq_url(url: str) -> str:
    """The same server, database, user and options as a URL that libpq, psql and ADBC understand (password included)."""
    # SQLAlchemy leaves spaces as they are, libpq wants none.
    return _parse_url(url).set(drivername="postgresql").render_as_string(hide_password=False).replace(" ", "%20")


@contextmanager
def connect(url: str) -> Iterator[Connection]:
    """A connection with a transaction that commits on leaving and rolls back on an error.

    :raises EtlError: as ``explained`` says; the text names host and port, never the password.
    """
    with _convert_errors(url), make_engine(url).begin() as connection:
        yield connection


@contextmanager
def lock_warehouse(url: str, wait_seconds: float = _LOCK_WAIT_SECONDS) -> Iterator[Connection]:
    """A connection that alone may change the warehouse until it is left; it commits when it is told to.

    Logins do not hold it up for long: ``sessions.watch`` ends their sessions that do.

    :param wait_seconds: how long to wait for whoever has the lock.
    :raises TryAgainError: where the lock was not free in time.
    :raises EtlError: as ``explained`` says.
    """
    with _convert_errors(url), make_engine(url).connect() as connection:
        _take_lock(connection, wait_seconds)
        with watch_sessions(connection.engine):
            yield connection


def explain_error(error: DBAPIError, url: str) -> EtlError | None:
    """What to do about a failure of PostgreSQL, or None where it is a fault of ours."""
    code = getattr(error.orig, "pgcode", None)
    return explain_sqlstate(code, str(error.orig), url)


def explain_sqlstate(code: str | None, message: str, url: str) -> EtlError | None:
    """The same for PostgreSQL's five-character code of a failure; None for one without, which never reached it."""
    server = f"PostgreSQL at {format_address(url)}"
    first_line = message.strip().splitlines()[0] if message.strip() else "no reason given"
    if _NO_SPACE in message:  # where a connection cannot even begin, there is no code
        code = _DISK_FULL
    if not code:
        is_permanent = any(
            phrase in message for phrase in ("authentication failed", "does not exist", "permission denied")
        )
        return (ActionNeededError if is_permanent else TryAgainError)(f"{server} cannot be reached: {first_line}")
    if code in _ACTIONS_BY_SQLSTATE:
        return ActionNeededError(f"{server} {_ACTIONS_BY_SQLSTATE[code]} ({first_line}).")
    if code.startswith(_TRANSIENT_SQLSTATES):
        return TryAgainError(f"{server} could not do it this time: {first_line}")
    return None


def format_address(url: str) -> str:
    """Host, port and database of a warehouse URL, fit for a message."""
    parsed = _parse_url(url)
    return f"{parsed.host or 'localhost'}:{parsed.port or 5432}/{parsed.database or ''}"


def has_control_characters(value: str) -> bool:
    """Return whether a text has characters that no name, password or address has: control characters, or bytes that are
    no text."""
    return any(unicodedata.category(character) in ("Cc", "Cs") for character in value)


def fetch_rows(connection: Connection, statement: str, **parameters: object) -> list[dict[str, object]]:
    """The result of a query as a list of dictionaries, one a row."""
    return [dict(row) for row in connection.execute(text(statement), parameters).mappings()]


def _take_lock(connection: Connection, wait_seconds: float) -> None:
    deadline = time.monotonic() + wait_seconds
    has_waited = False
    while not connection.scalar(text("select pg_try_advisory_lock(:lock)"), {"lock": _ADVISORY_LOCK_ID}):
        connection.commit()
        if not has_waited:
            log.info("Another run is changing the warehouse: waiting until it has finished.")
            has_waited = True
            _end_sessions_with_lock(connection)
        if time.monotonic() > deadline:
            raise TryAgainError(
                f"The warehouse could not be changed for {wait_seconds:.0f} s, for {_describe_lock_holders(connection)} had it locked."
            )
        time.sleep(_LOCK_POLL_SECONDS)
    connection.commit()


def _end_sessions_with_lock(connection: Connection) -> None:
    """End sessions of logins that have the lock, which is none of theirs, as far as we may."""
    statement = """
        select l.pid
        from pg_locks as l
        inner join pg_database as d on d.oid = l.database and d.datname = current_database()
        where l.locktype = 'advisory' and l.classid = 0 and l.objid = :lock and l.objsubid = 1 and l.granted
    """
    for row in fetch_rows(connection, statement, lock=_ADVISORY_LOCK_ID):
        try:
            if end_session(connection, int(str(row["pid"]))):
                log.warning("Session %s of a login was ended: it had the lock of the warehouse.", row["pid"])
            connection.commit()
        except DBAPIError as error:
            connection.rollback()
            log.warning("Session %s has the lock of the warehouse and cannot be ended: %s", row["pid"], error.orig)


def _describe_lock_holders(connection: Connection) -> str:
    """Who has the lock, as far as the server tells us of others."""
    statement = """
        select concat_ws(
            ', ',
            'role ' || a.usename,
            'process ' || a.pid,
            'application ' || nullif(a.application_name, ''),
            'connected since ' || to_char(a.backend_start, 'YYYY-MM-DD HH24:MI "UTC"')
        ) as holder
        from pg_locks as l
        inner join pg_database as d on d.oid = l.database and d.datname = current_database()
        inner join pg_stat_activity as a on a.pid = l.pid
        where l.locktype = 'advisory' and l.classid = 0 and l.objid = :lock and l.objsubid = 1 and l.granted
    """
    holders = fetch_rows(connection, statement, lock=_ADVISORY_LOCK_ID)
    return " and ".join(f"somebody ({row['holder']})" for row in holders) or "somebody"


@contextmanager
def _convert_errors(url: str) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        explanation = explain_error(error, url)
        if explanation is None:
            raise
        raise explanation from error
    except psycopg2.Error as error:
        explanation = explain_sqlstate(error.pgcode, str(error), url)
        if explanation is None:
            raise
        raise explanation from error


def _parse_url(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        parsed = None
    # What follows the first @ of an address passes for its host: part of a password that has one, too.
    if parsed is None or "@" in (parsed.host or ""):
        raise ActionNeededError(
            "WAREHOUSE_URL cannot be read: write postgresql://user:password@host:5432/database, and in the password "
            "%40 for @, likewise for other signs that mean something in an address."
        )
    if not parsed.drivername.startswith("postgresql"):
        raise ActionNeededError(f"WAREHOUSE_URL must name a PostgreSQL server, not {parsed.drivername!r}.")
    return parsed.set(drivername="postgresql+psycopg2")
