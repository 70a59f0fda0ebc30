"""The audit says how an input was read: a further file of sql/table."""

from alembic import op

from etl.settings import CHECKOUT

revision = "0023"
down_revision = "0022"

_FILES = ("table/audit/run_input_reading",)


def upgrade() -> None:
    """Add the columns; of earlier runs nothing is known."""
    connection = op.get_bind()
    for name in _FILES:
        statements = (CHECKOUT / "sql" / f"{name}.sql").read_text(encoding="utf-8")
        connection.exec_driver_sql(statements, execution_options={"no_parameters": True})
