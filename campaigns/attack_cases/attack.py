"""An attack on the warehouse by a user with a login, and the criteria of its success.

Each list of attacks is a module with ``ATTACKS: tuple[Attack, ...]``:

    login_attacks       logins that resist their removal, and logins that stop what all users need
    disclosure_attacks  hidden people or figures that a login can read

``campaigns.attacks`` runs them all: every attack by every role that it names, beside every other role.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import psycopg2

from etl.database import connect, libpq_url
from etl.load.access.grants import ROLES

AttackKind = Literal["leak", "removal", "stop"]
"""What succeeds: a login reads hidden rows or figures; a login resists removal; a build, load or migration stops."""


OTHER_DATABASE = "elsewhere"
"""A database of the same server in which the logins may connect and create, as on many self-managed servers."""


@dataclass(frozen=True)
class StatementOutcome:
    """The outcome of a statement of an attack: its rows, or the five-character code and the message of its error."""

    statement: str
    rows: tuple[tuple[object, ...], ...] = ()
    code: str | None = None
    message: str | None = None


@dataclass
class AttackContext:
    """The setting of an attack: a filled warehouse, the attacker's login, and a login of another role."""

    loader_url: str
    admin_url: str
    role: str
    login_url: str
    other_role: str
    other_url: str
    outcomes: list[StatementOutcome] = field(default_factory=list)
    """The outcomes of the attack's own statements, in their order."""

    @property
    def login(self) -> str:
        """Return the attacker's name."""
        return _get_user_name(self.login_url)

    @property
    def other_login(self) -> str:
        """Return the name of the login of another role."""
        return _get_user_name(self.other_url)

    def run_as_attacker(self, statement: str) -> StatementOutcome:
        """Run a statement as the attacker, in a session of its own."""
        return run_statements(self.login_url, [statement])[-1]

    def run_in_other_database(self, url: str, statement: str) -> StatementOutcome:
        """Run a statement in the other database of the server, as one of the two logins."""
        return run_statements(replace_database(url, OTHER_DATABASE), [statement])[-1]

    def run_as_loader(self, statement: str) -> None:
        """Run a statement as the owner of the warehouse."""
        with connect(self.loader_url) as connection:
            connection.exec_driver_sql(statement, execution_options={"no_parameters": True})


@dataclass(frozen=True)
class Attack:
    """An attack. In statements ``{login}`` and ``{other}`` stand for the two logins, ``{role}`` for the attacker's
    group role, ``{database}`` for the database, and ``{name}`` for a name that no other attack has used."""

    name: str
    kind: AttackKind
    statements: tuple[str, ...]
    """Run one after another in one session with autocommit; an error does not prevent the next statement."""
    roles: tuple[str, ...] = ROLES
    """The roles that try the attack."""
    sessions: int = 1
    """The number of sessions that run the statements at the same time and then stay open; for the kind ``stop``."""
    is_repeated: bool = False
    """Whether a terminated session connects and begins again, as long as it can."""
    is_in_other_database: bool = False
    """Whether the statements run in another database of the server, in which every login may create objects."""
    prepare: Callable[[AttackContext], None] | None = None
    """A function that brings the warehouse into the state that the attack needs."""
    find_violation: Callable[[AttackContext], str | None] | None = None
    """A function that returns the violation as a message, or None; it runs after the statements. For the kinds
    ``removal`` and ``stop`` the campaign itself checks whether the login can be removed and whether the work
    continues."""


def run_statements(url: str, statements: list[str]) -> list[StatementOutcome]:
    """Run statements one after another in one session that ends with them."""
    session = psycopg2.connect(libpq_url(url))
    session.autocommit = True
    try:
        return [run_statement(session, statement) for statement in statements]
    finally:
        session.close()


def run_statement(session: "psycopg2.extensions.connection", statement: str) -> StatementOutcome:
    """Run one statement in an open session."""
    try:
        with session.cursor() as cursor:
            cursor.execute(statement)
            rows = tuple(tuple(row) for row in cursor.fetchall()) if cursor.description else ()
    except psycopg2.Error as error:
        return StatementOutcome(statement, code=error.pgcode, message=str(error).strip())
    return StatementOutcome(statement, rows)


def replace_database(url: str, name: str) -> str:
    """Return the address of another database of the same server."""
    return f"{url.rpartition('/')[0]}/{name}"


def _get_user_name(url: str) -> str:
    return url.split("//")[1].split(":")[0]
