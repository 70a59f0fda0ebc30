"""Sessions of logins: list them, end them, and watch that none of them blocks the pipeline for long."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from threading import Event, Thread

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

log = logging.getLogger(__name__)

BLOCKING_TIMEOUT_SECONDS = 60.0
"""The pipeline waits this long for locks of logins; then it ends the sessions that block it."""

LONGEST_TRANSACTION = "1 hour"
LONGEST_IDLE_TRANSACTION = "10 minutes"
"""A login can lift its own timeouts, so a run that changes the warehouse ends transactions that last longer."""

_START_DELAY_SECONDS = 1.0
_IDLE_POLL_SECONDS = 0.2
_BLOCKED_POLL_SECONDS = 0.1
"""Shorter than any lock_timeout of the pipeline, so that the watcher sees each attempt that waits."""

_JOIN_TIMEOUT_SECONDS = 5.0
_BLOCKING_RESET_SECONDS = 5.0
"""After this long without a blocked session the timeout starts again. Shorter pauses lie between two lock attempts."""

_HAS_CONTROL = "select to_regprocedure('login_control.end_session(integer)') is not null"

_SESSIONS = """
    select pid, login_name, application, state, connected_at, transaction_at, changed_at
    from login_control.sessions()
    order by login_name, connected_at, pid
"""

_SESSIONS_WITHOUT_CONTROL = """
    select distinct
        a.pid, a.usename::text as login_name, a.application_name as application, a.state,
        a.backend_start as connected_at, a.xact_start as transaction_at, a.state_change as changed_at
    from pg_stat_activity as a
    inner join pg_roles as r on r.oid = a.usesysid and not r.rolsuper and not r.rolcreaterole
    inner join pg_auth_members as m on m.member = r.oid and not m.admin_option
    inner join pg_roles as g on g.oid = m.roleid and g.rolname in ('analyst', 'operator', 'listener', 'artist')
    where a.datname = current_database()
    order by login_name, connected_at, pid
"""

# pg_blocking_pids covers row locks too. It reports a prepared transaction as process 0, which nothing can end.
_BLOCKING_SESSIONS = """
    select distinct b.pid, coalesce(s.usename, 'a prepared transaction') as role_name
    from pg_locks as l
    inner join pg_stat_activity as w on w.pid = l.pid and w.usename = current_user and w.datname = current_database()
    cross join unnest(pg_blocking_pids(l.pid)) as b (pid)
    left join pg_stat_activity as s on s.pid = b.pid
    where not l.granted and s.usename is distinct from current_user
"""

_LONG_TRANSACTIONS = f"""
    select pid
    from login_control.sessions()
    where transaction_at < clock_timestamp() - interval '{LONGEST_TRANSACTION}'
        or (
            state like 'idle in transaction%'
            and changed_at < clock_timestamp() - interval '{LONGEST_IDLE_TRANSACTION}'
        )
"""  # noqa: S608 (constants)


@dataclass(frozen=True)
class Session:
    """A session of a login. Times and state are None if the server hides them from the connection's user."""

    pid: int
    login_name: str
    application: str | None
    state: str | None
    connected_at: datetime | None
    transaction_at: datetime | None
    changed_at: datetime | None


def has_session_control(connection: Connection) -> bool:
    """Return whether a superuser has given the warehouse's owner the functions of schema login_control."""
    return bool(connection.scalar(text(_HAS_CONTROL)))


def list_sessions(connection: Connection) -> list[Session]:
    """Return the sessions of all logins in this warehouse."""
    statement = _SESSIONS if has_session_control(connection) else _SESSIONS_WITHOUT_CONTROL
    return [Session(**row) for row in connection.execute(text(statement)).mappings()]


def end_session(connection: Connection, pid: int) -> bool:
    """End a session of a login.

    :returns: False if the process is not a session of a login.
    :raises DBAPIError: if the connection's user may not end it.
    """
    if has_session_control(connection):
        return bool(connection.scalar(text("select login_control.end_session(:pid)"), {"pid": pid}))
    if pid not in {session.pid for session in list_sessions(connection)}:
        return False
    return bool(connection.scalar(text("select pg_terminate_backend(:pid)"), {"pid": pid}))


