"""The advisory lock that serialises changes of the warehouse, and retries for locked relations and rows."""

import logging
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_fixed

from etl.database.connection import convert_errors, fetch_rows, get_sqlstate, make_engine
from etl.database.sessions import end_session, watch_sessions
from etl.errors import TryAgainError

log = logging.getLogger(__name__)

LOCK_NOT_AVAILABLE = "55P03"
"""The SQLSTATE of a statement that ``lock_timeout`` has ended."""

_ADVISORY_LOCK_ID = 20_261_121
_LANDED_FILES_LOCK_ID = 20_261_130
_LOCK_WAIT_SECONDS = 3600.0
_LOCK_POLL_SECONDS = 0.5

_Result = TypeVar("_Result")


@contextmanager
def lock_warehouse(url: str, wait_seconds: float = _LOCK_WAIT_SECONDS) -> Iterator[Connection]:
    """Open the one connection that may change the warehouse; the caller commits.

    ``watch_sessions`` ends sessions of logins that block the connection for too long.

    :param wait_seconds: how long to wait for another run that has the lock.
    :raises TryAgainError: if the lock is not free in time.
    :raises EtlError: as ``connection.explain_error`` decides.
    """
    with convert_errors(url), make_engine(url).connect() as connection:
        _take_lock(connection, wait_seconds)
        with watch_sessions(connection.engine):
            yield connection


@contextmanager
def lock_landed_files(url: str) -> Iterator[None]:
    """Let no other process move or rewrite landed files during the context, which takes seconds.

    :raises EtlError: as ``connection.explain_error`` decides.
    """
    with convert_errors(url), make_engine(url).begin() as connection:
        connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LANDED_FILES_LOCK_ID})
        yield


def retry_when_locked(
    action: Callable[[], _Result],
    attempts: int,
    pause_seconds: float,
    before_retry: Callable[[], object] = lambda: None,
    sqlstates: Collection[str] = (LOCK_NOT_AVAILABLE,),
) -> _Result:
    """Call an action, and repeat it while another session holds a lock that it needs.

    The action sets ``lock_timeout``. A short timeout and many attempts let readers in between: a request that waits for
    an exclusive lock blocks all later readers of the relation.

    :param before_retry: called after each attempt that fails, such as a rollback.
    :param sqlstates: of the failures that are retried.
    :returns: the action's result.
    :raises DBAPIError: the failure of the last attempt, or one of another SQLSTATE at once.
    """

    def call_before_retry(_: RetryCallState) -> None:
        before_retry()

    retrying = Retrying(
        retry=retry_if_exception(lambda error: isinstance(error, DBAPIError) and get_sqlstate(error) in sqlstates),
        stop=stop_after_attempt(attempts),
        wait=wait_fixed(pause_seconds),
        before_sleep=call_before_retry,
        reraise=True,
    )
    return retrying(action)


def _take_lock(connection: Connection, wait_seconds: float) -> None:
    # Polling instead of pg_advisory_lock: a waiting statement would hold a snapshot, which delays vacuum for hours.
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
                f"The warehouse could not be changed for {wait_seconds:.0f} s: {_describe_lock_holders(connection)} "
                "had it locked."
            )
        time.sleep(_LOCK_POLL_SECONDS)
    connection.commit()


def _end_sessions_with_lock(connection: Connection) -> None:
    """End the sessions of logins that have taken the lock, which only loads need, as far as permitted."""
    # classid 0 and objsubid 1 mark an advisory lock with one 64-bit number.
    statement = """
        select l.pid
        from pg_locks as l
        inner join pg_database as d on d.oid = l.database and d.datname = current_database()
        where l.locktype = 'advisory' and l.classid = 0 and l.objid = :lock and l.objsubid = 1 and l.granted
    """
    for row in fetch_rows(connection, statement, lock=_ADVISORY_LOCK_ID):
        try:
            if end_session(connection, int(str(row["pid"]))):
                log.warning("Session %s of a login was ended: it had locked the warehouse.", row["pid"])
            connection.commit()
        except DBAPIError as error:
            connection.rollback()
            log.warning("Session %s has locked the warehouse and cannot be ended: %s", row["pid"], error.orig)


def _describe_lock_holders(connection: Connection) -> str:
    """Return which sessions have the lock; the server hides details of other users' sessions."""
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
    return " and ".join(f"another session ({row['holder']})" for row in holders) or "another session"
