"""A small catalogue for tests, and simulated listening in it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from simulator.listeners import activities, track_library
from simulator.listeners.activities import ACTIVITIES
from simulator.listeners.parameters import Parameters
from simulator.listeners.simulation import Simulation

START = datetime(2026, 10, 1, tzinfo=UTC)
UNKNOWN = 50
PLAYLIST_IDS = [f"playlist{number}" for number in range(30)]
_MEASURES = ("valence", "tempo", "acousticness", "energy", "danceability")


def make_tracks(size: int = 8000, artists: int = 2000, genres: int = 20) -> pd.DataFrame:
    """Return tracks of artists of every popularity, half of them with a date, and unknown ones at the end."""
    chance = np.random.default_rng(7)
    artist = chance.integers(0, artists, size)
    days = pd.Series(chance.integers(-3_650, 20_000, size)).where(chance.random(size) < 0.5)
    frame = pd.DataFrame(
        {
            "track_id": [f"T{number:021d}" for number in range(size)],
            "name": [f"Song {number}" for number in range(size)],
            "genre": [f"genre {number % genres:02d}" for number in artist],
            "artist_id": [f"A{number:021d}" for number in artist],
            "artist": [f"Artist {number}" for number in artist],
            "artist_popularity": artist * 37 % 101,
            "duration_ms": chance.integers(90_000, 330_000, size),
            "release_date": days,
        }
    )
    frame = frame.assign(**{name: chance.random(size).round(3) for name in _MEASURES})
    return track_library.append_unknown_tracks(frame, track_library.make_unknown_tracks(UNKNOWN))


TRACKS = make_tracks()


def make_playlist_tracks() -> pd.DataFrame:
    chance = np.random.default_rng(8)
    numbers = np.repeat(np.arange(len(PLAYLIST_IDS)), 40)
    return pd.DataFrame({"playlist": numbers, "track": chance.integers(0, len(TRACKS) - UNKNOWN, len(numbers))})


LIBRARY = track_library.build_library(TRACKS, make_playlist_tracks(), UNKNOWN)


def make_simulation(users: int, days: float = 3, start: datetime = START, **options: Any) -> Simulation:
    return Simulation(Parameters(users, start, start + timedelta(days=days), **options), LIBRARY)


def simulate_rows(made: Simulation) -> pd.DataFrame:
    """Return all rows of a simulation, in the order of their generation."""
    parts = [activities.to_record_batch(made.generate_rows(chunk)).to_pandas() for chunk in range(made.chunk_layout[0])]
    frame = pd.concat(parts, ignore_index=True)
    return frame.assign(activity=np.array(ACTIVITIES)[frame["activity"]], ends=frame["at"] + frame["ms_played"])


def sort_rows(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.sort_values("code").reset_index(drop=True)
