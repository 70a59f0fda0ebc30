"""Logins as pg_roles and audit.login record them."""

import hashlib
from dataclasses import dataclass

from sqlalchemy import Connection, text

from etl.database import fetch_rows
from etl.errors import ActionNeededError
from etl.load.access.grants import ROLES

# A login is a role with a group role in pg_roles; its kind and entity are in audit.login. The server may host several
# warehouses, and roles are shared: CONNECT on this database distinguishes its logins from those of the others.
_LOGIN_ROWS = """
    with permitted as (
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
        l.login_name is not null and r.rolcanlogin as is_active
    from pg_roles as r
    -- A role with the admin option is not a login: it is the loader, if it has created the group roles.
    inner join pg_auth_members as m on m.member = r.oid and not m.admin_option
    inner join pg_roles as g on g.oid = m.roleid and g.rolname = any(:roles)
    left join permitted as i on i.grantee = r.oid
    left join audit.login as l on l.login_name = r.rolname and i.is_here
    where not r.rolsuper and not r.rolcreaterole and coalesce(i.is_here, true)
        -- A login that was disabled and whose role could not be dropped has connection limit 0.
        and (r.rolcanlogin or r.rolconnlimit = 0)
    order by r.rolname
"""


@dataclass(frozen=True)
class Login:
    """A login. ``kind`` is its group role; ``is_active`` is False for a role that is left of a removed login."""

    login_name: str
    kind: str
    user_id: str | None
    artist_id: str | None
    is_active: bool
    has_own_password: bool = False
    """Whether the login has changed its password itself; False if the connection's user may not see that."""


def read_logins(connection: Connection) -> list[Login]:
    """Return all logins of this warehouse, by name."""
    return [Login(**row) for row in fetch_rows(connection, _LOGIN_ROWS, roles=list(ROLES))]  # type: ignore[arg-type]


def require_login(connection: Connection, name: str) -> None:
    """Raise ActionNeededError if this warehouse has no login of a name."""
    if name not in {login.login_name for login in read_logins(connection)}:
        raise ActionNeededError(f"There is no login {name}: bin/add-login --list lists the logins.")


def record_login(connection: Connection, kind: str, name: str, entity_id: str | None, owner_id: str | None) -> None:
    """Write a row of audit.login."""
    values = {
        "login_name": name,
        "kind": kind,
        "user_id": entity_id if kind == "listener" else None,
        "owner_id": owner_id if kind == "listener" else None,
        "artist_id": entity_id if kind == "artist" else None,
    }
    # A backup of another server may have brought a row of that name.
    statement = """
        insert into audit.login (login_name, kind, user_id, owner_id, artist_id)
        values (:login_name, :kind, :user_id, :owner_id, :artist_id)
        on conflict (login_name) do update
        set kind = excluded.kind, user_id = excluded.user_id, owner_id = excluded.owner_id,
            artist_id = excluded.artist_id
    """
    connection.execute(text(statement), values)


def record_password_digest(connection: Connection, name: str, verifier: str) -> None:
    """Record the SHA-256 digest of a login's password verifier, which shows later changes of the password."""
    digest = hashlib.sha256(verifier.encode()).hexdigest()
    statement = "update audit.login set password_digest = :digest where login_name = :name"
    connection.execute(text(statement), {"name": name, "digest": digest})


def find_logins_with_own_password(connection: Connection) -> set[str]:
    """Return the logins that have changed their generated password; empty if the user may not read pg_authid."""
    if not connection.scalar(text("select has_column_privilege('pg_authid', 'rolpassword', 'select')")):
        return set()
    statement = """
        select l.login_name
        from audit.login as l
        inner join pg_authid as a on a.rolname = l.login_name
        where l.password_digest <> encode(sha256(convert_to(a.rolpassword, 'UTF8')), 'hex')
    """
    return {str(row["login_name"]) for row in fetch_rows(connection, statement)}
