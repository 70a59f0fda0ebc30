"""Logins of people: roles that sign in, each a member of one group role, and what audit.login says of them.

Whoever calls this is the superuser of the embedded server, or on another server a role that may make roles. A password
goes to the server as its SCRAM verifier, so that no log of the server can hold it.
"""

import hashlib
import logging
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import cast

from psycopg2.extensions import connection as DriverConnection
from psycopg2.extensions import encrypt_password
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from etl.database import connect, explain_error, fetch_rows, has_control_characters, lock_warehouse, make_engine
from etl.database.sessions import Session, end_session, has_session_control, list_sessions
from etl.errors import ActionNeededError, EtlError
from etl.load.access.grants import ROLES, find_missing_roles, format_missing_roles, grant_access
from etl.load.access.login_removal import disable_login, drop_login_role, end_sessions, run_role_statement, update_role
from etl.passwords import generate_password

log = logging.getLogger(__name__)

_LOGIN_NAME = re.compile(r"[a-z][a-z0-9_.-]{0,62}")
_ENTITY_QUERIES = {
    "listener": ("user", "select user_id from warehouse.dim_user where user_key > 0 and user_id = :id limit 1"),
    "artist": ("artist", "select artist_id from warehouse.dim_artist where artist_key > 0 and artist_id = :id"),
}
_LOGIN_ROWS = """
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
        l.login_name is not null and r.rolcanlogin as is_known
    from pg_roles as r
    -- Who may give a group role away is no login of ours: the loader, where it has made them.
    inner join pg_auth_members as m on m.member = r.oid and not m.admin_option
    inner join pg_roles as g on g.oid = m.roleid and g.rolname = any(:roles)
    left join let_in as i on i.grantee = r.oid
    left join audit.login as l on l.login_name = r.rolname and i.is_here
    where not r.rolsuper and not r.rolcreaterole and coalesce(i.is_here, true)
        -- A login that was shut out and could not be removed keeps no connection.
        and (r.rolcanlogin or r.rolconnlimit = 0)
    order by r.rolname
"""
_MISSING_RIGHT, _OBJECTS_IN_USE, _UNKNOWN_COLUMN = "42501", "2BP01", "42703"
_CONNECTION_LIMIT = 12
_TIMEOUTS = {"idle_in_transaction_session_timeout": "10min", "statement_timeout": "30min"}
"""As login_control.limit_login of sql/access/roles.sql sets them."""


@dataclass(frozen=True)
class Login:
    """Who signs in. ``kind`` is the group role; ``is_known`` is False for what is left of a forgotten person, or of a
    login that was shut out."""

    login_name: str
    kind: str
    user_id: str | None
    artist_id: str | None
    is_known: bool
    has_own_password: bool = False
    """Whether the login has chosen its password itself; only a superuser is told."""


def add_login(url: str, kind: str, name: str, entity_id: str | None = None, owner_id: str | None = None) -> str:
    """Make a login.

    :param kind: the group role: analyst, operator, listener or artist.
    :param whose_id: of a listener the user's id, of an artist the artist's.
    :param owner_id: of a listener, what playlists call their owner where that is another id.
    :returns: its password, which is kept nowhere.
    :raises ActionNeededError: where the name cannot be had, nobody has that id, playlists of another account would
        show, or a right is missing.
    """
    _validate_login(kind, name, entity_id)
    _make_group_roles(url)
    password = generate_password(18)
    with _connect_as_admin(url) as connection:
        if fetch_rows(connection, "select from pg_roles where rolname = :name", name=name):
            raise ActionNeededError(f"The server has a role {name} already: name another one, or remove it first.")
        _check_entity_exists(connection, kind, entity_id)
        if kind == "listener":
            owner_id = owner_id or _find_playlist_owner_id(connection, str(entity_id))
        run_role_statement(connection, "create role {name} login", name)
        verifier = _make_scram_verifier(connection, name, password)
        run_role_statement(connection, "alter role {name} password {verifier}", name, verifier=verifier)
        run_role_statement(connection, "grant {kind} to {name}", name, kind=kind)
        run_role_statement(connection, "grant connect on database {database} to {name}", name)
        _set_limits(connection, name)
        _record_login(connection, kind, name, entity_id, owner_id)
        _record_password_digest(connection, name, verifier)
    return password


def reset_password(url: str, name: str) -> str:
    """Give a login another password; connections that are open stay so.

    :raises ActionNeededError: where there is no such login or a right is missing.
    """
    password = generate_password(18)
    with _connect_as_admin(url) as connection:
        _require_login(connection, name)
        verifier = _make_scram_verifier(connection, name, password)
    with _connect_as_admin(url, is_autocommit=True) as connection:
        update_role(connection, name, "alter role {name} password {verifier}", verifier=verifier)
        _record_password_digest(connection, name, verifier)
    return password


