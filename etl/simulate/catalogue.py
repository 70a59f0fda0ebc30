"""A small made-up catalogue as files, for a start without Kaggle's: every field filled, and the oddities of real ones.

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

from etl.formats import FORMATS
from etl.simulate import names

ARTIST_COUNT = 300
RECORDING_COUNT = 1600
PLAYLIST_COUNT = 24

# danceability, energy, loudness, speechiness, acousticness, instrumentalness, liveness, valence, tempo
_GENRES = {
    "moss techno": (0.75, 0.88, -5.5, 0.06, 0.05, 0.75, 0.15, 0.35, 132),
    "gravel disco": (0.82, 0.80, -5.0, 0.06, 0.12, 0.05, 0.12, 0.85, 118),
    "harbour punk": (0.45, 0.93, -4.5, 0.09, 0.02, 0.03, 0.30, 0.55, 165),
    "tin opera": (0.25, 0.25, -19.0, 0.04, 0.92, 0.15, 0.18, 0.20, 88),
    "lantern folk": (0.52, 0.30, -13.0, 0.04, 0.82, 0.03, 0.12, 0.45, 105),
    "pocket rap": (0.78, 0.62, -7.0, 0.30, 0.18, 0.01, 0.16, 0.52, 92),
    "fog ambient": (0.30, 0.15, -24.0, 0.04, 0.88, 0.88, 0.11, 0.12, 74),
    "cellar jazz": (0.58, 0.42, -12.0, 0.05, 0.70, 0.45, 0.45, 0.60, 120),
}
_SPREADS = (0.07, 0.08, 1.5, 0.02, 0.06, 0.06, 0.05, 0.09, 7)
_EARLIEST, _LATEST = date(1958, 1, 1), date(2024, 12, 31)


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
    """Write the catalogue as CSV files of the made-up formats.

    :returns: the files; the same seed gives the same bytes.
    """
    random = Random(seed)
    artists = _artists(random, seed)
    tracks = list(_tracks(random, seed, artists))
    folder.mkdir(parents=True, exist_ok=True)
    return [
        _write(folder, "made_up_artists", (_artist_row(artist) for artist in artists)),
        _write(folder, "made_up_tracks", _track_rows(random, seed, tracks)),
    ]


def _artists(random: Random, seed: int) -> list[_Artist]:
    genres = list(_GENRES)
    artists = []
    for number in range(ARTIST_COUNT):
        popularity = min(int(random.betavariate(1.6, 2.6) * 100), 100)
        followers = int(10 ** (1.5 + popularity / 18) * random.uniform(0.6, 1.6))
        artist_id = names.made_up_id("A", seed, number)
        artists.append(
            _Artist(artist_id, names.artist_name(random), genres[number % len(genres)], popularity, followers)
        )
    return artists


def _tracks(random: Random, seed: int, artists: list[_Artist]) -> Iterator[_Track]:
    """Every recording's ids: its own, and for some a further one, a remaster or a live version."""
    number = 0
    for recording in range(RECORDING_COUNT):
        first = _first_track(random, seed, recording, artists)
        further = [first]
        if random.random() < 0.15:
            further.append(_reissue(random, first))
        if random.random() < 0.06:
            further.append(_remaster(random, first, recording))
        if random.random() < 0.05:
            further.append(_live_version(random, first, recording))
        for track in further:
            album_id = track.album_id or names.made_up_id("B", seed, 1_000_000 + number)
            yield replace(track, track_id=names.made_up_id("T", seed, number), album_id=album_id)
            number += 1


def _first_track(random: Random, seed: int, recording: int, artists: list[_Artist]) -> _Track:
    main = artists[
        min(int(random.paretovariate(0.8)) - 1, ARTIST_COUNT - 1) if random.random() < 0.3 else recording % ARTIST_COUNT
    ]
    guests = [guest for guest in random.sample(artists, random.choice((0, 0, 0, 1, 2))) if guest is not main]
    album = artists.index(main) * 10 + random.randrange(3)
    album_random = Random(f"{seed}/{album}")
    released = _EARLIEST + timedelta(days=album_random.randrange((_LATEST - _EARLIEST).days))
    precision = album_random.choice((4, 7, 10, 10, 10))
    return _Track(
        track_id="",
        name=names.title(random),
        artists=(main, *guests),
        album_id=names.made_up_id("B", seed, album),
        album_name=names.title(album_random),
        release_date=released.isoformat()[:precision],
        duration_ms=int(random.gauss(215_000, 45_000)) % 400_000 + 60_000,
        explicit=random.random() < 0.1,
        isrc=names.made_up_isrc(recording, released.year),
        popularity=max(0, min(100, int(random.gauss(main.popularity, 12)))),
        genre=main.genre,
        features=_features(random, main.genre),
        key=random.randrange(12),
        mode=random.randrange(2),
        time_signature=random.choice((4, 4, 4, 4, 3, 5)),
    )


def _features(random: Random, genre: str) -> tuple[float, ...]:
    drawn = [random.gauss(mean, spread) for mean, spread in zip(_GENRES[genre], _SPREADS, strict=True)]
    shares = [round(min(max(value, 0.0), 1.0), 4) for value in drawn]
    return (*shares[:2], round(min(drawn[2], 0.0), 3), *shares[3:8], round(drawn[8], 3))


def _reissue(random: Random, first: _Track) -> _Track:
    return replace(
        first,
        album_id="",
        album_name=f"Best of {first.artists[0].name}",
        release_date=_later(first, 3).isoformat(),
        duration_ms=first.duration_ms + random.randrange(-900, 900),
        popularity=first.popularity // 2,
    )


def _remaster(random: Random, first: _Track, recording: int) -> _Track:
    released = _later(first, 12)
    return replace(
        first,
        name=f"{first.name} - Remastered {released.year}",
        album_id="",
        album_name=f"{first.album_name} (Remastered)",
        release_date=released.isoformat(),
        duration_ms=first.duration_ms + random.randrange(-900, 900),
        isrc=names.made_up_isrc(20_000 + recording, released.year),
    )


def _live_version(random: Random, first: _Track, recording: int) -> _Track:
    released = _later(first, 2)
    return replace(
        first,
        name=f"{first.name} - Live at {names.concert(random)}",
        album_id="",
        album_name=f"{first.artists[0].name} Live",
        release_date=released.isoformat(),
        duration_ms=first.duration_ms + random.randrange(8_000, 60_000),
        isrc=names.made_up_isrc(40_000 + recording, released.year),
        features=(*first.features[:6], round(random.uniform(0.7, 0.98), 4), *first.features[7:]),
    )


def _later(first: _Track, years: int) -> date:
    year = min(int(first.release_date[:4]) + years, _LATEST.year)
    return date(year, 11, 5)


def _artist_row(artist: _Artist) -> list[object]:
    return ["True", artist.artist_id, artist.name, artist.popularity, artist.followers, artist.genre]


def _track_rows(random: Random, seed: int, tracks: list[_Track]) -> Iterator[list[object]]:
    """Each track once for each playlist that holds it, one at least."""
    genres = list(_GENRES)
    playlists = [
        (
            f"{names.title(random)} (made up)",
            names.made_up_id("P", seed, number),
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


def _write(folder: Path, format_name: str, rows: Iterable[list[object]]) -> Path:
    target = folder / f"{format_name}.csv"
    part = target.with_suffix(".part")
    with part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(FORMATS[format_name].columns)
        writer.writerows(rows)
    part.replace(target)
    return target
