"""Sessions of logins: which there are, how one is ended, and a watch that none of them holds up the pipeline."""

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
"""For so long the pipeline waits for what logins have locked; then it ends the sessions that are in its way."""

LONGEST_TRANSACTION = "1 hour"
LONGEST_IDLE_TRANSACTION = "10 minutes"
"""A login lifts its own timeouts; a transaction that lasts for longer ends while a run changes the warehouse."""

_START_DELAY_SECONDS = 1.0
_IDLE_POLL_SECONDS = 0.2
_BLOCKED_POLL_SECONDS = 0.1
"""Shorter than any lock_timeout of the pipeline, so that no attempt goes by unseen."""

_JOIN_TIMEOUT_SECONDS = 5.0
_BLOCKING_RESET_SECONDS = 5.0
"""So long nothing may wait for a login before the patience begins anew: attempts that take locks have pauses."""

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
"""  # noqa: S608 (constants of ours)


@dataclass(frozen=True)
class Session:
    """A session of a login. Times and state are None where the server does not show them to the user who asks."""

    pid: int
    login_name: str
    application: str | None
    state: str | None
    connected_at: datetime | None
    transaction_at: datetime | None
    changed_at: datetime | None


def has_session_control(connection: Connection) -> bool:
    """Return whether a superuser has given the warehouse's owner the functions that end sessions of logins."""
    return bool(connection.scalar(text(_HAS_CONTROL)))


def list_sessions(connection: Connection) -> list[Session]:
    """Return the sessions of all logins in this warehouse."""
    statement = _SESSIONS if has_session_control(connection) else _SESSIONS_WITHOUT_CONTROL
    return [Session(**row) for row in connection.execute(text(statement)).mappings()]


def end_session(connection: Connection, pid: int) -> bool:
    """End a session of a login.

    :returns: False where the process is no session of a login.
    :raises DBAPIError: where the connection's user may not end it.
    """
    if has_session_control(connection):
        return bool(connection.scalar(text("select login_control.end_session(:pid)"), {"pid": pid}))
    if pid not in {session.pid for session in list_sessions(connection)}:
        return False
    return bool(connection.scalar(text("select pg_terminate_backend(:pid)"), {"pid": pid}))


@contextmanager
def watch_sessions(engine: Engine, timeout_seconds: float | None = None) -> Iterator[None]:
    """Within the context, end sessions of logins that hold up sessions of the engine's user for too long.

    Also ends their transactions that last for too long: these keep rows that nobody needs from being removed.

    :param patience_seconds: for how long to wait for what logins have locked; ``PATIENCE_SECONDS`` if None.
    """
    watcher = _SessionWatcher(engine, BLOCKING_TIMEOUT_SECONDS if timeout_seconds is None else timeout_seconds)
    watcher.start()
    try:
        yield
    finally:
        watcher.stop()


class _SessionWatcher(Thread):
    """Looks five times a second; ten times while a login is in the way."""

    def __init__(self, engine: Engine, timeout_seconds: float) -> None:
        super().__init__(name="login watch", daemon=True)
        self._engine, self._timeout_seconds = engine, timeout_seconds
        self._stop_requested = Event()
        self._blocked_since: float | None = None
        self._last_blocked_at = 0.0
        self._reported: set[object] = set()

    def stop(self) -> None:
        self._stop_requested.set()
        self.join(_JOIN_TIMEOUT_SECONDS)  # a server that does not answer keeps nobody waiting

    def run(self) -> None:
        # A run that is over by then needs no watch, and no further connection.
        while not self._stop_requested.wait(_START_DELAY_SECONDS):
            try:
                with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                    self._poll_until_stopped(connection)
            except SQLAlchemyError as error:
                self._log_warning_once(
                    "connection", f"Logins are not watched for the moment: {str(error).splitlines()[0]}"
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
                log.warning("Session %d of a login was ended: its transaction lasted for too long.", pid)

    def _end_blocking_session(self, connection: Connection, pid: int, role_name: str) -> None:
        try:
            if pid and end_session(connection, pid):
                log.warning("Session %d of %s was ended: this run has waited for it for too long.", pid, role_name)
                return
            reason = "it is no login of bin/add-login"
        except DBAPIError as error:
            reason = str(error.orig).splitlines()[0]
        self._log_warning_once(
            (pid, role_name),
            f"This run waits for session {pid} of {role_name}, which it may not end ({reason}): end that session. "
            "docs/access.md says how the pipeline gets the right to.",
        )

    def _log_warning_once(self, subject: object, message: str) -> None:
        """Log a warning, once for what it is about."""
        if subject not in self._reported:
            self._reported.add(subject)
            log.warning(message)
