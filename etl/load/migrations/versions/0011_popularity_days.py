"""What the API said of popularity is staged day by day: further files of sql/table."""

from alembic import op

from etl.settings import CHECKOUT

revision = "0011"
down_revision = "0010"

_FILES = ("table/staging/fact_track_popularity", "table/staging/fact_artist_popularity")


def upgrade() -> None:
    """Make the tables."""
    connection = op.get_bind()
    for name in _FILES:
        statements = (CHECKOUT / "sql" / f"{name}.sql").read_text(encoding="utf-8")
        connection.exec_driver_sql(statements, execution_options={"no_parameters": True})
