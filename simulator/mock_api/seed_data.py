"""The seed data: one SQLite file with everything that the mock API serves on its first simulated day."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from etl.formats.contracts import AUDIO_FEATURES, OTHER_AUDIO_MEASURES
from simulator.mock_api.accounts import Account, Playlist, PlaylistItem, PlaylistsAndLibraries
from simulator.mock_api.catalogue import Album, Artist, Catalogue, Track
from simulator.mock_api.catalogue_builder import build_catalogue
from simulator.mock_api.hashed_ids import make_spotify_id
from simulator.mock_api.playlists import build_playlists

if TYPE_CHECKING:  # The server reads seed data without loading pandas.
    import pandas as pd

_LIST_SEPARATOR = "\n"
"""The separator of the members of a list of ids or genres."""

_MEASURE_COLUMNS = ", ".join(
    [*(f"{name} real" for name in AUDIO_FEATURES), *(f"{name} int" for name in OTHER_AUDIO_MEASURES)]
)

_CREATE_TABLES = f"""
create table artist (artist_id text primary key, name text, popularity int, followers int, genres text) without rowid;
create table album (
    album_id text primary key, name text, artist_ids text, release_date text, release_date_precision text,
    track_ids text
) without rowid;
create table track (
    track_id text primary key, name text, artist_ids text, album_id text, duration_ms int, explicit int, isrc text,
    popularity int, is_playable int, linked_from text, {_MEASURE_COLUMNS},
    release_date text, release_date_precision text
) without rowid;
create table truth (served_id text primary key, track_id text) without rowid;
create table playlist (
    playlist_id text primary key, name text, owner_id text, description text, is_public int, is_collaborative int,
    is_editorial int, items text
) without rowid;
create table library (place integer primary key, account text, playlist_ids text, saved text, followed text);
create table fact (name text primary key, value text) without rowid;
"""


def get_seed_data_path(state_dir: Path) -> Path:
    """Return the path of the seed data below STATE_DIR; the mock API's own state is stored beside it."""
    return state_dir / "stand_in" / "stock.sqlite"


def write_seed_data(
    tracks: pd.DataFrame,
    artists: pd.DataFrame,
    path: Path,
    seed: int,
    account_count: int = 2,
    playlist_count: int = 12,
    playlist_length: int | None = None,
) -> None:
    """Write the seed data of a catalogue; a reader sees the complete old file or the complete new one.

    Equal rows, in any order, and an equal seed give an equal file. An equal file is left in place, so that its
    simulated days continue.

    :param tracks: rows with the columns of TRACK_ROW; rows without a track id or a name are left out.
    :param artists: rows with the columns of ARTIST_ROW.
    :param account_count: the number of accounts.
    :param playlist_count: the number of playlists of each account.
    :param playlist_length: the exact number of items on each playlist; tracks are drawn as needed.
    """
    catalogue = build_catalogue(tracks, artists, seed)
    playlists_and_libraries = build_playlists(catalogue, tracks, seed, account_count, playlist_count, playlist_length)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(draft, isolation_level=None)) as connection:
            connection.executescript("pragma journal_mode = off; pragma synchronous = off;")
            connection.executescript(_CREATE_TABLES)
            connection.execute("begin")
            _insert_rows(connection, catalogue, playlists_and_libraries, seed)
            connection.execute("commit")
        if not path.exists() or path.read_bytes() != draft.read_bytes():
            draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _insert_rows(
    connection: sqlite3.Connection, catalogue: Catalogue, playlists_and_libraries: PlaylistsAndLibraries, seed: int
) -> None:
    tracks = [catalogue.tracks[track_id] for track_id in sorted(catalogue.tracks)]
    artists = [catalogue.artists[artist_id] for artist_id in sorted(catalogue.artists)]
    albums = [catalogue.albums[album_id] for album_id in sorted(catalogue.albums)]
    playlists = [
        playlists_and_libraries.playlists[playlist_id] for playlist_id in sorted(playlists_and_libraries.playlists)
    ]
    libraries = [
        (
            json.dumps(asdict(account_library.account)),
            json.dumps(account_library.playlist_ids),
            json.dumps(account_library.saved_tracks),
            json.dumps(account_library.followed_artists),
        )
        for account_library in playlists_and_libraries.libraries.values()
    ]
    _insert_table(connection, "artist", map(_to_artist_row, artists))
    _insert_table(connection, "album", map(_to_album_row, albums))
    _insert_table(connection, "track", map(_to_track_row, tracks))
    _insert_table(connection, "truth", ((track.track_id, track.truth) for track in tracks))
    _insert_table(connection, "playlist", map(_to_playlist_row, playlists))
    _insert_table(connection, "library", ((index, *library) for index, library in enumerate(libraries)))
    _insert_table(connection, "fact", [("seed", str(seed))])


