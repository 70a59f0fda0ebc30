"""Connections that create, change and drop roles, with errors that name the missing privilege.

The user is the superuser of the embedded server, or on another server a role that may create roles.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from etl.database import connect, explain_error, get_sqlstate, make_engine
from etl.errors import ActionNeededError, EtlError

_UNDEFINED_COLUMN = "42703"
MISSING_PRIVILEGE = "42501"


@contextmanager
def connect_as_admin(url: str, is_autocommit: bool = False) -> Iterator[Connection]:
    """Open a connection that may create roles.

    :param is_autocommit: whether each statement commits.
    :raises ActionNeededError: if a privilege is missing; the message names the remedy.
    """
    with explain_errors(url):
        if is_autocommit:
            with make_engine(url).connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                yield connection
        else:
            with connect(url) as connection:
                yield connection


@contextmanager
def explain_errors(url: str) -> Iterator[None]:
    """Raise failures of the server within the context as errors with a remedy."""
    try:
        yield
    except (DBAPIError, EtlError) as error:
        cause = error if isinstance(error, DBAPIError) else error.__cause__
        code = get_sqlstate(cause) if isinstance(cause, DBAPIError) else None
        if code == _UNDEFINED_COLUMN:
            raise ActionNeededError(
                "The warehouse has not been migrated: start bin/run, or python -m etl.load.migrate, then try again."
            ) from error
        if code == MISSING_PRIVILEGE:
            raise ActionNeededError(
                "The user of WAREHOUSE_URL may not create or remove logins on this server: for this command, "
                f"set WAREHOUSE_ADMIN_URL to the warehouse's URL with a superuser. ({getattr(cause, 'orig', None)})"
            ) from error
        if isinstance(error, EtlError):
            raise
        explanation = explain_error(error, url)
        if explanation is None:
            raise
        raise explanation from error
