"""A listener can have asked for no more than so many playlists: functions made anew."""

from alembic import op

from etl.config import CHECKOUT

revision = "0021"
down_revision = "0017"

_FILES = ("view/mart/wish_for_playlist",)


def upgrade() -> None:
    """Replace the functions where they stand already; requests that a listener has made beyond the limit stay."""
    connection = op.get_bind()
    for name in _FILES:
        statements = (CHECKOUT / "sql" / f"{name}.sql").read_text(encoding="utf-8")
        connection.exec_driver_sql(statements, execution_options={"no_parameters": True})
