"""Albums of the tracks of ``listening``, and plays of podcasts and audiobooks."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, text

from etl.database import run_statements
from tests.marts.listening import HOMES

NOON = datetime(2026, 1, 10, 12, tzinfo=UTC)


@dataclass(frozen=True)
class SpokenPlay:
    """A row of fact_spoken_event by its main fields."""

    user: int
    at: datetime
    ms_played: int
    show: str | None
    spoken_id: str = "spotify:episode:1"
    activity_type: str = "PLAY"

    @property
    def local_time(self) -> datetime:
        """Return the time on the listener's clock."""
        return self.at.astimezone(ZoneInfo(HOMES[self.user % len(HOMES)][2])).replace(tzinfo=None)


SPOKEN = (
    SpokenPlay(1, NOON, 1_800_000, "History", "spotify:episode:1"),
    SpokenPlay(1, NOON + timedelta(hours=2), 3_600_000, "Moby Dick", "spotify:chapter:1"),
    SpokenPlay(1, NOON + timedelta(days=1), 1_700_000, "History", "name:2"),
    SpokenPlay(1, NOON + timedelta(days=9), 30_000, None, "spotify:episode:9"),
    SpokenPlay(1, NOON + timedelta(days=9), 29_999, "Too short"),
    SpokenPlay(1, NOON + timedelta(days=9), 90_000, "No play", activity_type="PAUSE"),
    SpokenPlay(2, datetime(2026, 1, 31, 15, 30, tzinfo=UTC), 60_000, "At midnight in Tokyo"),
    SpokenPlay(3, NOON, 60_000, "Of another"),
)


def insert_spoken(connection: Connection, plays: tuple[SpokenPlay, ...]) -> None:
    """Insert plays of podcasts and audiobooks, with the partitions that they need."""
    for month in ("2025-12-01", "2026-01-01", "2026-02-01"):
        connection.execute(
            text(
                f"create table warehouse.fact_spoken_event_{month[:7].replace('-', '_')} partition of"
                f" warehouse.fact_spoken_event for values from ('{month}') to (date '{month}' + interval '1 month')"
            )
        )
    statement = (
        "insert into warehouse.fact_spoken_event (event_id, event_time, local_time, user_key, context_key, date_key,"
        " utc_date_key, ms_played, input_key, local_hour, is_skipped, is_home_time, spoken_id, show_name,"
        " activity_type, source) values (gen_random_uuid(), :at, :local, :user, 0, 0, 0, :ms, 1, :hour, false, true,"
        " :id, :show, :activity, 'extended_export')"
    )
    for play in plays:
        row = {"at": play.at, "local": play.local_time, "user": play.user, "ms": play.ms_played}
        more = {"hour": play.local_time.hour, "id": play.spoken_id, "show": play.show, "activity": play.activity_type}
        connection.execute(text(statement), row | more)


def add_albums(connection: Connection) -> None:
    """Put the tracks on albums, three each; track 10 has none."""
    run_statements(
        connection,
        "insert into warehouse.dim_album (album_key, album_id, name, source)"
        " select n, 'al' || n, 'Album ' || n, 's' from generate_series(1, 4) as n;"
        "update warehouse.dim_track set album_key = (track_key - 1) % 4 + 1 where track_key between 1 and 12"
        " and track_key <> 10",
    )
