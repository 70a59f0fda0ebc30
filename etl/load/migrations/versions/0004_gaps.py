"""Gaps in recently played tracks, and events with names for analysts: further files of sql/table and sql/view."""

from alembic import op

from etl.settings import CHECKOUT

revision = "0004"
down_revision = "0003"

_FILES = ("table/audit/gap", "view/mart/event_wide")


def upgrade() -> None:
    """Make the table and the view."""
    connection = op.get_bind()
    for name in _FILES:
        statements = (CHECKOUT / "sql" / f"{name}.sql").read_text(encoding="utf-8")
        connection.exec_driver_sql(statements, execution_options={"no_parameters": True})
