"""Personalities are told from sums by day and counted plays; playlists may call their owner by another id.

Further files of sql/table and sql/view.
"""

from alembic import op

from etl.settings import CHECKOUT

revision = "0010"
down_revision = "0009"

_FILES = (
    "table/mart/told_day",
    "table/audit/account_owner",
    "table/staging/account_owner",
    "table/staging/arrival",
    "view/mart/playlist_owner",
)


def upgrade() -> None:
    """Make the tables, further columns and the view; the next build of the marts begins from nothing."""
    connection = op.get_bind()
    for name in _FILES:
        statements = (CHECKOUT / "sql" / f"{name}.sql").read_text(encoding="utf-8")
        connection.exec_driver_sql(statements, execution_options={"no_parameters": True})
