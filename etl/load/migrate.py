"""The warehouse's tables, made or brought up to date in place with their data."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import text

from etl.load.access import grant_access
from etl.warehouse import exclusive

_SCRIPTS = Path(__file__).parent / "migrations"


def migrate(url: str, revision: str = "head", further_revisions: Path | None = None) -> None:
    """Bring a warehouse to a revision and its rights to what sql/access says, in one transaction.

    Two at once, or one beside a load, wait for each other.

    :param further_revisions: a folder of revisions beyond the product's own.
    :raises EtlError: as ``warehouse.explained`` says.
    """
    folders = [_SCRIPTS / "versions", *([further_revisions] if further_revisions else [])]
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", "\n".join(map(str, folders)))
    with exclusive(url) as connection:
        connection.execute(text("create schema if not exists audit"))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        grant_access(connection)
        connection.commit()
