"""Runner of attacks: the attacker's sessions, the work that must continue beside them, the removal of the login."""

import select
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from threading import Event, Thread

import psycopg2
from psycopg2.extensions import TRANSACTION_STATUS_IDLE
from psycopg2.extensions import connection as DriverConnection
from sqlalchemy import text

from campaigns.attack_cases.attack import OTHER_DATABASE, Attack, AttackContext, replace_database, run_statement
from etl.database import connect, fetch_rows, libpq_url, make_engine
from etl.errors import EtlError
from etl.load.access.grants import ROLES
from etl.load.access.logins import add_login, list_logins, remove_login
from etl.load.migrate import migrate_warehouse
from launch import postgres

_START_TIMEOUT_SECONDS = 2.0
_MIGRATION_SOURCE = """
from alembic import op

revision = "beside_attacks"
down_revision = "{head}"


def upgrade() -> None:
    for table in ("warehouse.dim_track", "warehouse.dim_artist", "mart.definition", "audit.playlist_request"):
        op.execute(f"alter table {{table}} add column beside integer")
        op.execute(f"alter table {{table}} drop column beside")
"""
_LOGIN_NUMBERS = count(1)


@dataclass(frozen=True)
class TargetWarehouse:
    """A filled warehouse on a server of the campaign."""

    server: postgres.Server
    database: str
    ids_by_role: dict[str, str]
    """The ids of a listener and an artist in the warehouse, by role."""
    run_workload: Callable[[], None]
    """The work that must continue: loads, builds, migrations."""
    workload_timeout_seconds: float
    """The maximum duration of the work beside an attack."""

    @property
    def admin_url(self) -> str:
        return self.server.build_url("postgres", self.database)

    @property
    def loader_url(self) -> str:
        return self.server.build_url("loader", self.database)


@dataclass(frozen=True)
class AttackResult:
    """The outcome of an attack by one role beside another."""

    attack: Attack
    role: str
    other_role: str
    violations: tuple[str, ...]
    workload_seconds: float


def pair_roles(attacks: Sequence[Attack]) -> list[tuple[Attack, str, str]]:
    """Return each attack by each of its roles, beside roles that change so that all pairs of roles occur."""
    counters = {role: count(number) for number, role in enumerate(ROLES)}
    cases = []
    for attack in attacks:
        for role in attack.roles:
            other_roles = [other_role for other_role in ROLES if other_role != role]
            cases.append((attack, role, other_roles[next(counters[role]) % len(other_roles)]))
    return cases


def create_other_database(server: postgres.Server) -> None:
    """Drop and create the other database of the server."""
    with make_engine(server.build_url("postgres", "postgres")).connect() as connection:
        admin_connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        admin_connection.exec_driver_sql(f"drop database if exists {OTHER_DATABASE} with (force)")
        admin_connection.exec_driver_sql(f"create database {OTHER_DATABASE}")
        admin_connection.exec_driver_sql(f"grant all on database {OTHER_DATABASE} to public")
    with connect(server.build_url("postgres", OTHER_DATABASE)) as connection:
        connection.exec_driver_sql("grant all on schema public to public")


def run_attack(attack: Attack, role: str, other_role: str, target: TargetWarehouse) -> AttackResult:
    """Run an attack from beginning to end; its logins are removed afterwards."""
    context = _create_context(role, other_role, target)
    violations, seconds = [], 0.0
    if attack.prepare is not None:
        attack.prepare(context)
    attackers = _AttackerSessions(attack, context, target.database)
    attackers.start_sessions(None if attack.kind == "leak" else _START_TIMEOUT_SECONDS)
    try:
        if attack.kind == "stop":
            began = time.monotonic()
            violations += _run_workload(target)
            seconds = time.monotonic() - began
        violation = attack.find_violation(context) if attack.find_violation is not None else None
        violations += [violation] if violation else []
    finally:
        violations += [
            *_remove_and_verify(context.login, context.login_url, target),
            *_remove_and_verify(context.other_login, context.other_url, target),
        ]
        attackers.stop_sessions()
    return AttackResult(attack, role, other_role, tuple(violations), seconds)


def run_concurrent_migration(url: str) -> None:
    """Run a migration that changes tables and restores them."""
    with connect(url) as connection:
        (revision_row,) = fetch_rows(connection, "select version_num from audit.schema_revision")
    with tempfile.TemporaryDirectory() as folder:
        revision = _MIGRATION_SOURCE.format(head=revision_row["version_num"])
        (Path(folder) / "beside_attacks.py").write_text(revision, encoding="utf-8")
        migrate_warehouse(url, further_revisions=Path(folder))
    with connect(url) as connection:
        connection.execute(text("update audit.schema_revision set version_num = :version_num"), dict(revision_row))


