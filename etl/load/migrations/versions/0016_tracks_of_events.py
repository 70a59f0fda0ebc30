"""Every name that events say of a track finds it, and plays follow their tracks to another recording: further files of
sql/table.
"""

from alembic import op

from etl.settings import CHECKOUT

revision = "0016"
down_revision = "0015"

_FILES = ("table/staging/event_track_names", "table/audit/regrouped_track")


def upgrade() -> None:
    """Drop the column for one name of each track, and add the tables; what events told so far is read once for them."""
    connection = op.get_bind()
    for name in _FILES:
        statements = (CHECKOUT / "sql" / f"{name}.sql").read_text(encoding="utf-8")
        connection.exec_driver_sql(statements, execution_options={"no_parameters": True})
