"""The star of tracks, artists and playlists, its audit and its staging: the files of sql/table.

A file that a revision runs is history: it is not edited once it has been released. What comes later is a revision of
its own, with ``alter table`` and comments for what it adds.
"""

from alembic import op

from etl.config import CHECKOUT

revision = "0001"
down_revision = None

_FILES = (
    "schemas",
    "warehouse/dim_date",
    "warehouse/dim_artist",
    "warehouse/dim_album",
    "warehouse/dim_track",
    "warehouse/track_alias",
    "warehouse/bridge_track_artist",
    "warehouse/dim_genre",
    "warehouse/bridge_track_genre",
    "warehouse/dim_audio_cluster",
    "warehouse/dim_playlist",
    "warehouse/fact_playlist_track",
    "warehouse/fact_track_popularity",
    "warehouse/fact_artist_popularity",
    "warehouse/survey_response",
    "audit/run",
    "audit/run_input",
    "audit/row_count",
    "audit/rejected_row",
    "audit/reconciliation",
    "audit/cluster_fit",
    "staging/load",
    "staging/part",
    "staging/dim_artist",
    "staging/dim_album",
    "staging/dim_track",
    "staging/track_alias",
    "staging/bridge_track_artist",
    "staging/bridge_track_genre",
    "staging/dim_audio_cluster",
    "staging/cluster_fit",
    "staging/dim_playlist",
    "staging/fact_playlist_track",
    "staging/survey_response",
    "staging/reconciliation",
    "staging/input_key",
    "staging/rejected_row",
    "staging/comments",
)


def upgrade() -> None:
    """Make all tables with their comments, and the members that stand for "not applicable" and "unknown"."""
    connection = op.get_bind()
    for name in _FILES:
        statements = (CHECKOUT / "sql" / "table" / f"{name}.sql").read_text(encoding="utf-8")
        connection.exec_driver_sql(statements, execution_options={"no_parameters": True})
