"""Last.fm: scrobbles as the usual tools write them, as tables or JSON, and as the archive that Last.fm once offered.

Last.fm has no export of its own any more. Its tools write the columns of artist, album, track and time in any order and
under many names, or without names at all; as JSON they write flat objects, or pages as the API returns them.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from etl.extract.account_export.container import ExportFile
from etl.formats.service_exports import LASTFM as FORMAT

__all__ = [
    "FORMAT",
    "complete_records",
    "find_columns",
    "find_reason_to_leave_out",
    "find_records",
    "has_header",
    "is_history",
]

Record = dict[str, Any]
Columns = dict[str, tuple[int, ...]]

_NAMES = {
    "artist": ("artist", "artistname"),
    "track": ("track", "trackname", "title", "tracktitle", "song", "songname", "name"),
    "album": ("album", "albumname"),
    "played_at": (
        *("uts", "unixtime", "unixtimestamp", "timestampunix", "timestampms", "timestamp", "listenedat", "playedat"),
        *("scrobbledat", "isotime", "utctime", "datetime", "timestamputc", "date", "scrobbletime", "time"),
    ),
}
"""The names of columns and fields, in lower case without spaces and signs; of several in a file the first. Of several
times a number applies, because it is exact: texts often lack seconds and zone."""
_USER_IN_NAME = re.compile(r"#.*")
_SIGNS = re.compile(r"[^a-z0-9]+")
_NUMBER = re.compile(r"\d{9,16}(\.\d+)?")
_TIME = re.compile(r"\d{9,16}|(?=.*\d{4}).*\d{1,2}:\d{2}.*")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_CLOCK = re.compile(r"\d{1,2}:\d{2}(:\d{2})?")
_LISTS = ("recenttracks", "track", "tracks", "scrobbles", "plays")


def find_columns(first_row: Sequence[str], second_row: Sequence[str]) -> Columns | None:
    """Return the columns of the fields: by their names, or in a table without names by the time."""
    columns = _find_named_columns(first_row, second_row) or _find_nameless_columns(first_row, second_row)
    return {field: (position,) for field, position in columns.items()} if columns else None


def has_header(first_row: Sequence[str]) -> bool:
    """Return whether the first row names the columns."""
    return _find_named_columns(first_row, ()) is not None


def is_history(values: list[Any]) -> bool:
    """Return whether values of a JSON file have scrobbles."""
    # Spotify's library has artists and tracks, too, but no times.
    records = find_records(values)
    return any({"artist", "track", "played_at"} <= record.keys() for record in records if isinstance(record, dict))


def find_records(values: list[Any]) -> list[Any]:
    """Return the scrobbles in values of a JSON file."""
    return [_flatten(scrobble) for value in values for scrobble in _find_scrobbles(value)]


def find_reason_to_leave_out(_record: Record) -> str | None:
    """Return None: all records are plays."""
    return None


def complete_records(_records: list[Record], _export_files: Sequence[ExportFile]) -> str | None:
    """Leave the records as they are."""
    return None


def _find_named_columns(first_row: Sequence[str], second_row: Sequence[str]) -> dict[str, int] | None:
    names = [_normalize_name(cell) for cell in first_row]
    columns = {
        field: next(names.index(alias) for alias in aliases if alias in names)
        for field, aliases in _NAMES.items()
        if set(aliases) & set(names)
    }
    if not {"artist", "track", "played_at"} <= columns.keys():
        return None
    times = [names.index(alias) for alias in _NAMES["played_at"] if alias in names]
    columns["played_at"] = next((at for at in times if _NUMBER.fullmatch("".join(second_row[at : at + 1]))), times[0])
    if names[columns["played_at"]] == "date" and "time" in names:
        columns["clock"] = names.index("time")
    return columns


def _find_nameless_columns(row: Sequence[str], second_row: Sequence[str]) -> dict[str, int] | None:
    """Return the columns of a table without names: artist, album, track, time, or without the album.

    The first row may be the track that was playing, which has no time; the second then has one.
    """
    if len(row) == 4 and _DATE.fullmatch(row[0]) and _CLOCK.fullmatch(row[1]):
        return {"played_at": 0, "clock": 1, "artist": 2, "track": 3}
    is_playing = len(row) == len(second_row) == 4 and row[0] and row[2] and not row[3]
    timed_row = second_row if is_playing else row
    if len(row) not in (3, 4) or not _TIME.fullmatch(timed_row[-1]):
        return None
    fields = ("artist", "album", "track", "played_at") if len(row) == 4 else ("artist", "track", "played_at")
    return {field: position for position, field in enumerate(fields)}


def _find_scrobbles(value: Any) -> Iterator[Any]:
    """Yield the scrobbles in a value of any nesting: objects with an artist, and what stands beside them in a list."""
    if isinstance(value, list):
        is_list_of_scrobbles = any(_is_scrobble(entry) for entry in value)
        for entry in value:
            if is_list_of_scrobbles and not isinstance(entry, list):
                yield entry
            else:
                yield from _find_scrobbles(entry)
    elif isinstance(value, dict):
        if _is_scrobble(value) or "problem" in value:
            yield value
        else:
            for name, entry in value.items():
                if _normalize_name(name) in _LISTS:
                    yield from _find_scrobbles(entry)


def _is_scrobble(value: Any) -> bool:
    return isinstance(value, dict) and any(_normalize_name(name) in _NAMES["artist"] for name in value)


def _flatten(scrobble: Any) -> Any:
    if not isinstance(scrobble, dict) or "problem" in scrobble:
        return scrobble
    by_name = {_normalize_name(name): value for name, value in scrobble.items()}
    record = {
        field: next((text for alias in aliases if (text := _get_text(by_name.get(alias))) not in (None, "")), None)
        for field, aliases in _NAMES.items()
    }
    times = (_get_text(by_name.get(alias)) for alias in _NAMES["played_at"])
    record["played_at"] = next((time for time in times if _NUMBER.fullmatch(str(time))), record["played_at"])
    return {name: value for name, value in record.items() if value is not None}


def _get_text(value: Any) -> Any:
    """Return a value, or the text of an object of the API: {"#text": …}, {"name": …}, {"uts": …, "#text": …}."""
    if isinstance(value, dict):
        return value.get("uts") or value.get("#text") or value.get("name")
    return None if isinstance(value, list) else value


@lru_cache(maxsize=1000)
def _normalize_name(name: str) -> str:
    return _SIGNS.sub("", _USER_IN_NAME.sub("", name.strip().lower()))
