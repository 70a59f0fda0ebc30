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

_FEW_DATED = 20
_SEVERAL, _ENOUGH_ARTISTS = 5, 100
_FAR, _NEXT_TO = 10**6, 2


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
    """How often anybody is one with dated tracks: newness shows in them alone."""
    dated_cells: Lists
    """Artists with dated tracks by genre, popularity and age; where a list lies, ``cell_of`` says."""
    other_cells: Lists
    """All artists likewise, all in the first age."""
    kept_cells: Lists
    """Of the artists of ``dated_cells`` those with several recordings: whom a listener can keep to."""
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
    of_dated = of_artist[has_dates] if is_dated else of_artist
    return Library(
        fingerprint=fingerprint(known, playlist_tracks),
        genres=tuple(map(str, genre_names)),
        genre_shares=np.bincount(genres, minlength=len(genre_names)) / len(known),
        durations=np.asarray(tracks["duration_ms"], np.int32),
        release_days=release_days,
        fits=_fits(tracks),
        dated_share=0.9 if is_dated else 0.0,
        dated_cells=_cells(of_dated, len(genre_names)),
        kept_cells=_cells(_with_several(of_dated), len(genre_names)),
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
    """Artists: most frequent genre, popularity's place among all, mean place of their tracks' dates, recordings."""
    counted = by_track.groupby(["artist", "genre"], as_index=False).size()
    genre = counted.sort_values(["artist", "size", "genre"], ascending=[True, False, True]).drop_duplicates("artist")
    of_artist = pd.DataFrame({"genre": genre.set_index("artist")["genre"]}, index=np.arange(size))
    known = pd.Series(popularity.astype(np.float64)).groupby(by_track["artist"].to_numpy()).max()
    of_artist["popularity"] = known.fillna(known.median() if known.notna().any() else 0).rank(
        pct=True, method="average"
    )
    of_artist["age"] = dated["day"].rank(pct=True, method="average").groupby(dated["artist"]).mean()
    of_artist["recordings"] = by_track.groupby("artist").size()
    of_artist["artist"] = of_artist.index
    return of_artist


def _with_several(of_artist: pd.DataFrame) -> pd.DataFrame:
    """Artists with several recordings: as many as leave enough artists to choose from."""
    for least in range(_SEVERAL, 1, -1):
        found = of_artist[of_artist["recordings"] >= least]
        if len(found) >= _ENOUGH_ARTISTS:
            return found
    return of_artist


def cell_of(genre: Integers, popularity: Integers, age: Integers) -> Integers:
    """Where the list of a genre (-1: of any) and two bands lies."""
    return ((genre + 1) * BANDS + popularity) * BANDS + age


def _cells(of_artist: pd.DataFrame, genre_count: int) -> Lists:
    """Artists by cell. Where a genre has nobody there or next to it, the cell of any stands: traits before genre."""
    bands = {
        name: np.minimum((of_artist[name].fillna(0).to_numpy() * BANDS).astype(int), BANDS - 1)
        for name in ("popularity", "age")
    }
    size = (genre_count + 1) * BANDS**2
    genre = np.concatenate([np.full(len(of_artist), -1), of_artist["genre"].to_numpy()])
    cell = cell_of(genre, *(np.tile(bands[name], 2) for name in ("popularity", "age")))
    artist = np.tile(of_artist["artist"].to_numpy(), 2)
    order = np.lexsort((artist, cell))
    counts = np.bincount(cell, minlength=size).astype(np.int64)
    starts = np.cumsum(counts) - counts
    nearest = _nearest(counts.reshape(genre_count + 1, BANDS**2) > 0)
    return Lists(artist[order].astype(np.int32), starts[nearest], counts[nearest])


def _nearest(is_filled: npt.NDArray[np.bool_]) -> Integers:
    """For each cell the nearest one with artists in it: next to it in its genre, else anywhere in that of any."""
    places = np.stack(np.divmod(np.arange(BANDS**2), BANDS), axis=1)
    distances = ((places[:, None] - places[None, :]) ** 2).sum(axis=2)
    anybodys = np.where(is_filled[0][None, :], distances, _FAR).argmin(axis=1)
    found = [anybodys]
    for genre, filled in enumerate(is_filled[1:], start=1):
        far = np.where(filled[None, :], distances, _FAR)
        found.append(np.where(far.min(axis=1) <= _NEXT_TO, far.argmin(axis=1) + genre * BANDS**2, anybodys))
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
