"""The catalogue as listeners choose from it: by artist, genre, popularity and age.

In: the catalogue's tracks as a pandas frame (``TRACK_COLUMNS``), with the tracks of its playlists. Out: a ``Library``
of small arrays, in which a track is its index in the frame; equal frames give equal libraries.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from etl.errors import ActionNeededError
from simulator.listeners.habits import MOODS
from simulator.listeners.hashed_draws import Integers

TRACK_COLUMNS = (
    "track_id",
    "name",
    "genre",
    "artist_id",
    "artist",
    "artist_popularity",
    "duration_ms",
    "release_date",
    "valence",
    "tempo",
    "acousticness",
    "energy",
    "danceability",
)
"""Columns of a track. ``artist`` and ``artist_id`` are its first artist's; popularity, release date (days since 1970)
and measures may be missing."""

BAND_COUNT = 8
NO_RELEASE_DAY = np.iinfo(np.int32).min
"""The release day of a track without a date: before every play."""

_MIN_DATED_ARTISTS = 20
_MIN_RECORDINGS, _MIN_ARTISTS = 5, 100
_UNREACHABLE_DISTANCE, _NEIGHBOUR_DISTANCE = 10**6, 2


@dataclass(frozen=True)
class ArrayLists:
    """Several lists in one array: ``items[starts[i] : starts[i] + counts[i]]`` is list i."""

    items: npt.NDArray[np.int32]
    starts: Integers
    counts: Integers

    def pick_items(self, lists: Integers, draws: npt.NDArray[np.float64]) -> Integers:
        """Return an item of each of some non-empty lists: the one at the drawn fraction of the list's length."""
        offsets = (draws * self.counts[lists]).astype(np.int64)
        return np.asarray(self.items[self.starts[lists] + offsets], np.int64)


@dataclass(frozen=True)
class Library:
    """The sorted catalogue that choices of tracks read."""

    fingerprint: str
    genres: tuple[str, ...]
    genre_fractions: npt.NDArray[np.float64]
    durations: npt.NDArray[np.int32]
    release_days: npt.NDArray[np.int32]
    fits_mood: npt.NDArray[np.bool_]
    """Whether a track (column) fits a mood of ``habits.MOODS`` (row)."""
    dated_fraction: float
    """The fraction of choices from all artists that take one with dated tracks: newness shows in them only."""
    dated_cells: ArrayLists
    """Artists with dated tracks by genre, popularity and age; ``compute_cell`` returns the index of a list."""
    all_artist_cells: ArrayLists
    """All artists likewise, all in the first age band."""
    repertoire_cells: ArrayLists
    """Artists of ``dated_cells`` with several recordings, which can be in a listener's repertoire."""
    dated_tracks: ArrayLists
    """Dated tracks of each artist, oldest first."""
    tracks: ArrayLists
    """All tracks of each artist."""
    playlists: ArrayLists
    """Tracks of each playlist."""
    oldest_tracks: npt.NDArray[np.int32]
    """Tracks that any day may play, oldest first."""
    unknown_track_count: int
    """The number of tracks at the end that are in no catalogue."""

    @property
    def known_track_count(self) -> int:
        return len(self.durations) - self.unknown_track_count


