"""Rows of the catalogue as the tracks, albums and artists that Spotify would know.

Each track is one object however many rows tell of it; what no row says (ids of artists and albums, release dates,
ISRC, followers) is made up from hashes. Equal rows in any order give equal results.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from etl.schemas import AUDIO_FEATURES, SOURCE_RANK
from etl.schemas.columns import MEASURES
from etl.simulate.spotify_api.ids import number, share, spotify_id
from etl.simulate.spotify_api.titles import plain_title, plain_words

if TYPE_CHECKING:  # the server reads a stock without ever loading pandas
    import pandas as pd

SAME_RECORDING_MS = 2_000
"""Rows of one title and artist whose lengths differ by no more are taken for one recording."""

_TOLD = ("name", "duration_ms", "artist_names", "artist_ids")
_ALBUM = ("album_id", "album_name")
_DATED = ("release_date", "release_date_precision")
_SINGLE = ("explicit", "isrc")
_ORDER = ("source", "input_id", "row_number", "name", "album_id")
"""What rows of one source that are as good as each other are ordered by."""
_COLUMNS = (*_TOLD, *_ALBUM, *_DATED, *_SINGLE, "popularity", *MEASURES)
_ARTIST_COLUMNS = ("artist_id", "name", "popularity", "followers", "genres")
_ISRC_SHARE = 0.85
_DATE_LENGTHS = {"day": 10, "month": 7, "year": 4}


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

    def add(self, track: Track) -> None:
        """Serve one more track, on its album."""
        self.tracks[track.track_id] = track
        self.albums[track.album_id].track_ids.append(track.track_id)

    def first_artist(self, track: Track) -> str:
        """The name of a track's first artist."""
        return self.artists[track.artist_ids[0]].name


def read_catalogue(tracks: pd.DataFrame, artists: pd.DataFrame, seed: int) -> Catalogue:
    """The catalogue that rows of TRACK_ROW and ARTIST_ROW tell of; rows without a track id or name are left out."""
    catalogue = Catalogue()
    rows = _one_row_each(tracks)
    names = _Artists(catalogue, seed, artists)
    catalogue.genres = _genres(tracks)
    for row in rows:
        artist_ids = names.of(row)
        track_id, duration = row["track_id"], int(row["duration_ms"] or 0)
        date, precision = _known_date(row)
        track = Track(
            track_id=track_id,
            truth=track_id,
            name=row["name"],
            artist_ids=artist_ids,
            album_id=_album(catalogue, seed, row, artist_ids),
            duration_ms=duration,
            explicit=bool(row["explicit"]),
            isrc=row["isrc"],
            popularity=_popularity(row["popularity"], seed, track_id),
            measures=tuple(row[name] for name in MEASURES),
            release_date=date,
            release_date_precision=precision,
        )
        catalogue.add(track)
    _name_recordings(catalogue)
    _give_isrcs(catalogue, seed)
    _give_genres(catalogue)
    return catalogue


