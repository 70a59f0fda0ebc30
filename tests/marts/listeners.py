"""Listeners in the star without a load: synthetic ones of the simulator, and individual ones."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from io import StringIO

import pandas as pd
from sqlalchemy import Connection, text

from simulator.listeners.track_library import NO_RELEASE_DAY
from tests.simulator.listeners.small_library import LIBRARY, TRACKS, make_simulation, simulate_rows

FIRST_TIME = datetime(2026, 9, 1, tzinfo=UTC)
_PLAY_MS = 200_000
_EVENT = (
    "event_id, event_time, local_time, user_key, track_key, artist_key, playlist_key, context_key, date_key,"
    " utc_date_key, ms_played, input_key, local_hour, is_skipped, is_home_time, activity_type, source"
)


def fill_catalogue(connection: Connection) -> None:
    """Insert the simulator's tracks: track_key is the index of the track plus 1, artist_key likewise."""
    known_tracks = TRACKS.iloc[: LIBRARY.known_track_count]
    artists = known_tracks.drop_duplicates("artist_id")
    _copy_rows(
        connection,
        "dim_artist (artist_key, artist_id, name, source, popularity, popularity_source)",
        ((key, row.artist_id, row.artist, "s", row.artist_popularity, "s") for key, row in _number_artists(artists)),
    )
    days = LIBRARY.release_days[: LIBRARY.known_track_count]
    _copy_rows(
        connection,
        "dim_track (track_key, recording_key, album_key, track_id, name, source, release_date, release_date_precision,"
        " release_date_source)",
        (
            (index + 1, index + 1, -1, row.track_id, row.name, "s", *_date_release(int(day)))
            for index, (row, day) in enumerate(zip(known_tracks.itertuples(), days, strict=True))
        ),
    )
    for number in range(4):
        month = (FIRST_TIME.date().replace(day=1) + timedelta(days=31 * number)).replace(day=1)
        connection.execute(
            text(
                f"create table warehouse.fact_event_{month:%Y_%m} partition of warehouse.fact_event"
                f" for values from ('{month}') to (date '{month}' + interval '1 month')"
            )
        )


def _date_release(day: int) -> tuple[object, ...]:
    if day == NO_RELEASE_DAY:
        return ("\\N",) * 3
    return date(1970, 1, 1) + timedelta(days=day), "day", "s"


def _number_artists(artists: pd.DataFrame) -> Iterable[tuple[int, object]]:
    return ((int(row.artist_id[1:]) + 1, row) for row in artists.itertuples())


def add_synthetic_plays(connection: Connection, users: int, days: int, seed: int) -> pd.DataFrame:
    """Add plays of the simulator's listeners, who are users 1 and following.

    :returns: their true traits, by ``user_id``.
    """
    synthetic = make_simulation(users, days, FIRST_TIME, seed=seed)
    plays = simulate_rows(synthetic)
    plays = plays[plays["activity"] == "PLAY"]
    for number in range(users):
        add_user(connection, number + 1)
    _insert_plays(
        connection,
        (
            (row.number + 1, int(row.at), row.track + 1, int(row.playlist >= 0), int(row.ms_played))
            for row in plays.itertuples()
        ),
    )
    traits = synthetic.make_listeners(0, users).traits
    names = ["exploration", "newness", "loyalty", "commonality"]
    return pd.DataFrame(traits, columns=names, index=[f"u{number + 1}" for number in range(users)])


def add_user(connection: Connection, key: int) -> None:
    connection.execute(
        text(
            "insert into warehouse.dim_user (user_key, user_id, source, valid_from)"
            " values (:key, :id, 'feed', '-infinity')"
        ),
        {"key": key, "id": f"u{key}"},
    )


def add_plays(connection: Connection, user: int, tracks: Sequence[int], first: int = 0, playlist: int = 0) -> None:
    """Add a play every ten minutes; ``first`` is the number of ten-minute slots before the first play."""
    begin = int(FIRST_TIME.timestamp() * 1000)
    _insert_plays(
        connection,
        ((user, begin + (first + n) * 600_000, track, playlist, _PLAY_MS) for n, track in enumerate(tracks)),
    )


def _insert_plays(connection: Connection, plays: Iterable[tuple[int, int, int, int, int]]) -> None:
    artist_keys = TRACKS["artist_id"].str[1:].where(TRACKS["artist_id"].str[0] == "A", "-2").astype(int).to_numpy() + 1

    def make_row(user: int, at_ms: int, track: int, playlist: int, ms_played: int) -> tuple[object, ...]:
        at = datetime.fromtimestamp(at_ms / 1000, UTC)
        event_id = f"{at_ms:012x}{user:020x}"
        day = int(f"{at:%Y%m%d}")
        keys = (user, track, artist_keys[track - 1], playlist, 0, day, day, ms_played, 1, at.hour)
        return (event_id, at.isoformat(), at.replace(tzinfo=None).isoformat(), *keys, False, True, "PLAY", "feed")

    _copy_rows(connection, f"fact_event ({_EVENT})", (make_row(*play) for play in plays))


def _copy_rows(connection: Connection, target: str, values: Iterable[Iterable[object]]) -> None:
    lines = StringIO("".join("\t".join(map(str, row)) + "\n" for row in values))
    with connection.connection.cursor() as cursor:
        cursor.copy_expert(f"copy warehouse.{target} from stdin", lines)  # type: ignore[attr-defined]
