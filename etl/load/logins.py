"""Logins of people: roles that sign in, each a member of one group role, and what audit.login says of them.

Whoever calls this is the superuser of the embedded server, or on another server a role that may make roles. A password
goes to the server as its SCRAM verifier, so that no log of the server can hold it.
"""

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

from psycopg2 import sql
from psycopg2.extensions import connection as DriverConnection
from psycopg2.extensions import encrypt_password
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from etl.errors import ActionNeededError, EtlError
from etl.load.access import ROLES, grant_access, how_to_make, missing_roles
from etl.passwords import generate_password
from etl.warehouse import connect, exclusive, rows

_NAME = re.compile(r"[a-z][a-z0-9_.-]{0,62}")
_IDS = {
    "listener": ("user", "select user_id from warehouse.dim_user where user_key > 0 and user_id = :id limit 1"),
    "artist": ("artist", "select artist_id from warehouse.dim_artist where artist_key > 0 and artist_id = :id"),
}
_WHO = """
    with let_in as (
        select a.grantee, bool_or(d.datname = current_database()) as is_here
        from pg_database as d
        cross join aclexplode(d.datacl) as a
        where a.privilege_type = 'CONNECT'
        group by a.grantee
    )

    select distinct
        r.rolname as login_name,
        coalesce(l.kind, g.rolname) as kind,
        l.user_id,
        l.artist_id,
        l.login_name is not null as is_known
    from pg_roles as r
    -- Who may give a group role away is no login of ours: the loader, where it has made them.
    inner join pg_auth_members as m on m.member = r.oid and not m.admin_option
    inner join pg_roles as g on g.oid = m.roleid and g.rolname = any(:roles)
    left join let_in as i on i.grantee = r.oid
    left join audit.login as l on l.login_name = r.rolname and i.is_here
    where r.rolcanlogin and not r.rolsuper and not r.rolcreaterole and coalesce(i.is_here, true)
    order by r.rolname
"""
_MISSING_RIGHT, _STILL_USED = "42501", "2BP01"


@dataclass(frozen=True)
class Login:
    """Who signs in. ``kind`` is the group role; ``is_known`` is False for what is left of a forgotten person."""

    login_name: str
    kind: str
    user_id: str | None
    artist_id: str | None
    is_known: bool


def add_login(url: str, kind: str, name: str, whose_id: str | None = None, owner_id: str | None = None) -> str:
    """Make a login.

    :param kind: the group role: analyst, operator, listener or artist.
    :param whose_id: of a listener the user's id, of an artist the artist's.
    :param owner_id: of a listener, what playlists call their owner where that is another id.
    :returns: its password, which is kept nowhere.
    :raises ActionNeededError: where the name cannot be had, nobody has that id, or a right is missing.
    """
    _check(kind, name, whose_id)
    _make_group_roles(url)
    password = generate_password(18)
    with _administration(url) as connection:
        if rows(connection, "select from pg_roles where rolname = :name", name=name):
            raise ActionNeededError(f"The server has a role {name} already: name another one, or remove it first.")
        _check_id(connection, kind, whose_id)
        _run(connection, "create role {name} login", name)
        _set_password(connection, name, password)
        _run(connection, "grant {kind} to {name}", name, kind)
        _run(connection, "grant connect on database {database} to {name}", name)
        _note(connection, kind, name, whose_id, owner_id)
    return password


def new_password(url: str, name: str) -> str:
    """Give a login another password; connections that are open stay so.

    :raises ActionNeededError: where there is no such login or a right is missing.
    """
    password = generate_password(18)
    with _administration(url) as connection:
        _check_is_login(connection, name)
        _set_password(connection, name, password)
    return password


def remove_login(url: str, name: str) -> None:
    """Take a login away and end its connections.

    :raises ActionNeededError: where there is no such login or a right is missing.
    """
    with _administration(url) as connection:
        _check_is_login(connection, name)
        _shut_out(connection, name)
        _run(connection, "drop role {name}", name)


def list_logins(url: str) -> list[Login]:
    """All logins of this warehouse, by name; those of another warehouse of the server do not count."""
    with connect(url) as connection:
        return _logins(connection)


def forget_logins(connection: Connection, user_ids: Collection[str]) -> int:
    """Take the logins of users away, as far as the connection's user may; the caller commits.

    :returns: how many roles are left on the server; they can no longer enter this warehouse.
    """
    left = 0
    found = rows(connection, "select login_name from audit.login where user_id = any(:ids)", ids=sorted(user_ids))
    for name in (str(row["login_name"]) for row in found):
        if rows(connection, "select from pg_roles where rolname = :name", name=name):
            _shut_out(connection, name)
            left += not _is_allowed(connection, "drop role {name}", name)
        connection.execute(text("delete from audit.login where login_name = :name"), {"name": name})
    return left


