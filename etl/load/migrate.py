"""The warehouse's tables, made or brought up to date in place with their data.

A new warehouse is made from sql/schema, which is always the newest state. One that exists runs the revisions that it
lacks; ``0001_baseline`` is the state that they start from.

python -m etl.load.migrate    does so for the warehouse that WAREHOUSE_URL names
"""

import re
import sys
import time
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from etl.database import connect, lock_warehouse, run_sql
from etl.errors import ActionNeededError, EtlError, TryAgainError
from etl.load.access.grants import grant_access
from etl.load.schema import comment_schema, create_schema
from etl.settings import read_settings

_SCRIPTS = Path(__file__).parent / "migrations"
_BASELINE = "0001_baseline"
_FORMER = re.compile(r"\d{4}")
"""Revisions of development versions, before the baseline."""

_LAST_FORMER = "0024"
"""The one of them that made the same tables as the baseline."""

_LOCK_TIMEOUT = "300ms"
_ATTEMPTS, _PAUSE_SECONDS = 240, 0.5
_LOCK_NOT_AVAILABLE = "55P03"


def migrate_warehouse(url: str, further_revisions: Path | None = None) -> None:
    """Bring a warehouse to the newest revision, its comments to those of sql/schema and its rights to those of
    sql/access, in one transaction.

    Two at once, or one beside a load, wait for each other.

    :param further_revisions: a folder of revisions beyond the product's own.
    :raises TryAgainError: where readers leave no moment for it.
    :raises ActionNeededError: where the warehouse is of a development version before the baseline.
    :raises EtlError: as ``warehouse.explained`` says.
    """
    folders = [_SCRIPTS / "versions", *([further_revisions] if further_revisions else [])]
    config = Config()
    config.set_main_option("script_location", _escape_percent_signs(_SCRIPTS))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", "\n".join(map(_escape_percent_signs, folders)))
    with lock_warehouse(url) as connection:
        config.attributes["connection"] = connection
        for _ in range(_ATTEMPTS):
            try:
                _apply_revisions(connection, config)
            except OperationalError as error:
                connection.rollback()
                if getattr(error.orig, "pgcode", None) != _LOCK_NOT_AVAILABLE:
                    raise
                time.sleep(_PAUSE_SECONDS)
            else:
                return
    raise TryAgainError(
        "The warehouse was not migrated, for somebody has been reading its tables for minutes without a pause: end what"
        " reads them for so long, then start again."
    )


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
    """A path as a value in which % means something."""
    return str(path).replace("%", "%%")


def _apply_revisions(connection: Connection, config: Config) -> None:
    # All or none, soon: a reader that waits for a second for us, lock upon lock, may be refused for a deadlock.
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

    :returns: 0, or 1 after a sentence that says why it is as it was.
    """
    try:
        migrate_warehouse(read_settings().warehouse_url)
    except EtlError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
