"""Users' counts are no longer kept in the order of their ranks: a file of sql/table."""

from alembic import op

from etl.settings import CHECKOUT

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Drop the index; counts that stand already get their room when the marts are next built from nothing."""
    statements = (CHECKOUT / "sql" / "table" / "mart" / "listener_count_room.sql").read_text(encoding="utf-8")
    op.get_bind().exec_driver_sql(statements, execution_options={"no_parameters": True})
