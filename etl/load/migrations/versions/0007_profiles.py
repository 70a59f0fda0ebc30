"""How playlists and users' plays sound, and what lies near: further files of sql/table and sql/view."""

from alembic import op

from etl.settings import CHECKOUT

revision = "0007"
down_revision = "0006"

_FILES = (
    "table/mart/audio_point",
    "table/mart/playlist_profile",
    "table/mart/taste_profile",
    "table/mart/discovery",
    "view/mart/attribute",
    "view/mart/audio_values",
    "view/mart/audio_scale",
    "view/mart/sound_in_words",
    "view/mart/profile",
    "view/mart/playlist_profile",
    "view/mart/taste_profile",
    "view/mart/discovery",
)


def upgrade() -> None:
    """Make the tables, and the functions and views over them."""
    connection = op.get_bind()
    for name in _FILES:
        statements = (CHECKOUT / "sql" / f"{name}.sql").read_text(encoding="utf-8")
        connection.exec_driver_sql(statements, execution_options={"no_parameters": True})
