"""Connections to the PostgreSQL warehouse, and its failures as errors with a remedy.

In: a SQLAlchemy URL, mostly WAREHOUSE_URL. Out: connections, and an ``EtlError`` for each failure that the operator or
a retry can repair.
"""

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import NullPool

from etl.errors import ActionNeededError, EtlError, TryAgainError

_DISK_FULL = "53100"
_NO_SPACE = "No space left on device"
_ACTIONS_BY_SQLSTATE = {
    "28000": "rejects the user of WAREHOUSE_URL",
    "28P01": "rejects the password of WAREHOUSE_URL",
    "3D000": "does not have the database of WAREHOUSE_URL",
    "3F000": "has not been migrated: start bin/run, or python -m etl.load.migrate",
    "42501": "does not give the user of WAREHOUSE_URL a privilege that is needed",
    "42P01": "has not been migrated: start bin/run, or python -m etl.load.migrate",
    _DISK_FULL: "has a full disk: free some space there, then run again; the published data is unchanged",
}
_TRANSIENT_SQLSTATES = ("08", "40", "53", "55P03", "57")
"""SQLSTATEs, or their classes: connections, deadlocks, resources, a lock timeout, a server that shuts down."""

_PERMANENT_CONNECTION_ERRORS = ("authentication failed", "does not exist", "permission denied")
"""libpq gives no SQLSTATE for a connection that fails, only the server's message."""


def make_engine(url: str) -> Engine:
    """Return an engine for PostgreSQL 15 or newer; its connections run in UTC and are not pooled.

    :raises ActionNeededError: if the URL does not name a PostgreSQL server.
    """
    options = {"connect_timeout": 10, "options": "-c timezone=UTC", "keepalives_idle": 30}
    return create_engine(_parse_url(url), poolclass=NullPool, connect_args=options, hide_parameters=True)


def libpq_url(url: str) -> str:
    """Return the URL in the form that libpq, psql and ADBC read; it includes the password."""
    # SQLAlchemy leaves spaces unescaped, libpq rejects them.
    return _parse_url(url).set(drivername="postgresql").render_as_string(hide_password=False).replace(" ", "%20")


@contextmanager
def connect(url: str) -> Iterator[Connection]:
    """Open a connection with a transaction, which commits at the end of the context and rolls back on an error.

    :raises EtlError: as ``explain_error`` decides; the message names host and port, never the password.
    """
    with convert_errors(url), make_engine(url).begin() as connection:
        yield connection


def get_sqlstate(error: DBAPIError) -> str | None:
    """Return PostgreSQL's five-character code of a failure; None for a failure that has none."""
    return getattr(error.orig, "pgcode", None)


def explain_error(error: DBAPIError, url: str) -> EtlError | None:
    """Return an error with a remedy for a failure of PostgreSQL, or None for a bug in this code."""
    return explain_sqlstate(get_sqlstate(error), str(error.orig), url)


def explain_sqlstate(code: str | None, message: str, url: str) -> EtlError | None:
    """Return the result of ``explain_error`` for a SQLSTATE and a message.

    :param code: the five characters; None or empty if the client did not reach the server.
    """
    server = f"PostgreSQL at {format_address(url)}"
    first_line = message.strip().splitlines()[0] if message.strip() else "no reason given"
    if _NO_SPACE in message:  # a full disk that prevents the connection itself gives no SQLSTATE
        code = _DISK_FULL
    if not code:
        is_permanent = any(phrase in message for phrase in _PERMANENT_CONNECTION_ERRORS)
        return (ActionNeededError if is_permanent else TryAgainError)(f"{server} cannot be reached: {first_line}")
    if code in _ACTIONS_BY_SQLSTATE:
        return ActionNeededError(f"{server} {_ACTIONS_BY_SQLSTATE[code]} ({first_line}).")
    if code.startswith(_TRANSIENT_SQLSTATES):
        return TryAgainError(f"{server} failed temporarily: {first_line}")
    return None


def format_address(url: str) -> str:
    """Return host, port and database of a warehouse URL, for messages."""
    parsed = _parse_url(url)
    return f"{parsed.host or 'localhost'}:{parsed.port or 5432}/{parsed.database or ''}"


def has_control_characters(value: str) -> bool:
    """Return whether a text has control characters or undecodable bytes, which names and passwords never have."""
    return any(unicodedata.category(character) in ("Cc", "Cs") for character in value)


def fetch_rows(connection: Connection, statement: str, **parameters: object) -> list[dict[str, object]]:
    """Return the rows of a query, each as a dictionary."""
    return [dict(row) for row in connection.execute(text(statement), parameters).mappings()]


def begin_snapshot(connection: Connection) -> None:
    """Begin a transaction that only reads, and whose queries all see the state of the first one."""
    connection.execute(text("set transaction isolation level repeatable read, read only"))


@contextmanager
def convert_errors(url: str) -> Iterator[None]:
    """Raise failures of PostgreSQL within the context as ``explain_error`` explains them; bugs stay as they are."""
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
    # A password with an unescaped @ would end up in the host, and from there in messages.
    if parsed is None or "@" in (parsed.host or ""):
        raise ActionNeededError(
            "WAREHOUSE_URL is not a valid URL: write postgresql://user:password@host:5432/database, and escape special "
            "characters of the password, such as %40 for @."
        )
    if not parsed.drivername.startswith("postgresql"):
        raise ActionNeededError(f"WAREHOUSE_URL must name a PostgreSQL server, not {parsed.drivername!r}.")
    return parsed.set(drivername="postgresql+psycopg2")
