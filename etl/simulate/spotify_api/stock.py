"""The stock: one SQLite file with everything that the stand-in serves on its first night."""

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

from etl.schemas import AUDIO_FEATURES, OTHER_AUDIO_MEASURES
from etl.simulate.spotify_api.catalogue import Album, Artist, Catalogue, Track, read_catalogue
from etl.simulate.spotify_api.ids import spotify_id
from etl.simulate.spotify_api.playlists import Account, Dealt, Item, Playlist, deal

if TYPE_CHECKING:  # the server reads a stock without ever loading pandas
    import pandas as pd

_BETWEEN = "\n"
"""What stands between the members of a list of ids or genres."""

_MEASURES = ", ".join([*(f"{name} real" for name in AUDIO_FEATURES), *(f"{name} int" for name in OTHER_AUDIO_MEASURES)])

_TABLES = f"""
create table artist (artist_id text primary key, name text, popularity int, followers int, genres text) without rowid;
create table album (
    album_id text primary key, name text, artist_ids text, release_date text, release_date_precision text,
    track_ids text
) without rowid;
create table track (
    track_id text primary key, name text, artist_ids text, album_id text, duration_ms int, explicit int, isrc text,
    popularity int, is_playable int, linked_from text, {_MEASURES},
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


def stock_path(state: Path) -> Path:
    """Where the stock of a STATE_DIR lies; the stand-in's own state is kept beside it."""
    return state / "stand_in" / "stock.sqlite"


def write_stock(
    tracks: pd.DataFrame,
    artists: pd.DataFrame,
    path: Path,
    seed: int,
    account_count: int = 2,
    playlist_count: int = 12,
    playlist_length: int | None = None,
) -> None:
    """Write the stock of a catalogue; a reader sees the old file or the new one, whole.

    Equal rows, in any order, and an equal seed give an equal file; one that is there already is then left alone, so
    that its nights go on.

    :param tracks: rows with the columns of TRACK_ROW; those without a track id or a name are left out.
    :param artists: rows with the columns of ARTIST_ROW.
    :param account_count: how many accounts there are.
    :param playlist_count: how many playlists each account owns.
    :param playlist_length: the exact number of items on each playlist; tracks are drawn as needed.
    """
    catalogue = read_catalogue(tracks, artists, seed)
    dealt = deal(catalogue, tracks, seed, account_count, playlist_count, playlist_length)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(draft, isolation_level=None)) as connection:
            connection.executescript("pragma journal_mode = off; pragma synchronous = off;")
            connection.executescript(_TABLES)
            connection.execute("begin")
            _insert(connection, catalogue, dealt, seed)
            connection.execute("commit")
        if not path.exists() or path.read_bytes() != draft.read_bytes():
            draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _insert(connection: sqlite3.Connection, catalogue: Catalogue, dealt: Dealt, seed: int) -> None:
    tracks = [catalogue.tracks[track_id] for track_id in sorted(catalogue.tracks)]
    artists = [catalogue.artists[artist_id] for artist_id in sorted(catalogue.artists)]
    albums = [catalogue.albums[album_id] for album_id in sorted(catalogue.albums)]
    playlists = [dealt.playlists[playlist_id] for playlist_id in sorted(dealt.playlists)]
    libraries = [
        (json.dumps(asdict(one.account)), json.dumps(one.playlist_ids), json.dumps(one.saved), json.dumps(one.followed))
        for one in dealt.libraries.values()
    ]
    _fill(connection, "artist", map(_artist_row, artists))
    _fill(connection, "album", map(_album_row, albums))
    _fill(connection, "track", map(_track_row, tracks))
    _fill(connection, "truth", ((track.track_id, track.truth) for track in tracks))
    _fill(connection, "playlist", map(_playlist_row, playlists))
    _fill(connection, "library", ((place, *library) for place, library in enumerate(libraries)))
    _fill(connection, "fact", [("seed", str(seed))])


