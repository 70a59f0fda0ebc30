"""Runs attacks: the attacker's sessions, the work that has to go on beside them, the removal of the login."""

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

from benchmarks._attack import ELSEWHERE, Attack, Scene, in_database, run_statement
from etl.errors import EtlError
from etl.load.access import ROLES
from etl.load.logins import add_login, list_logins, remove_login
from etl.load.migrate import migrate
from etl.warehouse import connect, engine, libpq_url, rows
from launch import postgres

_BEGIN_SECONDS = 2.0
_REVISION = """
from alembic import op

revision = "beside_attacks"
down_revision = "{head}"


def upgrade() -> None:
    for table in ("warehouse.dim_track", "warehouse.dim_artist", "mart.definition", "audit.playlist_wish"):
        op.execute(f"alter table {{table}} add column beside integer")
        op.execute(f"alter table {{table}} drop column beside")
"""
_NUMBERS = count(1)


@dataclass(frozen=True)
class Ground:
    """A filled warehouse on a server of ours."""

    server: postgres.Server
    database: str
    ids: dict[str, str]
    """Of a listener and an artist in it, by role."""
    work: Callable[[], None]
    """What has to go on: loads, builds, migrations."""
    bound_seconds: float
    """How long the work may take beside an attack."""

    @property
    def admin_url(self) -> str:
        return self.server.url("postgres", self.database)

    @property
    def loader_url(self) -> str:
        return self.server.url("loader", self.database)


@dataclass(frozen=True)
class Result:
    """What an attack by one role beside another led to."""

    attack: Attack
    role: str
    other_role: str
    faults: tuple[str, ...]
    work_seconds: float


def pairs(attacks: Sequence[Attack]) -> list[tuple[Attack, str, str]]:
    """Return each attack by each of its roles, beside roles that change so that all pairs of roles occur."""
    turns = {role: count(number) for number, role in enumerate(ROLES)}
    chosen = []
    for attack in attacks:
        for role in attack.roles:
            others = [other for other in ROLES if other != role]
            chosen.append((attack, role, others[next(turns[role]) % len(others)]))
    return chosen


def make_elsewhere(server: postgres.Server) -> None:
    """Make the other database of the server, anew."""
    with engine(server.url("postgres", "postgres")).connect() as connection:
        place = connection.execution_options(isolation_level="AUTOCOMMIT")
        place.exec_driver_sql(f"drop database if exists {ELSEWHERE} with (force)")
        place.exec_driver_sql(f"create database {ELSEWHERE}")
        place.exec_driver_sql(f"grant all on database {ELSEWHERE} to public")
    with connect(server.url("postgres", ELSEWHERE)) as connection:
        connection.exec_driver_sql("grant all on schema public to public")


def run(attack: Attack, role: str, other_role: str, ground: Ground) -> Result:
    """Run an attack from beginning to end; its logins are gone afterwards."""
    scene = _scene(role, other_role, ground)
    faults, seconds = [], 0.0
    if attack.prepare is not None:
        attack.prepare(scene)
    attackers = _Attackers(attack, scene, ground.database)
    attackers.begin(None if attack.kind == "leak" else _BEGIN_SECONDS)
    try:
        if attack.kind == "stop":
            began = time.monotonic()
            faults += _work(ground)
            seconds = time.monotonic() - began
        fault = attack.fault(scene) if attack.fault is not None else None
        faults += [fault] if fault else []
    finally:
        faults += [*_removed(scene.login, scene.login_url, ground), *_removed(scene.other, scene.other_url, ground)]
        attackers.end()
    return Result(attack, role, other_role, tuple(faults), seconds)


def migrate_beside(url: str) -> None:
    """Run a migration that changes tables and leaves them as they were."""
    with connect(url) as connection:
        (head,) = rows(connection, "select version_num from audit.schema_revision")
    with tempfile.TemporaryDirectory() as folder:
        revision = _REVISION.format(head=head["version_num"])
        (Path(folder) / "beside_attacks.py").write_text(revision, encoding="utf-8")
        migrate(url, further_revisions=Path(folder))
    with connect(url) as connection:
        connection.execute(text("update audit.schema_revision set version_num = :version_num"), dict(head))


