"""The file formats that an import supports, each recognised by its columns only.

File names are not significant: every download is called ``archive``. Copies add columns, such as an unnamed index, or
change the case of names. A file therefore has a format if it has all columns of that format.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from etl.errors import WrongFileError
from etl.formats.contracts import AUDIO_FEATURES, MOCK_SOURCE
from etl.formats.contracts.columns import MEASURES
from etl.formats.kaggle.column_rules import (
    PERCENTAGE,
    REQUIRED_TEXT,
    ColumnRule,
    build_number_rule,
    build_whole_number_rule,
)

RecordKind = Literal["track", "artist", "survey_response"]


@dataclass(frozen=True)
class FileFormat:
    """A known format.

    ``source`` is the source in its rows, ``origin`` the lake folder of its files, ``kind`` the resource that a row
    describes, ``columns`` the columns that a file must have, with the publisher's names. ``rules`` are the rules of
    columns that have another meaning, or no meaning, in other formats; without ``has_common_columns`` they are the only
    rules. ``missing_words`` are the words that the format's writer uses for missing text.
    """

    name: str
    title: str
    kind: RecordKind
    columns: tuple[str, ...]
    source: str
    origin: str = "kaggle"
    rules: Mapping[str, ColumnRule] = field(default_factory=dict, hash=False)
    missing_words: tuple[str, ...] = ()
    has_common_columns: bool = True

    def find_missing_columns(self, columns: Iterable[str]) -> list[str]:
        """Return the columns of this format that are not in ``columns``, ignoring case and extra spaces."""
        normalized_columns = {normalize_column_name(column) for column in columns}
        return [column for column in self.columns if normalize_column_name(column) not in normalized_columns]


def _define_kaggle_format(
    name: str,
    title: str,
    kind: RecordKind,
    *columns: str,
    rules: Mapping[str, ColumnRule] = MappingProxyType({}),
    missing_words: tuple[str, ...] = (),
    has_common_columns: bool = True,
) -> FileFormat:
    return FileFormat(name, title, kind, columns, name, "kaggle", dict(rules), missing_words, has_common_columns)


def _define_synthetic_format(name: str, title: str, kind: RecordKind, *columns: str) -> FileFormat:
    return FileFormat(name, title, kind, columns, source="made_up", origin="made_up")


_PLAYLIST_COLUMNS = ("playlist_name", "playlist_id", "playlist_genre", "playlist_subgenre")

FORMATS: dict[str, FileFormat] = {
    file_format.name: file_format
    for file_format in (
        _define_kaggle_format(
            "tracks_1921_2020",
            "Spotify Dataset 1921-2020 (tracks.csv)",
            "track",
            *("id", "name", "popularity", "duration_ms", "explicit", "artists", "id_artists", "release_date"),
            *MEASURES,
            rules={"artists": ColumnRule("literal", is_required=True), "id_artists": ColumnRule("ids")},
        ),
        _define_kaggle_format(
            "artists_1921_2020",
            "Spotify Dataset 1921-2020 (artists.csv)",
            "artist",
            *("id", "followers", "genres", "name", "popularity"),
            rules={"genres": ColumnRule("literal")},
        ),
        _define_kaggle_format(
            "tracks_by_genre",
            "Spotify Tracks Dataset (dataset.csv)",
            "track",
            *("track_id", "artists", "album_name", "track_name", "popularity", "duration_ms", "explicit"),
            *MEASURES,
            "track_genre",
            rules={"artists": ColumnRule("names", is_required=True)},
        ),
        _define_kaggle_format(
            "playlist_songs",
            "30000 Spotify Songs (spotify_songs.csv)",
            "track",
            *("track_id", "track_name", "track_artist", "track_popularity"),
            *("track_album_id", "track_album_name", "track_album_release_date"),
            *_PLAYLIST_COLUMNS,
            *AUDIO_FEATURES,
            *("key", "mode", "duration_ms"),
            missing_words=("NA",),  # The file was written by R.
        ),
        _define_kaggle_format(
            "top_2000s",
            "Top 2000s (Spotify-2000.csv)",
            "track",
            *("Title", "Artist", "Top Genre", "Year", "Beats Per Minute (BPM)", "Energy", "Danceability"),
            *("Loudness (dB)", "Liveness", "Valence", "Length (Duration)", "Acousticness", "Speechiness"),
            "Popularity",
            rules={
                **{"Title": REQUIRED_TEXT, "Artist": ColumnRule("names", is_required=True), "Year": ColumnRule("date")},
                **{"Beats Per Minute (BPM)": build_number_rule(0, 1000), "Loudness (dB)": build_number_rule(-100, 20)},
                **dict.fromkeys(("Energy", "Danceability", "Liveness", "Valence"), build_number_rule(0, 100)),
                **dict.fromkeys(("Acousticness", "Speechiness"), build_number_rule(0, 100)),
                **{
                    "Length (Duration)": ColumnRule("duration", is_required=True, unit_ms=1000),
                    "Popularity": PERCENTAGE,
                },
            },
            has_common_columns=False,
        ),
        _define_kaggle_format(
            "user_behavior",
            "Spotify User Behavior (Spotify_data.xlsx)",
            "survey_response",
            *("Age", "Gender", "spotify_usage_period", "spotify_listening_device", "spotify_subscription_plan"),
            *("premium_sub_willingness", "preffered_premium_plan", "preferred_listening_content"),
            *("fav_music_genre", "music_time_slot", "music_Influencial_mood", "music_lis_frequency"),
            *("music_expl_method", "music_recc_rating", "pod_lis_frequency", "fav_pod_genre"),
            *("preffered_pod_format", "pod_host_preference", "preffered_pod_duration", "pod_variety_satisfaction"),
            rules={
                "premium_sub_willingness": ColumnRule("flag", words=("yes", "no")),
                "music_recc_rating": build_whole_number_rule(1, 5),
            },
            has_common_columns=False,
        ),
        _define_synthetic_format(
            "made_up_tracks",
            "made-up tracks",
            "track",
            *("is_made_up", "track_id", "name", "artist_ids", "artist_names", "album_id", "album_name"),
            *("release_date", "duration_ms", "explicit", "isrc", "popularity", "genres"),
            *_PLAYLIST_COLUMNS,
            *MEASURES,
        ),
        _define_synthetic_format(
            "made_up_artists",
            "made-up artists",
            "artist",
            *("is_made_up", "artist_id", "name", "popularity", "followers", "genres"),
        ),
    )
}
"""All known formats by name, the best source first."""

SOURCE_RANK = (
    "api",
    *dict.fromkeys(known.source for known in FORMATS.values() if known.kind != "survey_response"),
    MOCK_SOURCE,
)
"""Sources, best first: if several sources have a value of a field, the first one wins (docs/rules.md)."""


def normalize_column_name(column: str) -> str:
    """Return a column's name as it is compared with formats: lower case, single spaces."""
    return " ".join(column.split()).casefold()


