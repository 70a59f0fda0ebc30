"""Artists of a track stand at positions from 1, and the tracks of one's own playlists name the first: a further file of
sql/table, and a view made anew.
"""

from alembic import op

from etl.settings import CHECKOUT

revision = "0013"
down_revision = "0012"

_FILES = ("table/warehouse/bridge_track_artist_position", "view/mart/my_playlist")


def upgrade() -> None:
    """Tighten the check of positions, and replace the view where it stands already."""
    connection = op.get_bind()
    for name in _FILES:
        statements = (CHECKOUT / "sql" / f"{name}.sql").read_text(encoding="utf-8")
        connection.exec_driver_sql(statements, execution_options={"no_parameters": True})
