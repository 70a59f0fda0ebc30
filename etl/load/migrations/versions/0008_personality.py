"""Listening personalities: a further file of sql/table, and the views that name them."""

from alembic import op

from etl.settings import CHECKOUT

revision = "0008"
down_revision = "0007"

_FILES = ("table/mart/listener_personality", "view/mart/personality", "view/mart/user_personality")


def upgrade() -> None:
    """Make the tables and the views."""
    connection = op.get_bind()
    for name in _FILES:
        statements = (CHECKOUT / "sql" / f"{name}.sql").read_text(encoding="utf-8")
        connection.exec_driver_sql(statements, execution_options={"no_parameters": True})
