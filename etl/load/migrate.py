"""The warehouse's tables, made or brought up to date in place with their data.

python -m etl.load.migrate    does so for the warehouse that WAREHOUSE_URL names
"""

import sys
import time
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from etl.database import connect, lock_warehouse
from etl.errors import EtlError, TryAgainError
from etl.load.access.grants import grant_access
from etl.settings import read_settings

_SCRIPTS = Path(__file__).parent / "migrations"
_LOCK_TIMEOUT = "300ms"
_ATTEMPTS, _PAUSE_SECONDS = 240, 0.5
_LOCK_NOT_AVAILABLE = "55P03"


def migrate_warehouse(url: str, revision: str = "head", further_revisions: Path | None = None) -> None:
    """Bring a warehouse to a revision and its rights to what sql/access says, in one transaction.

    Two at once, or one beside a load, wait for each other.

    :param further_revisions: a folder of revisions beyond the product's own.
    :raises TryAgainError: where readers leave no moment for it.
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
                _apply_revisions(connection, config, revision)
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
    head = ScriptDirectory(str(_SCRIPTS), version_locations=[str(_SCRIPTS / "versions")]).get_current_head()
    with connect(url) as connection:
        if connection.scalar(text("select to_regclass('audit.schema_revision')")) is None:
            return False
        current_revision = connection.scalar(text("select version_num from audit.schema_revision"))
    return bool(current_revision == head)


def _escape_percent_signs(path: Path) -> str:
    """A path as a value in which % means something."""
    return str(path).replace("%", "%%")


def _apply_revisions(connection: Connection, config: Config, revision: str) -> None:
    # All or none, soon: a reader that waits for a second for us, lock upon lock, may be refused for a deadlock.
    connection.execute(text(f"set local lock_timeout = '{_LOCK_TIMEOUT}'"))
    connection.execute(text("create schema if not exists audit"))
    command.upgrade(config, revision)
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
