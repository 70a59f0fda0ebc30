"""Rows of the catalogue as the tracks, albums and artists that Spotify would know.

Each track is one object however many rows tell of it; what no row says (ids of artists and albums, release dates,
ISRC, followers) is made up from hashes. Equal rows in any order give equal results.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from etl.formats.contracts import AUDIO_FEATURES, SOURCE_RANK
from etl.formats.contracts.columns import MEASURES
from simulator.mock_api.hashed_ids import hash_fraction, hash_number, make_spotify_id
from simulator.mock_api.titles import normalise_text, normalise_title

if TYPE_CHECKING:  # the server reads a stock without ever loading pandas
    import pandas as pd

SAME_RECORDING_TOLERANCE_MS = 2_000
"""Rows of one title and artist whose lengths differ by no more are taken for one recording."""

_BASIC_COLUMNS = ("name", "duration_ms", "artist_names", "artist_ids")
_ALBUM_COLUMNS = ("album_id", "album_name")
_DATE_COLUMNS = ("release_date", "release_date_precision")
_SINGLE_COLUMNS = ("explicit", "isrc")
_TIE_BREAK_COLUMNS = ("source", "input_id", "row_number", "name", "album_id")
"""What rows of one source that are as good as each other are ordered by."""
_ALL_COLUMNS = (*_BASIC_COLUMNS, *_ALBUM_COLUMNS, *_DATE_COLUMNS, *_SINGLE_COLUMNS, "popularity", *MEASURES)
_ARTIST_COLUMNS = ("artist_id", "name", "popularity", "followers", "genres")
_ISRC_FRACTION = 0.85
_DATE_LENGTH_BY_PRECISION = {"day": 10, "month": 7, "year": 4}


@dataclass(slots=True)
class Artist:
    """An artist; ``genres`` are those of its row, else of its tracks."""

    artist_id: str
    name: str
    popularity: int
    followers: int
    genres: tuple[str, ...]


@dataclass(slots=True)
class Album:
    """An album; ``release_date`` has the characters that its precision allows."""

    album_id: str
    name: str
    artist_ids: tuple[str, ...]
    release_date: str
    release_date_precision: str
    track_ids: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Track:
    """A track as it is served. ``truth`` is the catalogue's id for it, None where the catalogue does not have it.

    ``release_date`` and its precision are those that a row gives this track, None where no row does: then the track is
    as old as its album.
    """

    track_id: str
    truth: str | None
    name: str
    artist_ids: tuple[str, ...]
    album_id: str
    duration_ms: int
    explicit: bool
    isrc: str | None
    popularity: int
    measures: tuple[float | int | None, ...]
    release_date: str | None = None
    release_date_precision: str | None = None
    is_playable: bool = True
    linked_from: str | None = None


@dataclass
class Catalogue:
    """Everything that can be served, by id. ``recordings`` names the recording of each catalogue track."""

    artists: dict[str, Artist] = field(default_factory=dict)
    albums: dict[str, Album] = field(default_factory=dict)
    tracks: dict[str, Track] = field(default_factory=dict)
    genres: dict[str, tuple[str, ...]] = field(default_factory=dict)
    recordings: dict[str, str] = field(default_factory=dict)

    def add_track(self, track: Track) -> None:
        """Serve one more track, on its album."""
        self.tracks[track.track_id] = track
        self.albums[track.album_id].track_ids.append(track.track_id)

    def get_first_artist_name(self, track: Track) -> str:
        """The name of a track's first artist."""
        return self.artists[track.artist_ids[0]].name


def build_catalogue(tracks: pd.DataFrame, artists: pd.DataFrame, seed: int) -> Catalogue:
    """The catalogue that rows of TRACK_ROW and ARTIST_ROW tell of; rows without a track id or name are left out."""
    catalogue = Catalogue()
    rows = _merge_track_rows(tracks)
    artist_registry = _ArtistRegistry(catalogue, seed, artists)
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
    _assign_recordings(catalogue)
    _assign_isrcs(catalogue, seed)
    _assign_artist_genres(catalogue)
    return catalogue


