"""Connections to the PostgreSQL warehouse, and the reads that jobs need. SQLAlchemy lives here and in ``load``."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import OperationalError

from etl.errors import ActionNeededError, TryAgainError


def engine(url: str) -> Engine:
    """An engine for a SQLAlchemy URL of a PostgreSQL 15 or newer; connections run in UTC.

    :raises ActionNeededError: where the URL is not one of PostgreSQL.
    """
    return create_engine(
        _psycopg2_url(url), pool_pre_ping=True, connect_args={"connect_timeout": 10, "options": "-c timezone=UTC"}
    )


def libpq_url(url: str) -> str:
    """The same server, database, user and options as a URL that libpq, psql and ADBC understand (password included)."""
    return _psycopg2_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


@contextmanager
def connect(url: str) -> Iterator[Connection]:
    """A connection with a transaction that commits on leaving and rolls back on an error.

    :raises TryAgainError: where the server cannot be reached; the text names host and port, never the password.
    """
    place = engine(url)
    try:
        with place.begin() as connection:
            yield connection
    except OperationalError as error:
        if error.connection_invalidated or not _was_connected(error):
            raise TryAgainError(f"PostgreSQL at {address(url)} cannot be reached: {_first_line(error)}") from error
        raise
    finally:
        place.dispose()


def address(url: str) -> str:
    """Host, port and database of a warehouse URL, fit for a message."""
    parsed = _psycopg2_url(url)
    return f"{parsed.host or 'localhost'}:{parsed.port or 5432}/{parsed.database or ''}"


def rows(connection: Connection, statement: str, **parameters: object) -> list[dict[str, object]]:
    """The result of a query as a list of dictionaries, one a row."""
    return [dict(row) for row in connection.execute(text(statement), parameters).mappings()]


def _psycopg2_url(url: str) -> URL:
    parsed = make_url(url)
    if not parsed.drivername.startswith("postgresql"):
        raise ActionNeededError(f"WAREHOUSE_URL must name a PostgreSQL server, not {parsed.drivername!r}.")
    return parsed.set(drivername="postgresql+psycopg2")


def _was_connected(error: OperationalError) -> bool:
    return getattr(error.orig, "pgcode", None) is not None


def _first_line(error: OperationalError) -> str:
    return str(error.orig).strip().splitlines()[0]
