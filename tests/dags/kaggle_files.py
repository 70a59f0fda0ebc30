"""A small folder of files in Kaggle's formats, with one that is not a table, and a newer version of one of them."""

import csv
import random
from pathlib import Path

from etl.formats.kaggle.file_formats import FORMATS

TRACKS = 60
_MOODS = ((0.9, 0.8), (0.3, 0.2), (0.5, 0.9))


def write_folder(folder: Path) -> None:
    """Write dataset.csv, songs.csv, top.csv, survey.csv and page.csv.

    dataset.csv has 60 tracks, one under two genres; songs.csv two playlists and one rejected row; top.csv a track of
    dataset.csv and an unknown one. page.csv is a web page.
    """
    folder.mkdir()
    write_dataset(folder / "dataset.csv", popularity=50)
    _write_csv(
        folder / "songs.csv",
        "playlist_songs",
        [_make_song_row(n) for n in range(20)] + [_make_song_row(0) | {"track_name": "NA"}],
    )
    _write_csv(
        folder / "top.csv",
        "top_2000s",
        [_make_top_row("Song 5", 205), _make_top_row("Nobody knows this", 180)],
        delimiter=";",
    )
    survey_row: dict[str, object] = dict.fromkeys(FORMATS["user_behavior"].columns, "Never")
    survey_row |= {"premium_sub_willingness": "Yes", "music_recc_rating": "3"}
    _write_csv(folder / "survey.csv", "user_behavior", [survey_row, survey_row | {"Age": "60+"}, survey_row])
    (folder / "page.csv").write_text("<!DOCTYPE html><html><body>Sign in to download</body></html>")


def write_dataset(path: Path, popularity: int) -> None:
    """Write tracks by genre; ``popularity`` is the popularity of track 7."""
    rows = [_make_track_row(n) for n in range(TRACKS)]
    rows[7]["popularity"] = popularity
    _write_csv(path, "tracks_by_genre", [*rows, rows[3] | {"track_genre": "second"}])


def make_track_id(number: int) -> str:
    return f"test{number:018d}"


def _make_measures(number: int) -> dict[str, object]:
    chance = random.Random(number)
    energy, valence = _MOODS[number % len(_MOODS)]
    near = {
        name: min(1, max(0, middle + chance.gauss(0, 0.05)))
        for name, middle in (
            ("energy", energy),
            ("valence", valence),
            ("danceability", valence),
            ("acousticness", 1 - energy),
        )
    }
    constants = {
        "speechiness": 0.05,
        "instrumentalness": 0.0,
        "liveness": 0.1,
        "loudness": -6.5,
        "tempo": 120.5 + number,
    }
    return {**near, **constants, "key": 1, "mode": 1}


def _make_track_row(number: int) -> dict[str, object]:
    return {
        "track_id": make_track_id(number),
        "artists": f"Artist {number % 7};Guest",
        "album_name": f"Album {number % 11}",
        "track_name": f"Song {number}",
        "popularity": number,
        "duration_ms": 200_000 + number * 1000,
        "explicit": "False",
        "time_signature": 4,
        "track_genre": f"genre {number % 3}",
        **_make_measures(number),
    }


def _make_song_row(number: int) -> dict[str, object]:
    return {
        "track_id": make_track_id(number),
        "track_name": f"Song {number}",
        "track_artist": f"Artist {number % 7}",
        "track_popularity": 40,
        "track_album_id": f"album{number % 11:017d}",
        "track_album_name": f"Album {number % 11}",
        "track_album_release_date": f"{1990 + number}-05-01",
        "playlist_name": f"List {number % 2}",
        "playlist_id": f"playlist{number % 2:014d}",
        "playlist_genre": "pop",
        "playlist_subgenre": "test pop",
        "duration_ms": 200_000 + number * 1000,
        **_make_measures(number),
    }


def _make_top_row(title: str, seconds: int) -> dict[str, object]:
    integer_measures = (
        "Beats Per Minute (BPM)",
        "Energy",
        "Danceability",
        "Liveness",
        "Valence",
        "Acousticness",
        "Speechiness",
    )
    return {
        **dict.fromkeys(integer_measures, 50),
        **{"Title": title, "Artist": "Artist 5", "Top Genre": "test pop", "Year": 2001, "Loudness (dB)": -7},
        **{"Length (Duration)": seconds, "Popularity": 60},
    }


def _write_csv(path: Path, format_name: str, rows: list[dict[str, object]], delimiter: str = ",") -> None:
    with path.open("w", newline="", encoding="utf-8") as target:
        writer = csv.DictWriter(target, FORMATS[format_name].columns, delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
