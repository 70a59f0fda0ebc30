"""Events, what sources said of users, and playlists snapshot by snapshot: further files of sql/table and sql/view."""

from alembic import op

from etl.settings import CHECKOUT

revision = "0002"
down_revision = "0001"

_FILES = (
    "table/warehouse/user_record",
    "table/warehouse/dim_playlist_seen",
    "table/warehouse/dim_play_context",
    "table/warehouse/fact_event",
    "table/warehouse/fact_spoken_event",
    "table/audit/input",
    "table/audit/run_tracks_added",
    "table/staging/user_record",
    "table/staging/playlist_snapshot",
    "table/staging/fact_event",
    "table/staging/event_members",
    "table/audit/dropped_event",
    "table/staging/event_comments",
)


def upgrade() -> None:
    """Make the tables, and records of the users that are known already."""
    connection = op.get_bind()
    for name in _FILES:
        statements = (CHECKOUT / "sql" / f"{name}.sql").read_text(encoding="utf-8")
        connection.exec_driver_sql(statements, execution_options={"no_parameters": True})
