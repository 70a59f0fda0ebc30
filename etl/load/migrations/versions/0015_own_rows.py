"""Own rows are read inside of functions, which also keep wishes, and a wished playlist shows once the own account has
read it: further files of sql, and views made anew.
"""

from alembic import op

from etl.settings import CHECKOUT

revision = "0015"
down_revision = "0014"

_FILES = (
    "table/audit/playlist_wish_read",
    "table/mart/counted_track_recording",
    "view/mart/my_event",
    "view/mart/my_playlist_wish",
    "view/mart/my_playlist_profile",
    "view/mart/my_comments",
    "view/mart/wish_for_playlist",
    "view/mart/read_my",
)


def upgrade() -> None:
    """Make the views, or replace them where they stand already; then each becomes a function's."""
    connection = op.get_bind()
    for name in _FILES:
        statements = (CHECKOUT / "sql" / f"{name}.sql").read_text(encoding="utf-8")
        connection.exec_driver_sql(statements, execution_options={"no_parameters": True})
