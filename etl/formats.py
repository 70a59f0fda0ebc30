"""The file formats that an import understands, each recognised by its columns and by nothing else.

File names say little (every download is called ``archive``) and copies add columns, such as an unnamed index, or
change the case of the names; so a file has a format where it has all of that format's columns.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from etl.errors import WrongFileError
from etl.schemas import AUDIO_FEATURES
from etl.schemas.columns import MEASURES

Kind = Literal["track", "artist", "survey_response"]


@dataclass(frozen=True)
class Format:
    """A known format.

    ``source`` is what its rows carry as source; ``origin`` is the folder of the lake where its files lie; ``kind`` is
    what a row is about; ``columns`` are the columns that a file must have, as its publisher writes them.
    """

    name: str
    title: str
    kind: Kind
    columns: tuple[str, ...]
    source: str
    origin: str = "kaggle"

    def lacks(self, columns: Iterable[str]) -> list[str]:
        """The columns of this format that are not among ``columns`` (case and spaces around do not count)."""
        there = {plain(column) for column in columns}
        return [column for column in self.columns if plain(column) not in there]


def _kaggle(name: str, title: str, kind: Kind, *columns: str) -> Format:
    return Format(name, title, kind, columns, source=name)


def _made_up(name: str, title: str, kind: Kind, *columns: str) -> Format:
    return Format(name, title, kind, columns, source="made_up", origin="made_up")


_PLAYLIST = ("playlist_name", "playlist_id", "playlist_genre", "playlist_subgenre")

FORMATS: dict[str, Format] = {
    known.name: known
    for known in (
        _kaggle(
            "tracks_by_genre",
            "Spotify Tracks Dataset (dataset.csv)",
            "track",
            *("track_id", "artists", "album_name", "track_name", "popularity", "duration_ms", "explicit"),
            *MEASURES,
            "track_genre",
        ),
        _kaggle(
            "tracks_1921_2020",
            "Spotify Dataset 1921-2020 (tracks.csv)",
            "track",
            *("id", "name", "popularity", "duration_ms", "explicit", "artists", "id_artists", "release_date"),
            *MEASURES,
        ),
        _kaggle(
            "artists_1921_2020",
            "Spotify Dataset 1921-2020 (artists.csv)",
            "artist",
            *("id", "followers", "genres", "name", "popularity"),
        ),
        _kaggle(
            "playlist_songs",
            "30000 Spotify Songs (spotify_songs.csv)",
            "track",
            *("track_id", "track_name", "track_artist", "track_popularity"),
            *("track_album_id", "track_album_name", "track_album_release_date"),
            *_PLAYLIST,
            *AUDIO_FEATURES,
            *("key", "mode", "duration_ms"),
        ),
        _kaggle(
            "top_2000s",
            "Top 2000s (Spotify-2000.csv)",
            "track",
            *("Title", "Artist", "Top Genre", "Year", "Beats Per Minute (BPM)", "Energy", "Danceability"),
            *("Loudness (dB)", "Liveness", "Valence", "Length (Duration)", "Acousticness", "Speechiness"),
            "Popularity",
        ),
        _kaggle(
            "user_behavior",
            "Spotify User Behavior (Spotify_data.xlsx)",
            "survey_response",
            *("Age", "Gender", "spotify_usage_period", "spotify_listening_device", "spotify_subscription_plan"),
            *("premium_sub_willingness", "preffered_premium_plan", "preferred_listening_content"),
            *("fav_music_genre", "music_time_slot", "music_Influencial_mood", "music_lis_frequency"),
            *("music_expl_method", "music_recc_rating", "pod_lis_frequency", "fav_pod_genre"),
            *("preffered_pod_format", "pod_host_preference", "preffered_pod_duration", "pod_variety_satisfaction"),
        ),
        _made_up(
            "made_up_tracks",
            "made-up tracks",
            "track",
            *("is_made_up", "track_id", "name", "artist_ids", "artist_names", "album_id", "album_name"),
            *("release_date", "duration_ms", "explicit", "isrc", "popularity", "genres"),
            *_PLAYLIST,
            *MEASURES,
        ),
        _made_up(
            "made_up_artists",
            "made-up artists",
            "artist",
            *("is_made_up", "artist_id", "name", "popularity", "followers", "genres"),
        ),
    )
}
"""Every known format by its name."""


def plain(column: str) -> str:
    """A column's name as formats are compared by it: lower case, single spaces."""
    return " ".join(column.split()).casefold()


def places(columns: Sequence[str], known: Format) -> list[int]:
    """Where in a header the columns of a format stand, in the format's order."""
    first: dict[str, int] = {}
    for place, name in enumerate(columns):
        first.setdefault(plain(name), place)
    return [first[plain(name)] for name in known.columns]


def recognise(columns: Sequence[str], chosen: str | None = None) -> Format:
    """The format of a file with these columns; ``chosen`` asks for one by name.

    :raises WrongFileError: where a column is lacking; the text names the nearest format that a user can have, what is
        there of it and what is not.
    """
    if chosen is not None and chosen not in FORMATS:
        raise WrongFileError(f"there is no format {chosen!r}. Known formats: {', '.join(FORMATS)}.")
    candidates = [FORMATS[chosen]] if chosen else list(FORMATS.values())
    fitting = [known for known in candidates if not known.lacks(columns)]
    if fitting:
        return max(fitting, key=lambda known: len(known.columns))
    if chosen:
        raise WrongFileError(f"this is not {_what_is_lacking(FORMATS[chosen], columns)}")
    near = [known for known in candidates if known.origin == "kaggle" and _present(known, columns) >= _NEAR]
    if not near:
        titles = ", ".join(known.title for known in FORMATS.values() if known.origin == "kaggle")
        raise WrongFileError(f"its columns ({_listed(columns)}) belong to no known format. Known formats: {titles}.")
    nearest = max(near, key=lambda known: _present(known, columns))
    raise WrongFileError(f"this is no known format. Nearest is {_what_is_lacking(nearest, columns)}")


_NEAR = 0.5
"""The share of a format's columns from which on a file may be a copy of it that lacks some."""


def _present(known: Format, columns: Sequence[str]) -> float:
    return 1 - len(known.lacks(columns)) / len(known.columns)


def _what_is_lacking(nearest: Format, columns: Sequence[str]) -> str:
    lacking = nearest.lacks(columns)
    there = {plain(column) for column in nearest.columns}
    present = [column for column in columns if plain(column) in there]
    return (
        f"{nearest.title}, of which it has the columns {_listed(present)} "
        f"and lacks {_listed(lacking)}. Get the file as its publisher offers it."
    )


def _listed(names: Sequence[str], most: int = 30) -> str:
    shown = ", ".join(repr(name[:60]) for name in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown or "none"
