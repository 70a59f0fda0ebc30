"""The star of tracks, artists and playlists, its audit and its staging: the files of sql/table and sql/view.

A file that a revision runs is history: it is not edited once it has been released. What comes later is a revision of
its own, with ``alter table`` and comments for what it adds.
"""

from alembic import op

from etl.settings import CHECKOUT

revision = "0001"
down_revision = None

_FILES = (
    "table/schemas",
    "table/warehouse/dim_date",
    "table/warehouse/dim_artist",
    "table/warehouse/dim_album",
    "table/warehouse/dim_track",
    "table/warehouse/track_alias",
    "table/warehouse/bridge_track_artist",
    "table/warehouse/dim_genre",
    "table/warehouse/bridge_track_genre",
    "table/warehouse/dim_audio_cluster",
    "table/warehouse/dim_playlist",
    "table/warehouse/fact_playlist_track",
    "table/warehouse/fact_track_popularity",
    "table/warehouse/fact_artist_popularity",
    "table/warehouse/survey_response",
    "table/warehouse/dim_user",
    "table/audit/run",
    "table/audit/run_input",
    "table/audit/row_count",
    "table/audit/rejected_row",
    "table/audit/reconciliation",
    "table/audit/cluster_fit",
    "table/audit/refresh_state",
    "table/audit/fetch",
    "table/staging/load",
    "table/staging/part",
    "table/staging/dim_artist",
    "table/staging/dim_album",
    "table/staging/dim_track",
    "table/staging/track_alias",
    "table/staging/bridge_track_artist",
    "table/staging/bridge_track_genre",
    "table/staging/dim_audio_cluster",
    "table/staging/cluster_fit",
    "table/staging/dim_playlist",
    "table/staging/fact_playlist_track",
    "table/staging/survey_response",
    "table/staging/dim_user",
    "table/staging/refresh_state",
    "table/staging/reconciliation",
    "table/staging/input_key",
    "table/staging/rejected_row",
    "table/staging/comments",
    "view/album_key",
    "view/recording_key",
)


def upgrade() -> None:
    """Make all tables with their comments, and the members that stand for "not applicable" and "unknown"."""
    connection = op.get_bind()
    for name in _FILES:
        statements = (CHECKOUT / "sql" / f"{name}.sql").read_text(encoding="utf-8")
        connection.exec_driver_sql(statements, execution_options={"no_parameters": True})
