"""The catalogue as listeners find their way in it: by artist, genre, popularity and age.

In: the catalogue's tracks as a pandas frame (``COLUMNS``), with the tracks of its playlists. Out: a ``Library`` of
small arrays, in which a track is its place in the frame; equal frames make equal libraries.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from etl.errors import ActionNeededError
from etl.simulate.listeners.chance import Integers
from etl.simulate.listeners.habits import MOODS

COLUMNS = (
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
"""Of a track: ``artist`` and ``artist_id`` are its first artist's; popularity, release date (days since 1970) and
measures may be missing."""

BANDS = 8
NEVER = np.iinfo(np.int32).min
"""The release day of a track without a date: before every play."""

_SHORTEST_MS = 15_000
_FEW_DATED = 20


@dataclass(frozen=True)
class Lists:
    """Several lists one after the other: ``items[starts[i] : starts[i] + counts[i]]`` is list i."""

    items: npt.NDArray[np.int32]
    starts: Integers
    counts: Integers

    def pick(self, lists: Integers, draws: npt.NDArray[np.float64]) -> Integers:
        """An item of each of some lists, none of them empty: the one at that share of its length."""
        places = (draws * self.counts[lists]).astype(np.int64)
        return np.asarray(self.items[self.starts[lists] + places], np.int64)


@dataclass(frozen=True)
class Library:
    """What choosing tracks needs to know."""

    fingerprint: str
    genres: tuple[str, ...]
    genre_shares: npt.NDArray[np.float64]
    durations: npt.NDArray[np.int32]
    release_days: npt.NDArray[np.int32]
    fits: npt.NDArray[np.bool_]
    """Whether a track (column) fits a mood of ``habits.MOODS`` (row)."""
    dated_share: float
    """How often a choice is made among dated tracks: newness shows in them alone."""
    dated_cells: Lists
    """Artists with dated tracks by genre, popularity and age: cell (genre × BANDS + popularity) × BANDS + age."""
    other_cells: Lists
    """All artists likewise, all in the first age."""
    dated_tracks: Lists
    """Dated tracks of each artist, oldest first."""
    tracks: Lists
    """All tracks of each artist."""
    playlists: Lists
    """Tracks of each playlist."""
    oldest: npt.NDArray[np.int32]
    """Tracks that any day may play, oldest first."""
    unknown_tracks: int
    """How many tracks at the end are in no catalogue."""

    @property
    def known_tracks(self) -> int:
        return len(self.durations) - self.unknown_tracks


def library(tracks: pd.DataFrame, playlist_tracks: pd.DataFrame, unknown_tracks: int = 0) -> Library:
    """Sort a catalogue.

    :param tracks: ``COLUMNS``, one row a recording; the last ``unknown_tracks`` of them are never chosen.
    :param playlist_tracks: playlist (numbered from 0) and track (a place in ``tracks``).
    :raises ActionNeededError: where there is nothing to listen to.
    """
    known = _typed(tracks.iloc[: len(tracks) - unknown_tracks].reset_index(drop=True))
    if known.empty:
        raise ActionNeededError(
            "The warehouse has no tracks with a length yet: import a catalogue first (bin/run does, or the DAG "
            "kaggle_import)."
        )
    artists, artist_ids = pd.factorize(known["artist_id"], sort=True)
    genres, genre_names = pd.factorize(known["genre"], sort=True)
    release_days = np.asarray(pd.to_numeric(tracks["release_date"]).fillna(NEVER), np.int32)
    own_days = release_days[: len(known)]
    by_artist = pd.DataFrame({"artist": artists, "genre": genres, "day": own_days, "place": np.arange(len(known))})
    dated = by_artist[by_artist["day"] != NEVER]
    of_artist = _artists(by_artist, dated, known["artist_popularity"].to_numpy(), len(artist_ids))
    has_dates = of_artist["age"].notna()
    is_dated = int(has_dates.sum()) >= min(_FEW_DATED, len(artist_ids))
    return Library(
        fingerprint=fingerprint(known, playlist_tracks),
        genres=tuple(map(str, genre_names)),
        genre_shares=np.bincount(genres, minlength=len(genre_names)) / len(known),
        durations=np.asarray(tracks["duration_ms"], np.int32),
        release_days=release_days,
        fits=_fits(tracks),
        dated_share=0.9 if is_dated else 0.0,
        dated_cells=_cells(of_artist[has_dates] if is_dated else of_artist, len(genre_names)),
        other_cells=_cells(of_artist.assign(age=np.nan), len(genre_names)),
        dated_tracks=_lists(dated.sort_values(["artist", "day", "place"]), "artist", "place", len(artist_ids)),
        tracks=_lists(by_artist.sort_values(["artist", "place"]), "artist", "place", len(artist_ids)),
        playlists=_playlists(playlist_tracks),
        oldest=_oldest(own_days),
        unknown_tracks=unknown_tracks,
    )


def _fits(tracks: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """By more or less than the median of a measure; a track without it fits every mood."""
    rows = []
    for measure, is_more in MOODS.values():
        values = pd.to_numeric(tracks[measure]).to_numpy(np.float64)
        middle = np.nanmedian(values) if np.isfinite(values).any() else 0.0
        rows.append(np.isnan(values) | ((values >= middle) if is_more else (values <= middle)))
    return np.stack(rows)


def _typed(tracks: pd.DataFrame) -> pd.DataFrame:
    """The same frame with numbers as floats and words as words, whatever it was read from."""
    words = ("track_id", "name", "genre", "artist_id", "artist")
    return tracks.assign(
        **{name: tracks[name].astype(str) for name in words},
        **{name: pd.to_numeric(tracks[name]).astype(np.float64) for name in COLUMNS if name not in words},
    )


def fingerprint(tracks: pd.DataFrame, playlist_tracks: pd.DataFrame) -> str:
    """What a catalogue is known by: equal content, equal fingerprint."""
    digest = hashlib.sha256()
    for frame in (tracks[list(COLUMNS)], playlist_tracks):
        for name in frame.columns:
            digest.update(pd.util.hash_pandas_object(frame[name], index=False).to_numpy().tobytes())
    return digest.hexdigest()[:16]


def _artists(
    by_track: pd.DataFrame, dated: pd.DataFrame, popularity: npt.NDArray[np.float64], size: int
) -> pd.DataFrame:
    """Artists: their most frequent genre, their popularity's and their tracks' mean age's place among all, 0 to 1."""
    counted = by_track.groupby(["artist", "genre"], as_index=False).size()
    genre = counted.sort_values(["artist", "size", "genre"], ascending=[True, False, True]).drop_duplicates("artist")
    of_artist = pd.DataFrame({"genre": genre.set_index("artist")["genre"]}, index=np.arange(size))
    known = pd.Series(popularity.astype(np.float64)).groupby(by_track["artist"].to_numpy()).max()
    of_artist["popularity"] = known.fillna(known.median() if known.notna().any() else 0).rank(
        pct=True, method="average"
    )
    of_artist["age"] = dated.groupby("artist")["day"].mean().rank(pct=True, method="average")
    of_artist["artist"] = of_artist.index
    return of_artist


