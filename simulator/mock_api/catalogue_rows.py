"""Rows of TRACK_ROW and ARTIST_ROW merged: the fields of each track, and its artists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from etl.formats.contracts import AUDIO_FEATURES
from etl.formats.contracts.columns import MEASURES
from etl.formats.kaggle.file_formats import SOURCE_RANK
from simulator.mock_api.catalogue import Artist, Catalogue
from simulator.mock_api.hashed_ids import hash_fraction, make_spotify_id

if TYPE_CHECKING:  # The server reads seed data without loading pandas.
    import pandas as pd

_BASIC_COLUMNS = ("name", "duration_ms", "artist_names", "artist_ids")
_ALBUM_COLUMNS = ("album_id", "album_name")
_DATE_COLUMNS = ("release_date", "release_date_precision")
_SINGLE_COLUMNS = ("explicit", "isrc")
_TIE_BREAK_COLUMNS = ("source", "input_id", "row_number", "name", "album_id")
"""The order of rows of one source that are equally good."""
_ALL_COLUMNS = (*_BASIC_COLUMNS, *_ALBUM_COLUMNS, *_DATE_COLUMNS, *_SINGLE_COLUMNS, "popularity", *MEASURES)
_ARTIST_COLUMNS = ("artist_id", "name", "popularity", "followers", "genres")
DATE_LENGTH_BY_PRECISION = {"day": 10, "month": 7, "year": 4}
"""Characters of a date by its precision, finest first."""


def merge_track_rows(tracks: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Yield the fields of each track from its rows, in the order in which the warehouse prefers them (docs/rules.md).

    Fields that belong together come from one row: name, length and artists from the best source; the album from the
    best row with an album id; the finest release date; audio features without a gap.
    """
    usable_rows = tracks[tracks["track_id"].notna() & tracks["name"].notna()]
    usable_rows = usable_rows.reindex(
        columns=list(dict.fromkeys([*usable_rows.columns, *_TIE_BREAK_COLUMNS, *_ALL_COLUMNS]))
    )
    source_ranks = {source: rank for rank, source in enumerate(SOURCE_RANK)}
    precision_ranks = {precision: rank for rank, precision in enumerate(DATE_LENGTH_BY_PRECISION)}
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


class ArtistRegistry:
    """Registry that finds or makes the artists of each track."""

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
        if "followers" in usable_rows:  # if several artists share a name, the first one counts
            ordered = ordered.sort_values("followers", ascending=False, kind="stable", na_position="last")
        columns = {column: _to_python_values(ordered[column]) for column in _ARTIST_COLUMNS if column in ordered}
        for values in zip(*columns.values(), strict=True):
            self._add_row(dict(zip(columns, values, strict=True)))

    def resolve_artists(self, row: dict[str, Any]) -> tuple[str, ...]:
        """Return the ids of a track's artists, in its order; an artist that no row describes is synthetic."""
        names = [str(name) for name in list_values(row["artist_names"])] or ["Unknown artist"]
        ids = [str(given_id) for given_id in list_values(row["artist_ids"])]
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
        genres = tuple(str(genre) for genre in list_values(row.get("genres")))
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


def list_values(values: object) -> Iterable[object]:
    """Return the members of a list column's value, which may be a list, an array, None or NaN."""
    if values is None or isinstance(values, float | str):
        return ()
    return [value for value in values if value is not None]  # type: ignore[attr-defined]


def _to_python_values(column: pd.Series) -> list[Any]:
    """Return Python's own values, None for missing ones."""
    values = column.astype(object)
    return values.where(column.notna(), None).tolist()


def _to_int_or_none(value: Any) -> int | None:
    return None if value is None else int(value)