def _merge_track_rows(tracks: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """What the rows of each track give it, in the order in which the warehouse prefers them (docs/rules.md).

    Fields that belong together come from one row: name, length and artists from the best source; an album, if need be
    from a worse one, that has an id; the finest release date; audio features without a gap.
    """
    usable_rows = tracks[tracks["track_id"].notna() & tracks["name"].notna()]
    usable_rows = usable_rows.reindex(
        columns=list(dict.fromkeys([*usable_rows.columns, *_TIE_BREAK_COLUMNS, *_ALL_COLUMNS]))
    )
    source_ranks = {source: rank for rank, source in enumerate(SOURCE_RANK)}
    precision_ranks = {precision: rank for rank, precision in enumerate(_DATE_LENGTH_BY_PRECISION)}
    ranked = usable_rows.assign(
        _source=usable_rows["source"].map(source_ranks).fillna(len(source_ranks)),
        _has_no_album_id=usable_rows["album_id"].isna(),
        _precision=usable_rows["release_date_precision"].map(precision_ranks).fillna(0),
        _date=usable_rows["release_date"].map(str),
        _unpopularity=-usable_rows["popularity"].astype("float64"),
        _has_gap=usable_rows[list(AUDIO_FEATURES)].isna().any(axis=1),
    )

    def select_first(columns: Iterable[str], *sort_columns: str) -> pd.DataFrame:
        selected_columns = list(columns)
        filled_rows = ranked[ranked[selected_columns].notna().any(axis=1)]
        ordered = filled_rows.sort_values(
            ["track_id", *sort_columns, *_TIE_BREAK_COLUMNS], kind="stable", na_position="last"
        )
        return ordered.drop_duplicates("track_id").set_index("track_id")[selected_columns]

    blocks: list[pd.DataFrame | pd.Series[Any]] = [
        select_first(_ALBUM_COLUMNS, "_has_no_album_id", "_source"),
        select_first(_DATE_COLUMNS, "_precision", "_source", "_date"),
        select_first(MEASURES, "_has_gap", "_source"),
        select_first(["popularity"], "_source", "_unpopularity"),
        *(select_first([name], "_source") for name in _SINGLE_COLUMNS),
    ]
    tracks_by_id = select_first(_BASIC_COLUMNS, "_source").join(blocks).sort_index().reset_index()
    columns = {str(column): _to_python_values(tracks_by_id[column]) for column in tracks_by_id}
    for values in zip(*columns.values(), strict=True):
        yield dict(zip(columns, values, strict=True))


def _to_python_values(column: pd.Series) -> list[Any]:
    """Python's own values, None where there is none."""
    values = column.astype(object)
    return values.where(column.notna(), None).tolist()


class _ArtistRegistry:
    """Finds or makes the artists of each track."""

    def __init__(self, catalogue: Catalogue, seed: int, rows: pd.DataFrame) -> None:
        self._catalogue = catalogue
        self._seed = seed
        self._id_by_name: dict[str, str] = {}
        usable_rows = rows[rows["artist_id"].notna() & rows["name"].notna()]
        sort_columns = [
            sort_column
            for sort_column in ("artist_id", "source", "input_id", "row_number", "followers")
            if sort_column in usable_rows
        ]
        ordered = usable_rows.sort_values(sort_columns, kind="stable").drop_duplicates("artist_id")
        if "followers" in usable_rows:  # of several artists of one name the first one here is meant
            ordered = ordered.sort_values("followers", ascending=False, kind="stable", na_position="last")
        columns = {column: _to_python_values(ordered[column]) for column in _ARTIST_COLUMNS if column in ordered}
        for values in zip(*columns.values(), strict=True):
            self._add_row(dict(zip(columns, values, strict=True)))

    def resolve_artists(self, row: dict[str, Any]) -> tuple[str, ...]:
        """The ids of a track's artists, in its order; an artist that no row has described is made up."""
        names = [str(name) for name in _list_values(row["artist_names"])] or ["Unknown artist"]
        ids = [str(given_id) for given_id in _list_values(row["artist_ids"])]
        if len(ids) != len(names):
            ids = [self._id_by_name.get(name) or make_spotify_id("artist", name) for name in names]
        for artist_id, name in zip(ids, names, strict=True):
            if artist_id not in self._catalogue.artists:
                self._add_artist(artist_id, name, None, None, ())
        return tuple(dict.fromkeys(ids))

    def _add_row(self, row: dict[str, Any]) -> None:
        artist_id, name = str(row["artist_id"]), str(row["name"])
        if artist_id in self._catalogue.artists:
            return
        genres = tuple(str(genre) for genre in _list_values(row.get("genres")))
        self._add_artist(
            artist_id, name, _to_int_or_none(row.get("popularity")), _to_int_or_none(row.get("followers")), genres
        )

    def _add_artist(
        self, artist_id: str, name: str, popularity: int | None, followers: int | None, genres: tuple[str, ...]
    ) -> None:
        fraction = hash_fraction(self._seed, "artist", artist_id)
        if popularity is None:
            popularity = int(90 * fraction**1.5)
        if followers is None:
            followers = int(10 ** (1.5 + popularity / 18 + hash_fraction(self._seed, "followers", artist_id)))
        self._catalogue.artists[artist_id] = Artist(artist_id, name, popularity, followers, genres)
        self._id_by_name.setdefault(name, artist_id)


def _resolve_album(catalogue: Catalogue, seed: int, row: dict[str, Any], artist_ids: tuple[str, ...]) -> str:
    """The id of a track's album; one that is made up is of one date, so that it dates no other track."""
    name, (date, precision) = row["album_name"] or row["name"], _parse_release_date(row)
    album_id = str(row["album_id"] or make_spotify_id("album", name, artist_ids[0], *filter(None, (date, precision))))
    if album_id not in catalogue.albums:
        if date is None or precision is None:
            date, precision = make_release_date(seed, album_id)
        catalogue.albums[album_id] = Album(album_id, str(name), artist_ids[:1], date, precision)
    return album_id


def _parse_release_date(row: dict[str, Any]) -> tuple[str | None, str | None]:
    """A row's date as the API writes it, and its precision; None where it has none."""
    release_date, precision = row["release_date"], row["release_date_precision"]
    if release_date is None:
        return None, None
    valid_precision = str(precision) if precision in _DATE_LENGTH_BY_PRECISION else "day"
    return str(release_date)[: _DATE_LENGTH_BY_PRECISION[valid_precision]], valid_precision


def make_release_date(seed: int, album_id: str) -> tuple[str, str]:
    """A made-up date as the API writes it, and its precision; now and then "0000"."""
    random_number = hash_number(seed, "released", album_id)
    if random_number % 400 == 0:
        return "0000", "year"
    text = f"{1960 + random_number % 65:04d}-{1 + random_number // 65 % 12:02d}-{1 + random_number // 780 % 28:02d}"
    precision = ("day", "day", "day", "day", "day", "year", "month")[random_number // 21_840 % 7]
    return text[: _DATE_LENGTH_BY_PRECISION[precision]], precision


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
            for genre in _list_values(genres):
                genres_by_track[track_id].add(str(genre))
    return {
        track_id: tuple(sorted(genres)) for track_id, genres in genres_by_track.items() if isinstance(track_id, str)
    }


def _assign_recordings(catalogue: Catalogue) -> None:
    """The smallest id of the tracks of one title and first artist whose lengths form a chain names their recording."""
    tracks_by_title_and_artist: defaultdict[tuple[str, str], list[Track]] = defaultdict(list)
    for track in catalogue.tracks.values():
        tracks_by_title_and_artist[
            normalise_title(track.name), normalise_text(catalogue.get_first_artist_name(track))
        ].append(track)
    for group in tracks_by_title_and_artist.values():
        chain: list[Track] = []
        for track in sorted(group, key=lambda candidate: (candidate.duration_ms, candidate.track_id)):
            if chain and track.duration_ms - chain[-1].duration_ms > SAME_RECORDING_TOLERANCE_MS:
                _close_chain(catalogue, chain)
                chain = []
            chain.append(track)
        _close_chain(catalogue, chain)


def _close_chain(catalogue: Catalogue, chain: list[Track]) -> None:
    recording = min(track.track_id for track in chain)
    catalogue.recordings.update((track.track_id, recording) for track in chain)


def _assign_isrcs(catalogue: Catalogue, seed: int) -> None:
    """Most recordings have an ISRC; the ids of one recording share it, a known one wins."""
    isrc_by_recording: dict[str, str] = {}
    for track in catalogue.tracks.values():
        if track.isrc:
            isrc_by_recording.setdefault(catalogue.recordings[track.track_id], track.isrc)
    for track in catalogue.tracks.values():
        recording = catalogue.recordings[track.track_id]
        if track.isrc is None and hash_fraction(seed, "has isrc", recording) < _ISRC_FRACTION:
            track.isrc = isrc_by_recording.get(recording) or make_isrc(seed, recording)


def make_isrc(*seed_values: object) -> str:
    """12 characters of an ISRC's form; ZZ is nobody's country."""
    random_number = hash_number("isrc", *seed_values)
    return f"ZZ{make_spotify_id('registrant', random_number % 46_656, length=3).upper()}{random_number // 46_656 % 10_000_000:07d}"


def _assign_artist_genres(catalogue: Catalogue) -> None:
    """An artist whose row names no genres has those that its tracks have most often."""
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


def _list_values(values: object) -> Iterable[object]:
    """The members of a list column's value, which may be a list, an array, None or NaN."""
    if values is None or isinstance(values, float | str):
        return ()
    return [value for value in values if value is not None]  # type: ignore[attr-defined]


def _to_int_or_none(value: Any) -> int | None:
    return None if value is None else int(value)
