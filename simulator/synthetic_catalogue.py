"""A small synthetic catalogue as files, for a start without Kaggle's: all fields filled, with oddities of real data.

Some 2,000 track ids of 300 artists: albums, further ids of one recording (the same ISRC, a length that differs a
little), remasters (an ISRC of their own), live versions (another recording), release dates of all precisions, several
artists on a track, playlists. Audio features cluster by genre.
"""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from random import Random

from etl.formats.kaggle.file_formats import FORMATS
from simulator import synthetic_names

ARTIST_COUNT = 300
RECORDING_COUNT = 1600
PLAYLIST_COUNT = 24

# danceability, energy, loudness, speechiness, acousticness, instrumentalness, liveness, valence, tempo
_GENRE_MEAN_FEATURES = {
    "moss techno": (0.75, 0.88, -5.5, 0.06, 0.05, 0.75, 0.15, 0.35, 132),
    "gravel disco": (0.82, 0.80, -5.0, 0.06, 0.12, 0.05, 0.12, 0.85, 118),
    "harbour punk": (0.45, 0.93, -4.5, 0.09, 0.02, 0.03, 0.30, 0.55, 165),
    "tin opera": (0.25, 0.25, -19.0, 0.04, 0.92, 0.15, 0.18, 0.20, 88),
    "lantern folk": (0.52, 0.30, -13.0, 0.04, 0.82, 0.03, 0.12, 0.45, 105),
    "pocket rap": (0.78, 0.62, -7.0, 0.30, 0.18, 0.01, 0.16, 0.52, 92),
    "fog ambient": (0.30, 0.15, -24.0, 0.04, 0.88, 0.88, 0.11, 0.12, 74),
    "cellar jazz": (0.58, 0.42, -12.0, 0.05, 0.70, 0.45, 0.45, 0.60, 120),
}
_FEATURE_DEVIATIONS = (0.07, 0.08, 1.5, 0.02, 0.06, 0.06, 0.05, 0.09, 7)
_EARLIEST_RELEASE, _LATEST_RELEASE = date(1958, 1, 1), date(2024, 12, 31)


@dataclass(frozen=True)
class _Artist:
    artist_id: str
    name: str
    genre: str
    popularity: int
    followers: int


@dataclass(frozen=True)
class _Track:
    track_id: str
    name: str
    artists: tuple[_Artist, ...]
    album_id: str
    album_name: str
    release_date: str
    duration_ms: int
    explicit: bool
    isrc: str
    popularity: int
    genre: str
    features: tuple[float, ...]
    key: int
    mode: int
    time_signature: int


def write_catalogue(folder: Path, seed: int) -> list[Path]:
    """Write the catalogue as CSV files of the synthetic catalogue's formats.

    :returns: the files; the same seed gives the same bytes.
    """
    random = Random(seed)
    artists = _make_artists(random, seed)
    tracks = list(_make_tracks(random, seed, artists))
    folder.mkdir(parents=True, exist_ok=True)
    return [
        _write_csv(folder, "made_up_artists", (_make_artist_row(artist) for artist in artists)),
        _write_csv(folder, "made_up_tracks", _make_track_rows(random, seed, tracks)),
    ]


def _make_artists(random: Random, seed: int) -> list[_Artist]:
    genres = list(_GENRE_MEAN_FEATURES)
    artists = []
    for index in range(ARTIST_COUNT):
        popularity = min(int(random.betavariate(1.6, 2.6) * 100), 100)
        followers = int(10 ** (1.5 + popularity / 18) * random.uniform(0.6, 1.6))
        artist_id = synthetic_names.make_synthetic_id("A", seed, index)
        artists.append(
            _Artist(
                artist_id, synthetic_names.make_artist_name(random), genres[index % len(genres)], popularity, followers
            )
        )
    return artists


def _make_tracks(random: Random, seed: int, artists: list[_Artist]) -> Iterator[_Track]:
    """Make the ids of every recording: its own, and for some a further one, a remaster or a live version."""
    track_number = 0
    for recording in range(RECORDING_COUNT):
        original = _make_original_track(random, seed, recording, artists)
        versions = [original]
        if random.random() < 0.15:
            versions.append(_make_reissue(random, original))
        if random.random() < 0.06:
            versions.append(_make_remaster(random, original, recording))
        if random.random() < 0.05:
            versions.append(_make_live_version(random, original, recording))
        for track in versions:
            album_id = track.album_id or synthetic_names.make_synthetic_id("B", seed, 1_000_000 + track_number)
            yield replace(track, track_id=synthetic_names.make_synthetic_id("T", seed, track_number), album_id=album_id)
            track_number += 1