def remove_login(url: str, name: str) -> None:
    """Shut a login out, end its sessions, then take away what is left of it.

    :raises ActionNeededError: where there is no such login or a right is missing; or where its role stays on the
        server, shut out, with what to do about it.
    """
    with _connect_as_admin(url) as connection:
        _require_login(connection, name)
    with _explain_errors(url):
        disable_login(url, name)
        drop_login_role(url, name)


def list_login_sessions(url: str) -> list[Session]:
    """Return the sessions of all logins in this warehouse."""
    with connect(url) as connection:
        return list_sessions(connection)


def end_login_sessions(url: str, name_or_pid: str) -> int:
    """End a session by its number, or all sessions of a login.

    :returns: how many were ended.
    :raises ActionNeededError: where there is no such session or login, or a right is missing.
    """
    with _connect_as_admin(url, is_autocommit=True) as connection:
        if name_or_pid.isdecimal():
            if not end_session(connection, int(name_or_pid)):
                raise ActionNeededError(
                    f"No login has a session {name_or_pid}: bin/add-login --sessions shows those that there are."
                )
            return 1
        _require_login(connection, name_or_pid)
        count = sum(session.login_name == name_or_pid for session in list_sessions(connection))
        remaining_sessions = end_sessions(connection, name_or_pid)
    if remaining_sessions:
        raise ActionNeededError(
            f"{remaining_sessions} sessions of {name_or_pid} go on, for the user of WAREHOUSE_URL may not end them: for this one "
            "command set WAREHOUSE_ADMIN_URL to the warehouse's address as a superuser of it."
        )
    return count


def list_logins(url: str) -> list[Login]:
    """All logins of this warehouse, by name; those of another warehouse of the server do not count."""
    with _explain_errors(url), connect(url) as connection:
        self_set_names = _find_logins_with_own_password(connection)
        return [
            replace(login, has_own_password=login.login_name in self_set_names) for login in _read_logins(connection)
        ]


def erase_logins(connection: Connection, user_ids: Collection[str]) -> int:
    """Take the logins of users away, as far as the connection's user may; the caller commits.

    :returns: how many roles are left on the server; they can no longer enter this warehouse.
    """
    remaining_roles = 0
    login_rows = fetch_rows(
        connection, "select login_name from audit.login where user_id = any(:ids)", ids=sorted(user_ids)
    )
    for name in (str(row["login_name"]) for row in login_rows):
        if fetch_rows(connection, "select from pg_roles where rolname = :name", name=name):
            run_role_statement(connection, "revoke all on database {database} from {name}", name)
            end_sessions(connection, name)
            _try_role_statement(
                connection, "grant {name} to current_user", name
            )  # who has its rights drops what it owns
            statements = ("alter role {name} nologin connection limit 0 password null", "drop owned by {name}")
            remaining_roles += not all(
                _try_role_statement(connection, statement, name) for statement in (*statements, "drop role {name}")
            )
        connection.execute(text("delete from audit.login where login_name = :name"), {"name": name})
    return remaining_roles


def _read_logins(connection: Connection) -> list[Login]:
    return [Login(**row) for row in fetch_rows(connection, _LOGIN_ROWS, roles=list(ROLES))]  # type: ignore[arg-type]


def _validate_login(kind: str, name: str, entity_id: str | None) -> None:
    if not _LOGIN_NAME.fullmatch(name) or name.startswith("pg_") or name in (*ROLES, "public", "none"):
        raise ActionNeededError(
            f"A login cannot be called {name!r}: small letters, digits, dots, dashes and underscores, a letter first."
        )
    if has_control_characters(entity_id or ""):
        raise ActionNeededError(f"The id {entity_id!r} has control characters or is no text: no user or artist has it.")
    if (kind in _ENTITY_QUERIES) != (entity_id is not None):
        entity, _ = _ENTITY_QUERIES.get(kind, ("", ""))
        requirement = f"needs the id of its {entity}" if entity else "has no id"
        raise ActionNeededError(f"A login for {kind} {requirement}: see bin/add-login --help.")


def _check_entity_exists(connection: Connection, kind: str, entity_id: str | None) -> None:
    entity, statement = _ENTITY_QUERIES.get(kind, ("", ""))
    if entity and not fetch_rows(connection, statement, id=entity_id):
        id_column = f"{entity}_id of warehouse.dim_{entity}"
        raise ActionNeededError(f"The warehouse knows no {entity} {entity_id!r}: give a {id_column}.")


