"""The files of sql/marts in the order in which a build runs them."""

from etl.database import SQL_FOLDER

BASE_FILES = (
    "counted_play",
    "listener_day",
    "listening_session",
    "listener_count",
    "item_count",
    "audio_point",
    "catalogue_place",
    "personality_day",
)
"""The files of sql/marts that count plays, days and sessions and read audio features and ranks, for the marts."""

_MARTS_READ_BY_OTHERS = ("taste_profile",)
"""They run before the mart that reads their tables, ``discovery``."""

MART_FILES = (
    *_MARTS_READ_BY_OTHERS,
    *sorted({path.stem for path in (SQL_FOLDER / "marts").glob("*.sql")} - {*BASE_FILES, *_MARTS_READ_BY_OTHERS}),
)
"""The other files of sql/marts, one for each mart; docs/marts.md lists the tables that they may read."""