@contextmanager
def watch_sessions(engine: Engine, timeout_seconds: float | None = None) -> Iterator[None]:
    """Within the context, end sessions of logins that block sessions of the engine's user for too long.

    Also ends their long transactions, which prevent vacuum from removing dead rows.

    :param timeout_seconds: how long to wait for locks of logins; ``BLOCKING_TIMEOUT_SECONDS`` if None.
    """
    watcher = _SessionWatcher(engine, BLOCKING_TIMEOUT_SECONDS if timeout_seconds is None else timeout_seconds)
    watcher.start()
    try:
        yield
    finally:
        watcher.stop()


class _SessionWatcher(Thread):
    """A thread that polls five times a second, and ten times while a login blocks the pipeline."""

    def __init__(self, engine: Engine, timeout_seconds: float) -> None:
        super().__init__(name="login watch", daemon=True)
        self._engine, self._timeout_seconds = engine, timeout_seconds
        self._stop_requested = Event()
        self._blocked_since: float | None = None
        self._last_blocked_at = 0.0
        self._reported: set[object] = set()

    def stop(self) -> None:
        self._stop_requested.set()
        self.join(_JOIN_TIMEOUT_SECONDS)  # without waiting for a server that does not respond

    def run(self) -> None:
        # A run that ends within the first second needs no watcher and no further connection.
        while not self._stop_requested.wait(_START_DELAY_SECONDS):
            try:
                with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                    self._poll_until_stopped(connection)
            except SQLAlchemyError as error:
                self._log_warning_once(
                    "connection", f"Sessions of logins are temporarily not watched: {str(error).splitlines()[0]}"
                )

    def _poll_until_stopped(self, connection: Connection) -> None:
        connection.execute(text("set application_name = 'login watch'"))
        can_end_sessions = has_session_control(connection)
        while True:
            self._end_blocking_sessions(connection)
            if can_end_sessions:
                self._end_long_transactions(connection)
            pause = _IDLE_POLL_SECONDS if self._blocked_since is None else _BLOCKED_POLL_SECONDS
            if self._stop_requested.wait(pause):
                return

    def _end_blocking_sessions(self, connection: Connection) -> None:
        now = time.monotonic()
        blocking_sessions = connection.execute(text(_BLOCKING_SESSIONS)).mappings().all()
        if blocking_sessions:
            self._last_blocked_at = now
            self._blocked_since = now if self._blocked_since is None else self._blocked_since
        elif now - self._last_blocked_at > _BLOCKING_RESET_SECONDS:
            self._blocked_since = None
        if self._blocked_since is None or now - self._blocked_since < self._timeout_seconds:
            return
        for row in blocking_sessions:
            self._end_blocking_session(connection, int(row["pid"]), str(row["role_name"]))

    def _end_long_transactions(self, connection: Connection) -> None:
        for pid in connection.scalars(text(_LONG_TRANSACTIONS)).all():
            if end_session(connection, pid):
                log.warning("Session %d of a login was ended: its transaction lasted too long.", pid)

    def _end_blocking_session(self, connection: Connection, pid: int, role_name: str) -> None:
        try:
            if pid and end_session(connection, pid):
                log.warning("Session %d of %s was ended: it blocked this run for too long.", pid, role_name)
                return
            reason = "it does not belong to a login of bin/add-login"
        except DBAPIError as error:
            reason = str(error.orig).splitlines()[0]
        self._log_warning_once(
            (pid, role_name),
            f"This run waits for session {pid} of {role_name} and may not end it ({reason}): end that session. "
            "docs/access.md says how to give the pipeline the privilege.",
        )

    def _log_warning_once(self, subject: object, message: str) -> None:
        """Log a warning once for each subject."""
        if subject not in self._reported:
            self._reported.add(subject)
            log.warning(message)