def build_library(tracks: pd.DataFrame, playlist_tracks: pd.DataFrame, unknown_track_count: int = 0) -> Library:
    """Sort a catalogue into a library.

    :param tracks: ``TRACK_COLUMNS``, one row a recording; the last ``unknown_track_count`` of them are never chosen.
    :param playlist_tracks: playlist (numbered from 0) and track (an index in ``tracks``).
    :raises ActionNeededError: if the catalogue has no track to listen to.
    """
    known_tracks = _cast_columns(tracks.iloc[: len(tracks) - unknown_track_count].reset_index(drop=True))
    if known_tracks.empty:
        raise ActionNeededError(
            "The warehouse has no tracks with a length yet: import a catalogue first (bin/run does, or the DAG "
            "kaggle_import)."
        )
    artists, artist_ids = pd.factorize(known_tracks["artist_id"], sort=True)
    genres, genre_names = pd.factorize(known_tracks["genre"], sort=True)
    release_days = np.asarray(pd.to_numeric(tracks["release_date"]).fillna(NO_RELEASE_DAY), np.int32)
    known_release_days = release_days[: len(known_tracks)]
    by_artist = pd.DataFrame(
        {"artist": artists, "genre": genres, "day": known_release_days, "place": np.arange(len(known_tracks))}
    )
    dated = by_artist[by_artist["day"] != NO_RELEASE_DAY]
    artist_stats = _compute_artist_stats(
        by_artist, dated, known_tracks["artist_popularity"].to_numpy(), len(artist_ids)
    )
    has_dates = artist_stats["age"].notna()
    is_dated = int(has_dates.sum()) >= min(_MIN_DATED_ARTISTS, len(artist_ids))
    dated_artist_stats = artist_stats[has_dates] if is_dated else artist_stats
    return Library(
        fingerprint=compute_fingerprint(known_tracks, playlist_tracks),
        genres=tuple(map(str, genre_names)),
        genre_fractions=np.bincount(genres, minlength=len(genre_names)) / len(known_tracks),
        durations=np.asarray(tracks["duration_ms"], np.int32),
        release_days=release_days,
        fits_mood=_compute_mood_fits(tracks),
        dated_fraction=0.9 if is_dated else 0.0,
        dated_cells=_build_cells(dated_artist_stats, len(genre_names)),
        repertoire_cells=_build_cells(_select_repertoire_artists(dated_artist_stats), len(genre_names)),
        all_artist_cells=_build_cells(artist_stats.assign(age=np.nan), len(genre_names)),
        dated_tracks=_build_lists(dated.sort_values(["artist", "day", "place"]), "artist", "place", len(artist_ids)),
        tracks=_build_lists(by_artist.sort_values(["artist", "place"]), "artist", "place", len(artist_ids)),
        playlists=_build_playlist_lists(playlist_tracks),
        oldest_tracks=_find_oldest_tracks(known_release_days),
        unknown_track_count=unknown_track_count,
    )


