"""Artists with and without a leading "the" are two, and no playlist had anything in 1970: further files of sql."""

from alembic import op

from etl.config import CHECKOUT

revision = "0019"
down_revision = "0017"

_FILES = (
    "table/warehouse/fact_playlist_track_possible_times",
    "table/warehouse/dim_artist_variant_made_id",
    "table/warehouse/dim_artist_leading_the",
    "view/artist_of_name",
    "view/recording_key",
)


def upgrade() -> None:
    """Add the column, which the next refresh fills, and mend what stands there."""
    connection = op.get_bind()
    for name in _FILES:
        statements = (CHECKOUT / "sql" / f"{name}.sql").read_text(encoding="utf-8")
        connection.exec_driver_sql(statements, execution_options={"no_parameters": True})
