"""Queries of the warehouse as the signed-in login."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal

import pandas as pd
from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url

from etl import database
from etl.errors import ActionNeededError
from etl.load.table_swap import SWAP_LOCK_TABLE

_STATEMENT_TIMEOUT = "15s"
_SHARED_MART = re.compile(r"\bmart\.(?=[a-z])(?!my_|attribute\b|definition\b)")


class InvalidCredentialsError(ActionNeededError):
    """A name or password with a character that no login of the database can have."""


@dataclass(frozen=True)
class Login:
    """A signed-in login with its role, in the memory of one browser session."""

    url: str = field(repr=False)
    name: str
    role: str
    user_id: str | None
    artist_id: str | None
    display_name: str
    readable_relations: frozenset[str]

    @property
    def is_listener(self) -> bool:
        """Return whether the login sees only the rows of one user."""
        return self.role == "listener"

    def can_read(self, *relations: str) -> bool:
        """Return whether the database lets the login read all of these tables and views."""
        return self.readable_relations.issuperset(relations)


class WarehouseReader:
    """A read-only transaction: all its results are from the same snapshot."""

    def __init__(self, connection: Connection, reads_own_views: bool) -> None:
        self._connection, self._reads_own_views = connection, reads_own_views

    def read_table(self, name: str, **parameters: object) -> pd.DataFrame:
        """Return the result of sql/queries/dashboard/<name>.sql, or of another file of sql/queries by its path.

        A listener reads the views ``mart.my_…`` in place of the marts of the same name.

        :raises EtlError: as ``warehouse.connect`` does.
        """
        statement = database.read_sql(f"queries/{name}" if "/" in name else f"queries/dashboard/{name}")
        if self._reads_own_views:
            statement = _SHARED_MART.sub("mart.my_", statement)
        result = self._connection.execute(text(statement), parameters)
        frame = pd.DataFrame(result.fetchall(), columns=list(result.keys()))
        decimal_columns = [name for name in frame if frame[name].map(lambda value: isinstance(value, Decimal)).any()]
        return frame.astype(dict.fromkeys(decimal_columns, "float64"))  # Altair does not accept decimals


@contextmanager
def open_reader(login: Login) -> Iterator[WarehouseReader]:
    """Open a reader as a login.

    The reader waits for a build that swaps its tables before the snapshot begins; a later build waits for the reader.

    :raises EtlError: if the warehouse cannot be reached, or rejects the login.
    """
    with _begin_transaction(login.url, login.can_read(SWAP_LOCK_TABLE)) as connection:
        yield WarehouseReader(connection, login.is_listener)


def sign_in(warehouse_url: str, name: str, password: str) -> Login:
    """Sign in to the warehouse by name and password.

    :raises InvalidCredentialsError: if one of them has a character that no login has.
    :raises EtlError: if it cannot be reached, or rejects the login.
    """
    if database.has_control_characters(name + password):
        raise InvalidCredentialsError(
            "The name or the password has a control character, which no login has. Type it instead of pasting it."
        )
    url = make_url(warehouse_url).set(username=name, password=password).render_as_string(hide_password=False)
    with _begin_transaction(url) as connection:
        reader = WarehouseReader(connection, reads_own_views=False)
        readable_relations = frozenset(str(relation) for relation in reader.read_table("readable")["relation"])
        login_rows = reader.read_table("login") if "mart.my_login" in readable_relations else pd.DataFrame()
    if login_rows.empty:
        return Login(url, name, "", None, None, name, readable_relations)
    row = login_rows.iloc[0]
    return Login(url, name, row["kind"], row["user_id"], row["artist_id"], row["person"] or name, readable_relations)


def run_statement(login: Login, name: str, **parameters: object) -> None:
    """Run sql/queries/dashboard/<name>.sql, which changes data within the rights of the login.

    :raises EtlError: as ``warehouse.connect`` does.
    """
    with database.connect(login.url) as connection:
        connection.execute(text(database.read_sql(f"queries/dashboard/{name}")), parameters)


@contextmanager
def _begin_transaction(url: str, has_gate: bool = False) -> Iterator[Connection]:
    with database.connect(url) as connection:
        # Neither these statements nor a lock begin the snapshot; the first select does.
        connection.execute(text("set transaction isolation level repeatable read, read only"))
        connection.execute(text(f"set local statement_timeout = '{_STATEMENT_TIMEOUT}'"))
        if has_gate:
            connection.execute(text(f"lock table {SWAP_LOCK_TABLE} in access share mode"))
        yield connection
