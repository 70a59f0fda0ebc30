"""Migration of the warehouse: create its tables, or bring them up to date in place with their data.

A new warehouse is created from sql/schema, which is always the newest state. An existing one runs the revisions that it
lacks, from ``0001_baseline`` on.

python -m etl.load.migrate    migrates the warehouse of WAREHOUSE_URL
"""

import re
import sys
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from etl.database import connect, get_sqlstate, lock_warehouse, retry_when_locked, run_sql
from etl.database.locks import LOCK_NOT_AVAILABLE
from etl.errors import ActionNeededError, EtlError, TryAgainError
from etl.load.access.grants import grant_access
from etl.load.schema import comment_schema, create_schema
from etl.settings import read_settings

_SCRIPTS = Path(__file__).parent / "migrations"
_BASELINE = "0001_baseline"
_FORMER = re.compile(r"\d{4}")
"""Revisions of development versions, before the baseline."""

_LAST_FORMER = "0024"
"""The last of them, which creates the same tables as the baseline."""

_LOCK_TIMEOUT = "300ms"
_ATTEMPTS, _PAUSE_SECONDS = 240, 0.5


def migrate_warehouse(url: str, further_revisions: Path | None = None) -> None:
    """Bring a warehouse to the newest revision, in one transaction, with the comments of sql/schema and the privileges
    of sql/access.

    Migrations and loads wait for each other.

    :param further_revisions: a folder of revisions beyond the product's own.
    :raises TryAgainError: if readers lock the tables without a pause.
    :raises ActionNeededError: if the warehouse is of a development version before the baseline.
    :raises EtlError: as ``connection.explain_error`` decides.
    """
    folders = [_SCRIPTS / "versions", *([further_revisions] if further_revisions else [])]
    config = Config()
    config.set_main_option("script_location", _escape_percent_signs(_SCRIPTS))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", "\n".join(map(_escape_percent_signs, folders)))
    with lock_warehouse(url) as connection:
        config.attributes["connection"] = connection
        try:
            retry_when_locked(
                lambda: _apply_revisions(connection, config),
                _ATTEMPTS,
                _PAUSE_SECONDS,
                before_retry=connection.rollback,
            )
        except OperationalError as error:
            if get_sqlstate(error) != LOCK_NOT_AVAILABLE:
                raise
            raise TryAgainError(
                "The warehouse was not migrated: other sessions have read its tables for minutes without a pause. End"
                " these sessions, then start again."
            ) from error


def is_migrated(url: str) -> bool:
    """Return whether a warehouse has the tables of the newest revision."""
    with connect(url) as connection:
        return _current_revision(connection) == _newest_revision()


def _newest_revision() -> str:
    """Return the newest of the product's own revisions."""
    scripts = ScriptDirectory(str(_SCRIPTS), version_locations=[str(_SCRIPTS / "versions")])
    return str(scripts.get_current_head())


def _current_revision(connection: Connection) -> str | None:
    """Return the revision of a warehouse; None for a database without one."""
    if connection.scalar(text("select to_regclass('audit.schema_revision')")) is None:
        return None
    found: str | None = connection.scalar(text("select version_num from audit.schema_revision"))
    return found


def _escape_percent_signs(path: Path) -> str:
    """Return a path for a configuration value, in which % begins an interpolation."""
    return str(path).replace("%", "%%")


def _apply_revisions(connection: Connection, config: Config) -> None:
    # Short, so that the migration takes all its locks quickly or none: a reader that waits for one lock while the
    # migration waits for another of its locks is a deadlock, which PostgreSQL ends after a second.
    connection.execute(text(f"set local lock_timeout = '{_LOCK_TIMEOUT}'"))
    current = _current_revision(connection)
    if current is None:
        create_schema(connection)
        command.stamp(config, _newest_revision())
    elif current == _LAST_FORMER:
        command.stamp(config, _BASELINE, purge=True)
    elif _FORMER.fullmatch(current):
        raise ActionNeededError(
            f"The warehouse is at revision {current} of a development version, which cannot be upgraded in one step:"
            f" check out commit bc0919d, run python -m etl.load.migrate there, which brings it to revision"
            f" {_LAST_FORMER}, then start this version again."
        )
    command.upgrade(config, "head")
    comment_schema(connection)
    run_sql(connection, "access/own_rows")
    grant_access(connection)
    connection.commit()


def main() -> int:
    """Migrate the warehouse of the environment.

    :returns: 0, or 1 after a message with the reason why the warehouse is unchanged.
    """
    try:
        migrate_warehouse(read_settings().warehouse_url)
    except EtlError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