def _find_playlist_owner_id(connection: Connection, user_id: str) -> str | None:
    """Return what playlists call a user as their owner, where the user's account has been read; else None.

    :raises ActionNeededError: where playlists of another account bear the user's id: the login would see them.
    """
    owner_rows = fetch_rows(connection, "select owner_id from audit.account_owner where user_id = :id", id=user_id)
    if owner_rows:
        return str(owner_rows[0]["owner_id"])
    statement = """
        select from warehouse.dim_playlist where owner_id = :id and source = 'api'
        union all
        select from audit.account_owner where owner_id = :id
    """
    if fetch_rows(connection, statement, id=user_id):
        raise ActionNeededError(
            f"The user {user_id!r} is known by an import or a feed alone, and a Spotify account of the same id owns "
            "playlists here, which the login would see. If that is the user's own account, let it sign in by "
            "bin/sign-in and run a refresh; else import the user's history under another id. Then make the login."
        )
    return None


def _require_login(connection: Connection, name: str) -> None:
    if name not in {login.login_name for login in _read_logins(connection)}:
        raise ActionNeededError(f"There is no login {name}: bin/add-login --list shows those that there are.")


def _make_group_roles(url: str) -> None:
    """Make the group roles where they are missing, and give them their rights."""
    with _connect_as_admin(url) as connection:
        missing_role_names = find_missing_roles(connection)
    if missing_role_names:
        with lock_warehouse(url, wait_seconds=60) as connection:
            grant_access(connection)
            connection.commit()
            missing_role_names = find_missing_roles(connection)
    if missing_role_names:
        raise ActionNeededError(format_missing_roles(missing_role_names))


def _record_login(connection: Connection, kind: str, name: str, entity_id: str | None, owner_id: str | None) -> None:
    values = {
        "login_name": name,
        "kind": kind,
        "user_id": entity_id if kind == "listener" else None,
        "owner_id": owner_id if kind == "listener" else None,
        "artist_id": entity_id if kind == "artist" else None,
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


def _record_password_digest(connection: Connection, name: str, verifier: str) -> None:
    digest = hashlib.sha256(verifier.encode()).hexdigest()
    statement = "update audit.login set password_digest = :digest where login_name = :name"
    connection.execute(text(statement), {"name": name, "digest": digest})


def _find_logins_with_own_password(connection: Connection) -> set[str]:
    """Return the logins whose password is not the one that was made for them, where we may see that."""
    if not connection.scalar(text("select has_column_privilege('pg_authid', 'rolpassword', 'select')")):
        return set()
    statement = """
        select l.login_name
        from audit.login as l
        inner join pg_authid as a on a.rolname = l.login_name
        where l.password_digest <> encode(sha256(convert_to(a.rolpassword, 'UTF8')), 'hex')
    """
    return {str(row["login_name"]) for row in fetch_rows(connection, statement)}


def _set_limits(connection: Connection, name: str) -> None:
    """Give a login its limits, as far as the connection's user may."""
    if has_session_control(connection):
        connection.execute(text("select login_control.limit_login(:name)"), {"name": name})
        return
    run_role_statement(connection, "alter role {name} connection limit " + str(_CONNECTION_LIMIT), name)
    for setting, value in _TIMEOUTS.items():
        run_role_statement(connection, f"alter role {{name}} set {setting} = '{value}'", name)


def _try_role_statement(connection: Connection, statement: str, name: str) -> bool:
    """Run a statement; False where we may not, and then nothing has happened."""
    try:
        with connection.begin_nested():
            run_role_statement(connection, statement, name)
    except DBAPIError as error:
        if getattr(error.orig, "pgcode", None) not in (_MISSING_RIGHT, _OBJECTS_IN_USE):
            raise
        return False
    return True


def _make_scram_verifier(connection: Connection, name: str, password: str) -> str:
    driver_connection = cast(DriverConnection, connection.connection.driver_connection)
    return encrypt_password(password, name, driver_connection, "scram-sha-256")


@contextmanager
def _connect_as_admin(url: str, is_autocommit: bool = False) -> Iterator[Connection]:
    """A connection that may make roles; where it may not, the message says what to do.

    :param is_autocommit: each of its statements commits.
    """
    with _explain_errors(url):
        if is_autocommit:
            with make_engine(url).connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                yield connection
        else:
            with connect(url) as connection:
                yield connection


@contextmanager
def _explain_errors(url: str) -> Iterator[None]:
    """Failures of the server as messages that say what to do."""
    try:
        yield
    except (DBAPIError, EtlError) as error:
        cause = error if isinstance(error, DBAPIError) else error.__cause__
        original = getattr(cause, "orig", None)
        if getattr(original, "pgcode", None) == _UNKNOWN_COLUMN:
            raise ActionNeededError(
                "The warehouse has not been migrated: start bin/run, or python -m etl.load.migrate, then try again."
            ) from error
        if getattr(original, "pgcode", None) == _MISSING_RIGHT:
            raise ActionNeededError(
                "The user of WAREHOUSE_URL may not make or remove logins on this server: set WAREHOUSE_ADMIN_URL to "
                f"the warehouse's address as a superuser of it, for this one command. ({original})"
            ) from error
        if isinstance(error, EtlError):
            raise
        explanation = explain_error(error, url)
        if explanation is None:
            raise
        raise explanation from error