def _create_context(role: str, other_role: str, target: TargetWarehouse) -> AttackContext:
    number = next(_LOGIN_NUMBERS)
    urls = {}
    for kind, name in ((role, f"{role}_{number}"), (other_role, f"other_{number}")):
        password = add_login(target.admin_url, kind, name, target.ids_by_role.get(kind))
        urls[name] = f"postgresql://{name}:{password}@{target.admin_url.partition('@')[2]}"
    login_url, other_url = urls.values()
    return AttackContext(target.loader_url, target.admin_url, role, login_url, other_role, other_url)


def _run_workload(target: TargetWarehouse) -> list[str]:
    pool = ThreadPoolExecutor(1)
    future = pool.submit(target.run_workload)
    try:
        future.result(target.workload_timeout_seconds)
    except FutureTimeout:
        return [f"the work was not done after {target.workload_timeout_seconds:.0f} s"]
    except Exception as error:
        return [f"the work failed: {type(error).__name__}: {str(error).splitlines()[0]}"]
    finally:
        pool.shutdown(wait=False)
    return []


def _remove_and_verify(name: str, url: str, target: TargetWarehouse) -> list[str]:
    violations = []
    try:
        remove_login(target.admin_url, name)
    except EtlError as error:
        violations.append(f"{name} was not removed: {error}")
    except Exception as error:
        violations.append(f"the removal of {name} failed: {type(error).__name__}: {str(error).splitlines()[0]}")
    if name in {login.login_name for login in list_logins(target.admin_url)}:
        violations.append(f"{name} is still there")
    with suppress(psycopg2.OperationalError):
        psycopg2.connect(libpq_url(url)).close()
        violations.append(f"{name} still signs in")
    with connect(target.admin_url) as connection:
        statement = "select from pg_stat_activity where usename = :name and backend_type = 'client backend'"
        if fetch_rows(connection, statement, name=name):
            violations.append(f"{name} still has a session")
    return violations


class _AttackerSessions:
    """The sessions of an attack, each in a thread."""

    def __init__(self, attack: Attack, context: AttackContext, database: str) -> None:
        self._attack, self._context = attack, context
        self._url = libpq_url(
            replace_database(context.login_url, OTHER_DATABASE) if attack.is_in_other_database else context.login_url
        )
        self._is_over, self._is_first_done = Event(), Event()
        names = {
            "login": context.login,
            "other": context.other_login,
            "database": database,
            "role": context.role,
            "name": f"{attack.name.split()[-1].lower()}_{context.login}",
        }
        self._statements = [_fill_placeholders(statement, names) for statement in attack.statements]
        self._threads = [
            Thread(target=self._run_session, args=(number,), daemon=True) for number in range(attack.sessions)
        ]

    def start_sessions(self, seconds: float | None) -> None:
        """Start the sessions, and wait for the end of the first one, up to a timeout."""
        for thread in self._threads:
            thread.start()
        self._is_first_done.wait(seconds)
        time.sleep(0.1)

    def stop_sessions(self) -> None:
        """End all sessions; their logins are already removed."""
        self._is_over.set()
        for thread in self._threads:
            thread.join(10)

    def _run_session(self, number: int) -> None:
        is_first = number == 0
        while not self._is_over.is_set():
            try:
                session = psycopg2.connect(self._url)
            except psycopg2.OperationalError:
                self._is_over.wait(0.02)
                if not self._attack.is_repeated:
                    break
                continue
            session.autocommit = True
            self._run_statements(session, is_first)
            is_first = False
            if not self._attack.is_repeated or session.info.transaction_status != TRANSACTION_STATUS_IDLE:
                self._keep_session_open(session)
            with suppress(psycopg2.Error):
                session.close()
            if not self._attack.is_repeated:
                break
        self._is_first_done.set()

    def _run_statements(self, session: DriverConnection, is_first: bool) -> None:
        for statement in self._statements:
            if self._is_over.is_set() or session.closed:
                break
            outcome = run_statement(session, statement)
            if is_first:
                self._context.outcomes.append(outcome)
        if is_first:
            self._is_first_done.set()

    def _keep_session_open(self, session: DriverConnection) -> None:
        """Leave a session open until the server terminates it."""
        while not self._is_over.is_set() and not session.closed:
            readable, _, _ = select.select([session], [], [], 0.1)
            if readable:
                try:
                    session.poll()
                except psycopg2.Error:
                    return


def _fill_placeholders(statement: str, names: dict[str, str]) -> str:
    for name, value in names.items():
        statement = statement.replace(f"{{{name}}}", value)
    return statement
