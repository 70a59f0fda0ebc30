"""Artists read numbers that were published in batches, and a listener's playlists are those of the listener's account:
further files of sql/table, and views made anew.
"""

from alembic import op

from etl.settings import CHECKOUT

revision = "0022"
down_revision = "0021"

_FILES = (
    "table/audit/published_artist",
    "view/audit/signed_in_owner",
    "view/audit/publish_artists",
    "view/mart/my_artist",
    "view/mart/my_comments",
    "view/mart/read_my",
)


def upgrade() -> None:
    """Make the tables and views, and publish the first batch of each artist who has a login."""
    connection = op.get_bind()
    for name in _FILES:
        statements = (CHECKOUT / "sql" / f"{name}.sql").read_text(encoding="utf-8")
        connection.exec_driver_sql(statements, execution_options={"no_parameters": True})
    connection.exec_driver_sql("select audit.publish_artists()")
