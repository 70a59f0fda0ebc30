"""Privileges of the group roles: granted again at the end of every migration, by the files of sql/access."""

import logging

from sqlalchemy import Connection

from etl.database import fetch_rows, run_sql

log = logging.getLogger(__name__)

ROLES = ("analyst", "operator", "listener", "artist")
"""The group roles; they cannot sign in."""


def grant_access(connection: Connection) -> None:
    """Grant the group roles their privileges in this warehouse; the caller commits.

    Missing roles are created if the connection's user may do so; else a warning names the statements for a superuser.
    """
    if find_missing_roles(connection) and _can_create_roles(connection):
        run_sql(connection, "access/roles")
    missing_roles = find_missing_roles(connection)
    if missing_roles:
        log.warning(format_missing_roles(missing_roles))
    elif missing_limits := find_missing_limits(connection):
        log.warning(format_missing_limits(missing_limits))
    run_sql(connection, "access/grants")


def find_missing_roles(connection: Connection) -> list[str]:
    """Return the group roles that this server lacks, or has as a role that can sign in."""
    role_rows = fetch_rows(
        connection,
        "select rolname from pg_roles where rolname = any(:roles) and not rolcanlogin",
        roles=list(ROLES),
    )
    return [role for role in ROLES if role not in {row["rolname"] for row in role_rows}]


def find_missing_limits(connection: Connection) -> list[str]:
    """Return descriptions of the ways in which a login can block others; only a superuser can close them."""
    return [
        description for description, statement in _MISSING_LIMIT_QUERIES.items() if fetch_rows(connection, statement)
    ]


_MISSING_LIMIT_QUERIES = {
    "the pipeline may not end sessions of logins that block it": """
        select where to_regprocedure('login_control.end_session(integer)') is null
    """,
    "every login may take the lock of a load": """
        select
        from pg_proc as p
        cross join aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) as a
        where p.oid = 'pg_advisory_lock(bigint)'::regprocedure and a.grantee = 0
    """,
    "logins write temporary files without a limit": """
        select
        from pg_roles as r
        inner join pg_auth_members as m on m.member = r.oid and not m.admin_option
        inner join pg_roles as g on g.oid = m.roleid and g.rolname in ('analyst', 'operator', 'listener', 'artist')
        where r.rolcanlogin and not r.rolsuper and not r.rolcreaterole and current_setting('temp_file_limit') = '-1'
            and not exists (
                select
                from pg_db_role_setting as d
                cross join unnest(d.setconfig) as c (words)
                where d.setrole = r.oid and starts_with(c.words, 'temp_file_limit=')
            )
    """,
    "max_prepared_transactions is not 0, so that a login can leave locks that outlive its session": """
        select where current_setting('max_prepared_transactions') <> '0'
    """,
    "max_notify_queue_pages allows notifications of logins to fill more than 1 GB": """
        select from pg_settings where name = 'max_notify_queue_pages' and setting::bigint > 131072
    """,
}
"""Each query returns a row if its description is true."""


def format_missing_limits(missing_limits: list[str]) -> str:
    """Return the message that explains how a login can block others, and how a superuser prevents it."""
    return (
        f"One login can block all others on this server: {'; '.join(missing_limits)}. A superuser must run "
        "sql/access/roles.sql in the warehouse's database, and set up the server as docs/access.md says."
    )


def format_missing_roles(missing_roles: list[str]) -> str:
    """Return the message with the missing roles and the statements for a superuser."""
    statements = " ".join(f"create role {role} nologin;" for role in missing_roles)
    return (
        f"Logins cannot be added yet: the user of WAREHOUSE_URL may not create their group roles. A superuser of the "
        f"server must run {statements} Then start bin/run or bin/add-login again."
    )


def _can_create_roles(connection: Connection) -> bool:
    privilege_rows = fetch_rows(
        connection, "select rolsuper or rolcreaterole as may from pg_roles where rolname = current_user"
    )
    return bool(privilege_rows[0]["may"])
