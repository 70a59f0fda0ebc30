"""Playlists and saved tracks of account exports: further files of sql/table."""

from alembic import op

from etl.settings import CHECKOUT

revision = "0024"
down_revision = "0023"

_FILES = ("table/staging/exported_playlist", "table/audit/exported_playlist")


def upgrade() -> None:
    """Add the tables."""
    connection = op.get_bind()
    for name in _FILES:
        statements = (CHECKOUT / "sql" / f"{name}.sql").read_text(encoding="utf-8")
        connection.exec_driver_sql(statements, execution_options={"no_parameters": True})
