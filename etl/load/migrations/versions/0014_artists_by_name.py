"""Artists are found by their folded name, and events get theirs once it is known: further files of sql."""

from alembic import op

from etl.settings import CHECKOUT

revision = "0014"
down_revision = "0013"

_FILES = (
    "table/warehouse/dim_artist_made_id",
    "table/audit/guessed_artist",
    "view/artist_of_name",
    "view/event_artist_key",
)


def upgrade() -> None:
    """Add the column, which the next refresh fills, and the table."""
    connection = op.get_bind()
    for name in _FILES:
        statements = (CHECKOUT / "sql" / f"{name}.sql").read_text(encoding="utf-8")
        connection.exec_driver_sql(statements, execution_options={"no_parameters": True})