def _logins(connection: Connection) -> list[Login]:
    return [Login(**row) for row in rows(connection, _WHO, roles=list(ROLES))]  # type: ignore[arg-type]


def _check(kind: str, name: str, whose_id: str | None) -> None:
    if not _NAME.fullmatch(name) or name.startswith("pg_") or name in (*ROLES, "public", "none"):
        raise ActionNeededError(
            f"A login cannot be called {name!r}: small letters, digits, dots, dashes and underscores, a letter first."
        )
    if (kind in _IDS) != (whose_id is not None):
        what, _ = _IDS.get(kind, ("", ""))
        says = f"needs the id of its {what}" if what else "has no id"
        raise ActionNeededError(f"A login for {kind} {says}: see bin/add-login --help.")


def _check_id(connection: Connection, kind: str, whose_id: str | None) -> None:
    what, statement = _IDS.get(kind, ("", ""))
    if what and not rows(connection, statement, id=whose_id):
        place = f"{what}_id of warehouse.dim_{what}"
        raise ActionNeededError(f"The warehouse knows no {what} {whose_id!r}: give a {place}.")


def _check_is_login(connection: Connection, name: str) -> None:
    if name not in {login.login_name for login in _logins(connection)}:
        raise ActionNeededError(f"There is no login {name}: bin/add-login --list shows those that there are.")


def _make_group_roles(url: str) -> None:
    """Make the group roles where they are missing, and give them their rights."""
    with _administration(url) as connection:
        missing = missing_roles(connection)
    if missing:
        with exclusive(url, wait_seconds=60) as connection:
            grant_access(connection)
            connection.commit()
            missing = missing_roles(connection)
    if missing:
        raise ActionNeededError(how_to_make(missing))


def _note(connection: Connection, kind: str, name: str, whose_id: str | None, owner_id: str | None) -> None:
    values = {
        "login_name": name,
        "kind": kind,
        "user_id": whose_id if kind == "listener" else None,
        "owner_id": owner_id if kind == "listener" else None,
        "artist_id": whose_id if kind == "artist" else None,
    }
    # A line of that name may have come with a backup of another server.
    statement = """
        insert into audit.login (login_name, kind, user_id, owner_id, artist_id)
        values (:login_name, :kind, :user_id, :owner_id, :artist_id)
        on conflict (login_name) do update
        set kind = excluded.kind, user_id = excluded.user_id, owner_id = excluded.owner_id,
            artist_id = excluded.artist_id
    """
    connection.execute(text(statement), values)


def _shut_out(connection: Connection, name: str) -> None:
    """Let a login no longer in, and end its connections where we may."""
    connection.execute(text("delete from audit.login where login_name = :name"), {"name": name})
    _run(connection, "revoke all on database {database} from {name}", name)
    _is_allowed(
        connection, "select pg_terminate_backend(pid) from pg_stat_activity where usename = {quoted_name}", name
    )


def _is_allowed(connection: Connection, statement: str, name: str) -> bool:
    """Run a statement; False where we may not, and then nothing has happened."""
    try:
        with connection.begin_nested():
            _run(connection, statement, name)
    except DBAPIError as error:
        if getattr(error.orig, "pgcode", None) not in (_MISSING_RIGHT, _STILL_USED):
            raise
        return False
    return True


def _set_password(connection: Connection, name: str, password: str) -> None:
    driver = cast(DriverConnection, connection.connection.driver_connection)
    verifier = encrypt_password(password, name, driver, "scram-sha-256")
    _run(connection, "alter role {name} password {verifier}", name, verifier=verifier)


def _run(connection: Connection, statement: str, name: str, kind: str = "", verifier: str = "") -> None:
    """Run a statement that names a role, and may name its kind, its password's verifier or this database."""
    driver = cast(DriverConnection, connection.connection.driver_connection)
    database = rows(connection, "select current_database() as name")[0]["name"]
    whole = sql.SQL(statement).format(
        name=sql.Identifier(name),
        quoted_name=sql.Literal(name),
        kind=sql.Identifier(kind or name),
        verifier=sql.Literal(verifier),
        database=sql.Identifier(str(database)),
    )
    connection.exec_driver_sql(whole.as_string(driver), execution_options={"no_parameters": True})


@contextmanager
def _administration(url: str) -> Iterator[Connection]:
    """A connection that may make roles; where it may not, the sentence says what to do."""
    try:
        with connect(url) as connection:
            yield connection
    except EtlError as error:
        code = getattr(getattr(error.__cause__, "orig", None), "pgcode", None)
        if code != _MISSING_RIGHT:
            raise
        raise ActionNeededError(
            "The user of WAREHOUSE_URL may not make or remove logins on this server: set WAREHOUSE_ADMIN_URL to the "
            f"warehouse's address as a superuser of it, for this one command. ({error.__cause__.orig})"  # type: ignore[union-attr]
        ) from error