def _insert_table(connection: sqlite3.Connection, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
    column_count = len(connection.execute(f"pragma table_info({table})").fetchall())
    connection.executemany(f"insert into {table} values ({', '.join('?' * column_count)})", rows)  # noqa: S608 our own names


def _join_list(values: Iterable[str]) -> str:
    return _LIST_SEPARATOR.join(values)


def _to_artist_row(artist: Artist) -> tuple[Any, ...]:
    return (artist.artist_id, artist.name, artist.popularity, artist.followers, _join_list(artist.genres))


def _to_album_row(album: Album) -> tuple[Any, ...]:
    lists = (_join_list(album.artist_ids), album.release_date, album.release_date_precision)
    return (album.album_id, album.name, *lists, _join_list(sorted(album.track_ids)))


def _to_track_row(track: Track) -> tuple[Any, ...]:
    return (
        *(track.track_id, track.name, _join_list(track.artist_ids), track.album_id, track.duration_ms, track.explicit),
        *(track.isrc, track.popularity, track.is_playable, track.linked_from, *track.measures),
        *(track.release_date, track.release_date_precision),
    )


def _to_playlist_row(playlist: Playlist) -> tuple[Any, ...]:
    items = json.dumps([list(asdict(item).values()) for item in playlist.items])
    flags = (playlist.is_public, playlist.is_collaborative, playlist.is_editorial)
    return (playlist.playlist_id, playlist.name, playlist.owner_id, playlist.description, *flags, items)


class SeedData:
    """The seed data that the server serves: everything by id, read on request."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
        self._connection.row_factory = sqlite3.Row
        self.written_on = datetime.fromtimestamp(path.stat().st_mtime, UTC).date()
        self.seed = int(self._connection.execute("select value from fact where name = 'seed'").fetchone()[0])
        rows = self._connection.execute("select * from library order by place").fetchall()
        self.accounts = {account.name: account for account in (Account(**json.loads(row["account"])) for row in rows)}
        self._libraries = dict(zip(self.accounts, rows, strict=True))

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def list_playlist_ids(self, account: str) -> list[str]:
        """Return the playlists in an account's list."""
        return list(json.loads(self._libraries[account]["playlist_ids"]))

    def list_saved_tracks(self, account: str) -> list[tuple[str, str]]:
        """Return the tracks that an account has saved, newest first, with the time of saving."""
        return [(track_id, added_at) for track_id, added_at in json.loads(self._libraries[account]["saved"])]

    def list_followed_artists(self, account: str) -> list[str]:
        """Return the artists that an account follows."""
        return list(json.loads(self._libraries[account]["followed"]))

    def find_playlist(self, playlist_id: str) -> Playlist | None:
        """Return a playlist, None if there is no playlist with the id."""
        row = self._connection.execute("select * from playlist where playlist_id = ?", [playlist_id]).fetchone()
        if row is None:
            return None
        flags = {name: bool(row[name]) for name in ("is_public", "is_collaborative", "is_editorial")}
        items = [PlaylistItem(*item) for item in json.loads(row["items"])]
        return Playlist(row["playlist_id"], row["name"], row["owner_id"], items, row["description"], **flags)

    def read_tracks(self, track_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Return the known tracks among some ids."""
        return self._read_by_id("track", "track_id", track_ids, ("artist_ids",))

    def read_albums(self, album_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Return the known albums among some ids."""
        return self._read_by_id("album", "album_id", album_ids, ("artist_ids", "track_ids"))

    def read_artists(self, artist_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Return the known artists among some ids."""
        return self._read_by_id("artist", "artist_id", artist_ids, ("genres",))

    def read_truth(self, served_ids: Iterable[str] | None) -> Iterator[tuple[str, str | None]]:
        """Yield served ids with their catalogue track, None without one; without ``served_ids`` all served ids."""
        if served_ids is None:
            yield from (tuple(row) for row in self._connection.execute("select * from truth"))
        else:
            rows = self._read_by_id("truth", "served_id", served_ids, ())
            yield from ((served_id, row["track_id"]) for served_id, row in rows.items())

    def choose_track_ids(self, count: int, *draw_values: object) -> list[str]:
        """Return up to ``count`` track ids in sequence, from a start that ``draw_values`` determine."""
        return self._choose_ids("track", "track_id", count, draw_values)

    def choose_artist_ids(self, count: int, *draw_values: object) -> list[str]:
        """Return up to ``count`` artist ids, chosen in the same way."""
        return self._choose_ids("artist", "artist_id", count, draw_values)

    def _choose_ids(self, table: str, key: str, count: int, draw_values: tuple[object, ...]) -> list[str]:
        start = make_spotify_id(*draw_values)
        query = f"select {key} from {table} where {key} %s ? order by {key} limit ?"  # noqa: S608 our own names
        chosen_ids = [row[0] for row in self._connection.execute(query % ">=", [start, count])]
        chosen_ids += [row[0] for row in self._connection.execute(query % "<", [start, count - len(chosen_ids)])]
        return chosen_ids

    def _read_by_id(
        self, table: str, key: str, ids: Iterable[str], lists: tuple[str, ...]
    ) -> dict[str, dict[str, Any]]:
        ids_json = json.dumps(list(dict.fromkeys(ids)))
        query = f"select * from {table} where {key} in (select value from json_each(?))"  # noqa: S608 our own names
        rows = [dict(row) for row in self._connection.execute(query, [ids_json])]
        for row in rows:
            row.update({name: row[name].split(_LIST_SEPARATOR) if row[name] else [] for name in lists})
        return {row[key]: row for row in rows}
