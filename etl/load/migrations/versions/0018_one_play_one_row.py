"""A play that several records report is one row: the names of tracks, and account exports that are loaded again."""

from alembic import op

from etl.settings import CHECKOUT

revision = "0018"
down_revision = "0017"

_FILES = ("table/audit/track_name", "table/audit/reload_input", "view/reloaded_input")


def upgrade() -> None:
    """Add the tables and the view, and mark the account exports that the warehouse holds."""
    connection = op.get_bind()
    for name in _FILES:
        statements = (CHECKOUT / "sql" / f"{name}.sql").read_text(encoding="utf-8")
        connection.exec_driver_sql(statements, execution_options={"no_parameters": True})
