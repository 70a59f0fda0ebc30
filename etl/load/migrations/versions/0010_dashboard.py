"""What listeners see of playlists and taste, and the playlists that they ask for: further files of sql."""

from alembic import op

from etl.config import CHECKOUT

revision = "0010"
down_revision = "0009"

_FILES = (
    "table/audit/playlist_wish",
    "view/mart/my_taste_profile",
    "view/mart/my_discovery",
    "view/mart/my_profile",
    "view/mart/my_comments",
)


def upgrade() -> None:
    """Make the table and the views; what each role may read is said by sql/access."""
    connection = op.get_bind()
    for name in _FILES:
        statements = (CHECKOUT / "sql" / f"{name}.sql").read_text(encoding="utf-8")
        connection.exec_driver_sql(statements, execution_options={"no_parameters": True})