def _cells(of_artist: pd.DataFrame, genre_count: int) -> Lists:
    """Artists by cell; an empty cell has the artists of the nearest one of its genre, an empty genre all artists."""
    bands = {
        name: np.minimum((of_artist[name].fillna(0).to_numpy() * BANDS).astype(int), BANDS - 1)
        for name in ("popularity", "age")
    }
    cell = (of_artist["genre"].to_numpy() * BANDS + bands["popularity"]) * BANDS + bands["age"]
    order = np.lexsort((of_artist["artist"], of_artist["popularity"], cell))
    everybody = of_artist["artist"].to_numpy()
    items = np.concatenate([everybody[order], everybody]).astype(np.int32)
    counts = np.bincount(cell, minlength=genre_count * BANDS**2).astype(np.int64)
    starts = np.cumsum(counts) - counts
    nearest = _nearest(counts.reshape(genre_count, BANDS**2) > 0)
    is_found = nearest >= 0
    return Lists(
        items,
        np.where(is_found, starts[nearest], len(everybody)),
        np.where(is_found, counts[nearest], len(everybody)),
    )


def _nearest(is_filled: npt.NDArray[np.bool_]) -> Integers:
    """For each cell the nearest one with artists in it, within its genre; -1 where the genre has none."""
    places = np.stack(np.divmod(np.arange(BANDS**2), BANDS), axis=1)
    distances = ((places[:, None] - places[None, :]) ** 2).sum(axis=2)
    found = []
    for genre, filled in enumerate(is_filled):
        far = np.where(filled[None, :], distances, 10**6)
        best = far.argmin(axis=1) + genre * BANDS**2
        found.append(best if filled.any() else np.full(BANDS**2, -1))
    return np.concatenate(found).astype(np.int64)


def _lists(rows: pd.DataFrame, group: str, item: str, size: int) -> Lists:
    counts = np.bincount(rows[group].to_numpy(), minlength=size).astype(np.int64)
    return Lists(rows[item].to_numpy().astype(np.int32), np.cumsum(counts) - counts, counts)


def _playlists(playlist_tracks: pd.DataFrame) -> Lists:
    rows = playlist_tracks.sort_values(["playlist", "track"])
    return _lists(rows, "playlist", "track", int(rows["playlist"].max()) + 1 if len(rows) else 0)


def _oldest(release_days: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """The oldest twentieth of all tracks, those without a date first."""
    order = np.argsort(release_days, kind="stable")
    return order[: max(len(order) // 20, 1)].astype(np.int32)


def unknown(count: int) -> pd.DataFrame:
    """Tracks that no catalogue holds, as rows of ``COLUMNS``."""
    numbers = [f"{number:06d}" for number in range(count)]
    frame = pd.DataFrame({"track_id": [f"madeupUnknown000{number}" for number in numbers]})
    frame["name"] = [f"A song that nobody knows, {number}" for number in numbers]
    frame["artist_id"] = [f"madeupNobody0000{number}" for number in numbers]
    frame["artist"] = [f"Nobody {number}" for number in numbers]
    frame["genre"] = "unknown"
    frame["duration_ms"] = [150_000 + 500 * (number % 300) for number in range(count)]
    return frame.reindex(columns=list(COLUMNS))


def together(tracks: pd.DataFrame, unknown_tracks: pd.DataFrame) -> pd.DataFrame:
    """Known and unknown tracks one after the other, as ``library`` takes them."""
    columns = list(COLUMNS)
    return pd.concat([tracks[columns].astype(object), unknown_tracks.astype(object)], ignore_index=True)