def _one_row_each(tracks: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """What the rows of each track give it, in the order in which the warehouse prefers them (docs/rules.md).

    Fields that belong together come from one row: name, length and artists from the best source; an album, if need be
    from a worse one, that has an id; the finest release date; audio features without a gap.
    """
    named = tracks[tracks["track_id"].notna() & tracks["name"].notna()]
    named = named.reindex(columns=list(dict.fromkeys([*named.columns, *_ORDER, *_COLUMNS])))
    sources = {source: rank for rank, source in enumerate(SOURCE_RANK)}
    precisions = {precision: rank for rank, precision in enumerate(_DATE_LENGTHS)}
    ranked = named.assign(
        _source=named["source"].map(sources).fillna(len(sources)),
        _has_no_album_id=named["album_id"].isna(),
        _precision=named["release_date_precision"].map(precisions).fillna(0),
        _date=named["release_date"].map(str),
        _unpopularity=-named["popularity"].astype("float64"),
        _has_gap=named[list(AUDIO_FEATURES)].isna().any(axis=1),
    )

    def first(columns: Iterable[str], *order: str) -> pd.DataFrame:
        wanted = list(columns)
        present = ranked[ranked[wanted].notna().any(axis=1)]
        ordered = present.sort_values(["track_id", *order, *_ORDER], kind="stable", na_position="last")
        return ordered.drop_duplicates("track_id").set_index("track_id")[wanted]

    blocks: list[pd.DataFrame | pd.Series[Any]] = [
        first(_ALBUM, "_has_no_album_id", "_source"),
        first(_DATED, "_precision", "_source", "_date"),
        first(MEASURES, "_has_gap", "_source"),
        first(["popularity"], "_source", "_unpopularity"),
        *(first([name], "_source") for name in _SINGLE),
    ]
    tracks_by_id = first(_TOLD, "_source").join(blocks).sort_index().reset_index()
    columns = {str(column): _plain_values(tracks_by_id[column]) for column in tracks_by_id}
    for values in zip(*columns.values(), strict=True):
        yield dict(zip(columns, values, strict=True))


def _plain_values(column: pd.Series) -> list[Any]:
    """Python's own values, None where there is none."""
    values = column.astype(object)
    return values.where(column.notna(), None).tolist()


class _Artists:
    """Finds or makes the artists of each track."""

    def __init__(self, catalogue: Catalogue, seed: int, rows: pd.DataFrame) -> None:
        self._catalogue = catalogue
        self._seed = seed
        self._id_by_name: dict[str, str] = {}
        known = rows[rows["artist_id"].notna() & rows["name"].notna()]
        order = [c for c in ("artist_id", "source", "input_id", "row_number", "followers") if c in known]
        ordered = known.sort_values(order, kind="stable").drop_duplicates("artist_id")
        if "followers" in known:  # of several artists of one name the first one here is meant
            ordered = ordered.sort_values("followers", ascending=False, kind="stable", na_position="last")
        columns = {column: _plain_values(ordered[column]) for column in _ARTIST_COLUMNS if column in ordered}
        for values in zip(*columns.values(), strict=True):
            self._know(dict(zip(columns, values, strict=True)))

    def of(self, row: dict[str, Any]) -> tuple[str, ...]:
        """The ids of a track's artists, in its order; an artist that no row has described is made up."""
        names = [str(name) for name in _values(row["artist_names"])] or ["Unknown artist"]
        ids = [str(one) for one in _values(row["artist_ids"])]
        if len(ids) != len(names):
            ids = [self._id_by_name.get(name) or spotify_id("artist", name) for name in names]
        for artist_id, name in zip(ids, names, strict=True):
            if artist_id not in self._catalogue.artists:
                self._add(artist_id, name, None, None, ())
        return tuple(dict.fromkeys(ids))

    def _know(self, row: dict[str, Any]) -> None:
        artist_id, name = str(row["artist_id"]), str(row["name"])
        if artist_id in self._catalogue.artists:
            return
        genres = tuple(str(genre) for genre in _values(row.get("genres")))
        self._add(
            artist_id, name, _number_or_none(row.get("popularity")), _number_or_none(row.get("followers")), genres
        )

    def _add(
        self, artist_id: str, name: str, popularity: int | None, followers: int | None, genres: tuple[str, ...]
    ) -> None:
        drawn = share(self._seed, "artist", artist_id)
        if popularity is None:
            popularity = int(90 * drawn**1.5)
        if followers is None:
            followers = int(10 ** (1.5 + popularity / 18 + share(self._seed, "followers", artist_id)))
        self._catalogue.artists[artist_id] = Artist(artist_id, name, popularity, followers, genres)
        self._id_by_name.setdefault(name, artist_id)


def _album(catalogue: Catalogue, seed: int, row: dict[str, Any], artist_ids: tuple[str, ...]) -> str:
    """The id of a track's album; one that is made up is of one date, so that it dates no other track."""
    name, (date, precision) = row["album_name"] or row["name"], _known_date(row)
    album_id = str(row["album_id"] or spotify_id("album", name, artist_ids[0], *filter(None, (date, precision))))
    if album_id not in catalogue.albums:
        if date is None or precision is None:
            date, precision = made_release_date(seed, album_id)
        catalogue.albums[album_id] = Album(album_id, str(name), artist_ids[:1], date, precision)
    return album_id


def _known_date(row: dict[str, Any]) -> tuple[str | None, str | None]:
    """A row's date as the API writes it, and its precision; None where it has none."""
    known, precision = row["release_date"], row["release_date_precision"]
    if known is None:
        return None, None
    precise = str(precision) if precision in _DATE_LENGTHS else "day"
    return str(known)[: _DATE_LENGTHS[precise]], precise


def made_release_date(seed: int, album_id: str) -> tuple[str, str]:
    """A made-up date as the API writes it, and its precision; now and then "0000"."""
    drawn = number(seed, "released", album_id)
    if drawn % 400 == 0:
        return "0000", "year"
    text = f"{1960 + drawn % 65:04d}-{1 + drawn // 65 % 12:02d}-{1 + drawn // 780 % 28:02d}"
    precise = ("day", "day", "day", "day", "day", "year", "month")[drawn // 21_840 % 7]
    return text[: _DATE_LENGTHS[precise]], precise


def _popularity(known: object, seed: int, track_id: str) -> int:
    return int(known) if isinstance(known, int | float) else int(70 * share(seed, "popularity", track_id) ** 2)


def _genres(tracks: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    if "genres" in tracks:
        for track_id, genres in zip(tracks["track_id"], tracks["genres"], strict=True):
            for genre in _values(genres):
                found[track_id].add(str(genre))
    return {track_id: tuple(sorted(genres)) for track_id, genres in found.items() if isinstance(track_id, str)}


def _name_recordings(catalogue: Catalogue) -> None:
    """The smallest id of the tracks of one title and first artist whose lengths form a chain names their recording."""
    alike: defaultdict[tuple[str, str], list[Track]] = defaultdict(list)
    for track in catalogue.tracks.values():
        alike[plain_title(track.name), plain_words(catalogue.first_artist(track))].append(track)
    for group in alike.values():
        chain: list[Track] = []
        for track in sorted(group, key=lambda one: (one.duration_ms, one.track_id)):
            if chain and track.duration_ms - chain[-1].duration_ms > SAME_RECORDING_MS:
                _close(catalogue, chain)
                chain = []
            chain.append(track)
        _close(catalogue, chain)


def _close(catalogue: Catalogue, chain: list[Track]) -> None:
    recording = min(track.track_id for track in chain)
    catalogue.recordings.update((track.track_id, recording) for track in chain)


def _give_isrcs(catalogue: Catalogue, seed: int) -> None:
    """Most recordings have an ISRC; the ids of one recording share it, a known one wins."""
    known: dict[str, str] = {}
    for track in catalogue.tracks.values():
        if track.isrc:
            known.setdefault(catalogue.recordings[track.track_id], track.isrc)
    for track in catalogue.tracks.values():
        recording = catalogue.recordings[track.track_id]
        if track.isrc is None and share(seed, "has isrc", recording) < _ISRC_SHARE:
            track.isrc = known.get(recording) or made_isrc(seed, recording)


def made_isrc(*parts: object) -> str:
    """12 characters of an ISRC's form; ZZ is nobody's country."""
    drawn = number("isrc", *parts)
    return f"ZZ{spotify_id('registrant', drawn % 46_656, length=3).upper()}{drawn // 46_656 % 10_000_000:07d}"


def _give_genres(catalogue: Catalogue) -> None:
    """An artist whose row names no genres has those that its tracks have most often."""
    counts: defaultdict[str, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for track in catalogue.tracks.values():
        for artist_id in track.artist_ids:
            if not catalogue.artists[artist_id].genres:
                for genre in catalogue.genres.get(track.track_id, ()):
                    counts[artist_id][genre] += 1
    for artist_id, found in counts.items():
        catalogue.artists[artist_id].genres = tuple(sorted(found, key=lambda genre: (-found[genre], genre))[:3])


def _values(values: object) -> Iterable[object]:
    """The members of a list column's value, which may be a list, an array, None or NaN."""
    if values is None or isinstance(values, float | str):
        return ()
    return [one for one in values if one is not None]  # type: ignore[attr-defined]


def _number_or_none(value: Any) -> int | None:
    return None if value is None else int(value)
