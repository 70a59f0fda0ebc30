"""A listener can have asked for no more than so many playlists, and a login that has chosen its own password is known:
functions made anew, and a further file of sql/table.
"""

from alembic import op

from etl.settings import CHECKOUT

revision = "0021"
down_revision = "0019"

_FILES = ("table/audit/login_password", "view/mart/wish_for_playlist")


def upgrade() -> None:
    """Add the column and replace the functions; requests that a listener has made beyond the limit stay."""
    connection = op.get_bind()
    for name in _FILES:
        statements = (CHECKOUT / "sql" / f"{name}.sql").read_text(encoding="utf-8")
        connection.exec_driver_sql(statements, execution_options={"no_parameters": True})
