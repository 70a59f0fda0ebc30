"""Who signs in as what, and the views that show people their own rows: further files of sql/table and sql/view."""

from alembic import op

from etl.settings import CHECKOUT

revision = "0009"
down_revision = "0008"

_FILES = (
    "table/audit/login",
    "table/audit/playlist_wish",
    "view/audit/signed_in",
    "view/mart/my_login",
    "view/mart/my_playlist",
    "view/mart/my_wrapped",
    "view/mart/my_wrapped_track",
    "view/mart/my_wrapped_artist",
    "view/mart/my_wrapped_genre",
    "view/mart/my_listening_session",
    "view/mart/my_taste_profile",
    "view/mart/my_discovery",
    "view/mart/my_user_personality",
    "view/mart/my_comments",
)


def upgrade() -> None:
    """Make the table and the views; what each role may read is said by sql/access."""
    connection = op.get_bind()
    for name in _FILES:
        statements = (CHECKOUT / "sql" / f"{name}.sql").read_text(encoding="utf-8")
        connection.exec_driver_sql(statements, execution_options={"no_parameters": True})
