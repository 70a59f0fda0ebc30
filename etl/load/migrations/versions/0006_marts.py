"""What the marts count, and what has been touched since: further files of sql/table and sql/view."""

from alembic import op

from etl.settings import CHECKOUT

revision = "0006"
down_revision = "0005"

_FILES = (
    "table/warehouse/exclusion",
    "table/mart/definition",
    "table/mart/applied_exclusion",
    "table/mart/circumstance",
    "table/mart/counted_track",
    "table/mart/counted_play",
    "table/mart/listener_day",
    "table/mart/listener_count",
    "table/mart/listener_year",
    "table/mart/session",
    "table/mart/chart",
    "table/mart/artist",
    "table/mart/engagement",
    "view/mart/listener",
    "view/mart/listening_event",
    "view/mart/play",
    "view/mart/wrapped",
    "view/mart/wrapped_track",
    "view/mart/wrapped_artist",
    "view/mart/wrapped_genre",
    "view/mart/top_by_continent",
    "view/mart/artist_audience",
    "view/mart/listening_session",
    "view/mart/active_users",
    "table/audit/touched_day",
    "table/audit/touched_track",
    "table/audit/touched_playlist",
)


def upgrade() -> None:
    """Make the tables, the views over them, and the triggers that note what has been touched."""
    connection = op.get_bind()
    for name in _FILES:
        statements = (CHECKOUT / "sql" / f"{name}.sql").read_text(encoding="utf-8")
        connection.exec_driver_sql(statements, execution_options={"no_parameters": True})
