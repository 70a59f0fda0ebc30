"""How many events came late: a further file of sql/table."""

from alembic import op

from etl.settings import CHECKOUT

revision = "0005"
down_revision = "0004"

_FILES = ("table/audit/arrival",)


def upgrade() -> None:
    """Make the table; what was loaded before counts as not yet known."""
    connection = op.get_bind()
    for name in _FILES:
        statements = (CHECKOUT / "sql" / f"{name}.sql").read_text(encoding="utf-8")
        connection.exec_driver_sql(statements, execution_options={"no_parameters": True})