def _make_original_track(random: Random, seed: int, recording: int, artists: list[_Artist]) -> _Track:
    main_artist = artists[
        min(int(random.paretovariate(0.8)) - 1, ARTIST_COUNT - 1) if random.random() < 0.3 else recording % ARTIST_COUNT
    ]
    guests = [artist for artist in random.sample(artists, random.choice((0, 0, 0, 1, 2))) if artist is not main_artist]
    album = artists.index(main_artist) * 10 + random.randrange(3)
    album_random = Random(f"{seed}/{album}")
    released = _EARLIEST_RELEASE + timedelta(days=album_random.randrange((_LATEST_RELEASE - _EARLIEST_RELEASE).days))
    precision = album_random.choice((4, 7, 10, 10, 10))
    return _Track(
        track_id="",
        name=synthetic_names.make_title(random),
        artists=(main_artist, *guests),
        album_id=synthetic_names.make_synthetic_id("B", seed, album),
        album_name=synthetic_names.make_title(album_random),
        release_date=released.isoformat()[:precision],
        duration_ms=int(random.gauss(215_000, 45_000)) % 400_000 + 60_000,
        explicit=random.random() < 0.1,
        isrc=synthetic_names.make_synthetic_isrc(recording, released.year),
        popularity=max(0, min(100, int(random.gauss(main_artist.popularity, 12)))),
        genre=main_artist.genre,
        features=_draw_features(random, main_artist.genre),
        key=random.randrange(12),
        mode=random.randrange(2),
        time_signature=random.choice((4, 4, 4, 4, 3, 5)),
    )


def _draw_features(random: Random, genre: str) -> tuple[float, ...]:
    values = [
        random.gauss(mean, deviation)
        for mean, deviation in zip(_GENRE_MEAN_FEATURES[genre], _FEATURE_DEVIATIONS, strict=True)
    ]
    unit_values = [round(min(max(value, 0.0), 1.0), 4) for value in values]
    return (*unit_values[:2], round(min(values[2], 0.0), 3), *unit_values[3:8], round(values[8], 3))


def _make_reissue(random: Random, original: _Track) -> _Track:
    return replace(
        original,
        album_id="",
        album_name=f"Best of {original.artists[0].name}",
        release_date=_choose_later_date(original, 3).isoformat(),
        duration_ms=original.duration_ms + random.randrange(-900, 900),
        popularity=original.popularity // 2,
    )


def _make_remaster(random: Random, original: _Track, recording: int) -> _Track:
    released = _choose_later_date(original, 12)
    return replace(
        original,
        name=f"{original.name} - Remastered {released.year}",
        album_id="",
        album_name=f"{original.album_name} (Remastered)",
        release_date=released.isoformat(),
        duration_ms=original.duration_ms + random.randrange(-900, 900),
        isrc=synthetic_names.make_synthetic_isrc(20_000 + recording, released.year),
    )


def _make_live_version(random: Random, original: _Track, recording: int) -> _Track:
    released = _choose_later_date(original, 2)
    return replace(
        original,
        name=f"{original.name} - Live at {synthetic_names.choose_concert_hall(random)}",
        album_id="",
        album_name=f"{original.artists[0].name} Live",
        release_date=released.isoformat(),
        duration_ms=original.duration_ms + random.randrange(8_000, 60_000),
        isrc=synthetic_names.make_synthetic_isrc(40_000 + recording, released.year),
        features=(*original.features[:6], round(random.uniform(0.7, 0.98), 4), *original.features[7:]),
    )


def _choose_later_date(original: _Track, years: int) -> date:
    year = min(int(original.release_date[:4]) + years, _LATEST_RELEASE.year)
    return date(year, 11, 5)


def _make_artist_row(artist: _Artist) -> list[object]:
    return ["True", artist.artist_id, artist.name, artist.popularity, artist.followers, artist.genre]


def _make_track_rows(random: Random, seed: int, tracks: list[_Track]) -> Iterator[list[object]]:
    """Make a row of each track for each playlist that contains it, at least one."""
    genres = list(_GENRE_MEAN_FEATURES)
    playlists = [
        (
            f"{synthetic_names.make_title(random)} (made up)",
            synthetic_names.make_synthetic_id("P", seed, number),
            genres[number % len(genres)],
            "made up",
        )
        for number in range(PLAYLIST_COUNT)
    ]
    for track in tracks:
        for name, playlist_id, genre, subgenre in random.sample(playlists, random.choice((1, 1, 1, 2))):
            yield [
                *("True", track.track_id, track.name),
                ";".join(artist.artist_id for artist in track.artists),
                ";".join(artist.name for artist in track.artists),
                *(track.album_id, track.album_name, track.release_date, track.duration_ms, track.explicit, track.isrc),
                *(track.popularity, track.genre),
                *(name, playlist_id, genre, subgenre),
                *(*track.features, track.key, track.mode, track.time_signature),
            ]


def _write_csv(folder: Path, format_name: str, rows: Iterable[list[object]]) -> Path:
    target = folder / f"{format_name}.csv"
    draft = target.with_suffix(".part")
    with draft.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(FORMATS[format_name].columns)
        writer.writerows(rows)
    draft.replace(target)
    return target
