"""A small data set: users, tracks, genres and events in the star, and the content of its marts."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
from sqlalchemy import Connection, text

from etl.database import connect, fetch_rows
from etl.load.marts import MartDefinition, build_marts
from tests.load.star_frames import select_rows
from tests.marts.sounds import add_audio_features

DEFINITION = MartDefinition(play_min_ms=30_000, session_gap_minutes=30)
HOMES = (("DE", "Europe", "Europe/Berlin"), ("BR", "South America", "America/Sao_Paulo"), ("JP", "Asia", "Asia/Tokyo"))
TRACKS = 12
"""Tracks 1 to 12 by artists 1 to 4; 11 and 12 are one recording."""

FIRST_DAY = datetime(2025, 12, 27, tzinfo=UTC)
_DEVICES = ("MOBILE", "DESKTOP", None)


@dataclass(frozen=True)
class StarEvent:
    """An event of the star by its main fields."""

    number: int
    user: int
    at: datetime
    track: int
    ms_played: int | None
    activity_type: str = "PLAY"
    source: str = "feed"
    country: str | None = None

    def row(self) -> dict[str, Any]:
        """Return the row of fact_event."""
        home = HOMES[self.user % len(HOMES)]
        local = self.at.astimezone(ZoneInfo(home[2])).replace(tzinfo=None)
        continents = {country: continent for country, continent, _ in HOMES}
        length = timedelta(milliseconds=self.ms_played or 0)
        return {
            "event_id": f"{self.number:032x}",
            "event_time": self.at,
            "started_at": self.at,
            "ended_at": self.at + length if self.ms_played is not None else None,
            "local_time": local,
            "user_key": self.user,
            "track_key": self.track,
            "artist_key": (self.track - 1) // 3 + 1 if self.track > 0 else -1,
            "playlist_key": 0,
            "context_key": 0,
            "date_key": int(f"{local:%Y%m%d}"),
            "utc_date_key": int(f"{self.at:%Y%m%d}"),
            "ms_played": self.ms_played,
            "input_key": 1,
            "local_hour": local.hour,
            "is_skipped": self.activity_type == "SKIP",
            "is_home_time": True,
            "activity_type": self.activity_type,
            "device_type": _DEVICES[self.user % 3] if self.number % 5 else "TABLET",
            "country": self.country,
            "continent": continents.get(self.country or ""),
            "source": self.source,
        }


def make_events(seed: int, users: int = 6, days: int = 40, size: int = 900) -> list[StarEvent]:
    """Return events around a turn of the year, in sessions, some across midnight."""
    chance = Random(seed)
    events = []
    while len(events) < size:
        user = chance.randrange(1, users + 1)
        at = FIRST_DAY + timedelta(days=chance.randrange(days), minutes=chance.randrange(1440))
        for _ in range(chance.randrange(1, 12)):
            ms_played = chance.choice([1_000, 29_999, 30_000, 150_000, 210_000])
            kind = chance.choices(["PLAY", "SKIP", "PAUSE", "LIKE"], [8, 2, 1, 1])[0]
            source = "recently_played" if chance.random() < 0.05 else "feed"
            length = None if kind != "PLAY" or source == "recently_played" else ms_played
            country = chance.choice([None, None, "DE", "BR"])
            track = chance.choices([*range(1, TRACKS + 1), -1], [8, 7, 6, 5, 4, 3, 2, 2, 2, 1, 1, 1, 1])[0]
            events.append(StarEvent(seed * 10_000_000 + len(events), user, at, track, length, kind, source, country))
            at += timedelta(milliseconds=ms_played) + timedelta(minutes=chance.choice([0, 1, 29, 30, 31, 45]))
    return events


def fill_dimensions(connection: Connection, users: int = 6) -> None:
    """Insert users, tracks, artists, genres and months."""
    for number in range(1, users + 1):
        country, continent, timezone = HOMES[number % len(HOMES)]
        connection.execute(
            text(
                "insert into warehouse.dim_user (user_key, user_id, country, continent, timezone, subscription_plan,"
                " source, valid_from) values (:key, :id, :country, :continent, :timezone, :plan, 'feed', '-infinity')"
            ),
            {
                **{"key": number, "id": f"u{number}", "country": country, "continent": continent},
                **{"timezone": timezone, "plan": ("free", "premium", None)[number % 3]},
            },
        )
    for number in range(1, 5):
        statement = (
            "insert into warehouse.dim_artist (artist_key, artist_id, name, source, popularity, popularity_source)"
            " values (:n, :id, :id, 's', :popularity, 's')"
        )
        connection.execute(text(statement), {"n": number, "id": f"a{number}", "popularity": number * 20})
    for genre in range(1, 4):
        connection.execute(
            text("insert into warehouse.dim_genre values (:n, :genre)"), {"n": genre, "genre": f"g{genre}"}
        )
    for number in range(1, TRACKS + 1):
        connection.execute(
            text(
                "insert into warehouse.dim_track (track_key, recording_key, album_key, track_id, name, source,"
                " audio_features_type, release_date, release_date_precision, release_date_source)"
                " values (:n, :recording, -1, :id, :id, 's', :cluster, :released, 'day', 's')"
            ),
            {
                **{"n": number, "recording": min(number, 11), "id": f"t{number}", "cluster": number % 3 or None},
                "released": date(2000 + number, 1, 1),
            },
        )
        artist = "insert into warehouse.bridge_track_artist values (:n, :artist, 1)"
        connection.execute(text(artist), {"n": number, "artist": (number - 1) // 3 + 1})
        for genre in [] if number == 10 else {number % 3 + 1, number % 2 + 1}:
            weight = 1.0 if len({number % 3 + 1, number % 2 + 1}) == 1 else 1 / 3 if genre == number % 3 + 1 else 2 / 3
            statement = "insert into warehouse.bridge_track_genre values (:n, :genre, 's', :weight)"
            connection.execute(text(statement), {"n": number, "genre": genre, "weight": weight})
    add_audio_features(connection)
    for month in ("2025-12-01", "2026-01-01", "2026-02-01", "2026-03-01"):
        name = month[:7].replace("-", "_")
        connection.execute(
            text(
                f"create table warehouse.fact_event_{name} partition of warehouse.fact_event"
                f" for values from ('{month}') to (date '{month}' + interval '1 month')"
            )
        )


def insert_events(connection: Connection, events: Iterable[StarEvent]) -> None:
    """Insert events into the star."""
    columns = [*make_events(0, size=1)[0].row()]
    frame = pd.DataFrame([event.row() for event in events], columns=columns, dtype=object)
    lines = StringIO(frame.to_csv(header=False, index=False, date_format="%Y-%m-%d %H:%M:%S.%f%z"))
    with connection.connection.cursor() as cursor:
        cursor.copy_expert(  # type: ignore[attr-defined]
            f"copy warehouse.fact_event ({', '.join(columns)}) from stdin (format csv)", lines
        )


def rebuild(url: str, is_from_nothing: bool = False, definition: MartDefinition = DEFINITION) -> bool:
    """Build the marts, and return whether it was a full refresh."""
    with connect(url) as connection:
        return build_marts(connection, definition, is_from_nothing).is_full_refresh


def fetch_mart_rows(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows of all tables of the marts, sorted for comparisons; keys that builds assign are included."""
    with connect(url) as connection:
        tables = fetch_rows(connection, "select tablename as name from pg_tables where schemaname = 'mart' order by 1")
    names = [str(table_row["name"]) for table_row in tables]
    return {
        name: sorted((tuple(row.values()) for row in select_rows(url, f"select * from mart.{name}")), key=repr)
        for name in names
    }


def parse_day(text_: str) -> date:
    return date.fromisoformat(text_)