def _fill(connection: sqlite3.Connection, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
    places = len(connection.execute(f"pragma table_info({table})").fetchall())
    connection.executemany(f"insert into {table} values ({', '.join('?' * places)})", rows)  # noqa: S608 our own names


def _packed(values: Iterable[str]) -> str:
    return _BETWEEN.join(values)


def _artist_row(artist: Artist) -> tuple[Any, ...]:
    return (artist.artist_id, artist.name, artist.popularity, artist.followers, _packed(artist.genres))


def _album_row(album: Album) -> tuple[Any, ...]:
    lists = (_packed(album.artist_ids), album.release_date, album.release_date_precision)
    return (album.album_id, album.name, *lists, _packed(sorted(album.track_ids)))


def _track_row(track: Track) -> tuple[Any, ...]:
    return (
        *(track.track_id, track.name, _packed(track.artist_ids), track.album_id, track.duration_ms, track.explicit),
        *(track.isrc, track.popularity, track.is_playable, track.linked_from, *track.measures),
        *(track.release_date, track.release_date_precision),
    )


def _playlist_row(playlist: Playlist) -> tuple[Any, ...]:
    items = json.dumps([list(asdict(item).values()) for item in playlist.items])
    flags = (playlist.is_public, playlist.is_collaborative, playlist.is_editorial)
    return (playlist.playlist_id, playlist.name, playlist.owner_id, playlist.description, *flags, items)


class Stock:
    """A stock that is served: everything by id, read when it is asked for."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
        self._connection.row_factory = sqlite3.Row
        self.written_on = datetime.fromtimestamp(path.stat().st_mtime, UTC).date()
        self.seed = int(self._connection.execute("select value from fact where name = 'seed'").fetchone()[0])
        rows = self._connection.execute("select * from library order by place").fetchall()
        self.accounts = {one.name: one for one in (Account(**json.loads(row["account"])) for row in rows)}
        self._libraries = dict(zip(self.accounts, rows, strict=True))

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def playlist_ids(self, account: str) -> list[str]:
        """The playlists in an account's list."""
        return list(json.loads(self._libraries[account]["playlist_ids"]))

    def saved(self, account: str) -> list[tuple[str, str]]:
        """The tracks that an account has saved, newest first, and when."""
        return [(track_id, added_at) for track_id, added_at in json.loads(self._libraries[account]["saved"])]

    def followed(self, account: str) -> list[str]:
        """The artists that an account follows."""
        return list(json.loads(self._libraries[account]["followed"]))

    def playlist(self, playlist_id: str) -> Playlist | None:
        """A playlist, where there is one of that id."""
        row = self._connection.execute("select * from playlist where playlist_id = ?", [playlist_id]).fetchone()
        if row is None:
            return None
        flags = {name: bool(row[name]) for name in ("is_public", "is_collaborative", "is_editorial")}
        items = [Item(*item) for item in json.loads(row["items"])]
        return Playlist(row["playlist_id"], row["name"], row["owner_id"], items, row["description"], **flags)

    def tracks(self, track_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """The tracks of these ids that there are."""
        return self._by_id("track", "track_id", track_ids, ("artist_ids",))

    def albums(self, album_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """The albums of these ids that there are."""
        return self._by_id("album", "album_id", album_ids, ("artist_ids", "track_ids"))

    def artists(self, artist_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """The artists of these ids that there are."""
        return self._by_id("artist", "artist_id", artist_ids, ("genres",))

    def truth(self, served_ids: Iterable[str] | None) -> Iterator[tuple[str, str | None]]:
        """Which catalogue track each served id is, None where it is none; all of them where no ids are given."""
        if served_ids is None:
            yield from (tuple(row) for row in self._connection.execute("select * from truth"))
        else:
            rows = self._by_id("truth", "served_id", served_ids, ())
            yield from ((served_id, row["track_id"]) for served_id, row in rows.items())

    def some_track_ids(self, count: int, *choice: object) -> list[str]:
        """Up to ``count`` tracks that follow each other by id, from a place that ``choice`` decides."""
        return self._some("track", "track_id", count, choice)

    def some_artist_ids(self, count: int, *choice: object) -> list[str]:
        """Up to ``count`` artists, chosen in the same way."""
        return self._some("artist", "artist_id", count, choice)

    def _some(self, table: str, key: str, count: int, choice: tuple[object, ...]) -> list[str]:
        start = spotify_id(*choice)
        query = f"select {key} from {table} where {key} %s ? order by {key} limit ?"  # noqa: S608 our own names
        found = [row[0] for row in self._connection.execute(query % ">=", [start, count])]
        found += [row[0] for row in self._connection.execute(query % "<", [start, count - len(found)])]
        return found

    def _by_id(self, table: str, key: str, ids: Iterable[str], lists: tuple[str, ...]) -> dict[str, dict[str, Any]]:
        wanted = json.dumps(list(dict.fromkeys(ids)))
        query = f"select * from {table} where {key} in (select value from json_each(?))"  # noqa: S608 our own names
        rows = [dict(row) for row in self._connection.execute(query, [wanted])]
        for row in rows:
            row.update({name: row[name].split(_BETWEEN) if row[name] else [] for name in lists})
        return {row[key]: row for row in rows}
