"""Access by role: who may read what is made anew at the end of every migration, as sql/access says."""

import logging

from sqlalchemy import Connection

from etl.config import CHECKOUT
from etl.warehouse import rows

log = logging.getLogger(__name__)

ROLES = ("analyst", "operator", "listener", "artist")
"""The group roles; nobody signs in as one of them."""

ROLES_FILE = CHECKOUT / "sql" / "access" / "roles.sql"
GRANTS_FILE = CHECKOUT / "sql" / "access" / "grants.sql"


def grant_access(connection: Connection) -> None:
    """Give the group roles their rights in this warehouse; the caller commits.

    Roles that are missing are made where the connection's user may; else the log says what somebody must do.
    """
    if missing_roles(connection) and _may_make_roles(connection):
        run_file(connection, ROLES_FILE.read_text(encoding="utf-8"))
    missing = missing_roles(connection)
    if missing:
        log.warning(how_to_make(missing))
    run_file(connection, GRANTS_FILE.read_text(encoding="utf-8"))


def missing_roles(connection: Connection) -> list[str]:
    """Group roles that this server does not have, or has as somebody who signs in."""
    found = rows(
        connection,
        "select rolname from pg_roles where rolname = any(:roles) and not rolcanlogin",
        roles=list(ROLES),
    )
    return [role for role in ROLES if role not in {row["rolname"] for row in found}]


def how_to_make(missing: list[str]) -> str:
    """The sentence that says what is missing and who can mend it."""
    statements = " ".join(f"create role {role} nologin;" for role in missing)
    return (
        f"Analysts, listeners and artists cannot be let in yet, for the user of WAREHOUSE_URL may not make their group "
        f"roles: let a superuser of the server run {statements} Then start bin/run or bin/add-login again."
    )


def run_file(connection: Connection, statements: str) -> None:
    """Run the statements of a file of sql/ as they stand."""
    connection.exec_driver_sql(statements, execution_options={"no_parameters": True})


def _may_make_roles(connection: Connection) -> bool:
    found = rows(connection, "select rolsuper or rolcreaterole as may from pg_roles where rolname = current_user")
    return bool(found[0]["may"])