def find_column_indexes(columns: Sequence[str], file_format: FileFormat) -> list[int]:
    """Return the positions in a header of a format's columns, in the format's order."""
    index_by_name: dict[str, int] = {}
    for index, name in enumerate(columns):
        index_by_name.setdefault(normalize_column_name(name), index)
    return [index_by_name[normalize_column_name(name)] for name in file_format.columns]


def detect_format(columns: Sequence[str], format_name: str | None = None) -> FileFormat:
    """Return the format of a file with these columns.

    :param format_name: the name of the format that the file must have, or None to detect the format.
    :raises WrongFileError: if a column is missing, or ``format_name`` is unknown. The message names the nearest Kaggle
        format, with the present and the missing columns.
    """
    if format_name is not None and format_name not in FORMATS:
        raise WrongFileError(f"there is no format {format_name!r}. Known formats: {', '.join(FORMATS)}.")
    candidates = [FORMATS[format_name]] if format_name else list(FORMATS.values())
    matching = [candidate for candidate in candidates if not candidate.find_missing_columns(columns)]
    if matching:
        return max(matching, key=lambda candidate: len(candidate.columns))
    if format_name:
        raise WrongFileError(f"this is not {_describe_missing_columns(FORMATS[format_name], columns)}")
    similar = [
        candidate
        for candidate in candidates
        if candidate.origin == "kaggle" and _compute_present_fraction(candidate, columns) >= _SIMILAR_FRACTION
    ]
    if not similar:
        titles = ", ".join(candidate.title for candidate in FORMATS.values() if candidate.origin == "kaggle")
        raise WrongFileError(
            f"its columns ({_format_names(columns)}) belong to no known format. Known formats: {titles}."
        )
    nearest = max(similar, key=lambda candidate: _compute_present_fraction(candidate, columns))
    raise WrongFileError(f"this is no known format. Nearest is {_describe_missing_columns(nearest, columns)}")


_SIMILAR_FRACTION = 0.5
"""The fraction of a format's columns that a file must have to be reported as an incomplete copy of that format."""


def _compute_present_fraction(file_format: FileFormat, columns: Sequence[str]) -> float:
    return 1 - len(file_format.find_missing_columns(columns)) / len(file_format.columns)


def _describe_missing_columns(file_format: FileFormat, columns: Sequence[str]) -> str:
    missing = file_format.find_missing_columns(columns)
    normalized_columns = {normalize_column_name(column) for column in file_format.columns}
    present = [column for column in columns if normalize_column_name(column) in normalized_columns]
    return (
        f"{file_format.title}, of which it has the columns {_format_names(present)} "
        f"and lacks {_format_names(missing)}. Get the file as its publisher offers it."
    )


def _format_names(names: Sequence[str], limit: int = 30) -> str:
    shown = ", ".join(repr(name[:60]) for name in names[:limit])
    return f"{shown} and {len(names) - limit} more" if len(names) > limit else shown or "none"
