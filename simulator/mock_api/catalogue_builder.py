"""Tracks, albums and artists of Spotify, built from the catalogue's rows.

Each track is one object, however many rows describe it. Fields that no row has (ids of artists and albums, release
dates, ISRC, followers) are derived from hashes. Equal rows in any order give equal results.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from etl.formats.contracts.columns import MEASURES
from simulator.mock_api.catalogue import Album, Catalogue, Track
from simulator.mock_api.catalogue_rows import (
    DATE_LENGTH_BY_PRECISION,
    ArtistRegistry,
    list_values,
    merge_track_rows,
)
from simulator.mock_api.hashed_ids import hash_fraction, hash_number, make_spotify_id
from simulator.mock_api.recordings import assign_isrcs, assign_recordings

if TYPE_CHECKING:  # The server reads seed data without loading pandas.
    import pandas as pd


def build_catalogue(tracks: pd.DataFrame, artists: pd.DataFrame, seed: int) -> Catalogue:
    """Return the catalogue of rows of TRACK_ROW and ARTIST_ROW; rows without a track id or name are left out."""
    catalogue = Catalogue()
    rows = merge_track_rows(tracks)
    artist_registry = ArtistRegistry(catalogue, seed, artists)
    catalogue.genres = _collect_genres(tracks)
    for row in rows:
        artist_ids = artist_registry.resolve_artists(row)
        track_id, duration = row["track_id"], int(row["duration_ms"] or 0)
        date, precision = _parse_release_date(row)
        track = Track(
            track_id=track_id,
            truth=track_id,
            name=row["name"],
            artist_ids=artist_ids,
            album_id=_resolve_album(catalogue, seed, row, artist_ids),
            duration_ms=duration,
            explicit=bool(row["explicit"]),
            isrc=row["isrc"],
            popularity=_resolve_popularity(row["popularity"], seed, track_id),
            measures=tuple(row[name] for name in MEASURES),
            release_date=date,
            release_date_precision=precision,
        )
        catalogue.add_track(track)
    assign_recordings(catalogue)
    assign_isrcs(catalogue, seed)
    _assign_artist_genres(catalogue)
    return catalogue


def make_release_date(seed: int, album_id: str) -> tuple[str, str]:
    """Return a synthetic date as the API writes it, and its precision; sometimes "0000"."""
    random_number = hash_number(seed, "released", album_id)
    if random_number % 400 == 0:
        return "0000", "year"
    text = f"{1960 + random_number % 65:04d}-{1 + random_number // 65 % 12:02d}-{1 + random_number // 780 % 28:02d}"
    precision = ("day", "day", "day", "day", "day", "year", "month")[random_number // 21_840 % 7]
    return text[: DATE_LENGTH_BY_PRECISION[precision]], precision


def _resolve_album(catalogue: Catalogue, seed: int, row: dict[str, Any], artist_ids: tuple[str, ...]) -> str:
    """Return the id of a track's album; a synthetic one has one date, so that it dates no other track."""
    name, (date, precision) = row["album_name"] or row["name"], _parse_release_date(row)
    album_id = str(row["album_id"] or make_spotify_id("album", name, artist_ids[0], *filter(None, (date, precision))))
    if album_id not in catalogue.albums:
        if date is None or precision is None:
            date, precision = make_release_date(seed, album_id)
        catalogue.albums[album_id] = Album(album_id, str(name), artist_ids[:1], date, precision)
    return album_id


def _parse_release_date(row: dict[str, Any]) -> tuple[str | None, str | None]:
    """Return a row's date as the API writes it and its precision, None without a date."""
    release_date, precision = row["release_date"], row["release_date_precision"]
    if release_date is None:
        return None, None
    valid_precision = str(precision) if precision in DATE_LENGTH_BY_PRECISION else "day"
    return str(release_date)[: DATE_LENGTH_BY_PRECISION[valid_precision]], valid_precision


def _resolve_popularity(popularity: object, seed: int, track_id: str) -> int:
    return (
        int(popularity)
        if isinstance(popularity, int | float)
        else int(70 * hash_fraction(seed, "popularity", track_id) ** 2)
    )


def _collect_genres(tracks: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    genres_by_track: defaultdict[str, set[str]] = defaultdict(set)
    if "genres" in tracks:
        for track_id, genres in zip(tracks["track_id"], tracks["genres"], strict=True):
            for genre in list_values(genres):
                genres_by_track[track_id].add(str(genre))
    return {
        track_id: tuple(sorted(genres)) for track_id, genres in genres_by_track.items() if isinstance(track_id, str)
    }


def _assign_artist_genres(catalogue: Catalogue) -> None:
    """Give an artist without genres in its row the most frequent genres of its tracks."""
    counts: defaultdict[str, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for track in catalogue.tracks.values():
        for artist_id in track.artist_ids:
            if not catalogue.artists[artist_id].genres:
                for genre in catalogue.genres.get(track.track_id, ()):
                    counts[artist_id][genre] += 1
    for artist_id, genre_counts in counts.items():
        catalogue.artists[artist_id].genres = tuple(
            sorted(genre_counts, key=lambda genre: (-genre_counts[genre], genre))[:3]
        )