def _compute_mood_fits(tracks: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Return the moods that each track fits, by the median of a measure; a track without it fits every mood."""
    rows = []
    for measure, is_above in MOODS.values():
        values = pd.to_numeric(tracks[measure]).to_numpy(np.float64)
        median_value = np.nanmedian(values) if np.isfinite(values).any() else 0.0
        rows.append(np.isnan(values) | ((values >= median_value) if is_above else (values <= median_value)))
    return np.stack(rows)


def _cast_columns(tracks: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with numbers as floats and words as text, regardless of its source."""
    text_columns = ("track_id", "name", "genre", "artist_id", "artist")
    return tracks.assign(
        **{name: tracks[name].astype(str) for name in text_columns},
        **{name: pd.to_numeric(tracks[name]).astype(np.float64) for name in TRACK_COLUMNS if name not in text_columns},
    )


def compute_fingerprint(tracks: pd.DataFrame, playlist_tracks: pd.DataFrame) -> str:
    """Return the fingerprint of a catalogue: equal content gives an equal fingerprint."""
    digest = hashlib.sha256()
    for frame in (tracks[list(TRACK_COLUMNS)], playlist_tracks):
        for name in frame.columns:
            digest.update(pd.util.hash_pandas_object(frame[name], index=False).to_numpy().tobytes())
    return digest.hexdigest()[:16]


def _compute_artist_stats(
    by_track: pd.DataFrame, dated: pd.DataFrame, popularity: npt.NDArray[np.float64], size: int
) -> pd.DataFrame:
    """Return artists: most frequent genre, popularity rank, mean rank of their tracks' dates, recordings."""
    genre_counts = by_track.groupby(["artist", "genre"], as_index=False).size()
    genre = genre_counts.sort_values(["artist", "size", "genre"], ascending=[True, False, True]).drop_duplicates(
        "artist"
    )
    artist_stats = pd.DataFrame({"genre": genre.set_index("artist")["genre"]}, index=np.arange(size))
    popularity_by_artist = pd.Series(popularity.astype(np.float64)).groupby(by_track["artist"].to_numpy()).max()
    artist_stats["popularity"] = popularity_by_artist.fillna(
        popularity_by_artist.median() if popularity_by_artist.notna().any() else 0
    ).rank(pct=True, method="average")
    artist_stats["age"] = dated["day"].rank(pct=True, method="average").groupby(dated["artist"]).mean()
    artist_stats["recordings"] = by_track.groupby("artist").size()
    artist_stats["artist"] = artist_stats.index
    return artist_stats


def _select_repertoire_artists(artist_stats: pd.DataFrame) -> pd.DataFrame:
    """Return artists with several recordings, but leave enough artists to choose from."""
    for min_recordings in range(_MIN_RECORDINGS, 1, -1):
        selected = artist_stats[artist_stats["recordings"] >= min_recordings]
        if len(selected) >= _MIN_ARTISTS:
            return selected
    return artist_stats


def compute_cell(genre: Integers, popularity: Integers, age: Integers) -> Integers:
    """Return the index of the list of a genre (-1: any genre) and two bands."""
    return ((genre + 1) * BAND_COUNT + popularity) * BAND_COUNT + age


def _build_cells(artist_stats: pd.DataFrame, genre_count: int) -> ArrayLists:
    """Return artists by cell; a cell without a near artist of its genre takes any genre, because traits matter more."""
    bands = {
        name: np.minimum((artist_stats[name].fillna(0).to_numpy() * BAND_COUNT).astype(int), BAND_COUNT - 1)
        for name in ("popularity", "age")
    }
    size = (genre_count + 1) * BAND_COUNT**2
    genre = np.concatenate([np.full(len(artist_stats), -1), artist_stats["genre"].to_numpy()])
    cell = compute_cell(genre, *(np.tile(bands[name], 2) for name in ("popularity", "age")))
    artist = np.tile(artist_stats["artist"].to_numpy(), 2)
    order = np.lexsort((artist, cell))
    counts = np.bincount(cell, minlength=size).astype(np.int64)
    starts = np.cumsum(counts) - counts
    nearest = _find_nearest_cells(counts.reshape(genre_count + 1, BAND_COUNT**2) > 0)
    return ArrayLists(artist[order].astype(np.int32), starts[nearest], counts[nearest])


def _find_nearest_cells(is_filled: npt.NDArray[np.bool_]) -> Integers:
    """Return, for each cell, the nearest cell with artists: next to it in its genre, else in any genre."""
    coordinates = np.stack(np.divmod(np.arange(BAND_COUNT**2), BAND_COUNT), axis=1)
    distances = ((coordinates[:, None] - coordinates[None, :]) ** 2).sum(axis=2)
    nearest_of_any_genre = np.where(is_filled[0][None, :], distances, _UNREACHABLE_DISTANCE).argmin(axis=1)
    nearest_by_genre = [nearest_of_any_genre]
    for genre, is_filled_in_genre in enumerate(is_filled[1:], start=1):
        genre_distances = np.where(is_filled_in_genre[None, :], distances, _UNREACHABLE_DISTANCE)
        nearest_by_genre.append(
            np.where(
                genre_distances.min(axis=1) <= _NEIGHBOUR_DISTANCE,
                genre_distances.argmin(axis=1) + genre * BAND_COUNT**2,
                nearest_of_any_genre,
            )
        )
    return np.concatenate(nearest_by_genre).astype(np.int64)


def _build_lists(rows: pd.DataFrame, group: str, item: str, size: int) -> ArrayLists:
    counts = np.bincount(rows[group].to_numpy(), minlength=size).astype(np.int64)
    return ArrayLists(rows[item].to_numpy().astype(np.int32), np.cumsum(counts) - counts, counts)


def _build_playlist_lists(playlist_tracks: pd.DataFrame) -> ArrayLists:
    rows = playlist_tracks.sort_values(["playlist", "track"])
    return _build_lists(rows, "playlist", "track", int(rows["playlist"].max()) + 1 if len(rows) else 0)


def _find_oldest_tracks(release_days: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Return the oldest twentieth of all tracks, those without a date first."""
    order = np.argsort(release_days, kind="stable")
    return order[: max(len(order) // 20, 1)].astype(np.int32)


def make_unknown_tracks(count: int) -> pd.DataFrame:
    """Return tracks that no catalogue has, as rows of ``TRACK_COLUMNS``."""
    numbers = [f"{number:06d}" for number in range(count)]
    frame = pd.DataFrame({"track_id": [f"madeupUnknown000{number}" for number in numbers]})
    frame["name"] = [f"A song that nobody knows, {number}" for number in numbers]
    frame["artist_id"] = [f"madeupNobody0000{number}" for number in numbers]
    frame["artist"] = [f"Nobody {number}" for number in numbers]
    frame["genre"] = "unknown"
    frame["duration_ms"] = [150_000 + 500 * (number % 300) for number in range(count)]
    return frame.reindex(columns=list(TRACK_COLUMNS))


def append_unknown_tracks(tracks: pd.DataFrame, unknown_tracks: pd.DataFrame) -> pd.DataFrame:
    """Return known and unknown tracks one after the other, as ``build_library`` expects them."""
    columns = list(TRACK_COLUMNS)
    return pd.concat([tracks[columns].astype(object), unknown_tracks.astype(object)], ignore_index=True)
