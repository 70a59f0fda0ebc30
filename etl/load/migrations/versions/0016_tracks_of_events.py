"""Every name that events say of a track finds it: a further file of sql/table."""

from alembic import op

from etl.config import CHECKOUT

revision = "0016"
down_revision = "0014"

_FILES = ("table/staging/event_track_names",)


def upgrade() -> None:
    """Drop the column for one name of each track."""
    connection = op.get_bind()
    for name in _FILES:
        statements = (CHECKOUT / "sql" / f"{name}.sql").read_text(encoding="utf-8")
        connection.exec_driver_sql(statements, execution_options={"no_parameters": True})