def _scene(role: str, other_role: str, ground: Ground) -> Scene:
    number = next(_NUMBERS)
    urls = {}
    for kind, name in ((role, f"{role}_{number}"), (other_role, f"other_{number}")):
        password = add_login(ground.admin_url, kind, name, ground.ids.get(kind))
        urls[name] = f"postgresql://{name}:{password}@{ground.admin_url.partition('@')[2]}"
    mine, other = urls.values()
    return Scene(ground.loader_url, ground.admin_url, role, mine, other_role, other)


def _work(ground: Ground) -> list[str]:
    pool = ThreadPoolExecutor(1)
    future = pool.submit(ground.work)
    try:
        future.result(ground.bound_seconds)
    except FutureTimeout:
        return [f"the work was not done after {ground.bound_seconds:.0f} s"]
    except Exception as error:
        return [f"the work failed: {type(error).__name__}: {str(error).splitlines()[0]}"]
    finally:
        pool.shutdown(wait=False)
    return []


def _removed(name: str, url: str, ground: Ground) -> list[str]:
    faults = []
    try:
        remove_login(ground.admin_url, name)
    except EtlError as error:
        faults.append(f"{name} was not removed: {error}")
    except Exception as error:
        faults.append(f"the removal of {name} failed: {type(error).__name__}: {str(error).splitlines()[0]}")
    if name in {login.login_name for login in list_logins(ground.admin_url)}:
        faults.append(f"{name} is still there")
    with suppress(psycopg2.OperationalError):
        psycopg2.connect(libpq_url(url)).close()
        faults.append(f"{name} still signs in")
    with connect(ground.admin_url) as connection:
        statement = "select from pg_stat_activity where usename = :name and backend_type = 'client backend'"
        if rows(connection, statement, name=name):
            faults.append(f"{name} still has a session")
    return faults


class _Attackers:
    """The sessions of an attack, each in a thread."""

    def __init__(self, attack: Attack, scene: Scene, database: str) -> None:
        self._attack, self._scene = attack, scene
        self._url = libpq_url(in_database(scene.login_url, ELSEWHERE) if attack.is_elsewhere else scene.login_url)
        self._is_over, self._first_is_done = Event(), Event()
        names = {
            "login": scene.login,
            "other": scene.other,
            "database": database,
            "role": scene.role,
            "name": f"{attack.name.split()[-1].lower()}_{scene.login}",
        }
        self._statements = [_filled(statement, names) for statement in attack.statements]
        self._threads = [Thread(target=self._run, args=(number,), daemon=True) for number in range(attack.sessions)]

    def begin(self, seconds: float | None) -> None:
        """Start, and wait until the first session is through, for a time at most."""
        for thread in self._threads:
            thread.start()
        self._first_is_done.wait(seconds)
        time.sleep(0.1)

    def end(self) -> None:
        """End all; their logins are gone by then."""
        self._is_over.set()
        for thread in self._threads:
            thread.join(10)

    def _run(self, number: int) -> None:
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
            self._attack_by(session, is_first)
            is_first = False
            if not self._attack.is_repeated or session.info.transaction_status != TRANSACTION_STATUS_IDLE:
                self._hold(session)
            with suppress(psycopg2.Error):
                session.close()
            if not self._attack.is_repeated:
                break
        self._first_is_done.set()

    def _attack_by(self, session: DriverConnection, is_first: bool) -> None:
        for statement in self._statements:
            if self._is_over.is_set() or session.closed:
                break
            outcome = run_statement(session, statement)
            if is_first:
                self._scene.outcomes.append(outcome)
        if is_first:
            self._first_is_done.set()

    def _hold(self, session: DriverConnection) -> None:
        """Leave a session open until it is ended from outside."""
        while not self._is_over.is_set() and not session.closed:
            readable, _, _ = select.select([session], [], [], 0.1)
            if readable:
                try:
                    session.poll()
                except psycopg2.Error:
                    return


def _filled(statement: str, names: dict[str, str]) -> str:
    for name, value in names.items():
        statement = statement.replace(f"{{{name}}}", value)
    return statement
